"""A folder of audio files with text files beside them, or one audio file.

``name.txt`` beside ``name.wav`` is its reference. Where Hugging Face's ``metadata.csv`` or ``metadata.jsonl`` lies
beside the audio, it has the references.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from earwitness.data.lines import text_lines
from earwitness.data.readers import nemo, table
from earwitness.data.rows import AUDIO_SUFFIXES, DataRow, Remark, Rows, first_few, inside, is_data
from earwitness.errors import ManifestError

METADATA = ("metadata.csv", "metadata.tsv", "metadata.jsonl")
_TABLES = frozenset([".csv", ".tsv", ".jsonl"])
_NOTHING: Mapping[str, str] = MappingProxyType({})


def read(path: Path, columns: Mapping[str, str] = _NOTHING) -> Rows:
    """Yield a row for every audio file in and below a folder; files without a text are unlabelled.

    A single audio file is a folder of one. Hidden files, and those that systems leave behind, are passed over.

    Args:
        path: The folder or the file.
        columns: Names of columns that the user states, by role, for the metadata.
    """
    is_folder = path.is_dir()
    root = path if is_folder else path.parent
    files = _files(path) if is_folder else [path]
    in_metadata: set[str] = set()
    for row in _metadata_rows(files, columns, root):
        if isinstance(row, DataRow):
            in_metadata.add(_place(row.audio))
        yield row
    audio = [f for f in files if f.suffix.lower() in AUDIO_SUFFIXES]
    texts = _texts(files) if is_folder else _text_beside(audio)
    yield from (_row(file, root, texts.get(_stem(file))) for file in audio if _place(file) not in in_metadata)
    if is_folder:
        yield from _unused(files, audio, texts, root, has_labels=bool(in_metadata))


def _files(folder: Path) -> list[Path]:
    return [f for f in sorted(folder.rglob("*")) if is_data(f, folder) and f.is_file()]


def _place(file: Path) -> str:
    return os.path.abspath(file)  # noqa: PTH100 - links are not followed


def _metadata_rows(files: Iterable[Path], columns: Mapping[str, str], root: Path) -> Rows:
    for metadata in (f for f in files if f.name.lower() in METADATA):
        for row in _table_rows(metadata, columns):
            yield replace(row, name=inside(row.audio, root)) if isinstance(row, DataRow) else row


def _table_rows(metadata: Path, columns: Mapping[str, str]) -> Rows:
    reader = nemo if metadata.suffix.lower() == ".jsonl" else table
    try:
        names_audio = reader.names_audio(metadata, columns)
    except ManifestError as error:
        # The audio beside it is looked at all the same.
        yield error
        return
    if not names_audio:
        yield Remark(str(metadata), "it is not read, since no column is known as the audio, such as file_name.")
        return
    yield from reader.read(metadata, columns)


def _row(audio: Path, root: Path, text: Path | None) -> DataRow | ManifestError:
    try:
        reference = None if text is None else " ".join(line.strip() for _, line in _lines(text))
    except ManifestError as error:
        return error
    return DataRow(where=str(audio), audio=audio, name=inside(audio, root), reference=reference)


def _lines(text: Path) -> Iterator[tuple[int, str]]:
    # An empty text is what was said of silence.
    return text_lines(text) if text.stat().st_size else iter(())


def _text_beside(audio: Iterable[Path]) -> dict[str, Path]:
    # In a folder the files are known; beside a single file they are not.
    return {_stem(file): text for file in audio if (text := file.with_suffix(".txt")).is_file()}


def _texts(files: Iterable[Path]) -> dict[str, Path]:
    # ``.TXT`` where there is no ``.txt``.
    texts = sorted((f for f in files if f.suffix.lower() == ".txt"), key=lambda f: f.suffix == ".txt")
    return {_stem(text): text for text in texts}


def _stem(file: Path) -> str:
    return str(file.with_suffix(""))


def _unused(
    files: list[Path], audio: list[Path], texts: Mapping[str, Path], root: Path, *, has_labels: bool
) -> Iterator[Remark]:
    stems = {_stem(file) for file in audio}
    orphans = [text.relative_to(root).as_posix() for stem, text in texts.items() if stem not in stems]
    if orphans:
        some = "a text has" if len(orphans) == 1 else f"{len(orphans)} texts have"
        yield Remark(str(root), f"{some} no audio beside it and no clip: {first_few(orphans)}.")
    tables = [f for f in files if f.suffix.lower() in _TABLES and f.name.lower() not in METADATA]
    if tables and not texts and not has_labels:
        yield Remark(
            str(root),
            f"{tables[0].name!r} is not read. If it has the texts, name it in place of the folder: {tables[0]}",
        )
