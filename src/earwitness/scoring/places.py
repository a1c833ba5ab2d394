"""Where in time the words of a transcript are, as far as its engine says.

An engine gives times of words, times of segments, or none; the words that are scored are normalized, and need not be
those that carry the times. ``places`` takes times only where both fit together word for word. ``anchors`` always
answers, and says how: words between two anchors are spread evenly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from earwitness.text import Normalizer
from earwitness.types import Segment, Transcript

Source = Literal["words", "segments", "spread"]


@dataclass(frozen=True, slots=True)
class Anchors:
    """Fixed points between a word's number and the clock; words between them are spread evenly."""

    source: Source
    """What they rest on: times of words, times of segments, or nothing but the clip's two ends."""
    points: tuple[tuple[int, float], ...]
    """Number of a word, from 0, and the seconds from the clip's beginning at which it begins; the last point's number
    is that of the words, and its time is where the last one ends. Both never fall."""


def places(
    transcript: Transcript, heard: Sequence[str], norm: Normalizer, language: str | None
) -> list[tuple[float, float]] | None:
    """Return from and to of the segment or word that each normalized word is in; ``None`` where they do not fit.

    Args:
        transcript: Raw, as from the engine.
        heard: Its words, normalized.
        norm: Made these words.
        language: Of the clip.
    """
    for pieces in (transcript.words or (), transcript.segments):
        found = _fitting(pieces, heard, norm, language)
        if found is not None:
            return found
    return None


def anchors(
    transcript: Transcript, heard: Sequence[str], norm: Normalizer, language: str | None, audio_s: float
) -> Anchors:
    """Return where words are in time.

    Args:
        transcript: Raw, as from the engine.
        heard: Its words, normalized.
        norm: Made these words.
        language: Of the clip.
        audio_s: Length of the clip; no time lies beyond it.

    >>> from earwitness.text import normalizer
    >>> said = Transcript("a b c", (Segment(1.0, 2.0, "a b"), Segment(4.0, 5.0, "c")))
    >>> anchors(said, ["a", "b", "c"], normalizer("none"), None, 6.0)
    Anchors(source='segments', points=((0, 1.0), (2, 2.0), (2, 4.0), (3, 5.0)))
    >>> anchors(Transcript("a b c"), ["a", "b", "c"], normalizer("none"), None, 6.0)
    Anchors(source='spread', points=((0, 0.0), (3, 6.0)))
    """
    kinds: tuple[tuple[Source, Sequence[Segment]], ...] = (
        ("words", transcript.words or ()),
        ("segments", transcript.segments),
    )
    for source, pieces in kinds:
        if len(pieces) == 1 and pieces[0].text.strip() == transcript.text.strip():
            return Anchors(source, _points([((pieces[0].start_s, pieces[0].end_s), len(heard))], audio_s))
        found = _fitting(pieces, heard, norm, language)
        if found is not None:
            return Anchors(source, _points([(place, len(list(same))) for place, same in groupby(found)], audio_s))
    if transcript.segments:
        # Words that normalizing joined across segments fit no segment; their share of the text still tells the time.
        sizes = [len(piece.text) for piece in transcript.segments]
        ends = [round(sum(sizes[: n + 1]) * len(heard) / max(1, sum(sizes))) for n in range(len(sizes))]
        counts = [end - before for end, before in zip(ends, [0, *ends], strict=False)]
        timed = [((piece.start_s, piece.end_s), n) for piece, n in zip(transcript.segments, counts, strict=True) if n]
        return Anchors("segments", _points(timed, audio_s))
    return Anchors("spread", _points([((0.0, audio_s), len(heard))], audio_s))


def _fitting(
    pieces: Sequence[Segment], heard: Sequence[str], norm: Normalizer, language: str | None
) -> list[tuple[float, float]] | None:
    held = [(word, (one.start_s, one.end_s)) for one in pieces for word in norm.words(one.text, language)]
    return [place for _, place in held] if [word for word, _ in held] == list(heard) else None


def _points(timed: Sequence[tuple[tuple[float, float], int]], audio_s: float) -> tuple[tuple[int, float], ...]:
    points: list[tuple[int, float]] = []
    word = 0
    now = 0.0
    for (start_s, end_s), n_words in timed:
        for number, at_s in ((word, start_s), (word + n_words, end_s)):
            now = max(now, min(at_s, audio_s))
            if not points or points[-1] != (number, now):
                points.append((number, now))
        word += n_words
    return tuple(points)
