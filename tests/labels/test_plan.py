"""The plan: every prefix is a stratified random sample, by seed, and a file keeps it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.conftest import clip
from tests.labels.pools import made_pool

from earwitness.errors import RecordError, UsageError
from earwitness.labels.plan import FLOOR, LabelPlan, plan_labels
from earwitness.labels.plan_file import plan_schema, read_plan, refuse_other_pool, write_plan
from earwitness.labels.pool import LabelPool, pool_of
from earwitness.labels.signals import signals_of

HOLDS = ["plan_file.py", "signals.py", "strata.py"]


@pytest.fixture(scope="module")
def pool() -> LabelPool:
    return made_pool(120)


def test_every_clip_of_the_pool_is_in_the_order_once_and_the_strata_count_them(pool: LabelPool) -> None:
    plan = plan_labels(pool, 40)
    assert sorted(plan.order) == sorted(c.id for c in pool.clips)
    assert np.bincount(plan.stratum_of).tolist() == [stratum.n_clips for stratum in plan.strata]
    assert sum(stratum.n_labels for stratum in plan.strata) == plan.n_labels == 40
    assert all(stratum.n_labels >= FLOOR for stratum in plan.strata)


def test_the_same_seed_gives_the_same_plan_and_another_seed_another(pool: LabelPool) -> None:
    assert plan_labels(pool, 30, seed=1) == plan_labels(pool, 30, seed=1)
    assert plan_labels(pool, 30, seed=1).clips != plan_labels(pool, 30, seed=2).clips


def test_the_order_of_strata_does_not_depend_on_the_seed_and_within_one_every_clip_may_come_first(
    pool: LabelPool,
) -> None:
    signals = signals_of(pool, pool.labels)
    plans = [plan_labels(pool, 20, seed=seed, signals=signals) for seed in range(100)]
    assert len({plan.stratum_of for plan in plans}) == 1
    smallest = min(range(len(plans[0].strata)), key=lambda n: plans[0].strata[n].n_clips)
    place = plans[0].stratum_of.index(smallest)
    counts = np.unique([plan.order[place] for plan in plans], return_counts=True)[1]
    size = plans[0].strata[smallest].n_clips
    assert len(counts) >= 0.7 * size
    assert counts.max() <= 100 / size + 6 * np.sqrt(100 / size) + 1


def test_labels_go_where_models_are_apart_and_everywhere_a_few(pool: LabelPool) -> None:
    signals = signals_of(pool, pool.labels)
    plan = plan_labels(pool, 60, signals=signals)
    apart = dict(zip((c.id for c in pool.clips), signals.distance, strict=True))
    mean = [
        np.mean([apart[c] for c, n in zip(plan.order, plan.stratum_of, strict=True) if n == stratum])
        for stratum in range(len(plan.strata))
    ]
    chances = [stratum.probability for stratum in plan.strata]
    assert chances[int(np.argmax(mean))] > 1.5 * chances[int(np.argmin(mean))]
    assert min(chances) > 0


def test_equal_texts_need_no_label_for_a_difference_and_a_label_for_the_wer(pool: LabelPool) -> None:
    first, second = pool.models[:2]
    same = {c.id for c, one, other in zip(pool.clips, first.words, second.words, strict=True) if one == other}
    assert same
    plan = plan_labels(pool, 50, goal="difference", models=(first.label, second.label))
    assert same.isdisjoint(plan.clips)
    assert next(s for s in plan.strata if s.known).n_clips == len(same)
    assert not same.isdisjoint(plan_labels(pool, 50).clips)


def test_clips_with_a_reference_need_no_label() -> None:
    clips = [clip(f"c{n}", "said" if n < 5 else None) for n in range(30)]
    plan = plan_labels(pool_of(clips), 20)
    assert plan.strata[-1].known
    assert plan.strata[-1].n_clips == 5
    assert {"c0", "c4"}.isdisjoint(plan.clips)


def test_without_runs_the_plan_is_by_language_and_length_and_expects_nothing() -> None:
    clips = [clip(f"c{n}", None, language="en" if n % 3 else "es", tags={}) for n in range(90)]
    plan = plan_labels(pool_of(clips), 20)
    assert {stratum.name.split(",")[0] for stratum in plan.strata} == {"en", "es"}
    assert plan.expected_half_width is None


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"n_labels": 0}, "at least 1 label"),
        ({"goal": "difference"}, "needs two models, and there are 3"),
        ({"goal": "gate"}, "needs the limit"),
        ({"models": ("other",)}, "no run of 'other'"),
    ],
)
def test_what_does_not_go_together_is_refused(pool: LabelPool, options: dict[str, object], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        plan_labels(pool, **{"n_labels": 20, **options})  # type: ignore[arg-type]


def test_a_plan_is_the_same_after_its_file(pool: LabelPool, tmp_path: Path) -> None:
    plan = plan_labels(pool, 20, goal="gate", limit=0.1)
    write_plan(tmp_path / "plan.json", plan)
    assert read_plan(tmp_path / "plan.json") == plan
    assert plan_schema()["title"] == "Earwitness label plan"
    refuse_other_pool(plan, pool)
    with pytest.raises(UsageError, match="for other clips"):
        refuse_other_pool(plan, made_pool(119))
    with pytest.raises(RecordError, match="earwitness label DATA"):
        read_plan(tmp_path / "none.json")


def test_a_prefix_of_the_order_is_the_plan_of_fewer_labels_over_the_same_strata(pool: LabelPool) -> None:
    plan = plan_labels(pool, 60)
    counts = np.bincount(plan.stratum_of[:45], minlength=len(plan.strata))
    planned = np.array([stratum.n_labels for stratum in plan.strata])
    assert np.all(np.abs(counts - planned * 45 / 60) <= 1 + FLOOR)
    assert isinstance(plan, LabelPlan)
