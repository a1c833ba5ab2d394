"""Agreement is counted over the clips that two people share, and chance chooses who is asked twice."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from earwitness.labels.agreement import LabellerPair, agreement, wants_second_opinion
from earwitness.labels.label import Label

ANA = Label("a", "", 0.0, 1.0, "call me back", "text", "ana", "2026-11-30T09:00:00Z")
BEN = replace(ANA, author="ben")


def test_pairs_are_counted_over_shared_clips_alone() -> None:
    labels = [
        ANA,
        replace(BEN, text="Call me Jack"),
        replace(ANA, clip_id="b"),
        replace(BEN, clip_id="c"),
        replace(ANA, clip_id="d", verdict="not speech", text=None),
        replace(BEN, clip_id="d", text="hum"),
        replace(ANA, clip_id="e", verdict="unintelligible", text=None),
        replace(BEN, clip_id="e", verdict="unintelligible", text=None),
    ]
    assert agreement(labels) == (LabellerPair("ana", "ben", 3, 1, 2, 2, (3, 4), 0),)
    (pair,) = agreement(labels)
    assert pair.equal_share == 1 / 3
    assert pair.wer == 2 / 3.5


def test_adjudications_are_no_opinions() -> None:
    assert agreement([ANA, replace(BEN, adjudication=True)]) == ()


def test_a_shared_draft_is_counted() -> None:
    draft = replace(ANA, draft="call me black", draft_source="other model")
    (pair,) = agreement([draft, replace(draft, author="ben")])
    assert (pair.n_equal, pair.n_same_draft) == (1, 1)


def test_who_wrote_nothing_has_no_word_error_rate() -> None:
    silent = [replace(label, verdict="not speech", text=None) for label in (ANA, BEN)]
    assert agreement(silent)[0].wer is None


def test_the_language_of_a_clip_chooses_its_words() -> None:
    labels = [replace(ANA, text="it's 25"), replace(BEN, text="it is twenty five")]
    assert agreement(labels, languages={"a": "en"})[0].n_equal == 1
    assert agreement(labels, normalizer="basic")[0].n_equal == 0


def test_every_pair_has_its_row() -> None:
    pairs = agreement([ANA, BEN, replace(ANA, author="cem")])
    assert [(pair.first, pair.second) for pair in pairs] == [("ana", "ben"), ("ana", "cem"), ("ben", "cem")]


@given(share=st.floats(0, 1), seed=st.integers(), clip_id=st.text())
def test_a_larger_share_holds_every_clip_of_a_smaller_one(share: float, seed: int, clip_id: str) -> None:
    assert wants_second_opinion(clip_id, share, seed) >= wants_second_opinion(clip_id, share / 2, seed)


def test_about_the_share_of_clips_is_chosen() -> None:
    assert 150 < sum(wants_second_opinion(str(number), 0.1) for number in range(2000)) < 250
