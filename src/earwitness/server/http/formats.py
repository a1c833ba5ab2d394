"""Responses in the formats of OpenAI's API: json, verbose_json, srt, vtt, and the events of a stream."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from earwitness.files import subtitles
from earwitness.server.http.parameters import TranscriptionRequest
from earwitness.types import Segment, Transcript

_CUE_CHARS = 84
_CUE_S = 7.0
_UNDETERMINED = "und"
MEDIA_TYPES = {
    "json": "application/json",
    "verbose_json": "application/json",
    "text": "text/plain; charset=utf-8",
    "srt": "application/x-subrip; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
}


def render(transcript: Transcript, audio_s: float, request: TranscriptionRequest) -> str:
    """Return the whole response in the requested format."""
    if request.format == "text":
        return transcript.text + "\n"
    if request.format == "srt":
        return srt(cues(transcript))
    if request.format == "vtt":
        return vtt(cues(transcript))
    return json.dumps(as_object(transcript, audio_s, request), ensure_ascii=False, allow_nan=False)


def as_object(transcript: Transcript, audio_s: float, request: TranscriptionRequest) -> dict[str, Any]:
    """Return the answer as an object: the text, and for ``verbose_json`` everything else that is known."""
    usage = {"type": "duration", "seconds": round(audio_s, 3)}
    if request.format != "verbose_json":
        return {"text": transcript.text, "usage": usage}
    found: dict[str, Any] = {
        "task": "translate" if request.translate else "transcribe",
        "language": "en" if request.translate else transcript.language or request.language or _UNDETERMINED,
        "duration": round(audio_s, 3),
        "text": transcript.text,
        "usage": usage,
    }
    if request.segments:
        found["segments"] = [{"id": n, **_segment(s)} for n, s in enumerate(cues(transcript))]
    if request.words:
        words = transcript.words or ()
        found["words"] = [{"word": w.text.strip(), "start": w.start_s, "end": w.end_s} for w in words]
    return found


def _segment(segment: Segment) -> dict[str, Any]:
    # OpenAI's schema has numbers here, and clients that are compiled from it end at a null.
    said = {name: value for name, value in asdict(segment).items() if value is not None}
    return {"start": said.pop("start_s"), "end": said.pop("end_s"), **said}


def delta_event(segment: Segment, request: TranscriptionRequest) -> str:
    """Return the event of a piece of text; with its times where ``verbose_json`` was asked for."""
    event: dict[str, Any] = {"type": "transcript.text.delta", "delta": segment.text}
    if request.format == "verbose_json":
        event |= {"start": segment.start_s, "end": segment.end_s}
    return _event(event)


def done_event(transcript: Transcript, audio_s: float, request: TranscriptionRequest) -> str:
    """Return the event that ends a stream, with the whole answer in it."""
    whole = as_object(transcript, audio_s, request)
    # In OpenAI's schema, the usage of a stream is in tokens alone.
    del whole["usage"]
    return _event({"type": "transcript.text.done", **whole})


def error_event(body: dict[str, Any]) -> str:
    """Return the event that ends a stream early, from the body of an error."""
    return _event(body)


def _event(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False, allow_nan=False)}\n\n"


def cues(transcript: Transcript) -> Sequence[Segment]:
    """Return segments of a readable size: the engine's, or grouped words if it has only one.

    >>> words = tuple(Segment(n, n + 1, "word") for n in range(10))
    >>> [cue.text for cue in cues(Transcript("word " * 10, (Segment(0, 10, "word " * 10),), words))]
    ['word word word word word word word', 'word word word']
    """
    segments, words = transcript.segments, transcript.words
    if not words or any(s.end_s - s.start_s <= _CUE_S for s in segments) or len(segments) > 1:
        return [replace(s, text=s.text.strip()) for s in segments]
    found: list[list[Segment]] = [[]]
    for word in words:
        line = found[-1]
        chars = sum(len(w.text.strip()) + 1 for w in line)
        if line and (word.end_s - line[0].start_s > _CUE_S or chars + len(word.text) > _CUE_CHARS):
            found.append([])
        found[-1].append(word)
    return [Segment(w[0].start_s, w[-1].end_s, " ".join(each.text.strip() for each in w)) for w in found]


def srt(segments: Sequence[Segment]) -> str:
    """Return SubRip subtitles, a cue for each segment."""
    return subtitles.srt((s.start_s, s.end_s, _line(s.text)) for s in segments)


def vtt(segments: Sequence[Segment]) -> str:
    """Return WebVTT subtitles, a cue for each segment."""
    return subtitles.vtt((s.start_s, s.end_s, _line(s.text)) for s in segments)


def _line(text: str) -> str:
    # A line break or an arrow would begin another cue.
    return " ".join(text.split()).replace("-->", "->")
