"""Finds a Python for an engine: this one, uv's, those on PATH, pyenv's, and the Windows launcher's."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import SpecifierSet

from earwitness.errors import EngineError

_PROBE = (
    "import sys, json, importlib.util as util;"
    "print(json.dumps([sys.executable, '%d.%d.%d' % sys.version_info[:3],"
    " bool(util.find_spec('pip') and util.find_spec('venv'))]))"
)
_MINORS = range(11, 20)
_PROBE_S = 20


@dataclass(frozen=True, slots=True)
class Python:
    """An interpreter, with the facts that it reported when run."""

    path: Path
    """Its executable, as it names itself."""
    version: str
    """Such as ``3.12.1``."""
    has_pip: bool
    """Whether it can make an environment and fill it without uv."""


def fits(version: str, requirement: str) -> bool:
    """Return whether a version meets a PEP 440 specifier.

    >>> fits("3.12.1", ">=3.12"), fits("3.11.7", ">=3.12"), fits("3.14.0", ">=3.11,<3.14")
    (True, False, False)
    """
    return SpecifierSet(requirement).contains(version, prereleases=True)


def find_uv() -> Path | None:
    """Return the program uv, from PATH or from beside this Python, where ``pip install uv`` puts it."""
    beside = str(Path(sys.executable).parent)
    found = shutil.which("uv") or shutil.which("uv", path=beside)
    return Path(found) if found else None


def find_python(version: str, *, like: str | None = None, uv: Path | None = None) -> Python:
    """Return a Python that fits.

    This one is taken if it fits. Else, of those that are found, the oldest: packages come late to the newest Python.
    One with the feature version of ``like`` comes before both.

    Args:
        version: PEP 440 specifier.
        like: A version of Python that is preferred.
        uv: The program; with it a Python needs no pip, and uv's own Pythons are looked at.

    Raises:
        EngineError: When there is none: what was found, and what to install.
    """
    this = probe(Path(sys.executable))
    if this and _usable(this, version, uv) and (like is None or _feature(this.version) == _feature(like)):
        return this
    found = {python.path: python for path in _places(uv, version) if (python := probe(path))}
    if this:
        found[this.path] = this
    usable = [python for python in found.values() if _usable(python, version, uv)]
    if not usable:
        raise EngineError(_what_to_install(version, list(found.values()), uv))
    alike = like and _feature(like)
    return min(usable, key=lambda python: (_feature(python.version) != alike, python != this, _numbers(python.version)))


def probe(path: Path) -> Python | None:
    """Run an interpreter and return its facts; ``None`` for a program that is not a working Python."""
    # One that is called through a link of an environment names the environment's, as it should.
    command = [str(path), "-I", "-c", _PROBE]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PROBE_S, check=True)
        executable, version, has_pip = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return Python(Path(executable), version, has_pip)


def _places(uv: Path | None, version: str) -> Iterator[Path]:
    if uv is not None:
        command = [str(uv), "python", "find", "--no-python-downloads", "--system", version]
        yield from (Path(line) for line in _output(command).splitlines()[-1:])
    for name in ("python3", "python", *(f"python3.{minor}" for minor in _MINORS)):
        found = shutil.which(name)
        if found:
            yield Path(found)
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for pattern in ("versions/3.*/bin/python", "pyenv-win/versions/3.*/python.exe"):
        yield from sorted(root.glob(pattern))
    # The launcher of Windows answers with lines such as " -V:3.12 *        C:\Python312\python.exe".
    launched = re.findall(r"^\s*-V:\S+[ *]+(\S.*\S)\s*$", _output(["py", "--list-paths"]), re.MULTILINE)
    yield from map(Path, launched)


def _output(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PROBE_S, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _usable(python: Python, version: str, uv: Path | None) -> bool:
    return fits(python.version, version) and (python.has_pip or uv is not None)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _feature(version: str) -> tuple[int, ...]:
    return _numbers(version)[:2]


def _what_to_install(version: str, pythons: list[Python], uv: Path | None) -> str:
    seen = sorted({f"{p.version}{'' if p.has_pip or uv else ' without pip'}" for p in pythons})
    here = f"here: {', '.join(seen)}" if seen else "there is none at all"
    fitting = [f"3.{minor}" for minor in _MINORS if fits(f"3.{minor}.99", version)]
    if not fitting:
        return f"Python {version} is needed and was not found ({here}). Install one, or name it with --python PATH."
    command = f"uv python install {fitting[0]}"
    if uv is None:
        command = {
            "darwin": f"brew install python@{fitting[0]}",
            "win32": f"winget install Python.Python.{fitting[0]}",
        }.get(sys.platform, f"pip install uv && {command}")
    return f"Python {version} is needed and was not found ({here}). Run: {command} (or name one with --python PATH)."
