"""Finds rows that cannot become clips: invalid texts and impossible paths."""

from __future__ import annotations

from pathlib import Path

from earwitness.data.rows import DataRow, Rows
from earwitness.errors import EarwitnessError, ManifestError

_LONGEST_NAME_BYTES = 255
"""Of one part of a path, on every common file system."""


def refuse_flaws(rows: Rows, source: str) -> Rows:
    """Yield a reader's rows, with an error in place of each that has a flaw, and of a file that cannot be read.

    Args:
        rows: As the reader yields them.
        source: What is being read, for a message about a file that the system does not name.
    """
    sound: set[Path] = set()
    try:
        for row in rows:
            yield _flaw(row, sound) or row if isinstance(row, DataRow) else row
    except ManifestError as error:
        yield error
    except OSError as error:
        if isinstance(error, EarwitnessError):
            raise
        yield ManifestError(f"{str(error.filename or source)!r} cannot be read: {error.strerror or error}.")


def _flaw(row: DataRow, sound: set[Path]) -> ManifestError | None:
    """Return what is wrong with a row; paths without a flaw are kept in ``sound`` and not looked at again."""
    if row.audio not in sound:
        flaw = _flaw_of_path(row)
        if flaw is not None:
            return flaw
        sound.add(row.audio)
    try:
        text = "".join([row.reference or "", row.id or "", row.language or "", row.speaker or "", row.recording or ""])
        tags = "".join([*row.tags, *row.tags.values()])
    except TypeError:
        return _flaw_of_texts(row)
    return None if _is_whole(text) and _is_whole(tags) and _is_whole(row.name) else _flaw_of_texts(row)


def _flaw_of_path(row: DataRow) -> ManifestError | None:
    audio = str(row.audio)
    if not _is_whole(audio):
        return ManifestError(f"{row.where!r}: the name of the audio file {audio!r} is not UTF-8. Rename the file.")
    if "\0" in audio or any(len(part.encode()) > _LONGEST_NAME_BYTES for part in row.audio.parts):
        return ManifestError(f"{row.where}: {audio[:80]!r} cannot be the path of a file. Correct the line.")
    return None


def _flaw_of_texts(row: DataRow) -> ManifestError | None:
    # Neither a record nor a report could hold half a character.
    texts = {"id": row.id, "text": row.reference, "language": row.language, "speaker": row.speaker}
    texts |= {"recording": row.recording or row.name, **row.tags, **{f"name of {key!r}": key for key in row.tags}}
    for name, text in texts.items():
        if not isinstance(text, str | None):
            return ManifestError(f"{row.where}: {name} must be text, not {text!r}. Correct the line.")
        if text is not None and not _is_whole(text):
            return ManifestError(f"{row.where}: {name} holds half of a character ({text[:40]!r}). Correct the line.")
    return None


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
