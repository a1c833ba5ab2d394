"""CSV and TSV files with a header, Common Voice's among them.

Columns are known by several names (``_COLUMNS``); a column of any other name becomes a tag. Paths are relative to the
file, or to a folder ``clips`` beside it, where Common Voice keeps its audio.
"""

from __future__ import annotations

import csv
from pathlib import Path

from earwitness.data.rows import Row, Rows, inside, seconds, text_lines
from earwitness.errors import ManifestError

_COLUMNS = {
    "audio": ("audio_filepath", "path", "audio_path", "audio", "file", "file_name", "filename", "wav"),
    "text": ("text", "sentence", "transcript", "transcription", "reference"),
    "id": ("id", "utt_id", "utterance_id", "clip_id"),
    "speaker": ("speaker", "speaker_id", "client_id"),
    "language": ("language", "lang", "locale"),
    "duration": ("duration", "duration_s"),
    "offset": ("offset", "start", "start_s"),
    "recording": ("recording",),
}


def read(path: Path) -> Rows:
    """Yield the rows of a table, and an error for each that is none."""
    numbered = list(text_lines(path))
    dialect = {"delimiter": "\t", "quoting": csv.QUOTE_NONE} if path.suffix.lower() == ".tsv" else {"delimiter": ","}
    table = csv.reader((line + "\n" for _, line in numbered), **dialect)
    header = [name.strip() for name in next(table, [])]
    place = {role: _column(header, names) for role, names in _COLUMNS.items()}
    if place["audio"] is None:
        yield ManifestError(
            f"{str(path)!r} has no column for the audio among {', '.join(header) or 'none'}. "
            f"Name one of them {' or '.join(_COLUMNS['audio'][:3])}."
        )
        return
    for cells in table:
        where = f"{path}:{numbered[min(table.line_num, len(numbered)) - 1][0]}"
        if len(cells) != len(header):
            yield ManifestError(f"{where} has {len(cells)} cells where the header has {len(header)}. Correct the line.")
            continue
        try:
            yield _row(where, dict(zip(header, cells, strict=True)), place, path.parent)
        except ManifestError as error:
            yield error


def _column(header: list[str], names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in header), None)


def _row(where: str, cells: dict[str, str], place: dict[str, str | None], root: Path) -> Row:
    def cell(role: str) -> str | None:
        name = place[role]
        return cells[name] if name is not None else None

    given = cell("audio")
    if not given:
        raise ManifestError(f"{where} has no audio path in column {place['audio']!r}. Correct the line.")
    audio = root / Path(given).expanduser()
    if not audio.exists() and (root / "clips" / given).exists():
        audio = root / "clips" / given
    used = set(place.values())
    return Row(
        where=where,
        audio=audio,
        name=inside(audio, root),
        id=cell("id") or None,
        start_s=seconds(cell("offset"), f"{place['offset']!r}", where) or 0.0,
        duration_s=seconds(cell("duration"), f"{place['duration']!r}", where),
        reference=cell("text"),
        language=cell("language") or None,
        speaker=cell("speaker") or None,
        recording=cell("recording") or None,
        tags={name: value for name, value in cells.items() if name not in used and value},
    )
