"""Summarizes repeated measurements in a few numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from earwitness.files.schema import Strict


@dataclass(frozen=True, slots=True)
class Spread(Strict):
    """A summary of repeated measurements."""

    n: int
    """How many."""
    median: float
    """The middle one."""
    min: float
    """The least."""
    max: float
    """The most."""
    cv: float | None
    """Coefficient of variation: standard deviation (n - 1) over mean; ``None`` for fewer than two, or a mean of 0."""


def spread(values: Sequence[float]) -> Spread | None:
    """Summarize repeated measurements; ``None`` for none.

    >>> spread([1.0, 2.0, 3.0])
    Spread(n=3, median=2.0, min=1.0, max=3.0, cv=0.5)
    >>> spread([4.0]).cv is None, spread([]) is None
    (True, True)
    """
    if not values:
        return None
    return Spread(len(values), float(np.median(values)), min(values), max(values), variation(values))


def variation(values: Sequence[float]) -> float | None:
    """Return the coefficient of variation: standard deviation (n - 1) over mean.

    >>> variation([1.0, 2.0, 3.0]), variation([1.0]), variation([0.0, 0.0])
    (0.5, None, None)
    """
    mean = float(np.mean(values)) if values else 0.0
    return float(np.std(values, ddof=1)) / mean if len(values) > 1 and mean else None
