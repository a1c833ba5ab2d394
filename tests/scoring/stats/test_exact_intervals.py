from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from earwitness.scoring.stats.exact_intervals import (
    beta_cdf,
    independent,
    quantile_interval,
    quantile_needs,
    share_interval,
    share_needs,
)
from earwitness.scoring.stats.quantiles import quantile_difference

HOLDS = ("quantiles.py",)


@pytest.mark.parametrize(
    ("seen", "n", "low", "high"),
    # R: binom.test(seen, n)$conf.int
    [(0, 10, 0.0, 0.3084971), (1, 10, 0.002528579, 0.4450161), (5, 10, 0.187086, 0.812914), (10, 10, 0.6915029, 1.0),
     (3, 200, 0.003102, 0.043212)],
)  # fmt: skip
def test_intervals_of_shares_are_those_of_r(seen: int, n: int, low: float, high: float) -> None:
    assert share_interval(seen / n, n) == pytest.approx((low, high), abs=2e-5)


@pytest.mark.parametrize("n", [1, 4, 17, 60])
@pytest.mark.parametrize("p", [0.01, 0.1, 0.37, 0.5, 0.93])
def test_intervals_of_shares_hold_the_truth_in_at_least_95_of_100(n: int, p: float) -> None:
    chance = 0.0
    for k in range(n + 1):
        low, high = share_interval(k / n, n)
        chance += comb(n, k) * p**k * (1 - p) ** (n - k) * (low <= p <= high)
    assert chance >= 0.95


@pytest.mark.parametrize("q", [0.5, 0.95, 0.99])
@pytest.mark.parametrize("extra", [0, 5, 300])
def test_intervals_of_percentiles_hold_the_truth_in_at_least_95_of_100(q: float, extra: int) -> None:
    n = quantile_needs(q) + extra
    found = quantile_interval(range(1, n + 1), q)
    assert found is not None
    low, high = int(found[0]), int(found[1])
    # The quantile lies between the values of these places when so many values are under it.
    assert sum(comb(n, k) * q**k * (1 - q) ** (n - k) for k in range(low, high)) >= 0.95


@pytest.mark.parametrize("q", [0.5, 0.95, 0.99])
def test_one_value_less_than_it_takes_gives_no_interval(q: float) -> None:
    assert quantile_interval(range(quantile_needs(q)), q) is not None
    assert quantile_interval(range(quantile_needs(q) - 1), q) is None


def test_nothing_seen_of_n_is_about_the_rule_of_three_and_never_less() -> None:
    for n in (10, 100, 1000):
        assert 3 / n < share_interval(0.0, n)[1] < 3.7 / n


@given(st.floats(0, 1), st.integers(1, 500))
@settings(deadline=None)
def test_an_interval_holds_the_share_itself(share: float, n: int) -> None:
    low, high = share_interval(share, n)
    assert 0 <= low <= share + 1e-9
    assert share - 1e-9 <= high <= 1


@given(
    st.lists(st.integers(0, 400), min_size=1, max_size=400, unique=True),
    st.integers(-1, 400),
    st.sampled_from([0.5, 0.9, 0.95]),
    st.floats(0.1, 1.0),
)
@settings(deadline=None)
def test_a_percentile_lies_on_a_side_of_a_limit_when_the_share_does(
    values: list[int], limit: int, q: float, each: float
) -> None:
    worth = each * len(values)
    found = quantile_interval(values, q, worth)
    low, high = share_interval(sum(value <= limit for value in values) / len(values), worth)
    if found is not None:
        assert (found[1] <= limit) == (low >= q - 1e-12)
        assert (found[0] > limit) == (high <= q + 1e-12)
    elif q >= 0.5:
        assert low < q, "no share of so few shows that the quantile is under a limit"


@given(st.lists(st.integers(1, 50), min_size=1, max_size=50))
def test_values_in_blocks_are_worth_at_most_their_blocks_and_more_than_the_largest_lets_them(blocks: list[int]) -> None:
    found = independent(blocks)
    assert 1 <= found <= len(blocks) + 1e-9
    assert found >= sum(blocks) / max(blocks) - 1e-9


@given(st.sampled_from([0.0, 0.02, 0.2, 0.5]), st.sampled_from([0.01, 0.05, 0.3]))
@settings(deadline=None)
def test_as_many_trials_as_it_is_said_to_take_settle_a_limit_and_one_less_does_not(share: float, limit: float) -> None:
    n = share_needs(share, limit)
    assert n is not None
    trials = [k for k in (n, n - 1) if k]
    if share < limit:
        settled = [share_interval(share, k)[1] <= limit for k in trials]
    else:
        settled = [share_interval(share, k)[0] > limit for k in trials]
    assert settled == [True, False][: len(settled)]


@given(st.floats(0.001, 0.999), st.floats(0.5, 300), st.floats(0.5, 300))
@settings(deadline=None)
def test_the_beta_function_is_a_distribution_and_symmetric(x: float, a: float, b: float) -> None:
    assert 0 <= beta_cdf(x, a, b) <= 1
    assert beta_cdf(x, a, b) == pytest.approx(1 - beta_cdf(1 - x, b, a), abs=1e-9)


def test_a_mean_that_rounding_puts_under_both_ends_is_no_endless_turning() -> None:
    """One of nine requests of six clients in time: worth 1.8 independent ones."""
    assert beta_cdf(0.25, 0.19999999999999998, 2.6) == pytest.approx(1 - beta_cdf(0.75, 2.6, 0.2), abs=1e-9)
    low, high = share_interval(1 / 9, 1.8)
    assert 0 < low < 1 / 9 < high < 1


def test_a_system_that_is_slower_on_every_clip_is_told_from_the_other_though_clips_differ_more() -> None:
    rng = np.random.default_rng(1)
    fast = rng.lognormal(0, 1, 80)
    recordings = [n // 4 for n in range(80)]
    low, high = quantile_difference(fast * 1.1, fast, recordings, 0.95)
    assert 0 < low <= high
    assert quantile_difference(fast, fast, recordings, 0.95) == (0.0, 0.0)
    low, high = quantile_difference(rng.permutation(fast), fast, recordings, 0.95)
    assert low < 0 < high
