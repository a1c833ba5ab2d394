"""Environments of engines: this Python, or an environment of the engine's own.

An environment is a folder in the cache with a Python and the engine's packages, without Earwitness. Its stamp,
``environment.json``, is written last, after the self-test: no stamp, no environment. A worker in it is given the
running Earwitness through PYTHONPATH, by a folder that leads to this very package and shows nothing of what lies beside
it: Earwitness can be upgraded or edited, and environments stay as they are.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Literal

from earwitness import __version__
from earwitness.engines.base import EngineSpec
from earwitness.engines.registry import GROUP, missing_import, not_installed, package_versions
from earwitness.errors import EngineError
from earwitness.files.cache import load
from earwitness.files.fetch import cache_dir
from earwitness.workers.pythons import fits

STAMP = "environment.json"
_SELF_TEST_S = 600
Place = Literal["here", "own"]
InstallProgress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stamp:
    """The description of an environment, from when it was made."""

    python: str
    """Its version of Python."""
    packages: Mapping[str, str]
    """Every distribution in it, with its version."""
    devices: tuple[str, ...]
    """That its packages saw."""
    size_bytes: int
    """Of its files."""
    created_at: str
    """In UTC, ISO 8601."""
    requirements: tuple[str, ...]
    """What pip or uv was asked for."""
    lock_sha256: str | None
    """Of the lock; ``None`` if it was made without one."""
    earwitness: str
    """The version that made it."""
    made_with: str
    """``pip`` or ``uv``."""


@dataclass(frozen=True, slots=True)
class SelfTest:
    """The result of importing the packages of an engine in a Python."""

    failed: str | None
    """Why the engine does not work there; ``None`` if it does."""
    python: str | None = None
    """Version."""
    packages: Mapping[str, str] | None = None
    """Versions of the engine's packages."""
    distributions: Mapping[str, str] | None = None
    """Versions of everything there."""
    devices: tuple[str, ...] = ()
    """That the engine could use, as its packages see them."""


def engines_dir() -> Path:
    """Return the folder of all environments."""
    return cache_dir() / "engines"


def folder_of(spec: EngineSpec) -> Path:
    """Return the folder of the engine's environment, which may not exist."""
    return engines_dir() / re.sub(r"[^A-Za-z0-9._-]+", "-", spec.name)


def log_of(spec: EngineSpec) -> Path:
    """Return the log file of pip or uv for the environment."""
    return engines_dir() / f"{folder_of(spec).name}.log"


def interpreter(folder: Path) -> Path:
    """Return the Python of an environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def why_not_here(spec: EngineSpec) -> str | None:
    """Return why this Python cannot run the engine; ``None`` if it can. Nothing is imported."""
    module = missing_import(spec)
    if module is not None:
        return f"no module {module!r}"
    version = ".".join(map(str, sys.version_info[:3]))
    return None if fits(version, spec.python) else f"it needs Python {spec.python}, and this is {version}"


def stamp_of(spec: EngineSpec) -> Stamp | None:
    """Return the stamp of the engine's own environment; ``None`` if it is missing or unfinished."""
    folder = folder_of(spec)
    try:
        stamp = load(folder / STAMP)
        stamp |= {"devices": tuple(stamp["devices"]), "requirements": tuple(stamp["requirements"])}
        return Stamp(**stamp) if interpreter(folder).exists() else None
    except (TypeError, KeyError):
        return None


def place_of(spec: EngineSpec) -> Place | None:
    """Return the place of workers of the engine: ``here`` before ``own``; ``None`` if it is not installed."""
    if why_not_here(spec) is None:
        return "here"
    return "own" if stamp_of(spec) else None


def python_of(spec: EngineSpec) -> Path:
    """Return the interpreter for a worker of the engine: this one if it can, else that of the engine's environment.

    Raises:
        EngineNotInstalledError: When neither can, with the command that installs the engine.
    """
    place = place_of(spec)
    if place is None:
        raise not_installed(spec, why_not_here(spec) or "")
    return Path(sys.executable) if place == "here" else interpreter(folder_of(spec))


def packages_of(spec: EngineSpec) -> dict[str, str]:
    """Return the versions of the engine's packages where its workers run; nothing is started."""
    if place_of(spec) == "here":
        return package_versions(spec)
    stamp = stamp_of(spec)
    return {name: stamp.packages[name] for name in spec.packages if name in stamp.packages} if stamp else {}


def variables_for(python: Path) -> dict[str, str]:
    """Return the environment variables with which ``python -m earwitness.workers.child`` works in an interpreter."""
    variables = dict(os.environ) | {"PYTHONSAFEPATH": "1"}
    if python != Path(sys.executable):
        variables = without_python_s_own(variables) | {"PYTHONPATH": str(_bridge()), "PYTHONNOUSERSITE": "1"}
    return variables


def without_python_s_own(variables: Mapping[str, str]) -> dict[str, str]:
    """Return variables without those that would lead another interpreter into this one's packages."""
    ours = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__", "PIP_USER", "PIP_TARGET", "PIP_PREFIX"}
    return {name: value for name, value in variables.items() if name not in ours}


def self_test(spec: EngineSpec, python: Path) -> SelfTest:
    """Let an interpreter import the engine's packages in a process of its own, and return the result."""
    command = [str(python), "-m", "earwitness.workers.child", "--self-test", spec.name]
    try:
        done = subprocess.run(
            command, env=variables_for(python), capture_output=True, text=True, timeout=_SELF_TEST_S, check=False
        )
    except OSError as error:
        return SelfTest(f"its Python does not start: {error.strerror}")
    except subprocess.TimeoutExpired:
        return SelfTest(f"its imports took longer than {_SELF_TEST_S} s")
    try:
        said: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        if done.returncode < 0:
            return SelfTest(f"its imports were killed by signal {signal.Signals(-done.returncode).name}")
        return SelfTest((done.stderr.strip().splitlines() or [f"it exited with code {done.returncode}"])[-1])
    return SelfTest(
        said["failed"], said["python"], said["packages"], said["distributions"], devices=tuple(said["devices"])
    )


def check(spec: EngineSpec) -> SelfTest:
    """Test the engine in the Python of its workers; an engine that is not installed fails with a reason."""
    try:
        return self_test(spec, python_of(spec))
    except EngineError as error:
        return SelfTest(str(error))


def remove(spec: EngineSpec) -> bool:
    """Remove the engine's own environment and return whether there was one.

    Raises:
        EngineError: When it is being installed at this moment.
    """
    folder = folder_of(spec)
    if not folder.exists():
        return False
    with alone(spec, wait_s=0):
        (folder / STAMP).unlink(missing_ok=True)  # first: what is half removed is not to be used
        shutil.rmtree(folder)
        log_of(spec).unlink(missing_ok=True)
    return True


@contextmanager
def alone(spec: EngineSpec, *, wait_s: float, progress: InstallProgress = lambda _: None) -> Iterator[None]:
    """Keep other processes from changing the engine's environment meanwhile.

    Raises:
        EngineError: When another one is still at it after ``wait_s`` seconds.
    """
    from filelock import FileLock, Timeout

    _make(engines_dir())
    lock = FileLock(engines_dir() / f".{folder_of(spec).name}.lock")
    try:
        with contextlib.suppress(Timeout):
            lock.acquire(timeout=0)
        if not lock.is_locked:
            progress("another process is installing or removing it; waiting for that one")
            lock.acquire(timeout=wait_s)
    except Timeout:
        message = f"Engine {spec.name!r} is being installed or removed by another process. Wait for it, or end it."
        raise EngineError(message) from None
    try:
        yield
    finally:
        lock.release()


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EngineError(
            f"Cannot write in {str(cache_dir())!r}: {error.strerror}. Set EARWITNESS_CACHE to a writable folder."
        ) from None


def _bridge() -> Path:
    """Return a folder with a package ``earwitness`` whose modules are the running one's, and with its entry points."""
    package = Path(__file__).parent.parent
    entries = distribution("earwitness").entry_points.select(group=GROUP)
    info = f"earwitness-{__version__}.dist-info"
    files = {
        "earwitness/__init__.py": f"__path__ = [{str(package)!r}]\n__version__ = {__version__!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: earwitness\nVersion: {__version__}\n",
        f"{info}/entry_points.txt": "\n".join([f"[{GROUP}]", *(f"{e.name} = {e.value}" for e in entries), ""]),
    }
    key = hashlib.sha256(json.dumps(files).encode()).hexdigest()[:16]
    root = engines_dir() / ".earwitness"
    folder = root / key
    if not folder.exists():
        _make(root)
        with tempfile.TemporaryDirectory(dir=root, prefix=".new-") as scratch:
            for name, text in files.items():
                path = Path(scratch) / "new" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            # Another worker may have been quicker; its folder is the same.
            with contextlib.suppress(OSError):
                (Path(scratch) / "new").rename(folder)
    return folder
