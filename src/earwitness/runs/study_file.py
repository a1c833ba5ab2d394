"""``[study]`` of ``earwitness.toml``: a whole study, read strictly and turned into specs of runs.

The keys are the options of ``spec.py``. Paths in the file are relative to its folder, and so is the folder of the
records.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from earwitness.engines.catalog import USER_FILE, user_file
from earwitness.errors import UsageError
from earwitness.files.schema import Strict
from earwitness.files.toml_file import TomlFile
from earwitness.runs.spec import DataOptions, MeasureOptions, Preset, RunSpec, Scalar, shared


@dataclass(frozen=True, kw_only=True)
class StudyData(DataOptions):
    """A dataset of the study, with the options of its own."""

    source: str
    """``sample``, the name of a corpus, a path, or a bundle's dataset."""


@dataclass(frozen=True, kw_only=True)
class Variant(Strict):
    """A model with its options; the rest comes from the study."""

    id: str
    """As in the catalog."""
    preset: Preset | None = None
    """What its settings begin from."""
    settings: Mapping[str, Scalar] = field(default_factory=dict)
    """On top of the study's own."""
    devices: tuple[str, ...] | None = None
    """Each makes a run of its own."""


@dataclass(frozen=True, kw_only=True)
class StudyFile(MeasureOptions):
    """The contents of the file: all options but those of the data, and these."""

    data: tuple[StudyData, ...]
    """The datasets."""
    models: tuple[Variant, ...]
    """The models; an id may be there several times, with other settings."""
    devices: tuple[str, ...] = ("auto",)
    """For models that name none."""
    policy: str | None = None
    """By which the runs are decided and gated: a name, or a file."""
    terms: str | None = None
    """A file of key terms, one a line, whose recall and precision stand in comparisons and reports."""
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
    where = repr(str(path))
    study = _tables(path).get("study")
    if not isinstance(study, dict):
        raise UsageError(f"{where} has no table [study]. See one: earwitness init in an empty folder")
    study = _with_new_names(study)
    study = {**study, "data": _entries(study, "data", "source"), "models": _entries(study, "models", "id")}
    study_file: StudyFile = TomlFile(where, {"study": study}, UsageError).read(StudyFile, study, ("study",))
    for name in ("data", "models"):
        if not getattr(study_file, name):
            raise UsageError(f"{where}: [study] names no {name}. Write {name} = [...]")
    return study_file


def policy() -> str | None:
    """Return the policy of the nearest study, by name or path; ``None`` without a study or a policy.

    Raises:
        UsageError: For a study file that cannot be read.
    """
    path = user_file()
    if path is None or "study" not in _tables(path):
        return None
    named = read(path).policy
    beside = path.parent / named if named else None
    return str(beside) if beside is not None and beside.is_file() else named


def terms() -> Path | None:
    """Return the file of key terms of the nearest study; ``None`` without a study, or if it names none.

    Raises:
        UsageError: For a study file that cannot be read.
    """
    path = user_file()
    if path is None or "study" not in _tables(path):
        return None
    named = read(path).terms
    return path.parent / named if named else None


def specs(study: StudyFile, command: tuple[str, ...]) -> Iterator[RunSpec]:
    """Yield a spec for every dataset, model and device, in the order of the file."""
    for data in study.data:
        for model in study.models:
            options = {
                **shared(study, MeasureOptions),
                **shared(data, DataOptions),
                "preset": model.preset or study.preset,
                "settings": {**study.settings, **model.settings},
            }
            for device in model.devices if model.devices is not None else study.devices:
                yield RunSpec(sources=(data.source,), models=(model.id,), device=device, command=command, **options)


def _with_new_names(study: Mapping[str, Any]) -> dict[str, Any]:
    """Accept the names of earlier versions: ``timeout``, and a table ``[study.scoring]`` of its own."""
    scoring = study.get("scoring", {})
    scoring = scoring if isinstance(scoring, dict) else {"scoring": scoring}
    renamed = {"timeout_s" if name == "timeout" else name: value for name, value in study.items() if name != "scoring"}
    return {**renamed, **scoring}


def _tables(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{str(path)!r} is not TOML: {error}.") from None


def _entries(study: Mapping[str, Any], name: str, key: str) -> Any:
    """Return a list in which each bare text becomes a table with one key."""
    reply = study.get(name, [])
    return [{key: each} if isinstance(each, str) else each for each in reply] if isinstance(reply, list) else reply
