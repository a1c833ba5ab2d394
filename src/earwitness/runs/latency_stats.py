"""Latency of requests: percentiles with intervals, and whether they meet a target.

An interval wants independent values, and requests wait for each other: with eight clients, one slow answer keeps all
eight waiting. So requests that depend on each other count as one, as the clips of a recording do
(``exact_intervals.py``): in a closed loop, as many requests in a row as there are clients; in an open loop, those
between two moments at which no request is open, since a queue then starts afresh (Crane and Iglehart, Operations
Research 1975).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from earwitness.records.speed import LoadVerdict
from earwitness.runs.load_client import LoadRequest
from earwitness.scoring.stats.exact_intervals import independent, quantile_interval, quantile_needs, share_interval

MET_SHARE = 0.95
ENOUGH = 114
"""Independent requests that show that a target is met, even if one in a hundred comes too late: ``shares_needed``."""
_SHOWN = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class LatencyStats:
    """Percentiles of the latency of answered requests: p50, p95, p99."""

    values_s: tuple[float | None, float | None, float | None]
    """Linear interpolation between requests; ``None`` when none was answered."""
    ci95_s: tuple[tuple[float, float] | None, ...]
    """95 % interval of each; ``None`` when there are too few requests."""
    reason: str | None
    """Why one of the intervals is not there."""


def worth(shots: Iterable[LoadRequest], clients: int | None) -> float:
    """Return the number of independent requests that these count as.

    Args:
        shots: In any order.
        clients: Of a closed loop; ``None`` for requests that come when they come.

    >>> times = [(0.0, 1.0), (0.5, 3.0), (2.0, 2.5), (4.0, 5.0), (6.0, 7.0)]
    >>> shots = [LoadRequest("a", 1.0, due_s, due_s, ended_s, "hello", None) for due_s, ended_s in times]
    >>> round(worth(shots, None), 2), worth(shots[:4], 2), worth([], None)
    (2.27, 2.0, 0.0)
    """
    if clients is None:
        return independent(_busy_periods(shots))
    n = sum(1 for _ in shots)
    return independent([clients] * (n // clients) + [n % clients])


def latency_stats(latencies_s: Sequence[float], n_independent: float) -> LatencyStats:
    """Summarize latencies.

    Args:
        latencies_s: Of answered requests.
        n_independent: What these are worth.

    >>> found = latency_stats([0.1 * n for n in range(1, 101)], 100)
    >>> [tuple(round(end, 1) for end in ends) for ends in found.ci95_s if ends]
    [(4.0, 6.1), (9.0, 10.0)]
    >>> found.reason
    'p99 takes 368 independent requests for an interval, and these are worth 100'
    """
    if not latencies_s:
        return LatencyStats((None, None, None), (None, None, None), "no request was answered")
    p50, p95, p99 = np.percentile(latencies_s, [100 * q for q in _SHOWN]).tolist()
    intervals = tuple(quantile_interval(latencies_s, q, n_independent) for q in _SHOWN)
    missing = [q for q, ends in zip(_SHOWN, intervals, strict=True) if ends is None]
    takes = ", ".join(f"p{100 * q:.0f} takes {quantile_needs(q)}" for q in missing)
    reason = f"{takes} independent requests for an interval, and these are worth {n_independent:.0f}" if takes else None
    return LatencyStats((p50, p95, p99), intervals, reason)


def verdict(n_within: int, n_requests: int, n_independent: float) -> LoadVerdict:
    """Return whether 95 % of all requests are answered in time, by the 95 % interval of their share.

    Args:
        n_within: Requests that were answered in time.
        n_requests: All that were due.
        n_independent: What these are worth.

    >>> verdict(72, 72, 72), verdict(71, 71, 71), verdict(2, 8, 8)
    ('met', 'cannot be told', 'missed')
    """
    if not n_requests:
        return "cannot be told"
    low, high = share_interval(n_within / n_requests, n_independent)
    if low >= MET_SHARE:
        return "met"
    return "missed" if high <= MET_SHARE else "cannot be told"


def _busy_periods(shots: Iterable[LoadRequest]) -> list[int]:
    """How many requests were due in each time without a moment in which none was open."""
    sizes: list[int] = []
    idle_s = 0.0
    for shot in sorted(shots, key=lambda shot: shot.due_s):
        if not sizes or shot.due_s >= idle_s:
            sizes.append(0)
        sizes[-1] += 1
        idle_s = max(idle_s, shot.ended_s)
    return sizes
