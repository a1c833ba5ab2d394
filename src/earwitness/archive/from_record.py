"""Subtitles and texts from run records, without an engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from earwitness.archive.cues import CueLayout
from earwitness.archive.formats import FORMATS, SUBTITLES, ArchiveText, require_formats
from earwitness.archive.names import stems
from earwitness.errors import RecordError
from earwitness.files.atomic import write_text
from earwitness.records import store
from earwitness.records.exchange import verify


@dataclass(frozen=True, slots=True)
class SubtitleExport:
    """Records as subtitles or texts."""

    folders: Mapping[Path, Path]
    """By record: where its files are."""
    n_files: int
    """How many were written."""
    n_failed: int
    """Clips without a text, for which there is no file."""
    left_out: tuple[str, ...]
    """A sentence for each record that was not written."""


def write_subtitles(records: Sequence[Path], folder: Path, formats: Sequence[str], layout: CueLayout) -> SubtitleExport:
    """Write a file for every clip and format, those of each record into a folder of its own.

    Args:
        records: The ``.json`` files.
        folder: Where to; a record's own folder in it is ``<model>/<record>``.
        formats: Of ``SUBTITLES``.
        layout: Of cues.

    Raises:
        UsageError: For an unknown format.
        RecordError: When not one of them can be written, or one cannot be read.
        FileError: When a file cannot be written.
    """
    names = require_formats(formats, SUBTITLES)
    folders: dict[Path, Path] = {}
    left_out: list[str] = []
    n_files = n_failed = 0
    for path in records:
        run = store.read_run(path)
        target = folder / store.model_folder(run.model.id) / path.stem
        try:
            verify(path, run)
            if target in folders.values():
                raise RecordError(f"{str(path)!r}: there are two records of this name. Write it on its own.")
        except RecordError as error:
            left_out.append(str(error))
            continue
        folders[path] = target
        results = store.read_clips(path)
        for result, stem in zip(results, stems([_name(result.clip.id) for result in results]), strict=True):
            if result.hypothesis.transcript is None:
                n_failed += 1
                continue
            text = ArchiveText(result.clip.id, result.hypothesis.audio_s, result.hypothesis.transcript)
            for name in names:
                write_text(target / f"{stem}.{name}", FORMATS[name](text, layout))
                n_files += 1
    if not folders:
        raise RecordError(f"There is no complete record to write. {' '.join(left_out)}".strip())
    return SubtitleExport(folders, n_files, n_failed, tuple(left_out))


def _name(clip_id: str) -> str:
    """Return a clip's id as a path below a folder, with a suffix that ``stems`` takes away.

    >>> _name("../a:b/c.x"), _name("")
    ('a_b/c.x.clip', 'clip.clip')
    """
    parts = [part for part in PurePosixPath(clip_id).parts if part not in ("/", "..", ".")]
    path = "/".join("".join(char if char not in ':*?"<>|\\\0' else "_" for char in part) for part in parts)
    return f"{path or 'clip'}.clip"
