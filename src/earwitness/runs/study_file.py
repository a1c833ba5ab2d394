"""``[study]`` of ``earwitness.toml``: a whole study, read strictly and turned into requests.

The names are those of the options of ``earwitness run``, in the plural where a list is meant. Paths in the file are
relative to its folder, and so is the folder of the records.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from earwitness.engines.catalog import USER_FILE, user_file
from earwitness.engines.registry import nearest, show_settings
from earwitness.errors import UsageError
from earwitness.runs.plan import Request

_STRICT: dict[str, Any] = {"extra": "forbid"}
Scalar = str | bool | int | float


@dataclass(frozen=True, slots=True)
class Data:
    """A dataset of the study."""

    __pydantic_config__ = _STRICT

    source: str
    """``sample``, the name of a corpus, a path, or a bundle's dataset."""
    limit: int | None = None
    """Only the first so many clips."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Only clips with these."""
    language: str | None = None
    """For clips that state none."""
    channel: int | None = None
    """For clips that state none."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Which column of a table, or key of JSON lines, has what."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A model as it is to be run; what is left out is taken from the study."""

    __pydantic_config__ = _STRICT

    id: str
    """As in the catalog."""
    preset: Literal["matched", "native"] | None = None
    """What its settings begin from."""
    settings: Mapping[str, Scalar] = field(default_factory=dict)
    """On top of the study's own."""
    devices: tuple[str, ...] | None = None
    """Each makes a run of its own."""


@dataclass(frozen=True, slots=True)
class Scoring:
    """How texts are scored."""

    __pydantic_config__ = _STRICT

    normalizer: str = "auto"
    """Name of the normalizer."""
    compounds: bool = False
    """Whether ``white board`` equals ``whiteboard``."""
    align: str = "levenshtein"
    """``levenshtein``, or ``sclite`` for its costs."""
    alternatives: bool = False
    """Whether ``{a / b}`` in a reference is either."""


@dataclass(frozen=True, slots=True)
class StudyFile:
    """What the file says."""

    __pydantic_config__ = _STRICT

    data: tuple[Data, ...]
    """What is heard."""
    models: tuple[Variant, ...]
    """Who hears it; an id may be there several times, with other settings."""
    devices: tuple[str, ...] = ("auto",)
    """For models that name none."""
    preset: Literal["matched", "native"] = "matched"
    """For models that name none."""
    settings: Mapping[str, Scalar] = field(default_factory=dict)
    """On top of the preset, for all models."""
    conditions: tuple[str, ...] = ()
    """What is done to the audio; each makes a dataset of its own."""
    clean: bool = True
    """Whether the audio as it is is heard, too."""
    measure: tuple[str, ...] = ()
    """Protocols of speed."""
    budget_s: float = 300.0
    """Seconds for each of them."""
    speech: bool | None = None
    """Whether to look for speech; left out, where it can be done."""
    warmup: int = 1
    """Unmeasured transcriptions by every new worker."""
    timeout: float = 120.0
    """Seconds that a clip gets at least."""
    scoring: Scoring = Scoring()
    """How texts are scored."""
    policy: str | None = None
    """By which the runs are decided and gated: a name, or a file."""
    out: str = "runs"
    """Folder of the records."""


def find() -> Path:
    """Return the nearest study file, in the working folder or above.

    Raises:
        UsageError: When there is none, or it holds no study.
    """
    path = user_file()
    if path is None:
        raise UsageError(
            f"Name some data, such as 'sample' or a folder, or write a study: there is no {USER_FILE!r} here or above. "
            "See what data there is: earwitness data list. Write a study file: earwitness init"
        )
    return path


def read(path: Path) -> StudyFile:
    """Read a study.

    Raises:
        UsageError: In one sentence, for what is not there, not known, or of another kind than it should be.
    """
    from pydantic import TypeAdapter, ValidationError

    where = repr(str(path))
    study = _tables(path).get("study")
    if not isinstance(study, dict):
        raise UsageError(f"{where} has no table [study]. See one: earwitness init in an empty folder")
    study = {**study, "data": _entries(study, "data", "source"), "models": _entries(study, "models", "id")}
    try:
        # By way of JSON, where a list may become a tuple and nothing else becomes anything.
        study_file: StudyFile = TypeAdapter(StudyFile).validate_json(json.dumps(study, default=str), strict=True)
    except ValidationError as error:
        raise UsageError(f"{where}: {_sentence(error.errors()[0])}") from None
    for name in ("data", "models"):
        if not getattr(study_file, name):
            raise UsageError(f"{where}: [study] names no {name}. Write {name} = [...]")
    return study_file


def policy() -> str | None:
    """Return the policy of the nearest study, a file as its path; ``None`` where there is no study, or it names none.

    Raises:
        UsageError: For a study file that cannot be read.
    """
    path = user_file()
    if path is None or "study" not in _tables(path):
        return None
    named = read(path).policy
    beside = path.parent / named if named else None
    return str(beside) if beside is not None and beside.is_file() else named


def requests(study: StudyFile, command: tuple[str, ...]) -> Iterator[Request]:
    """Yield a request for every dataset, model and device, in the order of the file."""
    for data in study.data:
        for model in study.models:
            for device in model.devices if model.devices is not None else study.devices:
                yield Request(
                    sources=(data.source,),
                    limit=data.limit,
                    tags=tuple(f"{key}={value}" for key, value in data.tags.items()),
                    language=data.language,
                    channel=data.channel,
                    columns=tuple(f"{role}={name}" for role, name in data.columns.items()),
                    models=(model.id,),
                    device=device,
                    preset=model.preset or study.preset,
                    assignments=_assignments({**study.settings, **model.settings}),
                    conditions=study.conditions,
                    clean=study.clean,
                    normalizer=study.scoring.normalizer,
                    compounds=study.scoring.compounds,
                    method=study.scoring.align,
                    alternatives=study.scoring.alternatives,
                    warmup=study.warmup,
                    timeout_s=study.timeout,
                    speech=study.speech,
                    measure=study.measure,
                    budget_s=study.budget_s,
                    command=command,
                )


def _tables(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{str(path)!r} is not TOML: {error}.") from None


def _assignments(settings: Mapping[str, Scalar]) -> tuple[str, ...]:
    return tuple(f"{name}={show_settings(value)}" for name, value in settings.items())


def _entries(study: Mapping[str, Any], name: str, key: str) -> Any:
    """Return a list in which a bare text stands for a table with one key."""
    reply = study.get(name, [])
    return [{key: each} if isinstance(each, str) else each for each in reply] if isinstance(reply, list) else reply


def _sentence(error: Any) -> str:
    *inside, last = error["loc"]
    kind, table = _table(inside)
    if error["type"] == "unexpected_keyword_argument":
        return f"{table} has no key {last!r}.{nearest(str(last), (each.name for each in fields(kind)))}"
    key = ".".join(str(part) for part in error["loc"] if not isinstance(part, int))
    what = error["msg"][0].lower() + error["msg"][1:]
    return f"{table} needs {last!r}." if error["type"].startswith("missing") else f"{key} in [study]: {what}."


def _table(inside: list[Any]) -> tuple[type[Any], str]:
    if inside[:1] == ["data"]:
        return Data, "an entry of data"
    if inside[:1] == ["models"]:
        return Variant, "an entry of models"
    return (Scoring, "[study.scoring]") if inside[:1] == ["scoring"] else (StudyFile, "[study]")
