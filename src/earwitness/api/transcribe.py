"""``earwitness transcribe`` as a function."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from earwitness.api.records import RecordSources, paths, several
from earwitness.archive.spec import ArchiveOptions as ArchiveOptions
from earwitness.archive.spec import ArchiveSpec as ArchiveSpec
from earwitness.archive.spec import CueLayoutOptions as CueLayoutOptions
from earwitness.archive.spec import CueOptions as CueOptions
from earwitness.options import from_keywords

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from earwitness.archive.drive import ArchiveCallback
    from earwitness.archive.from_record import SubtitleExport
    from earwitness.archive.summary import ArchiveSummary
    from earwitness.runs.pool import ClipPool, PoolSpec


def transcribe(
    audio: RecordSources,
    *,
    progress: ArchiveCallback = lambda _: None,
    **options: Unpack[ArchiveOptions],
) -> ArchiveSummary:
    """Transcribe recordings with a decision's model, and write texts and subtitles beside them or into a folder.

    What was transcribed before, and did not change since, is skipped. A recording that fails is in the summary's
    ``failures``; look at ``summary.is_good``.

    Args:
        audio: Files, folders, patterns, manifests, corpora, addresses such as ``s3://bucket/calls/``; one or several.
        progress: Called after every recording.
        options: Those of the command: ``ArchiveOptions``. One of ``decision`` and ``model`` is needed.

    Raises:
        EarwitnessError: In one sentence, for the first thing that cannot work, before anything is written, or when no
            worker comes up.
    """
    found = tuple(each if isinstance(each, str) else str(each) for each in several(audio))
    return transcribe_spec(from_keywords(ArchiveSpec, options, "transcribe", paths=found), progress)


def transcribe_spec(
    spec: ArchiveSpec,
    progress: ArchiveCallback = lambda _: None,
    note: Callable[[str], None] = lambda _: None,
) -> ArchiveSummary:
    """Transcribe as a spec says.

    Args:
        spec: Of the transcription.
        progress: Called after every recording.
        note: Called with the model and its workers in words, before the work begins.
    """
    from earwitness.archive.drive import transcribe_archive
    from earwitness.archive.recipe import division, of_decision, of_model
    from earwitness.runs.local_pool import LocalPool
    from earwitness.runs.plan import open_speech_model
    from earwitness.runs.transcribe import scratch_folder

    if spec.decision is not None:
        recipe = of_decision(spec.decision, spec.candidate, spec.workers, spec.threads, accept=spec.accept)
    else:
        recipe = of_model(spec.model or "", spec.device, spec.preset, spec.assignments(), spec.workers, spec.threads)
    recipe = replace(
        recipe,
        pool=replace(recipe.pool, speech=open_speech_model(spec.speech)),
        is_flexible=recipe.is_flexible and spec.on is None,
    )
    note(f"{recipe.pool.model.id}, {'up to ' if recipe.is_flexible else ''}{division(recipe)}")
    with scratch_folder() as scratch:
        decoded = scratch / "pool"
        decoded.mkdir()

        def open_pool(pool: PoolSpec, workers: int) -> AbstractContextManager[ClipPool]:
            if spec.on is not None:
                return _cluster_pool(pool, spec.on, note)
            return LocalPool(pool, decoded, workers=workers)

        return transcribe_archive(spec, recipe, open_pool, scratch, progress)


@contextmanager
def _cluster_pool(pool: PoolSpec, on: str, note: Callable[[str], None]) -> Iterator[ClipPool]:
    from earwitness.cluster.link import ray_session
    from earwitness.cluster.pool import ClusterPool
    from earwitness.cluster.ray_backend import RayBackend

    with ray_session(on) as ray:
        backend = RayBackend(ray)
        try:
            with ClusterPool(pool, backend, note=note) as opened:
                yield opened
        finally:
            backend.close()


def export_subtitles(
    records: RecordSources, out: str | Path, formats: str | Sequence[str] = "srt", **layout: Unpack[CueLayoutOptions]
) -> SubtitleExport:
    """Write the texts of run records as subtitles or texts, without an engine; ``--to`` of ``earwitness export``.

    Args:
        records: Records, or folders that hold some.
        out: Folder; each record gets one of its own in it, ``<model>/<record>``.
        formats: srt, vtt, tsv or txt; one or several.
        layout: ``line_chars``, ``lines``, ``least_cue_s``, ``most_cue_s`` and ``chars_per_s`` of subtitles.

    Raises:
        RecordError: When a record cannot be read.
        UsageError: For an unknown format.
        FileError: When a file cannot be written.
    """
    from earwitness.archive.from_record import write_subtitles

    cue_options: CueOptions = from_keywords(CueOptions, layout, "export_subtitles")
    names = (formats,) if isinstance(formats, str) else tuple(formats)
    return write_subtitles(paths(records), Path(out), names, cue_options.layout)
