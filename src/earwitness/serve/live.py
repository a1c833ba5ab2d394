"""What a model's answers were like of late, in the measures of a decision, beside what was promised.

The clocks are those of a run: ``wall_s`` inside the worker, from the array in memory to the finished text. A share of
empty texts is promised of clips in which somebody speaks; here nobody knows whether somebody does, so silence counts.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from earwitness.scoring.completeness import has_loop

WINDOW = 500
LEAST = 50
"""Answers before anything is said of drift."""
SPEED_FACTOR = 1.5
SHARE_SIGMAS = 3.0
SHARE_LEAST = 0.02
SPEEDS = ("latency_p50_s", "latency_p95_s", "latency_p99_s", "rtf", "first_text_s")
SHARES = ("empty_share", "loop_share", "failed_share")


@dataclass(frozen=True, slots=True)
class Seen:
    """One job that came to its end."""

    audio_s: float
    """Of audio."""
    wall_s: float | None
    """In the worker; ``None`` when it failed."""
    first_text_s: float | None = None
    """In the worker; ``None`` for a text that came whole."""
    empty: bool = False
    """No text."""
    loop: bool = False
    """A text that repeats itself."""


def seen(text: str, audio_s: float, wall_s: float, first_text_s: float | None) -> Seen:
    """Look at an answer.

    >>> seen("thank you " * 9, 4.0, 0.5, None).loop, seen(" ", 4.0, 0.5, None).empty
    (True, True)
    """
    return Seen(audio_s, wall_s, first_text_s, not text.strip(), has_loop(text.casefold().split()))


class Live:
    """The last answers of one model."""

    def __init__(self, window: int = WINDOW) -> None:
        """Remember none."""
        self._last: deque[Seen] = deque(maxlen=window)

    def add(self, one: Seen) -> None:
        """Remember one, and forget the oldest."""
        self._last.append(one)

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._last)

    def measures(self) -> dict[str, float]:
        """Return what is to be said of them, by measure; what cannot be told is left out.

        >>> live = Live()
        >>> live.add(Seen(10.0, 1.0)); live.add(Seen(10.0, 3.0)); live.add(Seen(4.0, None))
        >>> found = live.measures()
        >>> found["rtf"], found["latency_p50_s"], round(found["failed_share"], 3)
        (0.2, 2.0, 0.333)
        """
        import numpy as np

        timed = [one for one in self._last if one.wall_s is not None]
        walls = [one.wall_s for one in timed if one.wall_s is not None]
        firsts = [one.first_text_s for one in timed if one.first_text_s is not None]
        audio_s = sum(one.audio_s for one in timed)
        found: dict[str, float] = {}
        if walls:
            p50, p95, p99 = np.percentile(walls, [50, 95, 99]).tolist()
            found |= {"latency_p50_s": p50, "latency_p95_s": p95, "latency_p99_s": p99}
            found["empty_share"] = sum(one.empty for one in timed) / len(timed)
            found["loop_share"] = sum(one.loop for one in timed) / len(timed)
        if audio_s:
            found["rtf"] = sum(walls) / audio_s
        if firsts:
            found["first_text_s"] = float(np.median(firsts))
        if self._last:
            found["failed_share"] = 1 - len(timed) / len(self._last)
        return found

    def drift(self, promise: Mapping[str, float]) -> dict[str, bool]:
        """Return for every measure that was promised whether what is seen departs from it.

        A speed drifts at one and a half times what was promised; a share at three standard deviations, and two
        percentage points, above it. Nothing is said before there are ``LEAST`` answers.

        >>> live = Live()
        >>> for _ in range(LEAST): live.add(Seen(10.0, 2.0, empty=True))
        >>> live.drift({"rtf": 0.1, "latency_p95_s": 1.9, "empty_share": 0.0, "wer": 0.1})
        {'rtf': True, 'latency_p95_s': False, 'empty_share': True}
        """
        found = self.measures()
        if len(self._last) < LEAST:
            return {}
        told = {}
        for measure, promised in promise.items():
            value = found.get(measure)
            if value is not None and measure in SPEEDS:
                told[measure] = value > SPEED_FACTOR * promised
            elif value is not None and measure in SHARES:
                sigma = math.sqrt(max(promised * (1 - promised), 0.0) / len(self._last))
                told[measure] = value > promised + max(SHARE_SIGMAS * sigma, SHARE_LEAST)
        return told
