"""The study of a bundle: models, device and options beside the data. Options of the command line override it."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from earwitness.data import bundle
from earwitness.errors import ArchiveError, UsageError
from earwitness.files.schema import validate
from earwitness.runs.spec import MeasureOptions, ModelOptions, RunSpec, shared
from earwitness.scoring.metrics.variants import spellings_of, spellings_text
from earwitness.scoring.text import normalizer

_OLD_NAMES = {"assignments": "settings", "method": "align"}
"""Of bundles up to version 2."""


@dataclass(frozen=True, kw_only=True)
class BundleStudy(MeasureOptions, ModelOptions):
    """The study of a bundle."""


def study_of(spec: RunSpec) -> dict[str, Any]:
    """Return the options of a spec for a bundle, as JSON values.

    Files of rules and of spellings are stored by their contents.
    """
    study = BundleStudy(**shared(spec, BundleStudy))
    spellings = spellings_text(spellings_of(study.spellings))
    return asdict(replace(study, normalizer=normalizer(study.normalizer).name, spellings=spellings))


def read_study(packed: bundle.Bundle) -> BundleStudy:
    """Return the study of a bundle of any version.

    Raises:
        ArchiveError: For one that does not fit.
    """
    values = {_OLD_NAMES.get(name, name): value for name, value in packed.study.items()}
    settings = values.get("settings", {})
    if not isinstance(settings, Mapping):
        values["settings"] = dict(str(text).partition("=")[::2] for text in settings)
    misfit, remedy = "The study of the bundle does not fit", "Pack it again."
    return validate(BundleStudy, values, misfit, remedy=remedy, error=ArchiveError)


def with_study(spec: RunSpec, names: Set[str]) -> RunSpec:
    """Expand each bundle of a spec into its datasets, and take options that were not given from its study.

    Decoding settings that were typed come on top of those of the study.

    Args:
        spec: As typed, defaults filled in.
        names: Names of the options that were typed.

    Raises:
        UsageError: For two bundles with different studies.
        ArchiveError: For a zip that is no bundle.
    """
    sources: list[str] = []
    study: BundleStudy | None = None
    for source in spec.sources:
        place = bundle.split(source)
        if place is None:
            sources.append(source)
            continue
        path, name = place
        sources += [source] if name else bundle.sources(path)
        packed = read_study(bundle.read(path))
        if study is not None and study != packed:
            raise UsageError(f"Bundle {str(path)!r} has another study than the one before it. Run them one by one.")
        study = packed
    if study is None:
        return spec
    theirs = {each.name: getattr(study, each.name) for each in fields(study) if each.name not in names}
    theirs["settings"] = {**study.settings, **spec.settings}
    return replace(spec, **theirs, sources=tuple(sources))
