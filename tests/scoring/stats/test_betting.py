"""Stopping early: over all looks together the truth is excluded in at most 5 % of cases, and bounds close in."""

from __future__ import annotations

import numpy as np
import pytest

from earwitness.scoring.stats.betting import Draws, total_sequence


def looks(rng: np.random.Generator, values: np.ndarray, bounds: np.ndarray, n: int) -> Draws:
    """Draw clips uniformly without replacement."""
    order = rng.permutation(len(values))[:n]
    left = len(values) - np.arange(n)
    return Draws(
        values[order].astype(float),
        1 / left,
        (left * float(bounds.max())).astype(np.float64),
        (bounds.sum() - np.cumsum(bounds[order])).astype(np.float64),
    )


def test_no_look_excludes_the_truth_in_more_than_one_case_in_twenty() -> None:
    rng = np.random.default_rng(0)
    wrong = 0
    for _ in range(200):
        bounds = rng.integers(1, 5, 150)
        values = np.round(bounds * rng.choice([-1, 0, 1], 150, p=[0.35, 0.3, 0.35]))
        found = total_sequence(looks(rng, values, bounds, 120), start=0.0, left=float(bounds.sum()), horizon=60)
        wrong += bool(np.any((found.low > values.sum()) | (found.high < values.sum())))
    assert wrong / 200 <= 0.05


def test_the_bounds_close_in_and_end_at_the_truth() -> None:
    rng = np.random.default_rng(4)
    bounds = rng.integers(1, 4, 80)
    values = np.where(rng.random(80) < 0.8, bounds, -bounds)
    found = total_sequence(looks(rng, values, bounds, 80), start=0.0, left=float(bounds.sum()), horizon=40)
    width = found.high - found.low
    assert np.all(np.diff(width) <= 0)
    assert found.low[-1] == found.high[-1] == values.sum()
    assert found.stop is not None
    assert found.stop < 80


def test_a_clear_difference_is_settled_early_and_none_never() -> None:
    rng = np.random.default_rng(2)
    ones = np.ones(200)
    clear = total_sequence(looks(rng, ones, ones, 100), start=0.0, left=200.0, horizon=50)
    assert clear.stop is not None
    assert clear.stop <= 15
    even = np.tile([1.0, -1.0], 100)
    assert total_sequence(looks(rng, even, ones, 200), start=0.0, left=200.0, horizon=50).stop is None


def test_what_is_known_before_the_first_draw_counts() -> None:
    draws = Draws(np.array([0.0]), np.array([1.0]), np.array([2.0]), np.array([0.0]))
    found = total_sequence(draws, start=7.0, left=2.0, horizon=1)
    assert (found.low[0], found.high[0]) == (7.0, 7.0)


def test_of_very_many_totals_a_few_thousand_are_tried_and_the_bounds_allow_for_it() -> None:
    rng = np.random.default_rng(3)
    bounds = np.full(3000, 40)
    values = rng.choice([-40, 40], 3000, p=[0.3, 0.7])
    found = total_sequence(looks(rng, values, bounds, 200), start=0.0, left=120_000.0, horizon=200)
    assert found.low[-1] <= values.sum() <= found.high[-1]
    assert found.stop is not None
    assert found.low == pytest.approx(np.round(found.low))
