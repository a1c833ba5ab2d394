"""Few labels: unbiased whatever the proxy, as sure as it says, and never narrower than honest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earwitness.errors import UsageError
from earwitness.scoring.stats.clusters import Counts
from earwitness.scoring.stats.survey import SurveyEstimate, SurveyLabels, SurveyPool, estimate_rate
from earwitness.scoring.stats.survey_interval import clean_limit
from earwitness.scoring.stats.tuning import Draw, deal_folds, total

HOLDS = ["survey_fit.py", "survey_interval.py", "survey_rounds.py", "tuning.py"]
N = 400


class Truth:
    """A pool with its errors and words."""

    def __init__(self, seed: int, n: int = N, rate: float = 0.15) -> None:
        rng = np.random.default_rng(seed)
        self.guess_words = (1 + rng.poisson(6, n)).astype(np.float64)
        self.words = np.maximum(1.0, self.guess_words + rng.integers(-1, 2, n)).astype(np.float64)
        hard = rng.beta(0.6, 0.6 * (1 - rate) / rate, n)
        self.errors = rng.binomial(self.words.astype(int), hard).astype(float)
        self.guess = rng.binomial(self.errors.astype(int), 0.7) + (rng.random(n) < 0.1) * 1.0
        self.strata = np.digitize(self.guess, [0.5, 2.5]).astype(np.int64)
        self.rate = float(self.errors.sum() / self.words.sum())

    def pool(self, guess: Counts | None = None) -> SurveyPool:
        return SurveyPool(
            self.strata, self.guess if guess is None else guess, self.guess_words, np.arange(len(self.words))
        )

    def draw(self, rng: np.random.Generator, each: tuple[int, ...]) -> SurveyLabels:
        strata = [np.flatnonzero(self.strata == h) for h in range(len(each))]
        parts = [rng.permutation(stratum)[: min(n, len(stratum) // 2)] for stratum, n in zip(strata, each, strict=True)]
        places = np.concatenate(parts)
        return SurveyLabels(places, self.errors[places], self.words[places])


def estimates(truth: Truth, pool: SurveyPool, each: tuple[int, ...], rounds: int) -> list[SurveyEstimate]:
    rng = np.random.default_rng(0)
    return [estimate_rate(pool, truth.draw(rng, each), lowest=0.0, seed=n) for n in range(rounds)]


@given(st.integers(0, 10_000), st.floats(-2, 2))
def test_with_one_slope_for_all_the_total_is_the_difference_estimator(seed: int, slope: float) -> None:
    rng = np.random.default_rng(seed)
    strata = np.sort(rng.integers(0, 3, 20))
    sizes = np.array([30.0, 50.0, 40.0])
    y, proxy, sums = rng.normal(size=20), rng.normal(size=20), rng.normal(size=3)
    draw = Draw(strata, deal_folds(strata, rng), sizes)
    found, residuals = total(y, proxy, sums, np.full(5, slope), draw)
    some = draw.labels > 0
    classic = slope * sums + sizes / np.maximum(draw.labels, 1) * np.bincount(strata, y - slope * proxy, 3)
    assert found[some] == pytest.approx(classic[some])
    assert residuals == pytest.approx(y - slope * proxy)


def test_the_cross_fitted_total_is_unbiased_over_all_samples() -> None:
    """All samples of 4 of 7 clips in two folds of two: the mean of the totals is the total, whatever the slopes."""
    from itertools import combinations, permutations

    y, proxy = np.array([0.0, 1, 0, 5, 2, 0, 9]), np.array([1.0, 0, 3, 3, 2, 1, 4])
    found = []
    for sample in combinations(range(7), 4):
        for order in permutations(sample):
            places = np.array(order)
            draw = Draw(np.zeros(4, np.int64), np.array([0, 0, 1, 1]), np.array([7.0]))
            # A slope that looks at the labels of the other fold, as tuning does.
            slopes = np.array([y[places[2:]].mean(), y[places[:2]].mean()])
            found.append(total(y[places], proxy[places], np.array([proxy.sum()]), slopes, draw)[0][0])
    assert np.mean(found) == pytest.approx(y.sum())


def test_with_every_clip_labelled_the_rate_is_that_of_the_pool_and_nothing_is_left_to_learn() -> None:
    truth = Truth(1)
    places = np.arange(N)
    found = estimate_rate(truth.pool(), SurveyLabels(places, truth.errors, truth.words), lowest=0.0)
    assert found.value == pytest.approx(truth.rate)
    assert found.ci95 is None or found.ci95[1] - found.ci95[0] < 1e-6


def test_estimates_are_right_on_average_and_hold_the_truth() -> None:
    truth = Truth(2)
    found = estimates(truth, truth.pool(), (25, 20, 35), 300)
    values = np.array([one.value for one in found])
    assert abs(values.mean() - truth.rate) < 4 * values.std() / np.sqrt(len(values))
    held = np.mean([one.ci95[0] <= truth.rate <= one.ci95[1] for one in found if one.ci95])
    assert held >= 0.91


def test_a_useless_proxy_costs_next_to_nothing_and_a_good_one_narrows() -> None:
    truth = Truth(3)
    rng = np.random.default_rng(1)
    shuffled = truth.guess.copy()
    for h in range(3):
        here = np.flatnonzero(truth.strata == h)
        shuffled[here] = rng.permutation(truth.guess[here])
    each = (30, 25, 45)
    spread = {
        name: np.std([one.value or 0.0 for one in estimates(truth, truth.pool(guess), each, 200)])
        for name, guess in (("none", np.zeros(N)), ("useless", shuffled), ("good", truth.errors * 0.5))
    }
    assert spread["useless"] < 1.07 * spread["none"]
    assert spread["good"] < 0.6 * spread["none"]


def test_a_biased_proxy_biases_nothing() -> None:
    truth = Truth(4)
    found = estimates(truth, truth.pool(3 * truth.guess + 5), (25, 20, 35), 200)
    values = np.array([one.value for one in found])
    assert abs(values.mean() - truth.rate) < 4 * values.std() / np.sqrt(len(values))


def test_recordings_like_these_are_less_sure_than_this_pool() -> None:
    truth = Truth(5)
    labels = truth.draw(np.random.default_rng(0), (60, 50, 60))
    here = estimate_rate(truth.pool(), labels)
    like = estimate_rate(truth.pool(), labels, target="recordings like these")
    assert here.value == like.value
    assert here.half_width_alone is not None
    assert like.half_width_alone is not None
    assert like.ci95 is not None
    assert here.ci95 is not None
    assert like.ci95[1] - like.ci95[0] > 1.05 * (here.ci95[1] - here.ci95[0])
    with pytest.raises(UsageError, match="these recordings"):
        estimate_rate(truth.pool(), labels, target="these recordings")


def test_strata_without_labels_are_named_and_too_few_labels_give_no_interval() -> None:
    truth = Truth(6)
    none = estimate_rate(truth.pool(), SurveyLabels(np.zeros(0, np.int64), np.zeros(0), np.zeros(0)))
    assert none.reason == "3 of the 3 strata of the plan have no label yet"
    few = estimate_rate(truth.pool(), truth.draw(np.random.default_rng(0), (2, 2, 2)))
    assert few.value is not None
    assert few.reason == "no interval: it takes at least 10 labels, and there are 6"
    thin = estimate_rate(truth.pool(), truth.draw(np.random.default_rng(0), (20, 1, 2)))
    assert thin.reason == "no interval: 1 stratum of the plan needs one more label"


def test_clips_on_which_two_models_agree_need_no_label_for_a_difference() -> None:
    truth = Truth(7)
    rng = np.random.default_rng(0)
    other = rng.binomial(truth.errors.astype(int), 0.8).astype(float)
    d = truth.errors - other
    strata = (d != 0).astype(np.int64)
    pool = SurveyPool(strata, np.zeros(N), truth.guess_words, np.arange(N), frozenset({0}))
    differing = np.flatnonzero(d)
    labels = SurveyLabels(differing, d[differing], truth.words[differing])
    found = estimate_rate(pool, labels)
    assert found.value == pytest.approx(d.sum() / truth.words.sum(), rel=0.05)


def test_thirty_clean_labels_still_allow_one_clip_in_eleven() -> None:
    assert clean_limit(30) == pytest.approx(0.095, abs=5e-4)


@pytest.mark.parametrize("certain", [frozenset({3}), frozenset({3, 4})])
def test_a_last_stratum_without_clips_changes_nothing(certain: frozenset[int]) -> None:
    truth = Truth(3)
    labels = truth.draw(np.random.default_rng(3), (20, 20, 20))
    pool = truth.pool()
    empty = SurveyPool(pool.strata, pool.proxy_errors, pool.proxy_words, pool.recordings, certain)
    for target in ("this pool", "recordings like these"):
        assert estimate_rate(empty, labels, target=target) == estimate_rate(pool, labels, target=target)
