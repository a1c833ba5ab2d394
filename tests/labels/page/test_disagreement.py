"""Two people differ where a score would: not over a comma."""

from __future__ import annotations

import pytest

from earwitness.labels.label import Label, LabelVerdict
from earwitness.labels.page.disagreement import differing, opinions


def label(text: str | None, author: str, verdict: LabelVerdict = "text", *, adjudication: bool = False) -> Label:
    time = "2026-11-30T09:00:00Z"
    return Label("a", "", 0.0, 1.0, text, verdict, author, time, adjudication=adjudication)


@pytest.mark.parametrize(
    ("one", "two", "differ"),
    [
        (label("Hello there.", "ana"), label("hello, there", "ben"), False),
        (label("twenty five", "ana"), label("25", "ben"), False),
        (label("hello there", "ana"), label("hello dear", "ben"), True),
        (label("hello", "ana"), label(None, "ben", "not speech"), True),
        (label(None, "ana", "unintelligible"), label(None, "ben", "unintelligible"), False),
    ],
)
def test_what_is_scored_alike_is_no_difference(one: Label, two: Label, differ: bool) -> None:
    assert differing([one, two], "en") is differ
    assert differing([two, one], "en") is differ


def test_an_adjudication_settles_it() -> None:
    assert not differing([label("a", "ana"), label("b", "ben"), label("b", "cleo", adjudication=True)], "en")


def test_opinions_have_no_names_and_stand_in_an_order_of_their_own() -> None:
    one, two = label("hello", "ana"), label("yellow", "ben")
    assert opinions([one, two]) == opinions([two, one])
    assert {opinion.text for opinion in opinions([one, two])} == {"hello", "yellow"}
    assert len(opinions([one, label("hello", "ben")])) == 1
