"""Intervals by resampling whole recordings.

Bisani and Ney, "Bootstrap estimates for confidence intervals in ASR performance evaluation", ICASSP 2004, with
recordings in place of sentences: clips of one recording share a speaker, a microphone and a topic, and drawing them one
by one would make the interval too narrow.

Recordings with the same number of errors and the same length are one and the same to a rate. How often each such kind
is among n recordings drawn with replacement follows the multinomial distribution with n trials and the shares of the
kinds, so drawing these numbers is drawing the recordings, and the rate has the same distribution exactly (Efron and
Tibshirani, "An Introduction to the Bootstrap", 1993, section 6.4). Of 100,000 utterances there are some hundred kinds.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from earwitness.scoring.stats.clusters import Amounts, Clusters, sum_by_cluster

_CELLS = 4_000_000
_HALF = 32
"""Bits of a sum of lengths; that of errors is in those above."""
_DRAWS_PER_KIND = 16
"""A draw from the binomial distribution takes as long as some draws of single recordings do."""


def interval(
    errors: Amounts, lengths: Amounts, clusters: Clusters, *, rounds: int = 10_000, seed: int = 0
) -> tuple[float, float] | None:
    """Return the 2.5th and 97.5th percentile of the resampled error rate, or ``None`` with fewer than two clusters.

    Args:
        errors: Per clip.
        lengths: Reference length per clip.
        clusters: What each clip belongs to; clusters are drawn with replacement, as many as there are.
        rounds: How often.
        seed: The same seed gives the same interval, whatever the order of the clips.

    A round that draws no reference token at all has no rate and is left out.

    >>> interval([1, 0, 2, 1], [10, 10, 10, 10], ["a", "b", "c", "d"])
    (0.025, 0.175)
    >>> interval([1, 0], [10, 10], ["a", "a"]) is None
    True
    """
    sums = np.stack(sum_by_cluster(clusters, errors, lengths), axis=1).astype(np.int64)
    if len(sums) < 2:
        return None
    kinds, counts = np.unique(sums, axis=0, return_counts=True)
    by_kind = len(kinds) * _DRAWS_PER_KIND <= len(sums)
    drawn = resample_by_kind(kinds, counts, rounds, seed) if by_kind else resample(kinds, counts, rounds, seed)
    drawn = drawn[drawn[:, 1] > 0]
    if not len(drawn):
        return None
    low, high = np.percentile(drawn[:, 0] / drawn[:, 1], [2.5, 97.5])
    return float(low), float(high)


def resample_by_kind(
    kinds: npt.NDArray[np.int64], counts: npt.NDArray[np.int64], rounds: int, seed: int
) -> npt.NDArray[np.int64]:
    """Return errors and length of each round, shape (rounds, 2), by drawing how often each kind comes up.

    Args:
        kinds: Errors and length of each kind of recording, shape (k, 2).
        counts: How many recordings are of each kind, shape (k,).
        rounds: How often.
        seed: Of the draws.
    """
    rng = np.random.default_rng(seed)
    total = int(counts.sum())
    step = max(1, _CELLS // len(kinds))
    sizes = [min(step, rounds - start) for start in range(0, rounds, step)]
    return np.concatenate([rng.multinomial(total, counts / total, size) @ kinds for size in sizes])


def resample(
    kinds: npt.NDArray[np.int64], counts: npt.NDArray[np.int64], rounds: int, seed: int
) -> npt.NDArray[np.int64]:
    """Return the same by drawing recordings one by one; faster when hardly two are of one kind."""
    rng = np.random.default_rng(seed)
    # Errors and length in one number, because looking recordings up costs more than adding them.
    recordings = np.repeat(kinds[:, 0] << _HALF | kinds[:, 1], counts)
    total = len(recordings)
    findings = np.empty(total, np.int64)
    sums = np.empty(rounds, np.int64)
    for n in range(rounds):
        recordings.take(rng.integers(0, total, total, np.int32), out=findings, mode="clip")
        sums[n] = findings.sum()
    return np.stack([sums >> _HALF, sums & ((1 << _HALF) - 1)], axis=1)
