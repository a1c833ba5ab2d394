"""The order in which to check clips gives every clip a known chance, and corrected rates that are right on average."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earwitness.labels.audit_order import AuditDraw, audit_order, corrected_rate

NAMES = [f"clip-{n}" for n in range(40)]


@given(st.sets(st.sampled_from(NAMES)), st.permutations(NAMES))
def test_the_order_has_every_clip_once_and_depends_on_the_strata_alone(suspects: set[str], turned: list[str]) -> None:
    order = audit_order(turned, suspects)
    assert sorted(draw.clip_id for draw in order) == sorted(NAMES)
    assert order == audit_order(NAMES, suspects)
    assert {draw.clip_id for draw in order if draw.stratum == "suspect"} == suspects


def test_the_order_takes_turns() -> None:
    order = audit_order(NAMES, NAMES[:5])
    assert [draw.stratum for draw in order[:10]] == ["suspect", "other"] * 5
    assert [draw.probability for draw in order[:4:2]] == [1 / 5, 2 / 5]


def counts(seed: int, size: int) -> tuple[dict[str, tuple[int, int]], dict[str, tuple[int, int]]]:
    """Errors under the dataset's references, and under true ones, which differ for suspects and a few others."""
    rng = random.Random(seed)
    names = [f"{seed}-{n}" for n in range(size)]
    stated, true = {}, {}
    for n, name in enumerate(names):
        errors = rng.choice([0, 0, 1, 2])
        true[name] = (errors, 10)
        wrong = n < size // 10 or rng.random() < 0.1
        stated[name] = (min(10, errors + 6), 10) if wrong else true[name]
    return stated, true


def first(order: list[AuditDraw], n: int) -> set[str]:
    return {draw.clip_id for draw in order[:n]}


def test_corrected_rates_are_right_on_average_and_their_intervals_nearly_always() -> None:
    differences, covered = [], 0
    rounds = 200
    for seed in range(rounds):
        stated, true = counts(seed, 200)
        order = audit_order(stated, [f"{seed}-{n}" for n in range(20)])
        labelled = {name: true[name] for name in first(order, 80)}
        found = corrected_rate(order, stated, labelled)
        truth = sum(e for e, _ in true.values()) / sum(n for _, n in true.values())
        assert found.value is not None
        assert found.ci95 is not None
        differences.append(found.value - truth)
        covered += found.ci95[0] <= truth <= found.ci95[1]
    assert abs(sum(differences) / rounds) < 0.003
    assert 0.90 * rounds <= covered <= rounds


def test_labels_of_suspects_alone_give_no_rate() -> None:
    stated, true = counts(1, 40)
    order = audit_order(stated, [f"1-{n}" for n in range(4)])
    suspects = {draw.clip_id: true[draw.clip_id] for draw in order if draw.stratum == "suspect"}
    found = corrected_rate(order, stated, suspects)
    assert found.value is None
    assert found.reason == "no corrected rate: label 2 more others at the beginning of the order"


def test_labels_out_of_turn_do_not_count() -> None:
    stated, true = counts(1, 40)
    order = audit_order(stated, [f"1-{n}" for n in range(4)])
    last = [draw.clip_id for draw in order if draw.stratum == "other"][-1]
    found = corrected_rate(order, stated, {name: true[name] for name in [*first(order, 12), last]})
    assert dict(found.n_labels) == {"suspect": 4, "other": 8}


def test_with_every_clip_labelled_the_rate_is_exact_and_has_no_interval() -> None:
    stated, true = counts(3, 60)
    found = corrected_rate(audit_order(stated, []), stated, true)
    assert found.value == pytest.approx(sum(e for e, _ in true.values()) / 600)
    assert found.ci95 is None


def test_unchanged_labels_say_how_many_may_still_be_wrong() -> None:
    stated, _ = counts(5, 60)
    order = audit_order(stated, [])
    found = corrected_rate(order, stated, {name: stated[name] for name in first(order, 30)})
    assert found.reason == "none of 30 labelled others changed; up to 9.5 % of the others may still be wrong"
