"""What every reader yields: one row of a dataset as it is written, or what is wrong with its line."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from earwitness.errors import ManifestError

AUDIO_SUFFIXES = frozenset(
    [
        ".wav",
        ".flac",
        ".ogg",
        ".oga",
        ".opus",
        ".mp3",
        ".m4a",
        ".mp4",
        ".webm",
        ".aac",
        ".amr",
        ".aif",
        ".aiff",
        ".mka",
        ".mkv",
        ".mov",
        ".wma",
        ".3gp",
    ]
)


@dataclass(frozen=True, slots=True)
class Row:
    """One clip as its dataset states it; audio has not been looked at."""

    where: str
    """File and line, for messages."""
    audio: Path
    """The audio file."""
    name: str
    """The audio file's path inside the dataset, without its suffix: the default id and recording."""
    id: str | None = None
    """As stated."""
    start_s: float = 0.0
    """As stated."""
    duration_s: float | None = None
    """As stated."""
    reference: str | None = None
    """As stated; ``None`` when nothing is."""
    language: str | None = None
    """As stated."""
    speaker: str | None = None
    """As stated."""
    recording: str | None = None
    """As stated."""
    channel: int | None = None
    """As stated."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """All else."""


Rows = Iterator[Row | ManifestError]


def seconds(value: Any, what: str, where: str) -> float | None:
    """Return a stated number of seconds; ``None`` for an absent one.

    Raises:
        ManifestError: For what is not a number, is negative, or is not finite.
    """
    if value is None or value == "":
        return None
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found) or found < 0:
        raise ManifestError(f"{where}: {what} must be seconds, at least 0, not {value!r}. Correct the line.")
    return found


def inside(path: Path, root: Path) -> str:
    """Return a file's path inside a folder, without its suffix, with slashes; or its stem, when it is not in there."""
    try:
        return path.relative_to(root).with_suffix("").as_posix()
    except ValueError:
        return path.stem


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line that is not blank.

    Raises:
        ManifestError: When the file is not UTF-8.
    """
    try:
        content = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ManifestError(f"{str(path)!r} is not UTF-8 (byte {error.start}). Convert it.") from None
    for number, line in enumerate(content.split("\n"), start=1):
        if line.strip():
            yield number, line.rstrip("\r")
