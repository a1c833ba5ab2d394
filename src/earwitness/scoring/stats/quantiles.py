"""Two systems' percentiles over the same clips: the paired bootstrap of their difference.

Recordings are drawn with replacement, for both systems the same ones, so that long clips, which take both longer,
cancel out. A clip's weight is how often its recording was drawn; the percentile of weighted clips is the first whose
weights, summed from the fastest on, reach it (Bisani and Ney, ICASSP 2004, for the drawing).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from earwitness.scoring.stats.clusters import Clusters, Counts, draws, number

_CELLS = 4_000_000


def quantile_difference(
    a: Sequence[float] | Counts,
    b: Sequence[float] | Counts,
    clusters: Clusters,
    q: float,
    *,
    alpha: float = 0.05,
    rounds: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the interval of the first system's quantile less that of the second.

    Args:
        a: A value per clip, of the first system.
        b: Of the second, in the same order.
        clusters: What each clip belongs to.
        q: From 0 to 1.
        alpha: What lies outside, half at each end.
        rounds: Resamples.
        seed: The same seed gives the same interval.

    >>> slow, fast = [2.0, 3.0, 4.0, 5.0, 6.0], [1.0, 2.0, 3.0, 4.0, 5.0]
    >>> quantile_difference(slow, fast, "abcde", 0.5)
    (1.0, 1.0)
    """
    index = number(clusters)
    n_clusters = int(index.max()) + 1
    rng = np.random.default_rng(seed)
    columns = [np.asarray(column, float) for column in (a, b)]
    orders = [np.argsort(column, kind="stable") for column in columns]
    found = []
    step = max(1, _CELLS // len(index))
    for start in range(0, rounds, step):
        counts = draws(n_clusters, min(step, rounds - start), rng)
        each = []
        for column, order in zip(columns, orders, strict=True):
            reached = np.cumsum(counts[:, index[order]], axis=1)
            first = np.argmax(reached >= q * reached[:, -1:], axis=1)
            each.append(column[order][first])
        found.append(each[0] - each[1])
    low, high = np.quantile(np.concatenate(found), [alpha / 2, 1 - alpha / 2])
    return float(low), float(high)
