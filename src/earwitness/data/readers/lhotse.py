"""Lhotse's cuts: JSONL, plain or gzipped, one cut a line with its recording inside.

A MonoCut is a clip; the texts of its supervisions, in order of time, are its reference. A MultiCut is a clip for every
channel, each with the supervisions of that channel. Cuts that are mixed or padded, and audio that is not a file, are
refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from earwitness.data.readers.jsonlines import Object, first_object, objects
from earwitness.data.rows import DataRow, Rows, audio_at, seconds, show
from earwitness.errors import ManifestError
from earwitness.files.schema import validate

_KINDS = ("MonoCut", "MultiCut")


@dataclass(frozen=True, slots=True)
class LhotseSource:
    """A file of a recording, as Lhotse describes it."""

    type: str
    """``file`` for what can be read here."""
    source: str
    """The path."""
    channels: list[int] | None = None
    """Which of the recording's channels are in it, in the file's order."""


@dataclass(frozen=True, slots=True)
class Recording:
    """The recording of a cut, as Lhotse describes it."""

    sources: list[LhotseSource]
    """One file, or several with some of the channels each."""
    id: str | int | None = None
    """Its name."""


@dataclass(frozen=True, slots=True)
class Supervision:
    """A segment with its text, as Lhotse describes it."""

    start: float = 0.0
    """From the beginning of the cut."""
    text: str | None = None
    """What was said."""
    language: str | None = None
    """In which language."""
    speaker: str | int | None = None
    """By whom."""
    channel: int | list[int] = 0
    """On which channels of the recording."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A line of a cut set, as Lhotse describes it; other keys are passed over."""

    recording: Recording
    """What it is cut from."""
    id: str | int | None = None
    """Its name."""
    start: float | None = None
    """Seconds into the recording."""
    duration: float | None = None
    """Seconds."""
    channel: int | list[int] | None = None
    """Of the recording."""
    supervisions: list[Supervision] | None = None
    """What was said in it."""
    custom: dict[str, Any] | None = field(default=None)
    """What else the team keeps."""


def read(path: Path) -> Rows:
    """Yield the rows of a cut set, and an error for each invalid line."""
    for found in objects(path):
        if not isinstance(found, tuple):
            yield found
            continue
        try:
            yield from _rows(*found, path.parent)
        except ManifestError as error:
            yield error


def is_cuts(path: Path) -> bool:
    """Return whether the first line of JSON lines is a cut, or another of Lhotse's objects with a recording inside.

    Raises:
        ManifestError: When the file cannot be read as text.
    """
    first = first_object(path)
    return isinstance(first.get("recording"), dict) or first.get("type") in (*_KINDS, "MixedCut", "PaddingCut")


def _rows(where: str, data: Object, root: Path) -> Iterator[DataRow]:
    cut = _cut(where, data)
    supervisions = sorted(cut.supervisions or (), key=lambda one: one.start)
    channels = cut.channel if isinstance(cut.channel, list) else [cut.channel]
    if len(channels) > 1 and not all(len(_channels(one)) == 1 for one in supervisions):
        yield _row(where, cut, _mean(where, cut, channels), supervisions, root, _text(cut.id))
        return
    for channel in channels:
        own = [one for one in supervisions if len(channels) == 1 or _channels(one) == [channel]]
        id_ = _text(cut.id) if len(channels) == 1 else _id_of_channel(cut, channel)
        yield _row(where, cut, _source(where, cut.recording, channel), own, root, id_)


def _id_of_channel(cut: Cut, channel: int | None) -> str | None:
    return None if cut.id is None else f"{cut.id}-ch{channel}"


def _cut(where: str, data: Object) -> Cut:
    kind = data.get("type", "MonoCut")
    if kind not in _KINDS:
        raise ManifestError(
            f"{where} is a {show(kind)}; only {' and '.join(_KINDS)} can be read. Save the cuts' audio first."
        )
    recording = data.get("recording")
    if not isinstance(recording, dict) or not recording.get("sources"):
        raise ManifestError(f"{where} has no recording with sources. Save the cuts with their recordings.")
    return validate(Cut, data, f"{where} is not a cut of Lhotse", remedy="Correct the line.", error=ManifestError)


def _channels(supervision: Supervision) -> list[int]:
    return supervision.channel if isinstance(supervision.channel, list) else [supervision.channel]


def _source(where: str, recording: Recording, channel: int | None) -> tuple[LhotseSource, int | None]:
    """Return the file that has a channel of the recording, and which channel of the file it is."""
    if channel is None:
        if len(recording.sources) > 1:
            raise ManifestError(f"{where} states no channel, and its recording has {len(recording.sources)} files.")
        return recording.sources[0], None
    for source in recording.sources:
        held = source.channels
        if held is None and len(recording.sources) == 1:
            return source, channel or None
        if held is not None and channel in held:
            return source, held.index(channel) if len(held) > 1 else None
    there = sorted(channel for source in recording.sources for channel in source.channels or ())
    raise ManifestError(f"{where} has channel {channel}, but its recording has {there}. Correct the line.")


def _mean(where: str, cut: Cut, channels: Sequence[int | None]) -> tuple[LhotseSource, int | None]:
    source = cut.recording.sources[0]
    if len(cut.recording.sources) > 1 or set(source.channels or ()) - set(channels):
        raise ManifestError(
            f"{where} has words that are on several channels at once, and only the mean of all channels of one file "
            "can be used. Save the cut's audio to one file."
        )
    return source, None


def _row(
    where: str,
    cut: Cut,
    source: tuple[LhotseSource, int | None],
    supervisions: Sequence[Supervision],
    root: Path,
    id_: str | None,
) -> DataRow:
    file, channel = source
    if file.type != "file":
        raise ManifestError(f"{where}: audio of type {show(file.type)} is not a file. Save it to files first.")
    recording = _text(cut.recording.id)
    return DataRow(
        where=where,
        audio=audio_at(root, file.source, where),
        name=recording or "",
        id=id_,
        start_s=seconds(cut.start, "'start'", where) or 0.0,
        duration_s=seconds(cut.duration, "'duration'", where),
        reference=_reference(supervisions),
        language=_shared(one.language for one in supervisions),
        speaker=_shared(_text(one.speaker) for one in supervisions),
        recording=recording or None,
        channel=channel,
        tags=_tags(cut.custom or {}),
    )


def _text(value: str | int | None) -> str | None:
    return None if value is None else str(value)


def _reference(supervisions: Sequence[Supervision]) -> str | None:
    """Return the texts in order; ``None`` if there is none, which differs from silence."""
    texts = [one.text.strip() for one in supervisions if one.text is not None]
    return " ".join(text for text in texts if text) if texts else None


def _shared(values: Iterator[str | None]) -> str | None:
    each = set(values)
    return each.pop() if len(each) == 1 else None


def _tags(custom: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in custom.items()}
