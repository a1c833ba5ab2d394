"""Which label counts is fixed by rules, and a clip on which people disagree is never left out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from earwitness.labels.label import Label
from earwitness.labels.settle import label_by_clip, same_words, settle

ANA = Label("a", "", 0.0, 1.0, "call me back", "text", "ana", "2026-11-30T09:00:00Z")
BEN = replace(ANA, author="ben", text="call me Jack", time="2026-11-30T09:05:00Z", second_opinion=True)
JUDGE = replace(ANA, author="eve", text="call me, Jack", time="2026-11-30T09:01:00Z", adjudication=True)


def test_one_label_counts() -> None:
    settled = settle([ANA], same_words())
    assert settled.labels == {"a": ANA}
    assert settled.disagreements == {}


def test_a_disagreement_is_reported_and_the_first_person_counts_in_any_order() -> None:
    for labels in ([ANA, BEN], [BEN, ANA]):
        settled = settle(labels, same_words())
        assert settled.labels == {"a": ANA}
        assert settled.disagreements == {"a": (ANA, BEN)}


def test_spelling_is_no_disagreement_and_a_verdict_is() -> None:
    spelt = replace(BEN, text="Call me back!")
    assert settle([ANA, spelt], same_words()).disagreements == {}
    noise = replace(BEN, text=None, verdict="unintelligible")
    assert settle([ANA, noise], same_words()).disagreements == {"a": (ANA, noise)}


def test_two_refusals_for_different_reasons_differ() -> None:
    wrong = replace(ANA, text=None, verdict="wrong audio")
    unclear = replace(BEN, text=None, verdict="unintelligible")
    assert set(settle([wrong, unclear], same_words()).disagreements) == {"a"}


def test_an_adjudication_settles_and_the_newest_one_wins() -> None:
    later = replace(JUDGE, author="sam", text="call me Jake", time="2026-11-30T10:00:00Z")
    assert settle([JUDGE, ANA, BEN], same_words()).labels == {"a": JUDGE}
    settled = settle([later, JUDGE, ANA, BEN], same_words())
    assert settled.labels == {"a": later}
    assert settled.disagreements == {}


def test_a_withdrawn_adjudication_opens_the_disagreement_again() -> None:
    undo = replace(JUDGE, verdict="withdrawn", text=None, time="2026-11-30T11:00:00Z")
    settled = settle([ANA, BEN, JUDGE, undo], same_words())
    assert settled.labels == {"a": ANA}
    assert set(settled.disagreements) == {"a"}


@pytest.mark.parametrize(("one", "two"), [("Hello there.", "hello, there"), ("twenty five", "25")])
def test_what_is_scored_alike_is_no_disagreement(one: str, two: str) -> None:
    labels = [replace(ANA, text=one), replace(BEN, text=two)]
    assert settle(labels, same_words(languages={"a": "en"})).disagreements == {}


def test_who_labelled_first_may_settle_and_take_it_back() -> None:
    own = replace(JUDGE, author="ana", time="2026-11-30T10:00:00Z")
    undo = replace(own, verdict="withdrawn", text=None, time="2026-11-30T11:00:00Z")
    assert label_by_clip([ANA, BEN, own]) == {"a": own}
    settled = settle([ANA, BEN, own, undo], same_words())
    assert settled.labels == {"a": ANA}
    assert settled.disagreements == {"a": (ANA, BEN)}
