"""``earwitness engines`` as functions: where engines run on this machine, and environments of their own."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from earwitness.api.models import Tell
from earwitness.engines.registry import engine_names, get_engine

if TYPE_CHECKING:
    from earwitness.engines.base import EngineSpec
    from earwitness.workers.environments import SelfTest, Stamp
    from earwitness.workers.install import InstallPlan


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """An engine, and where it runs on this machine."""

    engine: str
    """Its name."""
    place: Literal["here", "own"] | None
    """``here``: in this Python; ``own``: in an environment of its own; ``None``: it is not installed."""
    why_not_here: str | None
    """Why this Python cannot run it; ``None`` when it can."""
    python: str | None
    """Version of the Python that runs it."""
    python_wanted: str
    """Versions that it works with."""
    packages: Mapping[str, str]
    """What it is made of, with versions."""
    requirements: tuple[str, ...]
    """What is installed for it."""
    folder: str | None
    """Of its own environment."""
    size_bytes: int | None
    """Of that environment."""
    expected_bytes: int | None
    """How large its lock says that it becomes."""
    environment: Stamp | None
    """How its own environment was made."""
    remedy: str
    """What to type where it is not installed; empty where it is."""


def list_engines() -> list[EngineStatus]:
    """Return all known engines, and where each runs.

    >>> next(row.place for row in list_engines() if row.engine == "fake")
    'here'
    """
    return engine_status(engine_names())


def engine_here(spec: EngineSpec) -> EngineStatus:
    """Return where an engine runs on this machine."""
    import platform

    from earwitness.workers.environments import folder_of, packages_of, place_of, stamp_of, why_not_here
    from earwitness.workers.install import lock_of

    place, stamp, lock = place_of(spec), stamp_of(spec), lock_of(spec)
    return EngineStatus(
        engine=spec.name,
        place=place,
        why_not_here=why_not_here(spec),
        python=platform.python_version() if place == "here" else stamp.python if stamp else None,
        python_wanted=spec.python,
        packages=packages_of(spec),
        requirements=spec.requirements,
        folder=str(folder_of(spec)) if stamp else None,
        size_bytes=stamp.size_bytes if stamp else None,
        expected_bytes=lock.size_bytes if lock else None,
        environment=stamp,
        remedy="" if place else f"earwitness engines install {spec.name}",
    )


def install(
    engine: str | Iterable[str],
    *,
    lock: bool = True,
    uv: bool = True,
    python: str | os.PathLike[str] | None = None,
    progress: Tell = lambda _: None,
) -> list[EngineStatus]:
    """Install engines into environments of their own; skip those that this Python has, or that are complete.

    Args:
        engine: Names, such as ``whisper``; one or several.
        lock: Whether to install the exact packages of the engine's lock; else the newest that fit.
        uv: Whether to use uv where it is here; else venv and pip.
        python: The Python to make it from; ``None`` finds one.
        progress: Called with a line for every step of the installer.

    Raises:
        EngineError: When there is no such engine, or it cannot be installed.
    """
    for plan in install_plans(engine, lock=lock, uv=uv, python=python).values():
        run_install(plan, progress)
    return engine_status(engine)


def install_plans(
    engine: str | Iterable[str], *, lock: bool = True, uv: bool = True, python: str | os.PathLike[str] | None = None
) -> dict[str, InstallPlan]:
    """Return how each engine that this Python cannot run would be installed; see ``install``."""
    from earwitness.workers.environments import why_not_here
    from earwitness.workers.install import plan

    program = None if python is None else Path(python)
    missing = [spec for spec in _specs(engine) if why_not_here(spec)]
    return {spec.name: plan(spec, use_lock=lock, uv=uv, python=program) for spec in missing}


def run_install(plan: InstallPlan, progress: Tell) -> Stamp:
    """Carry out an installation plan, and return the stamp of the environment."""
    from earwitness.workers import install as installer

    return installer.install(plan, progress)


def installed_bytes(plan: InstallPlan) -> int:
    """Return the current size of an environment."""
    from earwitness.workers.install import size_of

    return size_of(plan.folder)


def engine_status(engine: str | Iterable[str]) -> list[EngineStatus]:
    """Return where some engines run on this machine."""
    return [engine_here(spec) for spec in _specs(engine)]


def check_engines(engine: str | Iterable[str] = ()) -> dict[str, SelfTest]:
    """Import the packages of engines in the Python of their workers.

    Args:
        engine: Names; without any, every engine that is installed.

    Raises:
        EngineError: When there is no such engine.
    """
    from earwitness.workers.environments import check, place_of

    specs = _specs(engine) if engine else [spec for spec in _specs(engine_names()) if place_of(spec)]
    return {spec.name: check(spec) for spec in specs}


def uninstall(engine: str | Iterable[str]) -> dict[str, bool]:
    """Remove environments of engines; packages in this Python stay.

    Args:
        engine: Names, such as ``whisper``; one or several.

    Returns:
        Whether each had one.

    Raises:
        EngineError: When there is no such engine.
    """
    from earwitness.workers import environments

    return {spec.name: environments.remove(spec) for spec in _specs(engine)}


def _specs(engine: str | Iterable[str]) -> list[EngineSpec]:
    return [get_engine(name).spec for name in ([engine] if isinstance(engine, str) else engine)]
