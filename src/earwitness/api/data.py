"""``earwitness data``, ``export`` and ``import`` as functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from earwitness.api.label_exchange import overlay_problems
from earwitness.api.records import RecordSource, RecordSources, paths, several
from earwitness.types import Dataset

if TYPE_CHECKING:
    from earwitness.data import DataProblem
    from earwitness.records.exchange import Arrival
    from earwitness.scoring.formats.sclite import ScliteFiles

ExportProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class ExportResult:
    """Records in one file."""

    zip: Path
    """The file."""
    records: tuple[Path, ...]
    """Those that are in it."""
    left_out: tuple[str, ...]
    """A sentence for each that is not."""


@dataclass(frozen=True, slots=True)
class ScliteExport:
    """Records as files for sclite."""

    files: Mapping[Path, ScliteFiles]
    """By record."""
    left_out: tuple[str, ...]
    """A sentence for each record that was not written."""


def read_data(
    data: RecordSource,
    *,
    limit: int | None = None,
    tags: Mapping[str, str] | None = None,
    language: str | None = None,
    channel: int | None = None,
    columns: Mapping[str, str] | None = None,
    progress: ExportProgress | None = None,
) -> Dataset:
    """Load a dataset: its clips with their references, its name, licence and hash.

    Args:
        data: A corpus, a manifest, a folder, an audio file, or a dataset of a bundle.
        limit: Only the first so many clips, after choosing by tags.
        tags: Only clips that have all of these.
        language: Of clips that state none.
        channel: Of clips that state none.
        columns: Which column of a table, or key of JSON lines, has what, such as ``{"text": "Wording"}``.
        progress: Called with how many clips are done, of how many.

    Raises:
        DataNotFoundError: When there is no such thing.
        ManifestError: For the first line that cannot be read, or an id that is there twice.

    >>> read_data("sample", limit=2).name
    'sample[:2]'
    """
    from earwitness import data as room

    return room.load(
        _source(data), limit=limit, tags=tags, language=language, channel=channel, columns=columns, progress=progress
    )


def check(
    data: RecordSource,
    *,
    deep: bool = False,
    columns: Mapping[str, str] | None = None,
    format: str | None = None,  # noqa: A002 - the word of the command line
    runs: RecordSources = (),
    progress: ExportProgress | None = None,
) -> list[DataProblem]:
    """Return everything that is wrong with a dataset, and with the labels beside it.

    Args:
        data: As for ``read_data``.
        deep: Whether to decode every clip.
        columns: As for ``read_data``.
        format: Of the manifest; ``None`` finds out.
        runs: Records over the dataset, or folders that hold some, whose texts show whether its references belong to
            its audio; without any, this is not checked.
        progress: Called with how many clips are done, of how many.

    Raises:
        DataError: When there is no dataset at all.
        ComparisonError: When ``runs`` has no run over the dataset.
    """
    from earwitness import data as room

    problems = room.check(_source(data), deep=deep, columns=columns, format=format, progress=progress)
    problems += overlay_problems(data, columns)
    if not several(runs):
        return problems
    from earwitness.api.audit import reference_problems

    return [*problems, *reference_problems(data, runs, columns=columns)]


def join(
    data: RecordSource,
    seconds: float,
    *,
    seed: int = 0,
    gap: float = 0.5,
    columns: Mapping[str, str] | None = None,
    out: RecordSource | None = None,
) -> Dataset:
    """Join clips into one long recording with its exact reference, and return it as a dataset of one clip.

    Args:
        data: Where the clips come from, as for ``read_data``.
        seconds: How long the recording may be.
        seed: Of the order of the clips.
        gap: Seconds of silence between clips.
        columns: As for ``read_data``.
        out: Folder to make; ``None`` for one in the cache. ``Dataset.source`` says where it is.

    Raises:
        DataError: When the clips do not fill half of it.
        AudioError: For a clip that cannot be decoded.
    """
    from earwitness import data as room

    dataset = room.load(_source(data), columns=columns)
    folder = room.join(dataset, seconds, seed=seed, gap_s=gap, out=None if out is None else Path(out))
    return room.load(folder)


def export(records: RecordSources, out: RecordSource) -> ExportResult:
    """Pack complete records and their texts, without audio, into one file for another machine.

    Args:
        records: Records, or folders that hold some.
        out: The zip file to make.

    Raises:
        RecordError: When not one of them can be packed, or one cannot be read.
        FileError: When the zip cannot be written.
    """
    from earwitness.records.exchange import pack

    packed, left_out = pack(paths(records), Path(out))
    return ExportResult(Path(out), tuple(packed), tuple(left_out))


def export_sclite(records: RecordSources, out: RecordSource) -> ScliteExport:
    """Write the compared words of complete records for NIST's sclite; ``--sclite`` of the command.

    Each record gets a folder of its own, ``<model>/<record>``, with trn, and with stm and ctm where there are times.

    Args:
        records: Records, or folders that hold some.
        out: The folder.

    Raises:
        RecordError: When not one of them can be written, or one cannot be read.
        ScoringError: When ids do not fit, or a file cannot be written.
    """
    from earwitness.records.exchange import for_sclite

    written, left_out = for_sclite(paths(records), Path(out))
    return ScliteExport(written, tuple(left_out))


def import_(sources: RecordSources, *, out: RecordSource = "runs") -> list[Arrival]:
    """Import records from another machine, each verified; no existing record is overwritten.

    Args:
        sources: What ``export`` made, or folders of records; one or several.
        out: Folder of the records here.

    Returns:
        What became of each; look at ``arrival.outcome``.

    Raises:
        ArchiveError: When a zip is damaged or cannot be trusted; nothing of it was taken in.
        RecordError: When there is no record in it.
        FileError: When ``out`` cannot be written.
    """
    from earwitness.records.exchange import take_in

    return [arrival for source in several(sources) for arrival in take_in(Path(source), Path(out))]


def _source(data: RecordSource) -> str | Path:
    return data if isinstance(data, str) else Path(data)


@dataclass(frozen=True, slots=True)
class DataStatus:
    """A dataset that has a name, and whether it is on this machine."""

    name: str
    """As typed."""
    here: bool
    """Whether it can be read without downloading it."""
    minutes: float
    """Of audio."""
    language: str
    """Of the speech; empty where the clips state none."""
    license: str
    """Of the recordings."""
    title: str
    """What it is."""
    attribution: str = ""
    """Whom the licence wants named."""


def list_data() -> list[DataStatus]:
    """Return the built-in sample, the corpora that can be downloaded, and the recordings that were joined here.

    >>> list_data()[0].name
    'sample'
    """
    from earwitness import data as room
    from earwitness.data.corpora import CORPORA
    from earwitness.data.dataset import SAMPLE
    from earwitness.files.fetch import cache_dir

    sample = room.load(SAMPLE)
    first = DataStatus(SAMPLE, True, _minutes(sample), "en", sample.license or "", "built in; synthetic speech")
    corpora = [
        DataStatus(
            corpus.name,
            (cache_dir() / "corpora" / corpus.name / "manifest.jsonl").exists(),
            corpus.minutes,
            corpus.language,
            corpus.license,
            corpus.title,
            corpus.attribution,
        )
        for corpus in CORPORA.values()
    ]
    folders = sorted((cache_dir() / "joined").glob("*/manifest.jsonl"))
    joined = [room.load(folder.parent) for folder in folders]
    rows = [
        DataStatus(each.name, True, _minutes(each), each.clips[0].language or "", each.license or "", "joined")
        for each in joined
    ]
    return [first, *corpora, *rows]


def pull_corpora(names: Sequence[str], progress: Callable[[str], None]) -> dict[str, Path]:
    """Download corpora into the cache; those already there are left unchanged.

    Args:
        names: Such as ``telephony-en``.
        progress: Called with a line for every step.

    Raises:
        DataNotFoundError: For a corpus that there is not.
        FetchError: When something cannot be had.
    """
    from earwitness.data import corpora

    return {name: corpora.pull(name, progress) for name in names}


def remove_corpora(names: Sequence[str]) -> dict[str, bool]:
    """Remove downloaded corpora; return whether each was there.

    Raises:
        DataNotFoundError: For a corpus that there is not.
    """
    from earwitness.data import corpora

    return {name: corpora.remove(name) for name in names}


def alike(problems: Sequence[DataProblem]) -> list[list[DataProblem]]:
    """Return problems in groups that differ only in names and numbers."""
    from earwitness.data import checks

    return checks.alike(list(problems))


def _minutes(dataset: Dataset) -> float:
    return round(dataset.audio_s / 60, 1)
