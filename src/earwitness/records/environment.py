"""Describes this machine for the record, without host name, user name or path."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from earwitness import __version__
from earwitness.records.record import Environment, Process

_PACKAGES = ("numpy", "soundfile", "av", "soxr", "whisper-normalizer", "kaldialign", "rapidfuzz")


@cache
def environment() -> Environment:
    """Describe this machine and this installation."""
    import psutil

    revision, dirty = _checkout()
    return Environment(
        earwitness=__version__,
        revision=revision,
        dirty=dirty,
        python=platform.python_version(),
        platform=platform.platform(),
        cpu=_cpu(),
        cores=usable_cores(),
        memory_bytes=psutil.virtual_memory().total,
        packages=_versions(_PACKAGES),
    )


def published_at() -> str | None:
    """Return where this checkout was cloned from, when others can clone from there too, without any password.

    ``None`` for an installation that is no checkout, or one whose origin is a folder or another protocol than HTTPS.
    """
    if environment().revision is None:
        return None
    try:
        origin = _git(Path(__file__).resolve().parent, "remote", "get-url", "origin")
    except (OSError, subprocess.SubprocessError):
        return None
    return public_url(origin)


def public_url(origin: str) -> str | None:
    """Return a Git remote as an HTTPS address that holds no user and no password.

    >>> public_url("git@example.org:lab/earwitness.git")
    'https://example.org/lab/earwitness.git'
    >>> public_url("https://me:secret@example.org/lab/earwitness")
    'https://example.org/lab/earwitness'
    >>> public_url("/srv/git/earwitness") is None
    True
    """
    found = re.fullmatch(
        r"(?:https://(?:[^@/]*@)?|ssh://(?:[^@/]*@)?|[\w.-]+@)([\w.-]+)(?::\d+/|[:/])([^\s@]+)", origin
    )
    return f"https://{found[1]}/{found[2]}" if found else None


def usable_cores() -> int:
    """Return how many logical cores this process may run on, which a container may set below the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def this_process() -> Process:
    """Return an identity of this process that stays unique when its id is used again."""
    import psutil

    return Process(os.getpid(), psutil.Process().create_time())


def is_running(process: Process | None) -> bool:
    """Return whether that very process is alive."""
    import psutil

    if process is None:
        return False
    try:
        started_at_s: float = psutil.Process(process.pid).create_time()
    except psutil.NoSuchProcess:
        return False
    return abs(started_at_s - process.started_at_s) < 1.0


def _versions(packages: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _checkout() -> tuple[str | None, bool | None]:
    folder = Path(__file__).resolve().parent.parent
    try:
        # An installation inside somebody else's checkout is not tracked by it; its commit would say nothing about us.
        _git(folder, "ls-files", "--error-unmatch", "__init__.py")
        revision = _git(folder, "rev-parse", "HEAD")
        return revision, bool(_git(folder, "status", "--porcelain", "--", "."))
    except (OSError, subprocess.SubprocessError):
        return None, None


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.strip()
