"""Texts and subtitles as files: txt, srt, vtt, tsv, json, and jsonl for a whole archive."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from earwitness.archive.cues import Cue, CueLayout, cues, times_of
from earwitness.errors import UsageError
from earwitness.files import subtitles
from earwitness.files.nearest import did_you_mean
from earwitness.types import Failure, Finding, Segment, Transcript


@dataclass(frozen=True, slots=True)
class ArchiveText:
    """What is known of one recording, or one channel of it."""

    source: str
    """The file, as it may be shown: relative to the output's folder where it is below it, without credentials."""
    audio_s: float
    """Length of what was transcribed."""
    transcript: Transcript | None
    """The text; ``None`` where there is a failure."""
    failure: Failure | None = None
    """Why there is no text."""
    channel: int | None = None
    """Of the file, from 0; ``None`` for the mean of all."""
    start_s: float = 0.0
    """Where it begins in the file."""
    findings: tuple[Finding, ...] = ()
    """What is wrong with the text, with places."""
    model: str = ""
    """Id of the model."""
    weights_sha256: str | None = None
    """Of its weights."""


def srt(text: ArchiveText, layout: CueLayout) -> str:
    """Return SubRip subtitles.

    >>> print(srt(ArchiveText("a.wav", 1.5, Transcript("hello there")), CueLayout()), end="")
    1
    00:00:00,000 --> 00:00:01,500
    hello there
    <BLANKLINE>
    """
    return subtitles.srt(_shown_cues(text, layout))


def vtt(text: ArchiveText, layout: CueLayout) -> str:
    """Return WebVTT subtitles."""
    return subtitles.vtt(_shown_cues(text, layout))


def txt(text: ArchiveText, _: CueLayout) -> str:
    """Return the text, a line for each segment of the engine."""
    transcript = text.transcript
    if transcript is None or not transcript.text.strip():
        return ""
    lines = [" ".join(segment.text.split()) for segment in transcript.segments]
    joined = " ".join(line for line in lines if line)
    whole = " ".join(transcript.text.split())
    # Where segments are not all of the text, the text goes before them.
    return "\n".join(line for line in lines if line) + "\n" if joined == whole else whole + "\n"


def tsv(text: ArchiveText, layout: CueLayout) -> str:
    """Return a table of start and end in milliseconds and text, a row for each segment, as Whisper writes it."""
    pieces: Sequence[Segment] = text.transcript.segments if text.transcript else ()
    rows = [(one.start_s, one.end_s, one.text) for one in pieces]
    if not rows:
        rows = [(cue.start_s, cue.end_s, cue.text) for cue in _cues(text, layout)]
    lines = [f"{round(s * 1000)}\t{round(e * 1000)}\t{' '.join(t.split())}" for s, e, t in rows]
    return "".join(f"{line}\n" for line in ["start\tend\ttext", *lines])


def as_object(text: ArchiveText) -> dict[str, Any]:
    """Return all that is known as plain values; nothing in it depends on when or how fast it was made."""
    found: dict[str, Any] = {
        "audio_filepath": text.source,
        "channel": text.channel,
        "offset": text.start_s,
        "duration": round(text.audio_s, 3),
        "model": text.model,
        "weights_sha256": text.weights_sha256,
    }
    found = {name: value for name, value in found.items() if value is not None}
    transcript = text.transcript
    if transcript is None:
        return found | {"failure": text.failure.message if text.failure else ""}
    return found | {
        "language": transcript.language,
        "text": transcript.text,
        "times": times_of(transcript),
        "segments": [_timed(one) for one in transcript.segments],
        "words": None if transcript.words is None else [_timed(one) for one in transcript.words],
        "findings": [
            {"kind": one.kind, "start": one.start_s, "end": one.end_s, "detail": one.detail} for one in text.findings
        ],
    }


def json_(text: ArchiveText, _: CueLayout) -> str:
    """Return ``as_object`` as JSON."""
    return json.dumps(as_object(text), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def jsonl(text: ArchiveText, _: CueLayout) -> str:
    """Return ``as_object`` as one line."""
    return json.dumps(as_object(text), ensure_ascii=False, allow_nan=False) + "\n"


Render = Callable[[ArchiveText, CueLayout], str]
FORMATS: Mapping[str, Render] = {"txt": txt, "srt": srt, "vtt": vtt, "json": json_, "jsonl": jsonl, "tsv": tsv}
"""Every format by the suffix of its files; ``jsonl`` is one file of all, the others a file for each recording."""
SHARED = "jsonl"
SUBTITLES = ("srt", "vtt", "tsv", "txt")
"""Formats in which a run record can be exported."""


def require_formats(names: Sequence[str], choices: Sequence[str] = tuple(FORMATS)) -> tuple[str, ...]:
    """Return the names of formats, each once.

    Raises:
        UsageError: For one that does not exist.
    """
    for name in names:
        if name not in choices:
            hint = did_you_mean(name, choices)
            raise UsageError(f"There is no format {name!r}.{hint} There are: {', '.join(choices)}.")
    return tuple(dict.fromkeys(names))


def _cues(text: ArchiveText, layout: CueLayout) -> list[Cue]:
    return [] if text.transcript is None else cues(text.transcript, text.audio_s, layout)


def _shown_cues(text: ArchiveText, layout: CueLayout) -> Iterator[subtitles.TimedText]:
    return ((cue.start_s, cue.end_s, _shown(cue)) for cue in _cues(text, layout))


def _shown(cue: Cue) -> str:
    # An arrow would begin another cue, a blank line would end this one.
    shown = ("".join(char for char in line if char.isprintable() or char == "\u200d") for line in cue.lines)
    return "\n".join(line.replace("-->", "→") for line in shown)


def _timed(segment: Segment) -> dict[str, Any]:
    return {"start": round(segment.start_s, 3), "end": round(segment.end_s, 3), "text": segment.text}
