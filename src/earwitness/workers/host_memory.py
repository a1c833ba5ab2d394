"""The memory of a process, the limit of its control group, and the number of kills for lack of memory.

Linux only: elsewhere nothing is known, and every function returns ``None`` or 0. Both versions of control groups are
read, since the memory controller may be under either one.
"""

from __future__ import annotations

import sys
from pathlib import Path

_MEMBERSHIP = Path("/proc/self/cgroup")
_ROOT = Path("/sys/fs/cgroup")
_UNLIMITED_BYTES = 1 << 60
"""Version 1 writes "no limit" as a number close to 2**63."""


def peak_rss_bytes(pid: int | None = None) -> int | None:
    """Return the most memory that a process has held at once, or ``None`` if unknown.

    On Linux ``VmHWM``: ``ru_maxrss`` would start at the parent's peak there, since it survives exec. On macOS
    ``ru_maxrss``, which is in bytes, and known of this process alone.

    Args:
        pid: The process; ``None`` for this one.
    """
    try:
        status = Path(f"/proc/{pid or 'self'}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        if sys.platform != "darwin" or pid is not None:
            return None
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # A process that has ended and was not waited for has a status without memory.
    line = next((line for line in status.splitlines() if line.startswith("VmHWM")), None)
    return None if line is None else int(line.split()[1]) * 1024


def memory_limit_bytes(membership: Path = _MEMBERSHIP, root: Path = _ROOT) -> int | None:
    """Return the memory that this process's control group and those above it allow; ``None`` for no limit.

    Args:
        membership: Says which groups this process is in, as ``/proc/self/cgroup`` does.
        root: Where control groups are mounted.
    """
    limits = [
        value
        for folder in _groups(membership, root)
        for name in ("memory.max", "memory.limit_in_bytes")
        if (value := _number(folder / name)) is not None and value < _UNLIMITED_BYTES
    ]
    return min(limits, default=None)


def oom_kills(membership: Path = _MEMBERSHIP, root: Path = _ROOT) -> int:
    """Return how many processes of this control group the kernel has killed because its memory ran out.

    Args:
        membership: As for ``memory_limit_bytes``.
        root: As for ``memory_limit_bytes``.
    """
    for folder in _groups(membership, root):
        for name in ("memory.events", "memory.oom_control"):
            for line in _lines(folder / name):
                if line.startswith("oom_kill "):
                    return int(line.split()[1])
    return 0


def _groups(membership: Path, root: Path) -> list[Path]:
    """Return the folders of the control groups that count this process's memory, the innermost first."""
    found: list[Path] = []
    for line in _lines(membership):
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        top = root / controllers
        inside = top / path.strip("/")
        # In a container, the path may be that of the host, while what is mounted begins at the container's own group.
        start = inside if inside.is_dir() else top
        found += [folder for folder in (start, *start.parents) if folder == top or top in folder.parents]
    return found


def _number(path: Path) -> int | None:
    text = "".join(_lines(path)).strip()
    return int(text) if text.isdigit() else None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []
