"""Turns rows into clips: measures and hashes the audio, and computes the fingerprint of the data."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from earwitness.data.default_names import clip_id
from earwitness.data.rows import DataRow
from earwitness.errors import AudioError, ManifestError, UsageError
from earwitness.files.fetch import sha256_of
from earwitness.languages import canonical
from earwitness.types import Clip, DatasetCondition

MANIFEST = "manifest.jsonl"


ReadProgress = Callable[[int, int], None]


def to_clips(
    rows: Iterable[DataRow],
    language: str | None = None,
    channel: int | None = None,
    progress: ReadProgress | None = None,
) -> tuple[Clip, ...]:
    """Make clips from rows: ids and recordings filled in, durations measured, files hashed once each.

    Raises:
        ManifestError: For an id that is there twice; both places are named.
    """
    rows = list(rows)
    seen: dict[str, str] = {}
    files = _Files()
    clips = []
    for done, row in enumerate(rows, start=1):
        clip = _clip(row, files.look_up(row.audio), language, channel)
        if clip.id in seen:
            raise ManifestError(f"{row.where}: id {clip.id!r} is already used at {seen[clip.id]}. Rename one.")
        seen[clip.id] = row.where
        clips.append(clip)
        if progress:
            progress(done, len(rows))
    return tuple(clips)


def _language(row: DataRow, default: str | None) -> str | None:
    try:
        return canonical(row.language) or canonical(default)
    except UsageError as error:
        raise ManifestError(f"{row.where}: {error}") from None


@dataclass(frozen=True, slots=True)
class _Measure:
    """Hash and length of a file."""

    path: str
    """Absolute, with links followed."""
    sha256: str
    duration_s: float
    duration_kind: Literal["stated", "counted"] | None


class _Files:
    """Measures each file once, even if several rows name it in different ways."""

    def __init__(self) -> None:
        self._by_name: dict[Path, _Measure] = {}
        self._by_path: dict[str, _Measure] = {}

    def look_up(self, audio: Path) -> _Measure:
        """Return hash and length of a file."""
        file = self._by_name.get(audio)
        if file is None:
            path = os.path.realpath(audio)  # Path.resolve raises at a link that leads to itself
            file = self._by_path.get(path) or _measure(Path(path))
            self._by_name[audio] = self._by_path[path] = file
        return file


def _clip(row: DataRow, file: _Measure, language: str | None, channel: int | None) -> Clip:
    duration_s = row.duration_s if row.duration_s is not None else max(0.0, file.duration_s - row.start_s)
    if file.duration_s:
        duration_s -= past_the_end(row, file.duration_s)
    return Clip(
        id=clip_id(row),
        audio_path=file.path,
        audio_sha256=file.sha256,
        start_s=row.start_s,
        duration_s=duration_s,
        reference=row.reference,
        language=_language(row, language),
        speaker=row.speaker,
        recording=row.recording or row.name,
        channel=channel if row.channel is None else row.channel,
        tags=row.tags,
        duration_kind=file.duration_kind if row.duration_s is None else "manifest",
    )


def past_the_end(row: DataRow, file_s: float) -> float:
    """Return how many seconds of a row's span lie past the end of its file and are cut off, as its grace allows."""
    past_s = row.start_s + (row.duration_s or 0.0) - file_s
    return past_s if 0 < past_s < row.grace_s and row.start_s < file_s else 0.0


def _measure(path: Path) -> _Measure:
    from earwitness.audio import probe

    try:
        sha256 = sha256_of(path) if path.is_file() else ""
    except OSError:
        sha256 = ""
    try:
        info = probe(path, count=True)
    except AudioError:
        return _Measure(str(path), sha256, 0.0, None)
    kind: Literal["stated", "counted"] = "stated" if info.duration_kind == "stated" else "counted"
    return _Measure(str(path), sha256, info.duration_s or 0.0, kind)


def fingerprint(clips: Iterable[Clip]) -> str:
    """Return the sha256 over every clip's id, audio, span, channel, reference and language, in order."""
    found = Fingerprint()
    for clip in clips:
        found.add(clip)
    return found.hexdigest()


class Fingerprint:
    """The sha256 over clips, one after the other; see ``fingerprint``."""

    def __init__(self) -> None:
        """Begin without a clip."""
        self._sha256 = hashlib.sha256()
        self._between = b""

    def add(self, c: Clip) -> None:
        """Add the next clip."""
        line = [c.id, c.audio_sha256, c.start_s, c.duration_s, c.reference, c.language, c.channel]
        self._sha256.update(self._between + json.dumps(line, ensure_ascii=False).encode())
        self._between = b"\n"

    def hexdigest(self) -> str:
        """Return the hash of the clips so far."""
        return self._sha256.hexdigest()


def sha256_under(condition: DatasetCondition | None, clean_sha256: str) -> str:
    """Return the sha256 of a dataset under a condition, from that of the dataset as it was recorded."""
    if condition is None:
        return clean_sha256
    return hashlib.sha256(f"{clean_sha256}\n{condition.name}\n{condition.version}".encode()).hexdigest()
