"""What readers yield: rows of a dataset as written, errors, and remarks."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from earwitness.errors import ManifestError

AUDIO_SUFFIXES = frozenset(
    [
        ".3gp", ".aac", ".aif", ".aifc", ".aiff", ".amr", ".au", ".caf", ".flac", ".m4a", ".m4b", ".mka", ".mkv",
        ".mov", ".mp2", ".mp3", ".mp4", ".oga", ".ogg", ".opus", ".rf64", ".snd", ".sph", ".spx", ".w64", ".wav",
        ".wave", ".webm", ".wma", ".wv",
    ]
)  # fmt: skip
"""What a folder is searched for; a manifest may name a file with any suffix."""
LABELS = ".labels.jsonl"
"""How the names of files with labels end; they lie beside data and are none."""
_NO_DATA = frozenset(["__macosx", "thumbs.db", "desktop.ini", "@eadir", "$recycle.bin", "system volume information"])
# In bytes, as Linux and macOS have them.
_LONGEST_NAME, _LONGEST_PATH = 255, 4096
_SIDES = {"a": 0, "b": 1, "l": 0, "r": 1, "left": 0, "right": 1}


@dataclass(frozen=True, slots=True)
class DataRow:
    """One clip as its dataset states it; the audio is not yet checked."""

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
    """Which channel of the file, from 0; ``None`` when none is stated, or the mean of all is asked for."""
    grace_s: float = 0.0
    """How far the span may go past the end of the file before that is an error; the clip ends where the file does."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """All else."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A note about a dataset for the user, such as texts without audio; it excludes no clip."""

    where: str
    """The file, and the line where it is about one."""
    message: str
    """One sentence or two."""

    def __str__(self) -> str:
        """Return place and message as one line."""
        return f"{self.where}: {self.message}"


Rows = Iterator[DataRow | Remark | ManifestError]


def seconds(value: object, what: str, where: str) -> float | None:
    """Return a stated number of seconds; ``None`` for an absent one.

    Raises:
        ManifestError: For what is not a number, is negative, or is not finite.
    """
    if value is None or value == "":
        return None
    try:
        found = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found) or found < 0:
        raise ManifestError(f"{where}: {what} must be seconds, at least 0, not {show(value)}. Correct the line.")
    return found


def channel(value: object, what: str, where: str) -> int | None:
    """Return a stated channel, from 0; ``None`` for none and for the mean of all.

    Raises:
        ManifestError: For several channels at once, and for what names no channel.

    >>> [channel(value, "'channel'", "m:1") for value in (1, "1", [1], "B", "right", "average", None)]
    [1, 1, 1, 1, 1, None, None]
    """
    if isinstance(value, list) and len(value) == 1:
        (value,) = value
    if isinstance(value, list):
        raise ManifestError(
            f"{where}: {what} names several channels, {show(value)}. "
            "Write a line for each, or 'average' for their mean."
        )
    if isinstance(value, str):
        text = value.strip().lower()
        if text in ("", "average", "mean"):
            return None
        value = _SIDES.get(text, int(text) if text.isascii() and text.isdecimal() and len(text) < 5 else value)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ManifestError(
            f"{where}: {what} must be a whole number from 0, A or B, left or right, or 'average', not {show(value)}. "
            "Correct the line."
        )
    return value


def show(value: object) -> str:
    """Return a value as a message shows it: at most 60 characters, and nothing that cannot be printed."""
    text = repr(value).encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= 60 else f"{text[:57]}..."


def audio_at(root: Path, path: str, where: str) -> Path:
    """Return where a manifest in ``root`` says that audio lies; ``~/`` is the home folder.

    Raises:
        ManifestError: For a path that no file can have.
    """
    too_long = len(path) > _LONGEST_PATH or any(len(part.encode()) > _LONGEST_NAME for part in path.split("/"))
    if not path.strip() or "\0" in path or too_long:
        raise ManifestError(f"{where} has {show(path)} for the path of its audio. Correct the line.")
    return root / (Path(path).expanduser() if path.startswith("~/") else Path(path))


class Places:
    """Where the audio of one manifest lies. Each path is looked up once, however many rows name it.

    >>> Places(Path("calls")).find("monday/a.wav", "m:1")
    (PosixPath('calls/monday/a.wav'), 'monday/a')
    """

    def __init__(self, root: Path, *, within: str | None = None) -> None:
        """Take the manifest's folder, and perhaps a folder in it that is looked into for what is not beside it."""
        self._root, self._within = root, within
        self._known: dict[str, tuple[Path, str]] = {}

    def find(self, path: str, where: str) -> tuple[Path, str]:
        """Return the path of the audio, and that inside the manifest's folder without suffix.

        Raises:
            ManifestError: For a path that no file can have.
        """
        if path not in self._known:
            audio = audio_at(self._root, path, where)
            if self._within is not None and not there(audio):
                inner = audio_at(self._root / self._within, path, where)
                audio = inner if there(inner) else audio
            self._known[path] = audio, inside(audio, self._root)
        return self._known[path]


def there(path: Path) -> bool:
    """Return whether there is something at a path; ``False`` for one that is too long or odd to be one."""
    return os.path.exists(path)  # noqa: PTH110 - Path.exists raises for a name that is too long


def is_data(path: Path, root: Path) -> bool:
    """Return whether a file below a folder can be data: not hidden, not left there by a system, and no labels.

    Names that begin with a dot, such as macOS's ``._call.wav``, and folders such as ``__MACOSX`` are none.
    """
    parts = path.relative_to(root).parts
    return not path.name.endswith(LABELS) and not any(
        part.startswith(".") or part.lower() in _NO_DATA for part in parts
    )


def inside(path: Path, root: Path) -> str:
    """Return a file's path inside a folder, without its suffix, with slashes; or its stem, when it is not in there."""
    try:
        return path.relative_to(root).with_suffix("").as_posix()
    except ValueError:
        return path.stem


def first_few(names: list[str], most: int = 3) -> str:
    """Return names as a message lists them.

    >>> first_few(["a", "b", "c", "d"])
    "'a', 'b', 'c' and 1 more"
    """
    listed = ", ".join(map(show, names[:most]))
    return listed + (f" and {len(names) - most} more" if len(names) > most else "")
