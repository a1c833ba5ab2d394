"""Finds engines through the entry-point group ``earwitness.engines``, built-in ones included."""

from __future__ import annotations

import difflib
from functools import cache
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from importlib.util import find_spec
from typing import Any

from earwitness.engines.base import Engine, EngineSpec
from earwitness.errors import EngineError, EngineNotInstalledError, SettingsError
from earwitness.types import Settings

GROUP = "earwitness.engines"


@cache
def _entries() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def engine_names() -> tuple[str, ...]:
    """Return the names of all engines that this environment knows, sorted."""
    return tuple(sorted(_entries()))


def get_engine(name: str) -> Engine:
    """Return an engine by name; its own packages are not imported yet.

    Raises:
        EngineError: For a name that no installed package offers; the nearest name is suggested.
    """
    entry = _entries().get(name)
    if entry is None:
        near = difflib.get_close_matches(name, _entries(), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else f" Known engines: {', '.join(engine_names())}."
        raise EngineError(f"There is no engine {name!r}.{hint}")
    engine = entry.load()
    if not isinstance(engine, Engine):
        raise EngineError(f"Entry point {name!r} ({entry.value}) is not an engine: it needs 'spec' and 'load'.")
    return engine


def missing_import(spec: EngineSpec) -> str | None:
    """Return the first module that the engine needs and that is not here, without importing any."""
    return next((module for module in spec.imports if find_spec(module) is None), None)


def require_installed(spec: EngineSpec) -> None:
    """Raise EngineNotInstalledError when the engine's packages are not in this very Python."""
    module = missing_import(spec)
    if module is not None:
        raise not_installed(spec, f"no module {module!r}")


def not_installed(spec: EngineSpec, why: str) -> EngineNotInstalledError:
    """Return the error that says what to type."""
    return EngineNotInstalledError(
        f"Engine {spec.name!r} is not installed here ({why}). Run: earwitness engines install {spec.name}"
    )


def package_versions(spec: EngineSpec) -> dict[str, str]:
    """Return the installed versions of the engine's packages; a package that is not here is left out."""
    found = {}
    for package in spec.packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def parse_settings(assignments: list[str]) -> tuple[Settings, frozenset[str]]:
    """Turn ``name=value`` texts into Settings and the set of names that were asked for.

    >>> settings, asked = parse_settings(["beam_size=5", "vad=true"])
    >>> settings.beam_size, settings.vad, sorted(asked)
    (5, True, ['beam_size', 'vad'])

    Raises:
        SettingsError: For an unknown name (the nearest is suggested) or a value of the wrong kind.
    """
    fields = Settings.__dataclass_fields__
    values: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if name not in fields or not equals:
            near = difflib.get_close_matches(name, fields, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else f" Settings: {', '.join(fields)}."
            raise SettingsError(f"There is no setting {assignment!r} (write name=value).{hint}")
        values[name] = _parse(name, text)
    return Settings(**values), frozenset(values)


def _parse(name: str, text: str) -> Any:
    kinds: dict[str, Any] = {"beam_size": int, "batch_size": int, "threads": int}
    if name in kinds:
        if not text.isdigit() or int(text) < 1:
            raise SettingsError(f"Setting {name!r} needs a whole number from 1, not {text!r}.")
        return int(text)
    if name == "chunk_s":
        if not text.replace(".", "", 1).isdigit() or float(text) < 1:
            raise SettingsError(f"Setting 'chunk_s' needs seconds, at least 1, not {text!r}.")
        return float(text)
    if isinstance(getattr(Settings(), name), bool):
        if text.lower() not in ("true", "false"):
            raise SettingsError(f"Setting {name!r} needs true or false, not {text!r}.")
        return text.lower() == "true"
    if name == "timestamps" and text not in ("none", "segment", "word"):
        raise SettingsError(f"Setting 'timestamps' needs none, segment or word, not {text!r}.")
    return text


def require_settings(spec: EngineSpec, settings: Settings, asked: frozenset[str]) -> None:
    """Refuse a setting that was asked for and that the engine cannot honour.

    Args:
        spec: The engine.
        settings: All settings.
        asked: The names that a person gave; defaults are not refused, they are recorded as they are in force.
    """
    for name in sorted(asked & spec.fixed.keys()):
        wanted, fixed = getattr(settings, name), spec.fixed[name]
        if wanted != fixed:
            why = "it has no such thing" if fixed is None else f"it is always {fixed!r} there"
            raise SettingsError(f"Engine {spec.name!r} cannot honour {name}={wanted!r}: {why}. Leave it out.")
