"""CSV and TSV files with a header, Common Voice's and Hugging Face's ``metadata.csv`` among them.

Columns are known by the names of ``columns.NAMES``; a column of any other name becomes a tag. Paths are relative to the
file, or to a folder ``clips`` beside it, where Common Voice keeps its audio.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple

from earwitness.data.lines import manifest_text, split
from earwitness.data.readers.columns import NAMES, fold, roles, without_text
from earwitness.data.readers.nemo import length
from earwitness.data.rows import AUDIO_SUFFIXES, DataRow, Places, Remark, Rows, channel, seconds
from earwitness.errors import ManifestError

_DELIMITERS = ",;\t|"
_LONGEST_CELL = 2**31 - 1
_NOTHING: Mapping[str, str] = MappingProxyType({})


class _Form(NamedTuple):
    delimiter: str
    quoted: bool = True


class _Cells(NamedTuple):
    line: int
    """The first line of the row, from 1."""
    n_lines: int
    cells: list[str]
    fault: str = ""
    """What is wrong with the row's quotation marks."""


def read(path: Path, columns: Mapping[str, str] = _NOTHING) -> Rows:
    """Yield the rows of a table, and an error for each invalid one.

    Args:
        path: The table.
        columns: Names of columns that the user states, by role.
    """
    lines, form = _open(path, columns)
    table = _records(lines, form)
    header = _header(table)
    place = roles(header, columns)
    absent = [name for role, name in columns.items() if role not in place]
    if absent or "audio" not in place:
        yield ManifestError(
            f"{str(path)!r} has no column {absent[0]!r} among {_listed(header)}. Name one of them."
            if absent
            else f"{str(path)!r} has no column for the audio among {_listed(header)}. "
            f"Name one of them {' or '.join(NAMES['audio'][:3])}, or say which one it is: --column audio=NAME"
        )
        return
    repeated = [name for name in dict.fromkeys(header) if name and header.count(name) > 1]
    if repeated:
        yield ManifestError(f"{str(path)!r} has two columns {repeated[0]!r}. Rename one.")
        return
    n_rows = 0
    places = Places(path.parent, within="clips")
    for row in table:
        where = f"{path}:{row.line}"
        try:
            cells = _cells_of(row, header, place, form, where)
            yield _row(where, cells, place, places, decimal_comma=form.delimiter != ",")
            n_rows += 1
        except ManifestError as error:
            yield error
    if n_rows and "text" not in place:
        yield Remark(str(path), without_text(header))


def names_audio(path: Path, columns: Mapping[str, str] = _NOTHING) -> bool:
    """Return whether a column of the header is known as the audio.

    Raises:
        ManifestError: When the file cannot be read as text.
    """
    return "audio" in roles(_header(_records(*_open(path, columns))), columns)


def _open(path: Path, columns: Mapping[str, str]) -> tuple[list[str], _Form]:
    # The csv module has one limit for the whole process; a transcript may be longer than its 131,072 characters.
    csv.field_size_limit(_LONGEST_CELL)
    lines = list(io.StringIO(manifest_text(path), newline=""))
    # Excel's way to name the delimiter.
    named = re.fullmatch(r'"?sep=(.)"?\s*', lines[0])
    if named:
        return ["\n", *lines[1:]], _Form(named[1])
    first = "\t" if ".tsv" in path.suffixes else ","
    wanted = {fold(name) for name in columns.values()}

    def known_columns(delimiter: str) -> tuple[int, int]:
        header = _header(_records(lines, _Form(delimiter)))
        return len(roles(header, {})) + len(wanted.intersection(map(fold, header))), len(header)

    delimiter = max([first, *_DELIMITERS], key=known_columns)
    return lines, _Form(delimiter, delimiter != "\t" or _is_quoted(lines))


def _is_quoted(lines: list[str]) -> bool:
    """Return whether a TSV takes quotation marks as CSV does.

    Common Voice's take them as letters; those that pandas and Excel write quote a cell that holds one. Every row must
    come out whole.
    """
    if not any('"' in line for line in lines):
        return False
    rows = list(_records(lines, _Form("\t")))
    return all(not row.fault and len(row.cells) == len(rows[0].cells) for row in rows)


def _records(lines: list[str], form: _Form) -> Iterator[_Cells]:
    """Yield the rows of a table; after one with a fault it goes on with the next line."""
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if form.quoted else csv.QUOTE_NONE
    n = 0
    while n < len(lines):
        if not lines[n].strip():
            n += 1
            continue
        rest = (lines[number] for number in range(n, len(lines)))
        reader = csv.reader(rest, delimiter=form.delimiter, quoting=quoting, strict=True)
        try:
            cells = next(reader)
        except csv.Error as error:
            at_end = "end of data" in str(error)
            yield _Cells(n + 1, 1, [], "opens a quotation mark that nothing closes" if at_end else _text_behind(reader))
            n += 1
            continue
        yield _Cells(n + 1, reader.line_num, cells)
        n += reader.line_num


def _text_behind(reader: object) -> str:
    more = int(getattr(reader, "line_num", 1)) - 1
    until = f" ({more} lines further down)" if more else ""
    return f"has text behind a closing quotation mark{until}"


def _header(table: Iterator[_Cells]) -> list[str]:
    return [name.strip() for name in next(table, _Cells(1, 1, [])).cells]


def _listed(header: Sequence[str]) -> str:
    return ", ".join(name for name in header if name) or "none"


def _cells_of(
    row: _Cells, header: Sequence[str], place: Mapping[str, str], form: _Form, where: str
) -> Mapping[str, str]:
    if row.fault:
        raise ManifestError(
            f'{where} {row.fault}. Close it; a quotation mark inside a cell is written twice, as in "say ""hi""".'
        )
    cells = row.cells
    if len(cells) > len(header) and not any(cells[len(header) :]):
        cells = cells[: len(header)]
    if len(cells) != len(header):
        raise ManifestError(f"{where} has {len(cells)} cells where the header has {len(header)}. Correct the line.")
    if row.n_lines > 1:
        _refuse_swallowed(row, header.index(place["audio"]), len(header), form.delimiter, where)
    return dict(zip(header, cells, strict=True))


def _refuse_swallowed(row: _Cells, audio: int, width: int, delimiter: str, where: str) -> None:
    """Refuse a cell of several lines of which one looks like a row: two stray quotation marks make such a cell."""
    for line in (line for cell in row.cells for line in split(cell)[1:]):
        cells = line.split(delimiter)
        if len(cells) >= width and Path(cells[audio].strip()).suffix.lower() in AUDIO_SUFFIXES:
            raise ManifestError(
                f"{where} opens a quotation mark that is closed {row.n_lines - 1} lines further down, with other rows "
                "in between. Close it, or write it twice."
            )


def _row(
    where: str, cells: Mapping[str, str], place: Mapping[str, str], places: Places, *, decimal_comma: bool
) -> DataRow:
    def cell(role: str) -> str | None:
        return cells[place[role]] if role in place else None

    def number(role: str) -> float | None:
        given = (cell(role) or "").strip()
        return seconds(given.replace(",", ".") if decimal_comma else given, repr(place.get(role)), where)

    given = (cell("audio") or "").strip()
    if not given:
        raise ManifestError(f"{where} has no audio path in column {place['audio']!r}. Correct the line.")
    audio, name = places.find(given, where)
    used = set(place.values())
    start_s = number("start") or 0.0
    return DataRow(
        where=where,
        audio=audio,
        name=name,
        id=cell("id") or None,
        start_s=start_s,
        duration_s=length(start_s, number("duration"), number("end"), where),
        reference=cell("text"),
        language=cell("language") or None,
        speaker=cell("speaker") or None,
        recording=cell("recording") or None,
        channel=channel(cell("channel"), repr(place.get("channel")), where),
        tags={name: value for name, value in cells.items() if name and name not in used and value},
    )
