"""Estimates from the labels of a plan: which labels count, what is out of scope, and that they are right on average."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.labels.pools import made_pool, made_runs, references

from earwitness.errors import UsageError
from earwitness.labels.estimate import estimate_labels
from earwitness.labels.label import Label
from earwitness.labels.plan import LabelPlan, plan_labels
from earwitness.labels.pool import distance, pool_of, proxies, witnesses
from earwitness.records.select import RunWithClips

HOLDS = ["pool.py"]
N = 60
SAID = references(N)


@pytest.fixture(scope="module")
def runs() -> list[RunWithClips]:
    return made_runs(N)


@pytest.fixture(scope="module")
def plan(runs: list[RunWithClips]) -> LabelPlan:
    return plan_labels(pool_of([r.clip for r in runs[0].results], runs), 25)


def label(clip_id: str, **changes: object) -> Label:
    fields = {"text": " ".join(SAID[int(clip_id[1:])]), "verdict": "text", "time": "2026-11-30T09:00:00Z", **changes}
    return Label(clip_id, "", 0.0, 1.0, author="ana", **fields)  # type: ignore[arg-type]


def test_with_every_clip_labelled_the_estimate_is_the_wer(plan: LabelPlan, runs: list[RunWithClips]) -> None:
    found = estimate_labels(plan, [label(clip_id) for clip_id in plan.order], runs)
    labelled = made_runs(N, hide=False)
    for model, run in zip(found.models, labelled, strict=True):
        errors = sum(r.score.words.errors for r in run.results if r.score.words)
        assert model.estimate.value == pytest.approx(errors / sum(map(len, SAID)))
    first, second = found.models[:2]
    assert found.differences[0].estimate.value == pytest.approx(first.estimate.value - second.estimate.value)  # type: ignore[operator]


def test_a_label_behind_a_gap_waits_for_the_clips_before_it(plan: LabelPlan, runs: list[RunWithClips]) -> None:
    all_labels = [label(clip_id) for clip_id in plan.order[:30]]
    skipped = plan.order[0]
    stratum = plan.stratum_of[0]
    behind = sum(n == stratum for n in plan.stratum_of[1:30])
    found = estimate_labels(plan, all_labels[1:], runs)
    assert found.waiting == (skipped,)
    assert found.n_waiting == behind
    assert found.n_labels == 29 - behind
    assert estimate_labels(plan, all_labels, runs).n_waiting == 0


def test_what_cannot_be_scored_is_out_of_scope_and_silence_is_not(plan: LabelPlan, runs: list[RunWithClips]) -> None:
    labels = [label(clip_id) for clip_id in plan.order]
    full = estimate_labels(plan, labels, runs)
    labels[3] = label(plan.order[3], text=None, verdict="unintelligible")
    labels[4] = label(plan.order[4], text=None, verdict="not speech")
    found = estimate_labels(plan, labels, runs)
    assert found.n_out_of_scope == 1
    assert found.share_out_of_scope == pytest.approx(1 / N)
    assert found.n_labels == full.n_labels
    words = {run.label: len(run.results[int(plan.order[4][1:])].hypothesis.transcript.text.split()) for run in runs}  # type: ignore[union-attr]
    assert any(words.values())
    assert found.models[0].estimate.value != full.models[0].estimate.value


def test_of_two_people_the_first_counts_until_somebody_adjudicates(plan: LabelPlan, runs: list[RunWithClips]) -> None:
    labels = [label(clip_id) for clip_id in plan.order]
    full = estimate_labels(plan, labels, runs)
    other = replace(labels[0], author="bo", text="entirely other words here", time="2026-11-30T10:00:00Z")
    assert estimate_labels(plan, [*labels, other], runs) == full
    settled = replace(other, author="eve", adjudication=True)
    assert estimate_labels(plan, [*labels, other, settled], runs).models[0] != full.models[0]


def test_a_persons_newest_label_counts_and_an_adjudication_before_all(
    plan: LabelPlan, runs: list[RunWithClips]
) -> None:
    labels = [label(clip_id) for clip_id in plan.order]
    full = estimate_labels(plan, labels, runs).models[0].estimate.value
    wrong = label(plan.order[0], text="entirely other words here", time="2026-11-30T10:00:00Z")
    assert estimate_labels(plan, [*labels, wrong], runs).models[0].estimate.value != full
    right = Label(plan.order[0], "", 0.0, 1.0, labels[0].text, "text", "bo", "2026-11-30T08:00:00Z", adjudication=True)
    assert estimate_labels(plan, [*labels, wrong, right], runs).models[0].estimate.value == full


def test_too_few_labels_give_a_reason(plan: LabelPlan, runs: list[RunWithClips]) -> None:
    none = estimate_labels(plan, [], runs)
    assert (
        none.models[0].estimate.reason
        == f"{len(plan.strata)} of the {len(plan.strata)} strata of the plan have no label yet"
    )
    assert none.share_out_of_scope is None
    few = estimate_labels(plan, [label(clip_id) for clip_id in plan.order[:8]], runs).models[0].estimate
    assert few.ci95 is None


def test_a_plan_for_a_difference_says_nothing_of_one_model(runs: list[RunWithClips]) -> None:
    pool = pool_of([r.clip for r in runs[0].results], runs)
    plan = plan_labels(pool, 25, goal="difference", models=pool.labels[1:])
    need = [c for c, n in zip(plan.order, plan.stratum_of, strict=True) if not plan.strata[n].known]
    found = estimate_labels(plan, [label(clip_id) for clip_id in need], runs)
    assert "difference" in (found.models[0].estimate.reason or "")
    by_pair = {(d.first, d.second): d.estimate for d in found.differences}
    errors = [[r.score.words.errors for r in run.results if r.score.words] for run in made_runs(N, hide=False)[1:]]
    truth = (sum(errors[0]) - sum(errors[1])) / sum(map(len, SAID))
    value = by_pair[pool.labels[1], pool.labels[2]].value
    assert value == pytest.approx(truth, rel=0.1)
    assert by_pair[pool.labels[0], pool.labels[1]].value is None


def test_strata_without_an_error_say_what_they_may_hide(plan: LabelPlan, runs: list[RunWithClips]) -> None:
    found = estimate_labels(plan, [label(clip_id) for clip_id in plan.clips], runs)
    clean = [one for model in found.models for one in model.clean]
    for one in clean:
        assert one.share_high == pytest.approx(1 - 0.05 ** (1 / one.n_labels))
    assert np.isfinite([one.share_high for one in clean]).all()


def test_letters_are_counted_for_cer(plan: LabelPlan, runs: list[RunWithClips]) -> None:
    found = estimate_labels(plan, [label(clip_id) for clip_id in plan.order], runs, rate="cer")
    run = made_runs(N, hide=False)[0]
    errors = sum(r.score.chars.errors for r in run.results if r.score.chars)
    length = sum(r.score.chars.length for r in run.results if r.score.chars)
    assert found.models[0].estimate.value == pytest.approx(errors / length)


def test_a_language_that_only_the_run_states_makes_no_other_pool(plan: LabelPlan, runs: list[RunWithClips]) -> None:
    stated = [
        replace(run, results=tuple(replace(r, clip=replace(r.clip, language="fr")) for r in run.results))
        for run in runs
    ]
    first = [r.clip.id for r in runs[0].results]
    assert estimate_labels(plan, [label(key) for key in first], stated).n_labels == len(first)


def test_runs_over_other_clips_are_refused(plan: LabelPlan) -> None:
    with pytest.raises(UsageError, match="for other clips"):
        estimate_labels(plan, [], made_runs(N - 1))
    assert Path(made_runs(3)[0].path).name


def test_three_clones_are_no_witnesses_of_each_other_and_do_not_outvote_others() -> None:
    clones = made_pool(40, (0.2, 0.2, 0.2, 0.05), ("one", "one", "one", "two"))
    same = replace(clones, models=(*(replace(clones.models[0], label=f"c{n}") for n in range(3)), clones.models[3]))
    assert witnesses(same, 0) == same.models[3].words
    assert witnesses(replace(same, models=same.models[:3]), 0) is None
    errors, lengths = proxies(replace(same, models=same.models[:3]), 0)
    assert not errors.any()
    assert lengths.tolist() == [len(text) for text in same.models[0].words]


def test_of_two_other_families_the_nearer_text_is_the_witness_and_of_three_their_consensus() -> None:
    pool = made_pool(40, (0.05, 0.05, 0.6))
    errors, _ = proxies(pool, 0)
    count = distance(pool)
    for place, error in enumerate(errors):
        own, *others = (model.words[place] for model in pool.models)
        assert error == min(count(place, other, own) for other in others)
    four = made_pool(40, (0.05, 0.05, 0.05, 0.6))
    said = references(40)
    found = witnesses(four, 3)
    assert found is not None
    wrong = sum(count(place, said[place], text) for place, text in enumerate(found))
    assert wrong <= sum(count(place, said[place], text) for place, text in enumerate(four.models[0].words))
