"""Stopping early on a plan: the order's chances are known, and few runs stop at the wrong model."""

from __future__ import annotations

import numpy as np
import pytest
from tests.conftest import clip
from tests.labels.pools import made_runs, references

from earwitness.errors import UsageError
from earwitness.labels.label import Label
from earwitness.labels.plan import LabelPlan, plan_labels
from earwitness.labels.pool import LabelPool, PoolTexts, pool_of
from earwitness.labels.sequence import draw_chances, stop_advice, stop_of
from earwitness.labels.signals import Signals
from earwitness.scoring import ScoringOptions

N = 150


def plans(seed: int, gaps: np.ndarray) -> LabelPlan:
    """A plan for two models that are so many words apart."""
    texts = [tuple(("x",) * int(gap) for gap in gaps), tuple(() for _ in gaps)]
    models = tuple(PoolTexts(f"m{n}", f"f{n}", text, np.zeros(len(gaps), bool)) for n, text in enumerate(texts))
    pool = LabelPool(tuple(clip(f"c{n}", None) for n in range(len(gaps))), models, ScoringOptions("none"))
    signals = Signals(gaps.astype(float), np.full(len(gaps), 8.0), ("en",) * len(gaps), np.zeros(len(gaps), bool))
    return plan_labels(pool, 40, goal="difference", models=("m0", "m1"), seed=seed, signals=signals)


def test_chances_of_the_clips_that_are_left_add_up_to_one() -> None:
    gaps = np.random.default_rng(0).integers(0, 6, N)
    plan = plans(0, gaps)
    bounds = gaps[[int(c[1:]) for c in plan.order]].astype(float)
    strata = np.array(plan.stratum_of)
    n_open = int((bounds > 0).sum())
    start = plan.n_first
    chances, largest = draw_chances(plan, bounds, start, n_open)
    assert chances[-1] == pytest.approx(1.0)
    assert np.all(bounds[start:n_open] / chances <= largest + 1e-9)
    weights = np.array([s.weight for s in plan.strata])
    shares = weights[np.unique(strata[start:n_open])]
    assert chances[0] == pytest.approx(
        weights[strata[start]] / shares.sum() / np.count_nonzero(strata[start:n_open] == strata[start])
    )


def test_few_stop_at_the_wrong_model_however_often_one_looks() -> None:
    rng = np.random.default_rng(1)
    gaps = rng.integers(0, 6, N)
    wrong = settled = excluded = 0
    rounds = 120
    for seed in range(rounds):
        differences = np.round(gaps * rng.choice([-1.0, 0.0, 1.0], N))
        plan = plans(seed, gaps)
        places = [int(c[1:]) for c in plan.order]
        found = stop_of(plan, differences[places], gaps[places].astype(float))
        total = differences.sum()
        settled += found.stop_after is not None
        excluded += not found.low <= total <= found.high
        wrong += (found.better == "m0" and total >= 0) or (found.better == "m1" and total <= 0)
    assert settled > rounds / 2
    assert wrong / rounds <= 0.05
    # At most one in twenty are excluded; of 120, chance makes 12 or more out of that in one case in a hundred.
    assert excluded < 12


def test_labels_of_a_plan_settle_a_clear_difference() -> None:
    runs = made_runs(100, (0.05, 0.5))
    pool = pool_of([r.clip for r in runs[0].results], runs)
    plan = plan_labels(pool, 60, goal="difference", models=pool.labels)
    said = references(100)
    labels = [
        Label(c, "", 0.0, 1.0, " ".join(said[int(c[1:])]), "text", "ana", "2026-11-30T09:00:00Z")
        for c, n in zip(plan.order, plan.stratum_of, strict=True)
        if not plan.strata[n].known
    ]
    found = stop_advice(plan, labels, runs)
    assert found.better == "model0"
    assert found.stop_after is not None
    assert found.stop_after < len(labels)
    before = stop_advice(plan, labels[1:], runs)
    assert (before.n_labels, before.better) == (0, None)
    wider = stop_advice(plan, labels[: plan.n_first + 5], runs)
    assert wider.high - wider.low > found.high - found.low


def test_another_goal_or_scoring_is_refused() -> None:
    runs = made_runs(30, (0.1, 0.3))
    pool = pool_of([r.clip for r in runs[0].results], runs)
    with pytest.raises(UsageError, match="goal difference"):
        stop_advice(plan_labels(pool, 20), [], runs)
    plan = plan_labels(pool, 20, goal="difference", models=pool.labels)
    with pytest.raises(UsageError, match="no runs of both"):
        stop_advice(plan, [], runs[:1])
