"""Compares two systems on the same clips: do they differ, by how much, and how certain is that?

Everything is computed from errors summed per recording (``clusters.py``); nothing is aligned again. ``d`` is a
recording's errors of the first system less those of the second, ``n`` its reference length, and the difference of the
two error rates is ``D = sum(d) / sum(n)``.

- *Permutation* decides. If the systems were alike, it would be chance which of them made which errors, so the sign of
  every ``d`` could as well be the other one. ``p`` is the share of all ways to set the signs that give a difference at
  least as large as the one seen (Fisher 1935; Efron and Tibshirani 1993, chapter 15): exact up to sixteen recordings
  that differ, drawn with a seed up to five thousand, and normal beyond. Recordings with ``d = 0`` have no sign.
- *Paired bootstrap* gives the interval of ``D``: a bootstrap-t over recordings (``bootstrap_t.py``; blocks of
  utterances after Liu and Peng 2020), and a second ``p`` from the same rounds.
- Several comparisons at once are corrected by Holm (1979), so that the chance of even one false difference among all of
  them stays under 5 %.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from earwitness.counts import are, quantity
from earwitness.scoring.stats.bootstrap_t import MANY, bootstrap_t, from_rounds, normal, standard_error
from earwitness.scoring.stats.clusters import FEWEST, Amounts, Counts, sum_by_cluster
from earwitness.types import Target

ALPHA = 0.05
EXACT = 16
"""The most differences of which all sums of signs are counted."""
DRAWN = 5000
"""The most for which signs are drawn; the sum of more is taken as normal."""
_CELLS = 4_000_000


@dataclass(frozen=True, slots=True)
class Difference:
    """How much the first system's error rate is above the second's."""

    value: float | None
    """Difference of the two rates, a ratio; ``None`` when there is no reference word."""
    ci95: tuple[float, float] | None
    """By bootstrap-t over recordings; ``None`` with ``reason``."""
    p: float | None
    """By permutation, two-sided; ``None`` with ``reason``."""
    p_bootstrap: float | None
    """By the paired bootstrap-t, two-sided."""
    n_clusters: int
    """Recordings (or speakers) behind it."""
    n_differing: int
    """Of these, how many the systems made unequal numbers of errors in."""
    reason: str | None = None
    """Why something is missing, or why no difference can be called."""
    target: Target = "recordings like these"
    """What interval and p are about."""
    n_blocks: int | None = None
    """Blocks within the recordings that interval and p come from; ``None`` where they come from recordings."""


def difference(
    errors_a: Amounts,
    errors_b: Amounts,
    lengths: Amounts,
    clusters: Sequence[Hashable],
    *,
    rounds: int = 10_000,
    seed: int = 0,
) -> Difference:
    """Compare two systems over the same clips.

    Args:
        errors_a: Per clip, of the first system.
        errors_b: Per clip, of the second, in the same order.
        lengths: Reference length per clip.
        clusters: What each clip belongs to.
        rounds: Of the bootstrap, and of the permutation where it is not exact.
        seed: The same seed gives the same numbers.

    >>> found = difference([3, 2, 4, 1, 2, 3, 2], [1, 1, 2, 0, 1, 2, 0], [10] * 7, "abcdefg")
    >>> found.p == 2 / 2**7, found.p_bootstrap < 0.05, found.n_differing
    (True, True, 7)
    >>> difference([1, 2], [0, 0], [10, 10], "ab").reason
    'it takes at least 4 recordings, and there are 2'
    """
    d, n = sum_by_cluster(clusters, np.asarray(errors_a, float) - np.asarray(errors_b, float), lengths)
    differing = int(np.count_nonzero(d))
    if not n.sum():
        return Difference(None, None, None, None, len(d), differing, "the references have no words")
    value = float(d.sum() / n.sum())
    if len(d) < FEWEST:
        reason = f"it takes at least {FEWEST} recordings, and there {are(len(d))}"
        return Difference(value, None, None, None, len(d), differing, reason)
    if not differing:
        return Difference(value, None, 1.0, 1.0, len(d), 0, "their counts are the same in every recording")
    ci95, p_bootstrap = _bootstrap(d, n, rounds, seed)
    return Difference(
        value=value,
        ci95=ci95,
        p=permutation(d, rounds=rounds, seed=seed),
        p_bootstrap=p_bootstrap,
        n_clusters=len(d),
        n_differing=differing,
        reason=_no_verdict(differing, has_interval=ci95 is not None),
    )


def _no_verdict(n_differing: int, *, has_interval: bool) -> str | None:
    least = least_p(n_differing)
    if least <= ALPHA:
        return None if has_interval else "no interval: the recordings differ too evenly, or too few of them do"
    only = f"they differ in only {quantity(n_differing, 'recording')}"
    return f"{only}, and p cannot be less than {least:.2g}"


def least_p(n_differing: int) -> float:
    """Return the least p that a permutation of so many signs can give.

    >>> least_p(5), least_p(6)
    (0.0625, 0.03125)
    """
    return min(1.0, 2.0 ** (1 - n_differing))


def permutation(differences: Counts, *, rounds: int = 10_000, seed: int = 0) -> float:
    """Return the two-sided p of a sum of differences under random signs.

    Drawn signs count the ones seen as one more draw (Phipson and Smyth 2010), so p is never 0.

    >>> permutation(np.array([1.0, 1.0, 1.0, 0.0]))
    0.25
    >>> permutation(np.array([0.0, 0.0]))
    1.0
    """
    d = np.abs(differences[differences != 0])
    seen = abs(differences.sum())
    if len(d) <= EXACT:
        halves = np.zeros(1)
        for size in d:  # every sum of signs, built up term by term
            halves = np.concatenate([halves + size, halves - size])
        return float(np.mean(np.abs(halves) >= seen))
    if len(d) > DRAWN:
        return 2 * NormalDist().cdf(-float(seen / np.sqrt(d @ d)))
    rng = np.random.default_rng(seed)
    step = max(1, _CELLS // len(d))
    as_large = 0
    for start in range(0, rounds, step):
        signs = rng.integers(0, 2, (min(step, rounds - start), len(d)), np.int8)
        # Signs of +1 and -1, without making them: 2 * (sum where 1) - (sum of all).
        as_large += int(np.count_nonzero(np.abs(2 * (signs @ d) - d.sum()) >= seen))
    return (as_large + 1) / (rounds + 1)


def _bootstrap(d: Counts, n: Counts, rounds: int, seed: int) -> tuple[tuple[float, float] | None, float | None]:
    ratio, error = standard_error(d, n)
    if not error > 0:
        return None, None
    if len(d) >= MANY:
        return normal(ratio, error), 2 * NormalDist().cdf(-abs(ratio / error))
    t = bootstrap_t(d, n, rounds=rounds, seed=seed)
    p = (np.count_nonzero(np.abs(t) >= abs(ratio / error)) + 1) / (len(t) + 1)
    return from_rounds(ratio, error, t, len(d)), float(p)


def holm(ps: Sequence[float | None]) -> list[float | None]:
    """Correct p-values for being many (Holm 1979); ``None`` stays ``None`` but counts as a comparison that was made.

    The worked example is that of R's ``p.adjust(c(0.01, 0.02, 0.03, 0.04), "holm")``:

    >>> [round(p, 2) for p in holm([0.04, 0.01, 0.03, 0.02])]
    [0.06, 0.04, 0.06, 0.06]
    >>> holm([0.5, None, 0.9])
    [1.0, None, 1.0]
    """
    known = sorted((p, place) for place, p in enumerate(ps) if p is not None)
    corrected: list[float | None] = [None] * len(ps)
    highest = 0.0
    for rank, (p, place) in enumerate(known):
        highest = max(highest, min(1.0, p * (len(ps) - rank)))
        corrected[place] = highest
    return corrected
