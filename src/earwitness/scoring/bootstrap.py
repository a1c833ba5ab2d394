"""Intervals by resampling whole recordings.

Bisani and Ney, "Bootstrap estimates for confidence intervals in ASR performance evaluation", ICASSP 2004, with
recordings in place of sentences: clips of one recording share a speaker, a microphone and a topic, and drawing them one
by one would make the interval too narrow.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

_CELLS = 4_000_000


def interval(
    errors: Sequence[int], lengths: Sequence[int], clusters: Sequence[Hashable], *, rounds: int = 10_000, seed: int = 0
) -> tuple[float, float] | None:
    """Return the 2.5th and 97.5th percentile of the resampled error rate, or ``None`` with fewer than two clusters.

    Args:
        errors: Per clip.
        lengths: Reference length per clip.
        clusters: What each clip belongs to; clusters are drawn with replacement, as many as there are.
        rounds: How often.
        seed: The same seed gives the same interval.

    A round that draws no reference token at all has no rate and is left out.

    >>> interval([1, 0, 2, 1], [10, 10, 10, 10], ["a", "b", "c", "d"])
    (0.025, 0.175)
    >>> interval([1, 0], [10, 10], ["a", "a"]) is None
    True
    """
    names, index = np.unique([str(cluster) for cluster in clusters], return_inverse=True)
    n_clusters = len(names)
    if n_clusters < 2:
        return None
    sums = np.stack([np.bincount(index, values, n_clusters) for values in (errors, lengths)])
    rng = np.random.default_rng(seed)
    rates = []
    step = max(1, _CELLS // n_clusters)
    for start in range(0, rounds, step):
        drawn = rng.integers(0, n_clusters, (min(step, rounds - start), n_clusters), np.int32)
        wrong, length = (column[drawn].sum(axis=1) for column in sums)
        rates.append(wrong[length > 0] / length[length > 0])
    found = np.concatenate(rates)
    if not len(found):
        return None
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)
