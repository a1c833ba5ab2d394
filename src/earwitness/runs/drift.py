"""Measures the drift of the machine: times a small fixed task between the blocks of a run."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from earwitness.records.speed import Drift
from earwitness.records.spread import spread

_SAMPLES = 2**16
_TIMES = 5
_PAUSE_S = 5.0


def fixed_work() -> None:
    """Transform the same 65,536 samples, on one thread: a millisecond or two of arithmetic and memory."""
    np.fft.rfft(np.linspace(0.0, 1.0, _SAMPLES))


class Calibration:
    """Times of the fixed task, at most one in five seconds, so that the measurement does not slow the machine.

    Args:
        work: What is clocked.
        times: How often it is done for one clock, which is the least of them.

    >>> calibration = Calibration()
    >>> calibration.again()
    >>> calibration.drift().n
    1
    """

    def __init__(self, work: Callable[[], None] = fixed_work, *, times: int = _TIMES) -> None:
        """Take the first clock, which the others are compared with."""
        self._work, self._times = work, times
        self._seconds: list[float] = []
        self._last = 0.0
        self._clock()

    def again(self) -> None:
        """Time the task again, unless that happened within the last five seconds."""
        if time.perf_counter() - self._last >= _PAUSE_S:
            self._clock()

    def drift(self) -> Drift | None:
        """Return the times relative to the first."""
        first = self._seconds[0]
        found = spread([seconds / first for seconds in self._seconds])
        return Drift(found.n, first, found.min, found.median, found.max) if found else None

    def _clock(self) -> None:
        # A core that comes from idling is at half its speed for some milliseconds: the least of a few is the machine's.
        self._seconds.append(min(self._once() for _ in range(self._times)))

    def _once(self) -> float:
        started = time.perf_counter()
        self._work()
        self._last = time.perf_counter()
        return self._last - started
