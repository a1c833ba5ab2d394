"""Limits and kills as both versions of control groups write them, and the memory of real processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from earwitness.workers.host_memory import memory_limit_bytes, oom_kills, peak_rss_bytes

LINUX = pytest.mark.skipif(
    sys.platform != "linux", reason="there are no control groups and no /proc here: run it on Linux"
)


def groups(folder: Path, membership: str, files: dict[str, str]) -> tuple[Path, Path]:
    for name, text in files.items():
        path = folder / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")
    (folder / "membership").write_text(membership, encoding="ascii")
    return folder / "membership", folder / "cgroup"


@pytest.mark.parametrize(
    ("membership", "files", "limit", "kills"),
    [
        ("0::/\n", {"memory.max": "1000\n", "memory.events": "low 0\noom 3\noom_kill 2\n"}, 1000, 2),
        ("0::/\n", {"memory.max": "max\n", "memory.events": "oom_kill 0\n"}, None, 0),
        ("0::/a\n", {"a/memory.max": "max\n", "memory.max": "700\n", "a/memory.events": "oom_kill 1\n"}, 700, 1),
        ("0::/a/b\n", {"a/b/memory.max": "900\n", "a/memory.max": "700\n"}, 700, 0),
        # Inside a container, the path is the host's, and what is mounted begins at the container's own group.
        ("0::/docker/0123\n", {"memory.max": "500\n"}, 500, 0),
        (
            "5:devices:/x\n4:memory:/m\n0::/\n",
            {"memory/m/memory.limit_in_bytes": "600\n", "memory/memory.limit_in_bytes": "9223372036854771712\n",
             "memory/m/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n"},
            600, 4,
        ),
        ("4:memory:/\n", {"memory/memory.limit_in_bytes": "9223372036854771712\n"}, None, 0),
        ("", {}, None, 0),
    ],
)  # fmt: skip
def test_the_least_limit_above_a_process_is_found_and_kills_are_counted(
    tmp_path: Path, membership: str, files: dict[str, str], limit: int | None, kills: int
) -> None:
    place = groups(tmp_path, membership, files)
    assert memory_limit_bytes(*place) == limit
    assert oom_kills(*place) == kills


@LINUX
def test_the_peak_of_another_process_is_kept_by_the_kernel_until_it_ends() -> None:
    code = "held = bytearray(60_000_000); held = None; print(1, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        peak = peak_rss_bytes(process.pid)
        assert peak is not None
        assert 60_000_000 < peak < 120_000_000, "what was let go of counts"
        process.kill()
        process.wait()
    assert peak_rss_bytes(process.pid) is None
