"""Labels as CSV for a spreadsheet, as JSON lines, and as a NeMo manifest; one row for each label.

CSV and JSON lines have a row without text and verdict for each clip that nobody has labelled. A NeMo manifest has one
row for each clip, with the reference that counts, so that it is a dataset as well.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from earwitness.data.lines import manifest_text
from earwitness.data.readers.jsonlines import objects
from earwitness.errors import ManifestError
from earwitness.labels.formats.row import FIELDS, ExchangeClip, LabelRow, PlainValue, to_row
from earwitness.labels.label import Label
from earwitness.types import Clip

_NUMBERS = ("start_s", "duration_s", "seconds_spent")
_FLAGS = ("second_opinion", "adjudication")
_MAY_BE_EMPTY = ("text", "draft", "note", "audio_sha256")
_ALIASES = {"id": "clip_id", "annotator": "author", "reference": "text", "transcript": "text", "transcription": "text"}
_NEMO = {"clip_id": "id", "start_s": "offset", "duration_s": "duration", "author": "annotator"}


def rows(clips: Iterable[ExchangeClip]) -> Iterator[dict[str, PlainValue]]:
    """Yield the labels of clips as flat rows; of an unlabelled clip, its place alone."""
    for one in clips:
        for label in one.labels:
            yield {"audio": one.clip.audio_path, **to_row(label)}
        if not one.labels:
            nothing: dict[str, PlainValue] = dict.fromkeys(FIELDS, None)
            yield {"audio": one.clip.audio_path, **nothing, **_place(one.clip)}


def _place(clip: Clip) -> dict[str, PlainValue]:
    return {
        "clip_id": clip.id,
        "audio_sha256": clip.audio_sha256,
        "start_s": clip.start_s,
        "duration_s": clip.duration_s,
    }


def to_csv(clips: Iterable[ExchangeClip]) -> str:
    """Return CSV with a header, as spreadsheets read it."""
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, ["audio", *FIELDS])
    writer.writeheader()
    writer.writerows(rows(clips))
    return file.getvalue()


def to_jsonl(clips: Iterable[ExchangeClip]) -> str:
    """Return JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(clips))


def to_nemo(clips: Iterable[tuple[Clip, Label | None]]) -> str:
    """Return a NeMo manifest; clips without a label keep their own reference.

    Args:
        clips: Each with the label that counts.
    """
    return "".join(json.dumps(_nemo(clip, label), ensure_ascii=False) + "\n" for clip, label in clips)


def _nemo(clip: Clip, label: Label | None) -> dict[str, PlainValue]:
    row: dict[str, PlainValue] = {
        "verdict": None,
        "audio_filepath": clip.audio_path,
        "text": clip.reference if label is None else label.reference,
        "duration": clip.duration_s,
        "offset": clip.start_s,
        "id": clip.id,
        "lang": clip.language,
        "speaker": clip.speaker,
        "recording": clip.recording,
        "channel": clip.channel,
    }
    if label is not None:
        named: dict[str, PlainValue] = {_NEMO.get(name, name): value for name, value in to_row(label).items()}
        row = named | row | {"verdict": label.verdict}
    return {name: value for name, value in row.items() if value is not None or name in ("text", "verdict")}


def read(path: Path) -> Iterator[LabelRow]:
    """Yield the rows of CSV, of JSON lines or of a NeMo manifest.

    Raises:
        ManifestError: For a line that cannot be read; the place is named.
    """
    if path.suffix.lower() in (".csv", ".tsv"):
        yield from _read_csv(path)
        return
    for found in objects(path):
        if isinstance(found, ManifestError):
            raise found
        if isinstance(found, tuple) and not _has_own_reference(found[1]):
            yield _row(*found)


def _has_own_reference(data: Mapping[str, Any]) -> bool:
    """Return whether a row of a manifest of ours has the dataset's reference, and nobody's label."""
    return "audio_filepath" in data and data.get("verdict", "text") is None


def _row(where: str, data: Mapping[str, Any]) -> LabelRow:
    values = {_ALIASES.get(key, key): value for key, value in data.items()}
    backwards = {theirs: ours for ours, theirs in _NEMO.items()}
    values = {backwards.get(key, key): value for key, value in values.items()}
    audio = data.get("audio_filepath", data.get("audio"))
    known = {key: values[key] for key in FIELDS if key in values}
    # A manifest has the reference alone: of silence, its text is empty and its verdict says so.
    if known.get("verdict") not in (None, "text", "several speakers"):
        known["text"] = None
    return LabelRow(where, known, audio if isinstance(audio, str) else None)


def _read_csv(path: Path) -> Iterator[LabelRow]:
    text = manifest_text(path)
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    # A transcript may be longer than the 131,072 characters of the module's usual limit.
    csv.field_size_limit(2**31 - 1)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    for cells in reader:
        where = f"{path}:{reader.line_num}"
        if None in cells:
            raise ManifestError(f"{where} has more cells than the header. Put texts with {delimiter!r} in quotes.")
        yield _row(where, {key: _value(_ALIASES.get(key, key), cell, where) for key, cell in cells.items()})


def _value(name: str, cell: str | None, where: str) -> PlainValue:
    if cell is None or (cell == "" and name not in _MAY_BE_EMPTY):
        return None
    if name in _NUMBERS:
        try:
            return float(cell.replace(",", "."))
        except ValueError:
            raise ManifestError(f"{where}: {name!r} must be a number, not {cell!r}.") from None
    if name in _FLAGS:
        return cell.strip().lower() in ("true", "1", "yes")
    return cell
