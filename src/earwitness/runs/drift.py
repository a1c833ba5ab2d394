"""How steady the machine was: a small fixed piece of work, clocked again and again between the blocks of a run."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from earwitness.runs.measured import Drift
from earwitness.scoring.timing import spread

_SAMPLES = 2**16
_TIMES = 4
_PAUSE_S = 1.0


def fixed_work() -> None:
    """Transform the same 65,536 samples four times, on one thread: some milliseconds of arithmetic and memory."""
    samples = np.linspace(0.0, 1.0, _SAMPLES)
    for _ in range(_TIMES):
        np.fft.rfft(samples)


class Calibration:
    """Clocks of the fixed work, at most one a second, so that measuring the drift does not slow what drifts.

    >>> calibration = Calibration()
    >>> calibration.again()
    >>> calibration.drift().n
    1
    """

    def __init__(self, work: Callable[[], None] = fixed_work) -> None:
        """Do the work once unclocked, so that the first clock does not see cold caches, and once clocked."""
        self._work = work
        self._seconds: list[float] = []
        self._last = 0.0
        work()
        self._clock()

    def again(self) -> None:
        """Clock the work again, unless that was done within the last second."""
        if time.perf_counter() - self._last >= _PAUSE_S:
            self._clock()

    def drift(self) -> Drift | None:
        """Return what the clocks say, relative to the first."""
        first = self._seconds[0]
        found = spread([seconds / first for seconds in self._seconds])
        return Drift(found.n, first, found.min, found.median, found.max) if found else None

    def _clock(self) -> None:
        started = time.perf_counter()
        self._work()
        self._last = time.perf_counter()
        self._seconds.append(self._last - started)
