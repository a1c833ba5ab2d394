from __future__ import annotations

import numpy as np
import pytest
from tests.scoring.stats.simulation import Corpus, corpus

from earwitness.scoring.stats.bootstrap_t import rate_interval
from earwitness.scoring.stats.power import AudioPlan, narrow, separate
from earwitness.scoring.stats.significance import permutation

CLIP_S = 6.0


def planned(made: Corpus) -> AudioPlan:
    return separate(
        made.errors_a,
        made.errors_b,
        made.lengths.tolist(),
        made.recordings.tolist(),
        audio_s=CLIP_S * len(made.lengths),
    )


@pytest.mark.parametrize("gain", [0.2, 0.35])
def test_the_planned_minutes_tell_two_systems_apart_in_80_percent_of_cases(gain: float) -> None:
    rng = np.random.default_rng(7)
    plan = planned(corpus(rng, 20_000, gain=gain))
    assert plan.n_needed is not None
    assert plan.minutes_needed == pytest.approx(plan.n_needed * plan.minutes_now / 20_000)
    called = 0
    for seed in range(500):
        made = corpus(rng, plan.n_needed, gain=gain)
        d = np.bincount(made.recordings, made.errors_a - made.errors_b)
        called += permutation(d.astype(float), rounds=400, seed=seed) <= 0.05
    assert called / 500 == pytest.approx(0.8, abs=0.05)


def test_the_range_of_small_pilots_holds_the_true_need_in_most_cases() -> None:
    rng = np.random.default_rng(8)
    truth = planned(corpus(rng, 20_000, gain=0.2)).n_needed
    assert truth is not None
    need = truth * CLIP_S * 8.5 / 60  # 8.5 clips a recording on average
    held = 0
    for _ in range(60):
        plan = planned(corpus(rng, 25, gain=0.2))
        low, high = plan.minutes_low or 0.0, plan.minutes_high or np.inf
        held += low <= need * 1.15 and need * 0.85 <= high
    assert held / 60 >= 0.9


def test_the_planned_minutes_bring_the_interval_to_the_wished_width() -> None:
    rng = np.random.default_rng(9)
    made = corpus(rng, 400)
    plan = narrow(made.errors_a, made.lengths.tolist(), made.recordings.tolist(), audio_s=60.0 * 400, width=0.04)
    assert plan.n_needed is not None
    widths = []
    for seed in range(60):
        again = corpus(rng, plan.n_needed)
        ci95 = rate_interval(
            again.errors_a.tolist(), again.lengths.tolist(), again.recordings.tolist(), rounds=1000, seed=seed
        ).ci95
        assert ci95 is not None
        widths.append(ci95[1] - ci95[0])
    assert np.median(widths) == pytest.approx(0.04, rel=0.1)


def test_enough_audio_means_none_more() -> None:
    made = corpus(np.random.default_rng(1), 300, gain=0.5)
    assert planned(made).minutes_more == 0


def test_when_the_interval_holds_zero_the_range_is_open() -> None:
    plan = planned(corpus(np.random.default_rng(4), 20))
    assert plan.minutes_needed is not None
    assert plan.minutes_high is None


@pytest.mark.parametrize(
    ("a", "b", "clusters", "reason"),
    [
        ([1, 2, 3], [0, 0, 0], "abc", "at least 4 recordings"),
        ([1, 2, 3, 0], [3, 2, 1, 0], "abcd", "the same number of errors"),
        ([2, 2, 2, 2], [1, 1, 1, 1], "abcd", "the same difference"),
    ],
)
def test_what_cannot_be_planned_is_not_and_the_reason_is_given(
    a: list[int], b: list[int], clusters: str, reason: str
) -> None:
    plan = separate(a, b, [10] * len(a), list(clusters), audio_s=60.0)
    assert plan.minutes_needed is None
    assert plan.minutes_more is None
    assert reason in (plan.reason or "")


def test_more_pairs_need_more_audio() -> None:
    made = corpus(np.random.default_rng(2), 30, gain=0.2)
    arguments = made.errors_a, made.errors_b, made.lengths.tolist(), made.recordings.tolist()
    one, many = (separate(*arguments, audio_s=600.0, alpha=alpha).n_needed for alpha in (0.05, 0.05 / 10))
    assert one is not None
    assert many is not None
    assert one < many
