"""Values that everything is made of: what they compute, and what they refuse to be."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import clip

from earwitness.types import Audio, Dataset, Edits, Failure, Hypothesis, Transcript

COUNTS = st.builds(Edits, *(st.integers(0, 999) for _ in range(4)))


@pytest.mark.parametrize(
    ("transcript", "failure"), [(None, None), (Transcript("a"), Failure("load", "error", "no"))], ids=["none", "both"]
)
def test_a_hypothesis_is_a_text_or_a_failure_and_never_both(
    transcript: Transcript | None, failure: Failure | None
) -> None:
    with pytest.raises(ValueError, match="'a' needs a transcript or a failure, and not both"):
        Hypothesis("a", transcript, failure, audio_s=1.0)


def test_a_hypothesis_is_well_when_it_has_a_text_be_it_empty() -> None:
    assert Hypothesis("a", Transcript(""), None, audio_s=1.0).ok
    assert not Hypothesis("a", None, Failure("load", "error", "no"), audio_s=1.0).ok


@given(COUNTS, COUNTS)
def test_counts_add_up_and_the_rate_is_that_of_the_sums(one: Edits, other: Edits) -> None:
    both = one + other
    assert both.errors == one.errors + other.errors == both.substitutions + both.deletions + both.insertions
    assert both.length == one.length + other.length == both.hits + both.substitutions + both.deletions
    assert both.rate == (both.errors / both.length if both.length else None)
    assert {part.name: getattr(both, part.name) for part in fields(Edits)} == {
        part.name: getattr(one, part.name) + getattr(other, part.name) for part in fields(Edits)
    }


def test_a_dataset_is_as_long_as_its_clips_and_sound_as_its_samples() -> None:
    assert Dataset("two", (clip("a"), clip("b")), "").audio_s == 2.0
    assert Audio(np.zeros(800, np.float32), 16_000).duration_s == 0.05
