"""Is a reference cut short, or its audio? The part that both have must fit, and the rest must be the audio's.

A model may leave out the end of a clip, or go on where nobody speaks. So a rest counts only if a second witness agrees:
another family of models, or the duration of the clip, which fits the longer text and not the shorter one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from earwitness.scoring.align.text_index import letter_distance, letters_of
from earwitness.scoring.findings.clip_texts import ClipTexts
from earwitness.scoring.findings.pace import SpeechPace, spoken_letters

CutPlace = Literal["start", "end"]
CutSide = Literal["reference", "audio"]
_FITS = 0.3
_NEARER = 0.05
_SLACK = 0.5
_DIFFERS = 0.15
"""Letters of the nearest transcript, as a share, under which nothing can be missing."""
_LEAST_REST = 0.25
_LEAST_WORDS = 2
_LONGER, _EXACT, _LONGER_IF_EXACT = 1.5, 0.1, 0.0
"""Standard deviations by which the audio is longer, or shorter, than its text; fewer if the common part fits nearly."""


@dataclass(frozen=True, slots=True)
class TextCut:
    """A part that one of text and audio has, and the other lacks."""

    what: CutSide
    """Which of the two lacks it."""
    place: CutPlace
    """Where it is missing."""
    rest: tuple[str, ...]
    """The words that are missing: of a transcript, or of the reference."""
    distance: float
    """Of the parts that both have, in letters, from 0 to 1."""


def cut_of(each: ClipTexts, families: Mapping[str, str], pace: SpeechPace | None) -> TextCut | None:
    """Return what is cut off of a clip's reference or audio; ``None`` for nothing, or without a second witness.

    Args:
        each: The clip.
        families: The family of each model, by label.
        pace: How long a text takes; ``None`` when unknown.
    """
    if not each.reference or min(each.distances().values(), default=0.0) < _DIFFERS:
        return None
    cuts = {label: _cut(each.reference, words) for label, words in each.texts.items()}
    good = {label: cut for label, cut in cuts.items() if cut}
    if not good:
        return None
    best = min(good.values(), key=lambda cut: (cut.distance, cut.what, cut.rest))
    if _is_supported(each, best, families) or _fits_duration(each, best, pace):
        return best
    return None


def _is_supported(each: ClipTexts, cut: TextCut, families: Mapping[str, str]) -> bool:
    """Return whether two families are nearer to the text that was said than to the reference."""
    whole = letters_of(_real(each, cut))
    own = each.letters
    nearer = {
        families[label]
        for label, words in each.texts.items()
        if letter_distance(letters_of(words), whole) < letter_distance(letters_of(words), own) - _NEARER
    }
    return len(nearer) >= 2


def _real(each: ClipTexts, cut: TextCut) -> tuple[str, ...]:
    """Return the words that the audio has: the reference with the rest, or without it."""
    said = each.reference
    if cut.what == "reference":
        return (*said, *cut.rest) if cut.place == "end" else (*cut.rest, *said)
    return said[: -len(cut.rest)] if cut.place == "end" else said[len(cut.rest) :]


def _fits_duration(each: ClipTexts, cut: TextCut, pace: SpeechPace | None) -> bool:
    """Return whether the clip is too long, or too short, for its reference, and not for the other text."""
    if pace is None:
        return False
    own, rest = spoken_letters(each.clip.reference or ""), spoken_letters(letters_of(cut.rest))
    real = own + rest if cut.what == "reference" else own - rest
    sign = 1 if cut.what == "reference" else -1
    as_is = pace.deviation(own, each.clip.duration_s)
    least = _LONGER if cut.distance > _EXACT else _LONGER_IF_EXACT
    return sign * as_is >= least and abs(pace.deviation(real, each.clip.duration_s)) < abs(as_is) + _SLACK


def _cut(reference: Sequence[str], text: Sequence[str]) -> TextCut | None:
    places: tuple[CutPlace, ...] = ("end", "start")
    found = [_at(place, reference, text, "reference") for place in places]
    found += [_at(place, text, reference, "audio") for place in places]
    return min((cut for cut in found if cut), key=lambda cut: (cut.distance, cut.what, cut.place), default=None)


def _at(place: CutPlace, short: Sequence[str], long: Sequence[str], what: CutSide) -> TextCut | None:
    step = 1 if place == "end" else -1
    rest, distance = _rest(short[::step], long[::step])
    return TextCut(what, place, tuple(rest[::step]), distance) if rest and distance <= _FITS else None


def _rest(short: Sequence[str], long: Sequence[str]) -> tuple[Sequence[str], float]:
    """Return what ``long`` has after a beginning that fits ``short``, and how far that beginning is from it."""
    if not short or len(long) < len(short) // 2 + _LEAST_WORDS:
        return (), 1.0
    letters = letters_of(short)
    sizes = range(max(1, len(short) // 2), len(long) - _LEAST_WORDS + 1)
    ranked = [(letter_distance(letters, letters_of(long[:size])), size) for size in sizes]
    if not ranked:
        return (), 1.0
    distance, size = min(ranked)
    rest = long[size:]
    return (rest, distance) if len(letters_of(rest)) >= _LEAST_REST * len(letters_of(long)) else ((), 1.0)
