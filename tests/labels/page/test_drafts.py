"""Drafts: none by default, never of a candidate by name, and the same whenever a clip is opened."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.labels.page.pages import silent_clips

from earwitness.errors import UsageError
from earwitness.labels.page.drafts import Draft, drafts_of_model, empty_box, hidden_drafts, reference_drafts
from earwitness.types import Clip

CLIP = Clip("a", "", "", 0.0, 1.0, "so it goes", "en")


def test_the_box_is_empty_by_default() -> None:
    assert empty_box().of_clip(CLIP) is None


def test_a_model_that_is_no_candidate_is_named() -> None:
    policy = drafts_of_model("whisper:small", {"a": "so it grows"}, frozenset({"tiny"}), "small")
    assert policy.of_clip(CLIP) == Draft("so it grows", "other model", "whisper:small")
    assert "whisper:small" in policy.sentence


def test_the_weights_of_a_candidate_may_not_draft_under_another_name() -> None:
    with pytest.raises(UsageError, match="has the weights of a candidate"):
        drafts_of_model("whisper.cpp:tiny", {}, frozenset({"tiny"}), "tiny")


def test_a_hidden_draft_is_of_each_family_about_as_often_and_stays_the_same() -> None:
    clips = silent_clips(300)
    families = {name: (f"model {name}", {clip.id: name for clip in clips}) for name in ("one", "two", "three")}
    drafts = [hidden_drafts(families, seed=1).of_clip(clip) for clip in clips]
    assert drafts == [hidden_drafts(families, seed=1).of_clip(clip) for clip in clips]
    counts = Counter(draft.model for draft in drafts if draft is not None)
    assert set(counts) == {"model one", "model two", "model three"}
    assert min(counts.values()) > 60
    assert {draft.source for draft in drafts if draft is not None} == {"hidden family"}
    assert "hidden" in hidden_drafts(families).sentence
    assert "model" not in hidden_drafts(families).sentence.replace("a model at random", "")


def test_hidden_drafts_need_runs() -> None:
    with pytest.raises(UsageError, match="--runs"):
        hidden_drafts({})


def test_a_clip_without_a_text_gets_an_empty_box() -> None:
    assert drafts_of_model("m", {}, frozenset(), "m").of_clip(CLIP) is None
    assert hidden_drafts({"f": ("m", {})}).of_clip(CLIP) is None
    assert reference_drafts().of_clip(silent_clips(1)[0]) is None


def test_an_audit_shows_the_reference() -> None:
    assert reference_drafts().of_clip(CLIP) == Draft("so it goes", "reference")
