"""Measures the recent answers of a model and compares them with the decision.

After ten minutes without an answer, those before them say nothing of now, and are forgotten: a drift ends with its
traffic.

The clocks are those of a run: ``wall_s`` inside the worker, from the array in memory to the finished text. A speed is
held against what clips of the same length took, since short ones have the larger RTF and the smaller latency. A share
of empty texts is promised of clips in which somebody speaks; here nobody knows whether somebody does: silence counts.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from earwitness.scoring.findings.completeness import has_loop
from earwitness.scoring.metrics.lengths import LengthBand, band_of

WINDOW = 500
QUIET_S = 600.0
"""Without an answer, after which those before are forgotten."""
LEAST = 50
"""Answers before anything is said of drift."""
SPEED_FACTOR = 1.5
SHARE_SIGMAS = 3.0
SHARE_LEAST = 0.02
LATENCIES = {"latency_p50_s": 50, "latency_p95_s": 95, "latency_p99_s": 99}
SHARES = ("empty_share", "loop_share", "failed_share")
_FIRST_TEXT = 95


@dataclass(frozen=True, slots=True)
class JobSample:
    """One finished job."""

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


def drift_of(text: str, audio_s: float, wall_s: float, first_text_s: float | None) -> JobSample:
    """Examine an answer.

    >>> drift_of("thank you " * 9, 4.0, 0.5, None).loop, drift_of(" ", 4.0, 0.5, None).empty
    (True, True)
    """
    return JobSample(audio_s, wall_s, first_text_s, not text.strip(), has_loop(text.casefold().split()))


class Live:
    """The recent answers of one model.

    Args:
        promise: What was measured, by measure.
        by_length: What was measured of clips of a length.
        window: How many are remembered.
        clock: Seconds, for tests.
    """

    def __init__(
        self,
        promise: Mapping[str, float] = {},
        by_length: Sequence[LengthBand] = (),
        window: int = WINDOW,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Remember none."""
        self._promise, self._by_length = promise, by_length
        self._clock, self._last_at = clock, clock()
        self._last: deque[tuple[JobSample, LengthBand | None]] = deque(maxlen=window)

    def add(self, one: JobSample) -> None:
        """Add one, and drop the oldest."""
        self.forget()
        self._last_at = self._clock()
        self._last.append((one, band_of(self._by_length, one.audio_s)))

    def forget(self) -> None:
        """Drop all if no answer has come for ``QUIET_S``; called before every reading."""
        if self._clock() - self._last_at > QUIET_S:
            self._last.clear()

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._last)

    def measures(self) -> dict[str, float]:
        """Return their measures; unknown ones are left out.

        >>> live = Live()
        >>> live.add(JobSample(10.0, 1.0)); live.add(JobSample(10.0, 3.0)); live.add(JobSample(4.0, None))
        >>> found = live.measures()
        >>> found["rtf"], found["latency_p50_s"], round(found["failed_share"], 3)
        (0.2, 2.0, 0.333)
        """
        import numpy as np

        timed = [one for one, _ in self._last if one.wall_s is not None]
        walls = [one.wall_s for one in timed if one.wall_s is not None]
        firsts = [one.first_text_s for one in timed if one.first_text_s is not None]
        audio_s = sum(one.audio_s for one in timed)
        found: dict[str, float] = {}
        if walls:
            found |= zip(LATENCIES, np.percentile(walls, list(LATENCIES.values())).tolist(), strict=True)
            found["empty_share"] = sum(one.empty for one in timed) / len(timed)
            found["loop_share"] = sum(one.loop for one in timed) / len(timed)
        if audio_s:
            found["rtf"] = sum(walls) / audio_s
        if firsts:
            found["first_text_s"] = float(np.percentile(firsts, _FIRST_TEXT))
        if self._last:
            found["failed_share"] = 1 - len(timed) / len(self._last)
        return found

    def alike(self) -> list[tuple[JobSample, LengthBand]]:
        """Return those with a text and a measured length, with the measurements of that length."""
        return [(one, band) for one, band in self._last if band is not None and one.wall_s is not None]

    def slowdown(self) -> dict[str, float]:
        """Return how many times slower they are than measured clips of the same lengths, by measure.

        Every answer is divided by what was measured at its length, and the measure's percentile taken of that; for the
        RTF, it is the sum of work over the sum that was to be expected. Answers of other lengths are left out, and
        nothing is said before there are ``LEAST``.

        >>> band = LengthBand(2.0, 2.8, 20, 0.3, 0.6, 0.7, 0.8, None)
        >>> live = Live({"rtf": 0.1}, [band])
        >>> for _ in range(LEAST): live.add(JobSample(2.5, 1.5)); live.add(JobSample(60.0, 1.0))
        >>> {name: round(value, 2) for name, value in live.slowdown().items()}
        {'rtf': 2.0, 'latency_p50_s': 2.5, 'latency_p95_s': 2.14, 'latency_p99_s': 1.88}
        """
        import numpy as np

        alike = self.alike()
        if len(alike) < LEAST:
            return {}
        walls = np.array([one.wall_s for one, _ in alike], float)
        found = {"rtf": float(walls.sum() / sum(band.rtf * one.audio_s for one, band in alike))}
        for name, q in LATENCIES.items():
            found[name] = float(np.percentile(walls / [getattr(band, name) for _, band in alike], q))
        firsts = [
            one.first_text_s / band.first_text_s
            for one, band in alike
            if one.first_text_s is not None and band.first_text_s
        ]
        if len(firsts) >= LEAST:
            found["first_text_s"] = float(np.percentile(firsts, _FIRST_TEXT))
        return found

    def drift(self) -> dict[str, bool]:
        """Return for every measure with a promise whether the live value departs from it.

        A speed drifts at one and a half times what was measured at the same lengths; a share at three standard
        deviations, and two percentage points, above what was promised. Nothing is said before there are ``LEAST``
        answers, for a speed of lengths that were measured.

        >>> live = Live({"rtf": 0.1, "empty_share": 0.0, "loop_share": 0.0, "wer": 0.1})
        >>> for _ in range(LEAST): live.add(JobSample(10.0, 2.0, empty=True))
        >>> live.drift()
        {'empty_share': True, 'loop_share': False}
        """
        told = {name: value > SPEED_FACTOR for name, value in self.slowdown().items()}
        if len(self._last) < LEAST:
            return told
        measures = self.measures()
        for measure in SHARES:
            promised, value = self._promise.get(measure), measures.get(measure)
            if promised is not None and value is not None:
                sigma = math.sqrt(max(promised * (1 - promised), 0.0) / len(self._last))
                told[measure] = value > promised + max(SHARE_SIGMAS * sigma, SHARE_LEAST)
        return told
