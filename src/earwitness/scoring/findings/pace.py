"""How long a text should take to say, learned from the texts and durations of a whole dataset.

A straight line, seconds = silence + seconds a letter x letters, fitted so that a few wrong pairs do not move it:
medians of the slopes to the middle of the data, and then least squares without what lies far off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LEAST = 20
"""Clips that a line takes."""
_ENDS = 15
"""Letters that the ends of a clip are worth: short texts vary by as much as these."""
_FAR = 3.0
_DIGIT = 4
_ROUNDS = 5
_NORMAL = 1.4826
"""A median deviation in standard deviations."""
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SpeechPace:
    """The line through texts and durations."""

    silence_s: float
    """Seconds of a clip without a letter."""
    letter_s: float
    """Seconds that a letter takes."""
    spread: float
    """Standard deviation of a clip's duration, in seconds for each letter, with fifteen letters more for its ends."""

    def expected_s(self, n_letters: int) -> float:
        """Return how long a text of so many letters should take."""
        return self.silence_s + self.letter_s * n_letters

    def deviation(self, n_letters: int, duration_s: float) -> float:
        """Return by how many standard deviations a clip is longer than its text; negative for a shorter one.

        >>> round(SpeechPace(0.5, 0.06, 0.05).deviation(100, 6.5), 6)
        0.0
        """
        return (duration_s - self.expected_s(n_letters)) / (self.spread * _weight(n_letters))


def _weight(n_letters: int) -> float:
    return float(n_letters + _ENDS)


def spoken_letters(text: str) -> int:
    """Return the number of letters that are said: a digit is said as a word, of four letters as most are.

    >>> spoken_letters("Press 1."), spoken_letters("press one")
    (9, 8)
    """
    return sum(_DIGIT if letter.isdigit() else letter.isalpha() for letter in text)


def pace_of(n_letters: Sequence[int], durations_s: Sequence[float]) -> SpeechPace | None:
    """Return the line through a dataset's texts; ``None`` for fewer than twenty clips, or texts of one length.

    Args:
        n_letters: Of each clip's text.
        durations_s: Of each clip.

    >>> lengths = list(range(10, 40))
    >>> found = pace_of(lengths, [0.5 + 0.06 * n + 0.01 * (n % 3) for n in lengths])
    >>> round(found.letter_s, 2), round(found.silence_s, 1)
    (0.06, 0.5)
    """
    letters, seconds = np.asarray(n_letters, float), np.asarray(durations_s, float)
    if len(letters) < LEAST or np.ptp(letters) == 0:
        return None
    slope, start = _first_line(letters, seconds)
    weight = letters + _ENDS
    for _ in range(_ROUNDS):
        off = (seconds - start - slope * letters) / weight
        spread = max(float(_NORMAL * np.median(np.abs(off - np.median(off)))), 1e-3)
        kept = np.abs(off) < _FAR * spread
        if kept.sum() < LEAST // 2 or np.ptp(letters[kept]) == 0:
            break
        slope, start = (float(x) for x in np.polyfit(letters[kept], seconds[kept], 1, w=1 / weight[kept]))
    return SpeechPace(start, slope, spread)


def _first_line(letters: _Floats, seconds: _Floats) -> tuple[float, float]:
    middle_letters, middle_s = float(np.median(letters)), float(np.median(seconds))
    aside = letters != middle_letters
    slope = float(np.median((seconds[aside] - middle_s) / (letters[aside] - middle_letters)))
    return slope, float(np.median(seconds - slope * letters))
