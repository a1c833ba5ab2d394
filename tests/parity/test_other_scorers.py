"""The same numbers as the field's tools, on generated pairs; and, by name, where we differ and why."""

from __future__ import annotations

import jiwer
import kaldialign
from hypothesis import given, settings
from hypothesis import strategies as st

from earwitness.scoring.align import align, spans

TOKENS = ["the", "a", "cat", "dog", "sat", "on", "mat", "white", "board", "whiteboard"]
WORDS = st.lists(st.sampled_from(TOKENS), max_size=14)
SAID = WORDS.filter(bool)


@given(SAID, WORDS)
def test_all_four_counts_are_jiwers(reference: list[str], hypothesis: list[str]) -> None:
    theirs = jiwer.process_words(" ".join(reference), " ".join(hypothesis))
    ours = align(reference, hypothesis)
    assert (ours.hits, ours.substitutions, ours.deletions, ours.insertions) == (
        theirs.hits,
        theirs.substitutions,
        theirs.deletions,
        theirs.insertions,
    )
    assert ours.rate == theirs.wer


@given(SAID, WORDS)
def test_cer_is_jiwers_with_spaces_counted(reference: list[str], hypothesis: list[str]) -> None:
    said, heard = " ".join(reference), " ".join(hypothesis)
    assert align(said, heard).rate == jiwer.cer(said, heard)


@given(WORDS, WORDS)
def test_the_number_of_errors_is_kaldialigns(reference: list[str], hypothesis: list[str]) -> None:
    theirs = kaldialign.edit_distance(reference, hypothesis)
    assert align(reference, hypothesis).errors == theirs["total"]


@given(WORDS, WORDS)
def test_compounds_are_kaldialigns(reference: list[str], hypothesis: list[str]) -> None:
    theirs = kaldialign.edit_distance(reference, hypothesis, merge_compounds=True)
    ours = align(reference, hypothesis, compounds=True)
    assert (ours.errors, ours.length) == (theirs["total"], len(reference))
    assert ours.errors <= align(reference, hypothesis).errors


@given(WORDS, WORDS)
def test_the_shown_alignment_has_the_counts(reference: list[str], hypothesis: list[str]) -> None:
    counted = align(reference, hypothesis)
    runs = spans(reference, hypothesis)
    assert sum(r.reference[1] - r.reference[0] for r in runs if r.kind == "equal") == counted.hits
    assert sum(r.reference[1] - r.reference[0] for r in runs if r.kind == "delete") == counted.deletions
    assert [w for r in runs for w in hypothesis[slice(*r.hypothesis)]] == hypothesis


def test_difference_empty_reference_is_counted_and_has_no_rate_where_jiwer_returns_a_count() -> None:
    ours = align([], ["two", "words"])
    assert (ours.insertions, ours.rate) == (2, None)
    assert jiwer.wer("", "two words") == 2
    assert kaldialign.edit_distance([], ["two", "words"])["err_rate"] == float("inf")


@settings(deadline=None)
@given(st.integers(0, 3))
def test_a_long_recording_is_aligned_without_a_quadratic_table(seed: int) -> None:
    import random

    rng = random.Random(seed)
    said = [str(rng.randrange(3000)) for _ in range(20_000)]
    heard = [word for word in said if rng.random() > 0.05]
    assert align(said, heard).deletions == len(said) - len(heard)
