"""How much of a proxy to believe: the slope of what labels show on what the proxy guesses, fitted on other labels.

A slope that is fitted on the same labels that it then corrects makes residuals too small and intervals too short (Mani
and others, 2025). So the labels are dealt into folds, within each stratum at random, and the slope for a fold comes
from the labels outside of it. Given those, the fold is a random sample of the clips that are not among them, so each
fold gives an unbiased total, and so does their mean:

    total of a stratum = sum over folds k of  n_k / n * ( sum of y outside of k  +  slope_k * (F - F outside of k)
                                                          + (N - n + n_k) / n_k * sum of (y - slope_k f) in k )

With equal slopes this is the difference estimator: slope * F + N / n * sum of (y - slope f).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from earwitness.scoring.stats.clusters import Counts

Indices = npt.NDArray[np.int64]
"""Numbers of strata, folds, recordings or clips, from 0."""
FOLDS = 5
_FEWEST_DEGREES = 3


@dataclass(frozen=True, slots=True)
class Draw:
    """Labelled clips of a stratified sample."""

    strata: Indices
    """Stratum of each label; shape (n,)."""
    folds: Indices
    """Fold of each label; shape (n,)."""
    sizes: Counts
    """Clips of the pool in each stratum; shape (H,)."""

    @property
    def labels(self) -> Counts:
        """Labels in each stratum; shape (H,)."""
        return np.bincount(self.strata, minlength=len(self.sizes)).astype(float)


def deal_folds(strata: Indices, rng: np.random.Generator, n_folds: int = FOLDS) -> Indices:
    """Deal labels into folds at random, within each stratum as evenly as can be; shape (n,).

    Args:
        strata: Stratum of each label.
        rng: Deals.
        n_folds: How many folds.

    >>> folds = deal_folds(np.array([0, 0, 0, 0, 1, 1]), np.random.default_rng(0), 2)
    >>> int(folds[:4].sum()), int(folds[4:].sum())
    (2, 1)
    """
    order = np.lexsort((rng.random(len(strata)), strata))
    folds = np.empty(len(strata), np.int64)
    folds[order] = np.arange(len(strata)) % n_folds
    return folds


def slope(y: Counts, proxy: Counts, strata: Indices, sizes: Counts) -> float:
    """Return the slope of ``y`` on the proxy within strata that makes the stratified total most precise; at least 0.

    Every stratum counts by its part in the variance, ``N_h (N_h - n_h) / (n_h (n_h - 1))``. The slope is shrunk by the
    share of it that chance alone explains, ``1 - var(slope) / slope^2`` (the positive part, after James and Stein), so
    that a worthless proxy is left out most of the time. A negative slope, and one from too few labels, is 0.

    Args:
        y: What labels show; shape (n,).
        proxy: What was guessed of the same clips; shape (n,).
        strata: Of the same clips; shape (n,).
        sizes: Clips of the pool in each stratum; shape (H,).

    >>> strata, sizes = np.zeros(8, np.int64), np.array([100.0])
    >>> guess = np.arange(8.0)
    >>> slope(2 * guess, guess, strata, sizes), slope(-guess, guess, strata, sizes)
    (2.0, 0.0)
    """
    n = np.bincount(strata, minlength=len(sizes)).astype(float)
    degrees = int(np.maximum(n - 1, 0).sum()) - 1
    if degrees < _FEWEST_DEGREES:
        return 0.0
    some = np.maximum(n, 1)
    part = np.where(n > 1, sizes * (sizes - n) / (some * np.maximum(some - 1, 1)), 0.0)[strata]
    y = y - (np.bincount(strata, y, len(sizes)) / some)[strata]
    proxy = proxy - (np.bincount(strata, proxy, len(sizes)) / some)[strata]
    spread = float(part @ (proxy * proxy))
    if not spread > 0:
        return 0.0
    found = float(part @ (y * proxy)) / spread
    if not found > 0:
        return 0.0
    rest = part * (y - found * proxy) * proxy
    chance = float(rest @ rest) / spread**2 * len(y) / degrees
    return found * max(0.0, 1 - chance / found**2)


def total(y: Counts, proxy: Counts, proxy_totals: Counts, slopes: Counts, draw: Draw) -> tuple[Counts, Counts]:
    """Return the total of ``y`` in each stratum, shape (H,), and every label's residual, shape (n,).

    Args:
        y: Of the labelled clips; shape (n,).
        proxy: Of the same clips; shape (n,).
        proxy_totals: Sum of the proxy over each stratum of the pool; shape (H,).
        slopes: One a fold; shape (K,).
        draw: The labelled clips.

    >>> draw = Draw(np.zeros(4, np.int64), np.array([0, 1, 0, 1]), np.array([10.0]))
    >>> y, proxy = np.array([1.0, 2, 3, 4]), np.array([1.0, 1, 3, 3])
    >>> [part.tolist() for part in total(y, proxy, np.array([20.0]), np.ones(2), draw)]
    [[25.0], [0.0, 1.0, 0.0, 1.0]]
    """
    n_strata, n_folds = len(draw.sizes), len(slopes)
    cells = draw.strata * n_folds + draw.folds

    def by_cell(values: Counts) -> Counts:
        return np.bincount(cells, values, n_strata * n_folds).astype(float).reshape(n_strata, n_folds)

    residuals = y - slopes[draw.folds] * proxy
    inside, all_y, all_proxy = by_cell(residuals), by_cell(y), by_cell(proxy)
    n_cell = by_cell(np.ones(len(y)))
    n = np.maximum(n_cell.sum(axis=1, keepdims=True), 1)
    outside_y = all_y.sum(axis=1, keepdims=True) - all_y
    outside_proxy = all_proxy.sum(axis=1, keepdims=True) - all_proxy
    weight = (draw.sizes[:, None] - n + n_cell) / np.maximum(n_cell, 1)
    each = outside_y + slopes * (proxy_totals[:, None] - outside_proxy) + weight * inside
    return (n_cell / n * each).sum(axis=1), residuals
