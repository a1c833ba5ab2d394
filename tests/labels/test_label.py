"""A label holds what one person said of a clip; newer ones take the place of older ones."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from earwitness.errors import RecordError
from earwitness.files.schema import plain, validate
from earwitness.labels.label import Label, current_labels, moment, now, text_sha256

HELLO = Label("a", "f" * 64, 0.0, 1.0, "hello", "text", "ana", "2026-11-30T09:00:00Z")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"text": None}, "needs a text"),
        ({"verdict": "not speech"}, "has no text"),
        ({"verdict": "withdrawn"}, "has no text"),
        ({"draft": "hallo"}, "a draft needs its source"),
        ({"draft_source": "other model"}, "a draft needs its source"),
        ({"time": "2026-11-30T09:00:00"}, "needs an offset"),
        ({"time": "yesterday"}, "Invalid isoformat"),
    ],
)
def test_a_label_that_makes_no_sense_is_refused(changes: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        replace(HELLO, **changes)  # type: ignore[arg-type]
    with pytest.raises(RecordError, match=why):
        validate(Label, {**plain(HELLO), **changes}, "it does not fit")


def test_an_empty_text_is_a_text() -> None:
    assert replace(HELLO, text="").reference == ""


@pytest.mark.parametrize(
    ("verdict", "text", "reference"),
    [
        ("text", "so", "so"),
        ("several speakers", "so", "so"),
        ("several speakers", None, None),
        ("not speech", None, ""),
        ("unintelligible", None, None),
        ("wrong audio", None, None),
    ],
)
def test_a_verdict_becomes_a_reference(verdict: str, text: str | None, reference: str | None) -> None:
    assert replace(HELLO, verdict=verdict, text=text).reference == reference  # type: ignore[arg-type]


def test_the_newest_label_counts_in_whatever_order_they_are_written() -> None:
    labels = [replace(HELLO, text=str(hour), time=f"2026-11-30T{hour:02}:00:00Z") for hour in (9, 10, 11)]
    for order in permutations(labels):
        assert current_labels(order) == {("a", "ana", False): labels[2]}


def test_times_of_different_offsets_are_compared_as_moments() -> None:
    older = replace(HELLO, text="older", time="2026-11-30T10:30:00+02:00")
    assert current_labels([HELLO, older])[("a", "ana", False)] is HELLO


def test_of_equal_times_the_later_line_counts() -> None:
    again = replace(HELLO, text="again")
    assert current_labels([HELLO, again])[("a", "ana", False)] is again


def test_each_author_has_a_label_of_their_own() -> None:
    ben = replace(HELLO, author="ben", text="hallo")
    assert current_labels([HELLO, ben]) == {("a", "ana", False): HELLO, ("a", "ben", False): ben}


def test_a_withdrawn_label_takes_those_before_it_along_and_a_new_one_may_follow() -> None:
    undo = replace(HELLO, text=None, verdict="withdrawn", time="2026-11-30T09:05:00Z")
    later = replace(HELLO, text="later", time="2026-11-30T09:06:00Z")
    assert current_labels([HELLO, undo]) == {}
    assert current_labels([HELLO, undo, later]) == {("a", "ana", False): later}


def test_now_is_a_time_of_a_label() -> None:
    assert moment(now()).tzinfo is not None
    assert now().endswith("Z")


def test_the_hash_of_no_reference_is_none_and_of_silence_is_not() -> None:
    assert text_sha256(None) is None
    assert text_sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_who_settles_a_disagreement_keeps_an_opinion_when_the_decision_is_taken_back() -> None:
    decision = replace(HELLO, text="yellow", time="2026-11-30T12:00:00Z", adjudication=True)
    undo = replace(decision, text=None, verdict="withdrawn", time="2026-11-30T12:01:00Z")
    assert list(current_labels([HELLO, decision]).values()) == [HELLO, decision]
    assert list(current_labels([HELLO, decision, undo]).values()) == [HELLO]
