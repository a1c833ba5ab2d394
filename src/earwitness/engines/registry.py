"""Finds engines through the entry-point group ``earwitness.engines``, built-in ones included."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from importlib.util import find_spec
from typing import Any

from earwitness.engines.base import Engine, EngineSpec, Option
from earwitness.errors import EngineError, EngineNotInstalledError, SettingsError, UsageError
from earwitness.files.nearest import nearest
from earwitness.types import Settings

GROUP = "earwitness.engines"
PRESETS = ("matched", "native")


@cache
def _entries() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def look_again() -> None:
    """Forget which engines this environment has, as after one was installed beside Earwitness."""
    _entries.cache_clear()


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
        raise EngineError(f"There is no engine {name!r}.{nearest(name, engine_names())}")
    engine = entry.load()
    if not isinstance(engine, Engine):
        raise EngineError(f"Entry point {name!r} ({entry.value}) is not an engine: it needs 'spec' and 'load'.")
    return engine


def missing_import(spec: EngineSpec) -> str | None:
    """Return the first missing module that the engine needs, without importing any."""
    return next((module for module in spec.imports if find_spec(module) is None), None)


def require_installed(spec: EngineSpec) -> None:
    """Raise EngineNotInstalledError if this Python lacks the engine's packages."""
    module = missing_import(spec)
    if module is not None:
        raise not_installed(spec, f"no module {module!r}")


def not_installed(spec: EngineSpec, why: str) -> EngineNotInstalledError:
    """Return the error with the command that installs the engine."""
    return EngineNotInstalledError(
        f"Engine {spec.name!r} is not installed here ({why}). Run: earwitness engines install {spec.name}"
    )


def package_versions(spec: EngineSpec) -> dict[str, str]:
    """Return the installed versions of the engine's packages; missing packages are left out."""
    found = {}
    for package in spec.packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def require_options(spec: EngineSpec, model_id: str, options: Mapping[str, Any]) -> None:
    """Refuse options of a catalog row that the engine does not know, cannot read, or cannot do without.

    Values are not repeated in the message: a secret may stand where the name of its variable should.

    >>> from earwitness.engines.command import engine
    >>> require_options(engine.spec, "command:x", {"argw": ["asr", "{audio}"]})
    Traceback (most recent call last):
    ...
    earwitness.errors.EngineError: Engine 'command' has no option 'argw' (model 'command:x'). Did you mean 'argv'?

    Raises:
        EngineError: For the first such option.
    """
    for name, value in options.items():
        option = spec.options.get(name)
        if option is None:
            known = nearest(name, spec.options) if spec.options else " It takes none."
            raise EngineError(f"Engine {spec.name!r} has no option {name!r} (model {model_id!r}).{known}")
        if not _fits(option, value):
            raise EngineError(f"Option {name!r} of model {model_id!r} must be {option.meaning}, and its value is not.")
    for name, option in spec.options.items():
        if option.required and name not in options:
            raise EngineError(f"Model {model_id!r} needs the option {name!r}: {option.meaning}.")


def _fits(option: Option, value: Any) -> bool:
    if option.kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if option.kind == "texts":
        return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
    return isinstance(value, str) and bool(not option.pattern or re.fullmatch(option.pattern, value))


def parse_settings(assignments: list[str]) -> tuple[Settings, frozenset[str]]:
    """Parse ``name=value`` texts into Settings and the set of names given.

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
        if name not in fields:
            raise SettingsError(f"There is no setting {name!r}.{nearest(name, fields)}")
        if not equals:
            raise SettingsError(f"Setting {name!r} has no value. Write it as {name}=VALUE.")
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
    return _language(text) if name == "language" else text


def _language(text: str) -> str:
    from earwitness.languages import canonical

    if text in ("clip", "auto"):
        return text
    try:
        return canonical(text) or "auto"
    except UsageError as error:
        raise SettingsError(f"{error} The setting 'language' is a language, 'clip' or 'auto'.") from None


def require_settings(spec: EngineSpec, settings: Settings, names: frozenset[str]) -> None:
    """Refuse a requested setting that the engine cannot honour.

    Args:
        spec: The engine.
        settings: All settings.
        names: The names that a person gave; defaults are not refused, they are recorded as they are in force.
    """
    for name in sorted(names & spec.fixed.keys()):
        wanted, fixed = getattr(settings, name), spec.fixed[name]
        if wanted != fixed:
            why = "it has no such thing" if fixed is None else f"it is always {fixed!r} there"
            raise SettingsError(f"Engine {spec.name!r} cannot honour {name}={wanted!r}: {why}. Leave it out.")


def preset_settings(spec: EngineSpec, preset: str, settings: Settings, names: frozenset[str]) -> Settings:
    """Return an engine's settings under a preset, changed by those that the user gave.

    ``matched`` is the defaults of ``Settings``: greedy, no fall-back, no voice activity detection, no context, the
    clip's own language. ``native`` is the engine as its authors ship it, but for the language, which stays the clip's:
    what is known of a recording is no part of how to decode it.

    >>> from earwitness.engines.faster_whisper import engine
    >>> settings, asked = parse_settings(["beam_size=2"])
    >>> native = preset_settings(engine.spec, "native", settings, asked)
    >>> native.beam_size, native.temperature_fallback
    (2, True)

    Raises:
        SettingsError: For a preset that does not exist.
    """
    if preset not in PRESETS:
        raise SettingsError(f"There is no preset {preset!r}.{nearest(preset, PRESETS)}")
    if preset == "matched":
        return settings
    return replace(settings, **{name: value for name, value in spec.native.items() if name not in names})


def not_honoured(spec: EngineSpec, settings: Settings) -> str | None:
    """Return one line on the settings that an engine cannot honour, or ``None``.

    >>> from earwitness.engines.pocketsphinx import engine
    >>> print(not_honoured(engine.spec, Settings(threads=1, chunk_s=30.0)))
    pocketsphinx: beam_size, temperature_fallback, context do not apply; timestamps is always word
    """
    idle = [name for name, value in spec.fixed.items() if value is None]
    # "auto" precision is met by whatever the engine has.
    always = [
        f"{name} is always {show_settings(value)}"
        for name, value in spec.fixed.items()
        if value is not None and getattr(settings, name) not in (value, "auto")
    ]
    parts = [f"{', '.join(idle)} {'do' if len(idle) > 1 else 'does'} not apply"] if idle else []
    return f"{spec.name}: {'; '.join(parts + always)}" if parts or always else None


def show_settings(value: Any) -> str:
    """Return a setting's value as on the command line.

    >>> show_settings(True), show_settings(30.0), show_settings("word")
    ('true', '30', 'word')
    """
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
