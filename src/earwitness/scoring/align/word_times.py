"""The times of the words of a transcript, as far as its engine gives them.

An engine gives times of words, times of segments, or none; the words that are scored are normalized, and need not be
those that carry the times. ``places`` takes times only where both fit together word for word. ``anchors`` aligns them
where they do not, and always answers, and says how: words between two anchors are spread evenly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from earwitness.scoring.align.spans import quick_spans
from earwitness.scoring.text import Normalizer
from earwitness.types import Segment, Transcript

TimeSource = Literal["words", "segments", "spread"]


@dataclass(frozen=True, slots=True)
class Anchors:
    """Fixed points that map word numbers to times; words between them are spread evenly."""

    source: TimeSource
    """What they rest on: times of words, times of segments, or nothing but the clip's two ends."""
    points: tuple[tuple[int, float], ...]
    """Number of a word, from 0, and the seconds from the clip's beginning at which it begins; the last point's number
    is that of the words, and its time is where the last one ends. Both never fall."""


def places(
    transcript: Transcript, hypothesis: Sequence[str], norm: Normalizer, language: str | None
) -> list[tuple[float, float]] | None:
    """Return from and to of the segment or word that each normalized word is in; ``None`` if they do not fit.

    Args:
        transcript: Raw, as from the engine.
        hypothesis: Its words, normalized.
        norm: Made these words.
        language: Of the clip.
    """
    for pieces in (transcript.words or (), transcript.segments):
        words, found = _held(pieces, norm, language)
        if words == list(hypothesis):
            return found
    return None


def anchors(
    transcript: Transcript, hypothesis: Sequence[str], norm: Normalizer, language: str | None, audio_s: float
) -> Anchors:
    """Return where words are in time.

    Args:
        transcript: Raw, as from the engine.
        hypothesis: Its words, normalized.
        norm: Made these words.
        language: Of the clip.
        audio_s: Length of the clip; no time lies beyond it.

    >>> from earwitness.scoring.text import normalizer
    >>> said = Transcript("a b c", (Segment(1.0, 2.0, "a b"), Segment(4.0, 5.0, "c")))
    >>> anchors(said, ["a", "b", "c"], normalizer("none"), None, 6.0)
    Anchors(source='segments', points=((0, 1.0), (2, 2.0), (2, 4.0), (3, 5.0)))
    >>> anchors(Transcript("a b c"), ["a", "b", "c"], normalizer("none"), None, 6.0)
    Anchors(source='spread', points=((0, 0.0), (3, 6.0)))
    """
    kinds: tuple[tuple[TimeSource, Sequence[Segment]], ...] = (
        ("words", transcript.words or ()),
        ("segments", transcript.segments),
    )
    for source, pieces in kinds:
        if len(pieces) == 1 and pieces[0].text.strip() == transcript.text.strip():
            return Anchors(source, _points([((pieces[0].start_s, pieces[0].end_s), len(hypothesis))], audio_s))
        found = _nearest(pieces, hypothesis, norm, language)
        if found is not None:
            return Anchors(source, _points([(place, len(list(same))) for place, same in groupby(found)], audio_s))
    return Anchors("spread", _points([((0.0, audio_s), len(hypothesis))], audio_s))


def _held(
    pieces: Sequence[Segment], norm: Normalizer, language: str | None
) -> tuple[list[str], list[tuple[float, float]]]:
    """Return the words of pieces that are normalized one by one, and from and to of the piece that each is in."""
    held = [(word, (one.start_s, one.end_s)) for one in pieces for word in norm.words(one.text, language)]
    return [word for word, _ in held], [place for _, place in held]


def _nearest(
    pieces: Sequence[Segment], hypothesis: Sequence[str], norm: Normalizer, language: str | None
) -> list[tuple[float, float]] | None:
    """Return a place for every word; ``None`` without pieces.

    Words that are others when the whole text is normalized, such as ``21`` for ``twenty`` and ``one``, have the time of
    all those that stand there instead, and share it with their neighbours of the same piece.
    """
    words, places_ = _held(pieces, norm, language)
    if not words:
        return None
    found: list[tuple[float, float]] = []
    made: list[int] = []
    for is_equal, run in groupby(quick_spans(words, hypothesis), key=lambda span: span.kind == "equal"):
        first, *others = run
        last = others[-1] if others else first
        begin, end = first.reference[0], last.reference[1]
        if is_equal:
            found += places_[begin:end]
            continue
        around = places_[begin:end] or places_[max(0, begin - 1) : begin + 1]
        made.append(len(found))
        found += [(around[0][0], around[-1][1])] * (last.hypothesis[1] - first.hypothesis[0])
    for number in made:
        _share(found, number)
    return found


def _share(times: list[tuple[float, float]], number: int) -> None:
    """Give the place of a word to the neighbours whose own lies within it."""
    if number == len(times):  # of the last words, nothing was left
        return
    start_s, end_s = times[number]
    for step in (-1, 1):
        near = number + step
        while 0 <= near < len(times) and start_s <= times[near][0] <= times[near][1] <= end_s:
            times[near] = (start_s, end_s)
            near += step


def _points(places: Sequence[tuple[tuple[float, float], int]], audio_s: float) -> tuple[tuple[int, float], ...]:
    points: list[tuple[int, float]] = []
    word = 0
    now = 0.0
    for (start_s, end_s), n_words in places:
        for number, at_s in ((word, start_s), (word + n_words, end_s)):
            now = max(now, min(at_s, audio_s))
            if not points or points[-1] != (number, now):
                points.append((number, now))
        word += n_words
    return tuple(points)
