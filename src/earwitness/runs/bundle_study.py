"""The study of a bundle as arguments of ``earwitness run``: what was not typed is taken from it.

The fields of ``BundleStudy`` are called as those of ``Request``.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import fields, replace

from earwitness.data import bundle
from earwitness.data.study import BundleStudy
from earwitness.errors import UsageError
from earwitness.runs.plan import Request


def study_of(request: Request) -> BundleStudy:
    """Return what of a request travels in a bundle."""
    return BundleStudy(**{field.name: getattr(request, field.name) for field in fields(BundleStudy)})


def with_study(request: Request, names: Set[str]) -> Request:
    """Return a request in which every whole bundle stands for its datasets, and its study for what was not typed.

    Decoding settings that were typed come after those of the study, and win.

    Args:
        request: As typed, defaults filled in.
        names: Names of the options that were typed, as the fields of ``Request`` are called.

    Raises:
        UsageError: For two bundles with different studies.
        ArchiveError: For a zip that is no bundle.
    """
    sources: list[str] = []
    study: BundleStudy | None = None
    for source in request.sources:
        found = bundle.split(source)
        if found is None:
            sources.append(source)
            continue
        zipped, name = found
        sources += [source] if name else bundle.sources(zipped)
        packed = bundle.read(zipped).study
        if study is not None and study != packed:
            raise UsageError(f"Bundle {str(zipped)!r} has another study than the one before it. Run them one by one.")
        study = packed
    if study is None:
        return request
    theirs = {field.name: getattr(study, field.name) for field in fields(study) if field.name not in names}
    # What is typed with --set stands on top of the study's settings.
    theirs["assignments"] = (*study.assignments, *request.assignments)
    return replace(request, **theirs, sources=tuple(sources))
