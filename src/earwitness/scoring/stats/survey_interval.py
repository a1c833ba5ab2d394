"""How sure a stratified sample is of a total: its variance, its degrees of freedom, and an interval by Student's t.

The variance of a stratified total is the sum over strata of ``N_h^2 (1 - n_h / N_h) s_h^2 / n_h`` (Cochran, *Sampling
Techniques*, 1977, section 5.6). Its degrees of freedom are Satterthwaite's (Cochran, section 5.4): few if one stratum
of few labels has most of the variance.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from earwitness.scoring.stats.clusters import Counts
from earwitness.scoring.stats.power import student
from earwitness.scoring.stats.tuning import Draw

_LEVEL = 0.975
_BORROWED = 6.0
"""Labels of the pool that the strata take in together, in equal parts: the least with which the intervals of made-up
pools covered 93 % and more wherever they did with a larger variance (``benchmarks/made_up_pools.py``)."""
_ROUNDING = 1e-12


class SampleVariance(NamedTuple):
    """The variance of an estimated total."""

    variance: float
    """Of the total."""
    degrees: float
    """Satterthwaite's degrees of freedom, at least 1."""


def total_variance(residuals: Counts, draw: Draw) -> SampleVariance:
    """Return the variance of a stratified total from its residuals.

    Each stratum's variance takes in a part of six labels more, whose squared residual is the mean over the pool of
    those that are not 0: a label counts for the clips that it stands for. A stratum of few labels that happens to show
    no error would else claim to have none; of many labels, the part hardly counts. A mean over labels would be too
    large, since a plan labels most of the clips that are long and hard (docs/statistics.md).

    Args:
        residuals: One a label; shape (n,).
        draw: The labelled clips.

    >>> draw = Draw(np.zeros(4, np.int64), np.zeros(4, np.int64), np.array([8.0]))
    >>> found = total_variance(np.array([0.0, 2, 0, 2]), draw)
    >>> round(found.variance, 3), found.degrees
    (24.889, 4.0)
    """
    n, sizes = draw.labels, draw.sizes
    some = np.maximum(n, 1)
    squares = residuals**2
    nonzero = squares > _ROUNDING
    clips = (sizes / some)[draw.strata]
    typical = float(np.average(squares[nonzero], weights=clips[nonzero])) if nonzero.any() else 0.0
    means = np.bincount(draw.strata, residuals, len(sizes)) / some
    about = np.bincount(draw.strata, (residuals - means[draw.strata]) ** 2, len(sizes))
    more = _BORROWED / max(1, int(np.count_nonzero(n)))
    spread = (about + more * typical) / (some - 1 + more)
    each = np.where(n > 0, sizes * (sizes - n) * spread / some, 0.0)
    variance = float(each.sum())
    weight = float((each**2 / some).sum())
    return SampleVariance(variance, variance**2 / weight if weight > 0 else 1.0)


def half_width(error: float, degrees: float) -> float:
    """Return half the width of the 95 % interval of an estimate with that standard error.

    >>> round(half_width(1.0, 30), 2)
    2.04
    """
    return student(_LEVEL, max(1.0, degrees)) * error


def clean_limit(n_labels: int) -> float:
    """Return the largest share of clips with an error that labels without any error still allow, at 95 %.

    With a larger share, so many labels would show no error in less than one case in twenty: ``1 - 0.05^(1/n)``.

    >>> round(clean_limit(30), 3)
    0.095
    """
    return float(1.0 - 0.05 ** (1 / n_labels))
