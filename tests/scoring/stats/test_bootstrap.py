from __future__ import annotations

import time

import numpy as np
import pytest

from earwitness.scoring.stats.bootstrap import interval, resample, resample_by_kind

KINDS = np.array([[0, 5], [1, 5], [1, 20], [3, 0], [7, 30]])
COUNTS = np.array([400, 90, 200, 10, 60])


def test_drawing_by_kind_has_the_distribution_of_drawing_recordings() -> None:
    """Quantiles of 40,000 rounds of each agree to three standard errors, and so do the moments of both sums."""
    rounds = 40_000
    one, other = resample(KINDS, COUNTS, rounds, 1), resample_by_kind(KINDS, COUNTS, rounds, 2)
    for left, right in ((one[:, n], other[:, n]) for n in (0, 1)):
        assert left.mean() == pytest.approx(right.mean(), abs=4 * left.std() / np.sqrt(rounds))
        assert left.std() == pytest.approx(right.std(), rel=0.02)
    together = [np.cov(drawn.T)[0, 1] for drawn in (one, other)]
    assert together[0] == pytest.approx(together[1], rel=0.05)
    rates = [drawn[:, 0] / drawn[:, 1] for drawn in (one, other)]
    spread = float(np.std(rates[0]))
    for q in (2.5, 25, 50, 75, 97.5):
        assert np.percentile(rates[0], q) == pytest.approx(np.percentile(rates[1], q), abs=0.05 * spread)


def test_the_sums_have_the_mean_and_the_variance_that_theory_gives() -> None:
    total = COUNTS.sum()
    errors = np.repeat(KINDS[:, 0], COUNTS)
    drawn = resample_by_kind(KINDS, COUNTS, 40_000, 3)[:, 0]
    assert drawn.mean() == pytest.approx(errors.sum(), rel=0.002)
    assert drawn.var() == pytest.approx(total * errors.var(), rel=0.05)


def test_the_same_seed_gives_the_same_interval_in_any_order_and_another_seed_another() -> None:
    errors, lengths = np.repeat(KINDS, COUNTS, axis=0).T.tolist()
    order = np.random.default_rng(0).permutation(len(errors))
    mixed = [errors[n] for n in order], [lengths[n] for n in order], order.tolist()
    first = interval(errors, lengths, range(len(errors)))
    assert first == interval(*mixed)
    assert first != interval(errors, lengths, range(len(errors)), seed=1)


def test_it_agrees_with_the_normal_approximation_on_many_clips() -> None:
    rng = np.random.default_rng(0)
    lengths = rng.poisson(17, 20_000) + 1
    errors = rng.binomial(lengths, 0.1)
    found = interval(errors.tolist(), lengths.tolist(), range(len(errors)))
    rate = errors.sum() / lengths.sum()
    half = 1.96 * np.std(errors - rate * lengths) / np.sqrt(len(errors)) / lengths.mean()
    assert found is not None
    assert found == pytest.approx((rate - half, rate + half), abs=0.05 * half)


def test_a_hundred_thousand_utterances_take_seconds_and_not_minutes() -> None:
    rng = np.random.default_rng(0)
    lengths = rng.poisson(17, 100_000) + 1
    errors = rng.binomial(lengths, 0.1)
    started = time.process_time()
    interval(errors.tolist(), lengths.tolist(), range(len(errors)))
    assert time.process_time() - started < 5
