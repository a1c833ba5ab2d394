"""Intervals without a bootstrap: of a share, and of a percentile.

*Shares.* Clopper and Pearson (Biometrika 1934): the shares under which what was seen, or less, or more, has a chance
of 2.5 %. It never covers less than 95 %, and has an answer when nothing was seen: 0 of n gives ``1 - 0.025^(1/n)``,
about 3.7 / n (the "rule of three", 3 / n, is the same with one side of 5 %). It takes independent trials, and the
clips of a recording are none: so n is the number of *recordings*, as if all clips of one stood or fell together (Korn
and Graubard, Survey Methodology 1998, with the least effective sample size that there can be). That is conservative:
with many clips to a recording the interval is wider than it need be, and never too narrow for being clustered.

*Percentiles.* Between two of the sorted values (David and Nagaraja, Order Statistics 2003, section 7.1): the number of
values under the true percentile is binomial, whatever the distribution. The upper end exists only from so many values
on: 6 for the median, 72 for the 95th percentile, 368 for the 99th. Values are taken to be independent, or to be worth
fewer that are: ``independent`` says how many, for values in blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, exp, lgamma, log, log1p

_TAIL = 0.025
_TINY = 1e-300
_MOST = 100_000_000


def beta_cdf(x: float, a: float, b: float) -> float:
    """Return the regularized incomplete beta function I_x(a, b), by its continued fraction (DLMF 8.17.22).

    >>> round(beta_cdf(0.3, 2.0, 3.0), 6)
    0.3483
    """
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    # Turned round once at most: rounding can put both ends above their own mean, by a bit.
    return 1 - _fraction(1 - x, b, a) if x > (a + 1) / (a + b + 2) else _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    # Lentz's way to a continued fraction.
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 100_000):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _not_zero(1 + step * d)
            c = _not_zero(1 + step / c)
            value *= c * d
        if abs(c * d - 1) < 1e-14:
            break
    return front * value


def share_interval(share: float, n: float, tail: float = _TAIL) -> tuple[float, float]:
    """Return the interval, by default of 95 %, of a share in this many independent trials.

    Args:
        share: From 0 to 1; of a multiple of ``1 / n`` it is Clopper and Pearson's, between them Korn and Graubard's.
        n: Trials, at least 1; need not be whole, where they are what others are worth.
        tail: What it leaves out on each side.

    >>> [round(x, 4) for x in share_interval(0.0, 10)], [round(x, 4) for x in share_interval(0.1, 10)]
    ([0.0, 0.3085], [0.0025, 0.445])
    """
    seen = share * n
    low = 0.0 if seen <= 0 else _inverse(tail, seen, n - seen + 1)
    high = 1.0 if seen >= n else _inverse(1 - tail, seen + 1, n - seen)
    return low, high


def share_needs(share: float, limit: float) -> int | None:
    """Return how many trials bring the near end of a share's interval to a limit, if the share stays what it is.

    ``None`` when the share is the limit, or it would take more than a hundred million.

    >>> share_needs(0.0, 0.05), share_needs(0.2, 0.1), share_needs(0.1, 0.1)
    (72, 50, None)
    """
    if share == limit:
        return None
    if share < limit:
        return _least(lambda n: share_interval(share, n)[1] <= limit)
    return _least(lambda n: share_interval(share, n)[0] > limit)


def independent(blocks: Sequence[int]) -> float:
    """Return how many independent values those in blocks are worth: ``n² / Σ m²`` (Kish, Survey Sampling, 1965).

    As if all values of a block stood or fell together, and blocks were independent; 0 for no values.

    Args:
        blocks: How many values each has.

    >>> independent([1] * 40), independent([4] * 10), round(independent([31, 1, 1, 1, 1, 1, 1, 1, 1, 1]), 2)
    (40.0, 10.0, 1.65)
    """
    n = sum(blocks)
    return n * n / sum(size * size for size in blocks) if n else 0.0


def quantile_interval(values: Sequence[float], q: float, worth: float | None = None) -> tuple[float, float] | None:
    """Return the 95 % interval of a quantile; ``None`` when there are too few values for an end.

    Its upper end is at most a limit exactly when the interval of the share of values up to that limit begins at ``q``
    or over it: ``share_interval``, with the same ``worth`` as its trials.

    Args:
        values: In any order.
        q: From 0 to 1.
        worth: How many independent values they are worth; ``None`` for as many as there are.

    >>> quantile_interval(range(1, 11), 0.5), quantile_interval(range(50), 0.95) is None
    ((2, 9), True)
    >>> quantile_interval(range(100), 0.5), quantile_interval(range(100), 0.5, worth=25.0)
    ((39, 60), (28, 71))
    """
    n = len(values)
    trials = n if worth is None else worth
    if not n or max(q, 1 - q) ** trials > _TAIL:
        return None
    ordered, each = sorted(values), trials / n
    # At most k values lie under the quantile with a chance that rises with k.
    above = _first(n, lambda k: _at_most(k * each, trials, q) > _TAIL)
    upper = _first(n, lambda k: _at_most(k * each - 1, trials, q) >= 1 - _TAIL)
    return ordered[above - 1], ordered[upper - 1]


def quantile_needs(q: float) -> int:
    """Return the fewest values that give a quantile an interval.

    >>> quantile_needs(0.5), quantile_needs(0.95), quantile_needs(0.99)
    (6, 72, 368)
    """
    return ceil(log(_TAIL) / log(max(q, 1 - q)))


def _at_most(k: float, n: float, q: float) -> float:
    if k <= -1:
        return 0.0
    return 1.0 if k >= n else beta_cdf(1 - q, n - k, k + 1)


def _first(n: int, holds: Callable[[int], bool], after: int = -1) -> int:
    """The least k over ``after`` and up to n that holds, where all behind it do."""
    low, high = after, n
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _least(enough: Callable[[int], bool]) -> int | None:
    high = 1
    while not enough(high):
        high *= 2
        if high > _MOST:
            return None
    return _first(high, enough, after=high // 2)


def _inverse(p: float, a: float, b: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if beta_cdf(middle, a, b) < p else (low, middle)
    return (low + high) / 2


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
