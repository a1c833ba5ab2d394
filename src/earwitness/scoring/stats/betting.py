"""When may one stop: a confidence sequence for a total, by betting (Waudby-Smith and Ramdas, JRSS B 2024).

An interval for a fixed number of labels is wrong for somebody who looks after every label and stops when he likes what
he sees. A confidence sequence holds at all looks together: with a chance of 95 % it never excludes the truth.

Clips are drawn one after the other without replacement; at every draw each clip that is left has a known chance p > 0.
Let d be its value, which lies in [-b, b] with b known before. Then d / p has the mean D - S, the total less the sum of
what has been drawn, and a known bound c >= b / p. Scaled to 0..1 it is x, with the mean m(D). Somebody who bets at fair
odds that the total is not D has, from 1, a capital of

    prod (1 + stake (x - m(D)))     with stakes of either sign, which look at earlier draws alone,

and a capital of 1 / 0.05 occurs with a chance of 5 % at most if D is true (Ville). What is left are the totals against
which nobody has become that rich. Stakes are those of the paper's predictable plug-in (section 3.3), for a horizon.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from earwitness.scoring.stats.clusters import Counts

_ALPHA = 0.05
_MOST_TOTALS = 4001
_STAKE = 0.75
"""No bet risks more than this share of the capital."""


@dataclass(frozen=True, slots=True)
class Draws:
    """Values that were drawn one after the other; arrays have one entry a draw, shape (T,)."""

    values: Counts
    """d of each."""
    chances: Counts
    """p of the drawn clip, given the draws before."""
    bounds: Counts
    """c of each draw: no clip that was left could have had a larger ``|d| / p``."""
    left: Counts
    """Sum of the bounds b of all clips that are left after the draw."""


@dataclass(frozen=True, slots=True)
class TotalSequence:
    """What can be said of a total after each draw; shape (T,)."""

    low: Counts
    """At least this."""
    high: Counts
    """At most this."""

    @property
    def stop(self) -> int | None:
        """After how many draws the total is known to differ from 0; ``None`` for not yet."""
        decided = np.flatnonzero((self.low > 0) | (self.high < 0))
        return int(decided[0]) + 1 if len(decided) else None


def total_sequence(draws: Draws, *, start: float, left: float, horizon: int) -> TotalSequence:
    """Return the confidence sequence of a total of integers, at 95 % over all looks.

    Args:
        draws: In their order.
        start: Sum of values that are known without a draw.
        left: Sum of the bounds of all clips before the first draw.
        horizon: How many draws are planned: the sequence is best there, and holds everywhere.

    >>> n = 60
    >>> draws = Draws(np.ones(n), 1 / np.arange(100, 40, -1.0), np.arange(100, 40, -1.0), np.arange(99, 39, -1.0))
    >>> found = total_sequence(draws, start=0.0, left=100.0, horizon=40)
    >>> found.stop, bool(found.low[-1] > 50), float(found.high[-1])
    (8, True, 100.0)
    """
    totals = _candidates(start, left)
    before = start + np.concatenate([[0.0], np.cumsum(draws.values)])
    stakes = _stakes(draws, horizon)
    up, down, alive = np.zeros(len(totals)), np.zeros(len(totals)), np.ones(len(totals), bool)
    low, high = np.empty(len(draws.values)), np.empty(len(draws.values))
    for n, (value, chance, bound) in enumerate(zip(draws.values, draws.chances, draws.bounds, strict=True)):
        x = (value / chance / bound + 1) / 2
        mean = np.clip(((totals - before[n]) / bound + 1) / 2, 1e-9, 1 - 1e-9)
        up += np.log1p(np.minimum(stakes[n], _STAKE / mean) * (x - mean))
        down += np.log1p(-np.minimum(stakes[n], _STAKE / (1 - mean)) * (x - mean))
        alive &= np.logaddexp(up, down) - np.log(2) < -np.log(_ALPHA)
        alive &= np.abs(totals - before[n + 1]) <= draws.left[n] + 1e-9
        found = totals[alive]
        # Nothing is left with a chance of 5 % at most; then the last bounds stay.
        low[n], high[n] = (found[0], found[-1]) if len(found) else (low[n - 1], high[n - 1])
    between = totals[1] - totals[0] - 1 if len(totals) > 1 else 0.0
    return TotalSequence(low - between, high + between)


def _candidates(start: float, left: float) -> Counts:
    """Return the totals that there can be: all integers, or of very many a few thousand."""
    step = max(1.0, np.ceil((2 * left + 1) / _MOST_TOTALS))
    n = int(np.ceil(left / step))
    totals: Counts = start + step * np.arange(-n, n + 1).astype(float)
    return totals


def _stakes(draws: Draws, horizon: int) -> Counts:
    """Return the stake at each draw, from the variance of the draws before it; shape (T,)."""
    x = (draws.values / draws.chances / draws.bounds + 1) / 2
    number = np.arange(1, len(x) + 1)
    means = (0.5 + np.cumsum(x)) / (number + 1)
    variances = (0.25 + np.cumsum((x - means) ** 2)) / (number + 1)
    earlier = np.concatenate([[0.25], variances[:-1]])
    stakes: Counts = np.sqrt(2 * np.log(2 / _ALPHA) / (earlier * max(1, horizon)))
    return stakes
