"""Makes an engine's own environment: a Python that fits, the packages of its lock, a self-test, and then the stamp."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from earwitness import __version__
from earwitness.engines.base import EngineSpec
from earwitness.errors import EngineError
from earwitness.files.cache import keep
from earwitness.files.fetch import sha256_of
from earwitness.workers import leash
from earwitness.workers.environments import (
    STAMP,
    InstallProgress,
    SelfTest,
    Stamp,
    alone,
    folder_of,
    interpreter,
    log_of,
    self_test,
    stamp_of,
    without_python_s_own,
)
from earwitness.workers.processes import end_session
from earwitness.workers.pythons import Python, find_python, find_uv, fits, probe

LOCKS = Path(__file__).parent.parent / "engines" / "locks"
ALWAYS = ("numpy>=2.0",)
"""What the worker's child needs, beside the engine's own requirements."""
_CONSTRAINTS = ("PIP_CONSTRAINT", "UV_CONSTRAINT")
_WAIT_S = 3600
_UNPACKING = 1.5
"""Disk that an installation takes at its peak, per byte of what stays: downloads lie beside what is unpacked."""


@dataclass(frozen=True, slots=True)
class Lock:
    """Exact versions of all packages of an engine, and the environment in which they were locked."""

    path: Path
    """The file, as pip takes it with ``--constraint``."""
    python: str
    """The version of Python that they were found with."""
    size_bytes: int
    """Of the environment's files, measured."""
    platform: str
    """Where it was measured."""
    n_packages: int
    """How many there are."""


@dataclass(frozen=True, slots=True)
class InstallPlan:
    """The plan of an installation."""

    spec: EngineSpec
    """The engine."""
    folder: Path
    """Where its environment will be."""
    python: Python
    """What it is made from."""
    uv: Path | None
    """The program that makes it; ``None`` for venv and pip."""
    requirements: tuple[str, ...]
    """What is asked of it, the engine's bare requirements included."""
    lock: Lock | None
    """Which versions; ``None`` for the newest that fit."""
    free_bytes: int
    """On the disk of the folder."""
    python_asked: bool = False
    """Whether the Python was named, and an environment of another one is to be made anew."""


def lock_of(spec: EngineSpec) -> Lock | None:
    """Return the lock that Earwitness ships for an engine; ``None`` for engines of other distributions.

    Raises:
        EngineError: When the file's header lacks a line.
    """
    path = LOCKS / f"{spec.name}.txt"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    header = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# ") and ": " in line)
    n_packages = sum("==" in line for line in lines if not line.startswith("#"))
    try:
        return Lock(path, header["python"], int(header["size_bytes"]), header["platform"], n_packages)
    except (KeyError, ValueError) as error:
        raise EngineError(
            f"Lock {str(path)!r} has no valid header: {error}. Make it again: tools/lock_engine.py"
        ) from None


def plan(spec: EngineSpec, *, use_lock: bool = True, uv: bool = True, python: Path | None = None) -> InstallPlan:
    """Plan an installation without changing anything.

    Args:
        spec: The engine.
        use_lock: Whether the packages are those of its lock.
        uv: Whether uv is used where it is present.
        python: Which Python to make it from; ``None`` to look for one.

    Raises:
        EngineError: When the engine needs no environment, or no Python fits.
    """
    if not spec.requirements:
        raise EngineError(f"Engine {spec.name!r} needs no packages of its own; there is nothing to install.")
    lock = lock_of(spec) if use_lock else None
    program = find_uv() if uv else None
    try:
        made_from = _chosen(python, spec.python, program) if python else _found(spec, lock, program)
    except EngineError as error:
        raise EngineError(f"Engine {spec.name!r} cannot be installed: {error}") from None
    folder = folder_of(spec)
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free_bytes = shutil.disk_usage(there).free
    wanted = (*spec.requirements, *spec.bare_requirements, *ALWAYS)
    return InstallPlan(spec, folder, made_from, program, wanted, lock, free_bytes, python is not None)


def install(todo: InstallPlan, progress: InstallProgress = lambda _: None) -> Stamp:
    """Make the environment, or continue an unfinished one; does nothing if it is complete and works.

    One that is whole and does not work is made afresh.

    Args:
        todo: From ``plan``.
        progress: Told every line of pip's or uv's.

    Raises:
        EngineError: When the disk is too small, an installation or the self-test fails, or another process does not
            finish with it. What is there stays, without a stamp, and is gone on with the next time.
    """
    spec, folder = todo.spec, todo.folder
    with alone(spec, wait_s=_WAIT_S, progress=progress):
        stamp = stamp_of(spec)
        works = stamp is not None and self_test(spec, interpreter(folder)).failed is None
        if stamp is not None and works and _is_as_planned(stamp, todo):
            return stamp
        _require_space(todo)
        (folder / STAMP).unlink(missing_ok=True)
        if stamp is not None and not works:
            shutil.rmtree(folder)
        log_of(spec).unlink(missing_ok=True)
        _make_environment(todo, progress)
        _forget_half_installed(folder)
        for command in _install_commands(todo):
            _run(command, todo, progress)
        progress("testing it")
        tested = self_test(spec, interpreter(folder))
        if tested.failed is not None:
            raise EngineError(
                f"Engine {spec.name!r} was installed but does not work: {tested.failed}. "
                f"The log: {str(log_of(spec))!r}. To start over: earwitness engines remove {spec.name}"
            )
        return _stamped(todo, tested)


def size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder; files that vanish meanwhile are left out."""
    total = 0
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                if entry.is_dir(follow_symlinks=False):
                    total += size_of(Path(entry.path))
                elif entry.is_file(follow_symlinks=False):
                    total += entry.stat(follow_symlinks=False).st_size
    return total


def _chosen(path: Path, version: str, uv: Path | None) -> Python:
    python = probe(path)
    if python is None or not fits(python.version, version):
        what = python.version if python else "not a Python that works"
        raise EngineError(f"Python {version} is needed, and {str(path)!r} is {what}.")
    if not python.has_pip and uv is None:
        raise EngineError(f"Python {str(path)!r} has no pip, and there is no uv here. Install one of them.")
    return python


def _found(spec: EngineSpec, lock: Lock | None, uv: Path | None) -> Python:
    return find_python(spec.python, like=lock.python if lock else None, uv=uv)


def _is_as_planned(stamp: Stamp, todo: InstallPlan) -> bool:
    lock_sha256 = sha256_of(todo.lock.path) if todo.lock else None
    same_python = stamp.python == todo.python.version or not todo.python_asked
    return same_python and (stamp.requirements, stamp.lock_sha256) == (todo.requirements, lock_sha256)


def _require_space(todo: InstallPlan) -> None:
    if todo.lock is None:
        return
    needed = (todo.lock.size_bytes - size_of(todo.folder)) * _UNPACKING
    if needed > todo.free_bytes:
        raise EngineError(
            f"Engine {todo.spec.name!r} needs {needed / 1e9:.1f} GB to be installed, but only "
            f"{todo.free_bytes / 1e9:.1f} GB are free at {str(todo.folder.parent)!r}. "
            "Free some space, or set EARWITNESS_CACHE to another disk."
        )


def _make_environment(todo: InstallPlan, progress: InstallProgress) -> None:
    if _is_environment(todo.folder, todo.python.version):
        return
    if todo.folder.exists():
        shutil.rmtree(todo.folder)
    progress(f"making an environment with Python {todo.python.version}")
    python = str(todo.python.path)
    with_uv = [str(todo.uv), "venv", "--python", python, str(todo.folder)]
    with_venv = [python, "-I", "-m", "venv", "--without-pip", str(todo.folder)]
    _run(with_uv if todo.uv else with_venv, todo, progress)


def _is_environment(folder: Path, version: str) -> bool:
    # Without pyvenv.cfg, a link to a Python is that Python, and pip would install into it.
    try:
        whole = "home = " in (folder / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return False
    there = probe(interpreter(folder)) if whole else None
    return there is not None and there.version == version


def _install_commands(todo: InstallPlan) -> list[list[str]]:
    bare = todo.spec.bare_requirements
    with_others = [requirement for requirement in todo.requirements if requirement not in bare]
    constraint = ["--constraint", str(todo.lock.path)] if todo.lock else []
    installer = [*_installer(todo), *constraint]
    return [[*installer, *with_others], *([[*installer, "--no-deps", *bare]] if bare else [])]


def _installer(todo: InstallPlan) -> list[str]:
    target = str(interpreter(todo.folder))
    if todo.uv:
        # uv leaves compiling to the first import, which would then be measured as the engine's cold start.
        return [str(todo.uv), "pip", "install", "--python", target, "--compile-bytecode"]
    pip = [str(todo.python.path), "-I", "-m", "pip", "--python", target, "--disable-pip-version-check", "--no-input"]
    return [*pip, "install", "--progress-bar", "off"]


def _forget_half_installed(folder: Path) -> None:
    # pip writes RECORD last, and takes a package as installed as soon as its METADATA is there.
    for info in folder.glob("**/site-packages/*.dist-info"):
        if not (info / "RECORD").exists():
            shutil.rmtree(info)


def _variables(todo: InstallPlan) -> dict[str, str]:
    found = without_python_s_own(os.environ)
    # A lock names every version. Constraints of the user's own environment could only contradict it.
    return {name: value for name, value in found.items() if not (todo.lock and name in _CONSTRAINTS)}


def _run(command: Sequence[str], todo: InstallPlan, progress: InstallProgress) -> None:
    log = log_of(todo.spec)
    last: deque[str] = deque(maxlen=200)
    with (
        log.open("a", encoding="utf-8") as file,
        subprocess.Popen(
            [sys.executable, "-I", leash.__file__, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=_variables(todo),
            start_new_session=True,
        ) as process,
    ):
        try:
            file.write(f"$ {' '.join(command)}\n")
            for line in process.stdout or ():
                file.write(line)
                last.append(line.strip())
                progress(line.strip())
        except BaseException:
            end_session(process)
            raise
    if process.returncode != 0:
        errors = [line for line in last if line.lower().startswith(("error", "×"))] or [*last][-1:] or ["no message"]
        otherwise = ", or with other versions than the lock's: --no-lock" if todo.lock else ""
        raise EngineError(
            f"Engine {todo.spec.name!r} could not be installed: {errors[0][:300]} The log: {str(log)!r}. "
            f"To continue: earwitness engines install {todo.spec.name}{otherwise}"
        )


def _stamped(todo: InstallPlan, test: SelfTest) -> Stamp:
    stamp = Stamp(
        python=test.python or "",
        packages=test.distributions or {},
        devices=test.devices,
        size_bytes=size_of(todo.folder),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        requirements=todo.requirements,
        lock_sha256=sha256_of(todo.lock.path) if todo.lock else None,
        earwitness=__version__,
        made_with="uv" if todo.uv else "pip",
    )
    keep(todo.folder / STAMP, asdict(stamp), indent=1)
    return stamp
