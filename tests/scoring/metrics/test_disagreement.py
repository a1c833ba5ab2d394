"""Bounds without references: they hold for any reference, and for any error rate that a premise allows."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from earwitness.scoring import ScoringInfo
from earwitness.scoring.align.edits import align
from earwitness.scoring.metrics.disagreement import clip_distances, distance_bound, most_errors, why_no_bound

TEXT = st.lists(st.sampled_from(["a", "b", "c"]), max_size=6)
CLIPS = st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=4)
Clips = list[tuple[list[str], list[str], list[str]]]


def errors(references: list[list[str]], texts: list[list[str]]) -> int:
    return sum(align(said, heard).errors for said, heard in zip(references, texts, strict=True))


def columns(clips: Clips) -> tuple[list[list[str]], list[list[str]], list[list[str]]]:
    said, a, b = zip(*clips, strict=True)
    return list(said), list(a), list(b)


@given(CLIPS)
def test_for_any_reference_two_models_differ_by_at_most_the_distance_of_their_texts(clips: Clips) -> None:
    said, a, b = columns(clips)
    bound = distance_bound(a, b)
    assert abs(errors(said, a) - errors(said, b)) <= bound.errors
    assert errors(said, a) + errors(said, b) >= bound.errors


@given(CLIPS)
def test_a_clip_with_equal_texts_contributes_nothing_to_a_difference(clips: Clips) -> None:
    said, a, b = columns(clips)
    for reference, one, other, distance in zip(said, a, b, clip_distances(a, b), strict=True):
        gap = align(reference, one).errors - align(reference, other).errors
        assert abs(gap) <= distance
        assert distance or not gap


@given(CLIPS, CLIPS)
def test_the_bound_is_reached_by_the_reference_that_is_one_of_the_texts(clips: Clips, others: Clips) -> None:
    _, a, b = columns([*clips, *others])
    assert errors(b, a) - errors(b, b) == distance_bound(a, b).errors


@given(CLIPS)
def test_rates_are_bounded_by_the_premise_that_one_of_the_two_fulfils(clips: Clips) -> None:
    said, a, b = columns(clips)
    n = sum(map(len, said))
    assume(n and any(a) and any(b))
    wers = errors(said, a) / n, errors(said, b) / n
    bound = distance_bound(a, b)
    assert abs(wers[0] - wers[1]) <= bound.points(min(wers)) + 1e-9
    if wers[0] < 1:
        low, high = bound.second_wer(wers[0])
        assert low - 1e-9 <= wers[1] <= high + 1e-9
        assert errors(said, a) <= most_errors(wers[0], sum(map(len, a))) + 1e-9


@given(CLIPS)
def test_under_the_reversal_wer_of_the_first_the_second_makes_more_errors(clips: Clips) -> None:
    said, a, b = columns(clips)
    n = sum(map(len, said))
    assume(n)
    if errors(said, a) / n < distance_bound(a, b).reversal_wer:
        assert errors(said, b) > errors(said, a)


@given(TEXT, TEXT, TEXT)
def test_the_distance_is_a_metric(a: list[str], b: list[str], c: list[str]) -> None:
    def lev(one: list[str], other: list[str]) -> int:
        return clip_distances([one], [other])[0]

    assert lev(a, c) <= lev(a, b) + lev(b, c)
    assert lev(a, b) == lev(b, a) == Levenshtein.distance(a, b)
    assert (lev(a, b) == 0) == (a == b)


def test_two_texts_without_words_bound_everything_and_one_bounds_nothing() -> None:
    assert distance_bound([[]], [[]]).points(0.5) == 0
    assert distance_bound([[]], [["a"]]).points(0.5) == float("inf")
    assert distance_bound([[]], [["a"]]).second_wer(0.5) == (0.0, float("inf"))


def test_with_compounds_errors_can_differ_by_more_than_these_costs_allow() -> None:
    """``ab`` is ``a b`` for nothing, so costs are no longer those of a metric: two zeros do not make a zero."""
    joined, apart, other = ["abc"], ["a", "bc"], ["ab", "c"]
    assert align(joined, apart, compounds=True).errors == align(joined, other, compounds=True).errors == 0
    assert align(apart, other, compounds=True).errors > 0
    assert why_no_bound(ScoringInfo(compounds=True)) is not None


@pytest.mark.parametrize(
    ("info", "reason"),
    [
        (ScoringInfo(), None),
        (ScoringInfo(method="sclite"), "use the costs of sclite"),
        (ScoringInfo(alternatives=True), "allow alternatives in references"),
        (ScoringInfo(compounds=True, alternatives=True), "merge compounds and allow alternatives in references"),
    ],
)
def test_only_unit_costs_bound(info: ScoringInfo, reason: str | None) -> None:
    why = why_no_bound(info)
    assert (why is None) == (reason is None)
    assert reason is None or reason in str(why)
