"""sclite's ctm: one word per line, with its place in a recording; and its words by the segments of an stm."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from earwitness.errors import ScoringError
from earwitness.scoring.formats.stm import StmSegment
from earwitness.scoring.text.lines import split_fields


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a hypothesis."""

    recording: str
    """Name of the recording."""
    channel: str
    """Such as ``1`` or ``A``."""
    start_s: float
    """From the beginning of the recording."""
    duration_s: float
    """How long it is."""
    text: str
    """The word."""
    confidence: float | None = None
    """As the engine gives it."""


def read(name: str, lines: Iterable[str]) -> Iterator[Word]:
    """Yield the words of a file's lines; ``;;`` begins a comment, behind a word too.

    >>> next(read("hyp.ctm", ["rec1 A 0.52 0.30 hello 0.98"]))
    Word(recording='rec1', channel='A', start_s=0.52, duration_s=0.3, text='hello', confidence=0.98)

    Raises:
        ScoringError: For a line that is not a word with its times; alternatives of a hypothesis are none.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith(";;"):
            continue
        fields = split_fields(line)
        fields = fields[: next((n for n, text in enumerate(fields) if text.startswith(";;")), None)]
        try:
            recording, channel, start, duration, text = fields[:5]
            start_s, duration_s = float(start), float(duration)
            confidence = float(fields[5]) if len(fields) > 5 and fields[5].upper() != "NA" else None
        except ValueError:
            raise ScoringError(
                f"{name}:{number} is not 'recording channel start duration word', as ctm needs. Correct the line."
            ) from None
        yield Word(recording, channel, start_s, duration_s, text, confidence)


def line_of(word: Word) -> str:
    """Return a word's line."""
    confidence = "" if word.confidence is None else f" {word.confidence:.4f}"
    return f"{word.recording} {word.channel} {word.start_s:.3f} {word.duration_s:.3f} {word.text}{confidence}"


def by_segment(segments: Sequence[StmSegment], words: Iterable[Word]) -> list[list[Word]]:
    """Return the words of each segment, in the order of time, divided as sclite does it.

    A word belongs to the first segment of its channel whose end is after the word's middle, and one after the last
    segment to the last. sclite keeps the end of a segment as a 32-bit float and the times of a word as 64-bit ones, so
    that of a word whose middle is the very end of a segment the rounding decides; so it does here. No word
    goes back: one that begins after a word of a later segment belongs to that segment, too. Words of recordings and
    channels that no segment has are an error.

    >>> one, two = StmSegment("r", "A", "x", 0.0, 1.0, ""), StmSegment("r", "A", "y", 1.0, 2.0, "")
    >>> heard = by_segment([one, two], [Word("r", "A", 0.9, 0.4, "late"), Word("r", "A", 0.1, 0.2, "early")])
    >>> [[word.text for word in words] for words in heard]
    [['early'], ['late']]
    """
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for n in sorted(range(len(segments)), key=lambda n: segments[n].start_s):
        places[segments[n].recording, segments[n].channel].append(n)
    ends = np.array([segment.end_s for segment in segments], np.float32).astype(np.float64)
    heard: list[list[Word]] = [[] for _ in segments]
    here: dict[tuple[str, str], int] = defaultdict(int)
    for word in sorted(words, key=lambda word: word.start_s):
        own = places.get((word.recording, word.channel))
        if own is None:
            raise ScoringError(
                f"The ctm has words of recording {word.recording!r}, channel {word.channel!r}, and the stm has no "
                "segment of it. Remove them, or correct the names."
            )
        middle_s = word.start_s + word.duration_s / 2
        key = word.recording, word.channel
        while here[key] < len(own) - 1 and middle_s >= ends[own[here[key]]]:
            here[key] += 1
        heard[own[here[key]]].append(word)
    return heard
