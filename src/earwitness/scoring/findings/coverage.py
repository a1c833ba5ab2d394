"""Compares text with speech activity: speech without text, text without speech, and the rate of words.

Speech activity comes from the audio (``audio/speech.py``), as spans in seconds; no reference is needed.
"""

from __future__ import annotations

from collections.abc import Sequence

from earwitness.languages import has_spaces
from earwitness.scoring.findings.kinds import (
    CUT_TAIL,
    EMPTY_ON_SPEECH,
    RATE_OUT_OF_BAND,
    TEXT_WITHOUT_SPEECH,
    UNCOVERED_SPEECH,
)
from earwitness.types import Finding, Segment

TimeSpan = tuple[float, float]

LEAST_SPEECH_S = 0.5
"""An empty text is a finding from so much speech on."""
LEAST_GAP_S = 1.0
"""Speech that no segment covers is a finding from so many seconds in one gap on."""
SLACK_S = 0.25
"""How far a segment's times may be off: engines round, and voice activity is padded."""
BREATH_S = 0.3
"""Speech of less than this under a segment is not taken for its words."""
RATE_BAND = (1.0, 6.0)
"""Words per second of speech; a number counts as many as it has digits."""
RATE_BAND_UNSPACED = (0.8, 14.0)
"""Letters per second of speech, in languages whose words are letters."""
LEAST_RATED_S = 2.0
"""The rate is looked at from so much speech on."""


def empty(n_words: int, speech: Sequence[TimeSpan]) -> list[Finding]:
    """Return a finding when there is no word, and more than ``LEAST_SPEECH_S`` of speech.

    >>> empty(0, [(0.2, 1.4)])
    [Finding(kind='empty_on_speech', start_s=0.2, end_s=1.4, detail='no words on 1.2 s of speech')]
    """
    spoken_s = total_s(speech)
    if n_words or spoken_s <= LEAST_SPEECH_S:
        return []
    return [Finding(EMPTY_ON_SPEECH, speech[0][0], speech[-1][1], f"no words on {spoken_s:.1f} s of speech")]


def uncovered_speech(segments: Sequence[Segment], speech: Sequence[TimeSpan]) -> list[Finding]:
    """Return each gap between segments that holds ``LEAST_GAP_S`` of speech or more.

    A gap after the last segment is a tail that was cut off. Segments are taken ``SLACK_S`` longer on both sides. An
    engine that gives no segments says nothing of what it covered.

    >>> [found.kind for found in uncovered_speech([Segment(3, 5, "a")], [(0.0, 2.0), (3.0, 5.0), (6.0, 9.0)])]
    ['uncovered_speech', 'cut_tail']
    """
    if not segments:
        return []
    found = []
    begin = 0.0
    covered = sorted((segment.start_s - SLACK_S, segment.end_s + SLACK_S) for segment in segments)
    for start, end in [*covered, (float("inf"), float("inf"))]:
        inside = within(speech, (begin, start))
        spoken_s = total_s(inside)
        if start > begin and spoken_s >= LEAST_GAP_S:
            last = start == float("inf")
            where = "after the last segment" if last else "in no segment"
            kind = CUT_TAIL if last else UNCOVERED_SPEECH
            found.append(Finding(kind, inside[0][0], inside[-1][1], f"{spoken_s:.1f} s of speech {where}"))
        begin = max(begin, end)
    return found


def without_speech(segments: Sequence[Segment], text: str, speech: Sequence[TimeSpan], audio_s: float) -> list[Finding]:
    """Return the segments with words but without speech; for an engine without segments, the whole text.

    >>> without_speech([Segment(0, 2, "hello"), Segment(20, 22, "Thank you.")], "", [(0.1, 1.9)], 22.0)[0].start_s
    20
    """
    pieces = segments or [Segment(0.0, audio_s, text)]
    return [
        Finding(TEXT_WITHOUT_SPEECH, piece.start_s, piece.end_s, f"{_short(piece.text)!r} where nobody speaks")
        for piece in pieces
        if any(letter.isalnum() for letter in piece.text) and not is_spoken(piece, speech)
    ]


def rate(hypothesis: Sequence[str], language: str | None, speech: Sequence[TimeSpan]) -> list[Finding]:
    """Return a finding when the words are too few or too many for the seconds of speech; nothing for no words at all.

    >>> [found.detail for found in rate(["word"] * 120, "en", [(0.0, 10.0)])]
    ['12.0 words per second of speech, outside 1.0 to 6.0']
    """
    spoken_s = total_s(speech)
    n_words = sum(max(1, sum(map(str.isdigit, word))) for word in hypothesis)
    unspaced = not has_spaces(language)
    least, most = RATE_BAND_UNSPACED if unspaced else RATE_BAND
    if not n_words or spoken_s < LEAST_RATED_S or least <= n_words / spoken_s <= most:
        return []
    unit = "letters" if unspaced else "words"
    detail = f"{n_words / spoken_s:.1f} {unit} per second of speech, outside {least} to {most}"
    return [Finding(RATE_OUT_OF_BAND, speech[0][0], speech[-1][1], detail)]


def is_spoken(piece: Segment, speech: Sequence[TimeSpan]) -> bool:
    """Return whether there is speech under a segment, ``SLACK_S`` of slack on both sides."""
    return total_s(within(speech, (piece.start_s - SLACK_S, piece.end_s + SLACK_S))) >= BREATH_S


def within(speech: Sequence[TimeSpan], place: TimeSpan) -> list[TimeSpan]:
    """Return the parts of the spans that lie in an interval."""
    begin, end = place
    return [(max(a, begin), min(b, end)) for a, b in speech if min(b, end) > max(a, begin)]


def total_s(spans: Sequence[TimeSpan]) -> float:
    """Return the seconds in spans."""
    return sum(end - begin for begin, end in spans)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:59] + "…"
