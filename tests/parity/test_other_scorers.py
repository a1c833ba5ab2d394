"""The same numbers as the field's tools, on generated pairs; and, by name, where we differ and why."""

from __future__ import annotations

import random
from pathlib import Path

import jiwer
import kaldialign
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.parity.tools import TOKENS, pairs, pairs_with_choices, require_sclite, sclite, sclite_of

from earwitness.errors import UsageError
from earwitness.scoring import ScoringOptions
from earwitness.scoring.align.alternatives import best_words, parse
from earwitness.scoring.align.edits import align, align_letters
from earwitness.scoring.align.spans import spans
from earwitness.scoring.formats import ctm, stm
from earwitness.scoring.formats.transcripts import read_pairs
from earwitness.scoring.text import normalizer
from earwitness.types import Edits

WORDS = st.lists(st.sampled_from(TOKENS), max_size=14)
SAID = WORDS.filter(bool)
METHODS = st.sampled_from(["levenshtein", "sclite"])


def cost(edits: Edits) -> int:
    return 4 * edits.substitutions + 3 * edits.deletions + 3 * edits.insertions


def kaldi(reference: list[str], hypothesis: list[str], **more: bool) -> Edits:
    found = kaldialign.edit_distance(reference, hypothesis, **more)
    return Edits(len(reference) - found["sub"] - found["del"], found["sub"], found["del"], found["ins"])


# jiwer


@given(SAID, WORDS)
def test_wer_is_jiwers(reference: list[str], hypothesis: list[str]) -> None:
    theirs = jiwer.process_words(" ".join(reference), " ".join(hypothesis))
    ours = align(reference, hypothesis)
    assert ours.rate == theirs.wer
    assert ours.length == theirs.hits + theirs.substitutions + theirs.deletions


@given(SAID, WORDS)
def test_cer_and_all_four_counts_of_letters_are_jiwers_with_spaces_counted(
    reference: list[str], hypothesis: list[str]
) -> None:
    said, heard = " ".join(reference), " ".join(hypothesis)
    theirs = jiwer.process_characters(said, heard)
    ours = align_letters(said, heard)
    assert ours == Edits(theirs.hits, theirs.substitutions, theirs.deletions, theirs.insertions)
    assert ours.rate == theirs.cer


def test_difference_where_alignments_have_as_few_errors_ours_has_the_most_hits_and_jiwers_any() -> None:
    theirs = [jiwer.process_words(" ".join(r), " ".join(h)) for r, h in pairs(2000)]
    ours = [align(r, h) for r, h in pairs(2000)]
    assert all(our.hits >= their.hits for our, their in zip(ours, theirs, strict=True))
    assert any(our.hits > their.hits for our, their in zip(ours, theirs, strict=True))


def test_difference_empty_reference_is_counted_and_has_no_rate_where_jiwer_returns_a_count() -> None:
    ours = align([], ["two", "words"])
    assert (ours.insertions, ours.rate) == (2, None)
    assert jiwer.wer("", "two words") == 2
    assert kaldialign.edit_distance([], ["two", "words"])["err_rate"] == float("inf")


# kaldialign


@given(WORDS, WORDS)
def test_the_number_of_errors_is_kaldialigns(reference: list[str], hypothesis: list[str]) -> None:
    assert align(reference, hypothesis).errors == kaldi(reference, hypothesis).errors


@given(WORDS, WORDS)
def test_the_cost_under_sclites_weights_is_kaldialigns(reference: list[str], hypothesis: list[str]) -> None:
    ours = align(reference, hypothesis, method="sclite")
    assert cost(ours) == cost(kaldi(reference, hypothesis, sclite_mode=True))


@given(WORDS, WORDS)
def test_compounds_are_kaldialigns(reference: list[str], hypothesis: list[str]) -> None:
    theirs = kaldi(reference, hypothesis, merge_compounds=True)
    ours = align(reference, hypothesis, compounds=True)
    assert (ours.errors, ours.length) == (theirs.errors, len(reference))
    assert ours.errors <= align(reference, hypothesis).errors


def test_difference_one_split_in_a_hundred_is_not_kaldialigns_and_then_ours_has_more_hits() -> None:
    """Where alignments have as few errors, kaldialign takes the one that its order of looking finds."""
    both = [(align(*pair), kaldi(*pair)) for pair in pairs(3000)]
    different = [(ours, theirs) for ours, theirs in both if ours != theirs]
    assert 0 < len(different) < 0.015 * len(both)
    assert all(ours.hits > theirs.hits and ours.errors == theirs.errors for ours, theirs in different)


def test_a_thousand_words_in_pieces_have_the_compounds_of_the_whole() -> None:
    for seed in range(3):
        rng = random.Random(seed)
        said = [rng.choice(TOKENS[:7]) + rng.choice("abcdefghij") for _ in range(1500)]
        said[700:702] = ["white", "board"]
        heard = [word for word in said if rng.random() > 0.08]
        if "board" in heard:
            heard[heard.index("board")] = "whiteboard"
            heard.remove("white") if "white" in heard else None
        assert align(said, heard, compounds=True).errors == kaldi(said, heard, merge_compounds=True).errors


# sclite


def test_all_four_counts_are_sclites_under_its_alignment(tmp_path: Path) -> None:
    require_sclite()
    generated = [*pairs(3000), *pairs(300, seed=1, longest=120)]
    theirs = sclite_of([(" ".join(said), " ".join(heard)) for said, heard in generated], tmp_path)
    assert [align(said, heard, method="sclite") for said, heard in generated] == theirs


def test_difference_the_default_has_the_fewest_errors_and_sclite_in_rare_cases_more(tmp_path: Path) -> None:
    require_sclite()
    generated = list(pairs(3000))
    theirs = sclite_of([(" ".join(said), " ".join(heard)) for said, heard in generated], tmp_path)
    ours = [align(*pair) for pair in generated]
    assert all(our.errors <= their.errors for our, their in zip(ours, theirs, strict=True))
    unequal = [(our, their) for our, their in zip(ours, theirs, strict=True) if our != their]
    assert 0 < len(unequal) < 0.005 * len(ours)


def test_alternatives_cost_what_they_cost_sclite_and_nearly_always_have_its_counts(tmp_path: Path) -> None:
    """Of wordings that cost the same, sclite now and then takes another than we do."""
    require_sclite()
    generated = list(pairs_with_choices(3000))
    theirs = sclite_of([(said, " ".join(heard)) for said, heard in generated], tmp_path)
    ours = [align(best_words(parse(s), h, str.split, "sclite"), h, method="sclite") for s, h in generated]
    assert [cost(our) for our in ours] == [cost(their) for their in theirs]
    unequal = [(our, their) for our, their in zip(ours, theirs, strict=True) if our != their]
    assert len(unequal) < 0.01 * len(ours)


def test_the_words_of_a_ctm_are_dealt_out_to_the_segments_of_an_stm_as_sclite_does(tmp_path: Path) -> None:
    require_sclite()
    rng = random.Random(5)
    segments, words = [], []
    for recording in (f"rec{number:02d}" for number in range(40)):
        here = round(2 * rng.random(), 2)
        for _ in range(rng.randrange(1, 8)):
            end = round(here + rng.uniform(0.5, 3), 2)
            text = " ".join(rng.choices(TOKENS, k=rng.randrange(6)))
            text = "IGNORE_TIME_SEGMENT_IN_SCORING" if rng.random() < 0.1 else text
            segments.append(stm.StmSegment(recording, "1", f"speaker-{recording}", here, end, text, "<o>"))
            here = round(end + rng.choice([0, 0, rng.random()]), 2)
        at = 0.0
        while at < here + 1:
            at += rng.uniform(0.05, 0.9)
            words.append(ctm.Word(recording, "1", round(at, 3), round(rng.uniform(0.05, 0.5), 3), rng.choice(TOKENS)))
    (tmp_path / "ref.stm").write_text("".join(stm.line_of(segment) + "\n" for segment in segments))
    (tmp_path / "hyp.ctm").write_text("".join(ctm.line_of(word) + "\n" for word in words))
    theirs = sclite(tmp_path / "ref.stm", tmp_path / "hyp.ctm", kinds=("stm", "ctm"))
    read = read_pairs(tmp_path / "ref.stm", tmp_path / "hyp.ctm").pairs
    assert len(read) == len(theirs) < len(segments)
    ours = [align(pair.reference.split(), (pair.hypothesis or "").split(), method="sclite") for pair in read]
    assert ours == theirs
    assert {pair.recording for pair in read} <= {segment.recording for segment in segments}


@pytest.mark.parametrize("seed", range(3))
def test_words_whose_middle_is_the_end_of_a_segment_are_dealt_out_as_sclite_does(seed: int, tmp_path: Path) -> None:
    """Times on a grid of 10 ms, as most tools write them: the rounding of 32 bits decides ties."""
    require_sclite()
    rng = random.Random(seed)
    segments, words = [], []
    for recording in (f"rec{number:03d}" for number in range(200)):
        here = rng.randrange(20_000) / 100
        for _ in range(rng.randrange(1, 8)):
            end = round(here + rng.randrange(1, 300) / 100, 2)
            text = " ".join(rng.choices(TOKENS, k=rng.randrange(6)))
            segments.append(stm.StmSegment(recording, "1", f"speaker-{recording}", here, end, text, "<o>"))
            half = rng.randrange(1, 40) / 100
            if end > half:
                words.append(ctm.Word(recording, "1", round(end - half, 2), round(2 * half, 2), rng.choice(TOKENS)))
            here = round(end + rng.choice([0, 0, rng.randrange(100) / 100]), 2)
        times = [round(rng.uniform(0, here), 2) for _ in range(5)]
        words += [ctm.Word(recording, "1", at_s, 0.02, rng.choice(TOKENS)) for at_s in times]
    words.sort(key=lambda word: (word.recording, word.start_s))
    (tmp_path / "ref.stm").write_text("".join(stm.line_of(segment) + "\n" for segment in segments))
    (tmp_path / "hyp.ctm").write_text("".join(ctm.line_of(word) + "\n" for word in words))
    theirs = sclite(tmp_path / "ref.stm", tmp_path / "hyp.ctm", kinds=("stm", "ctm"))
    read = read_pairs(tmp_path / "ref.stm", tmp_path / "hyp.ctm").pairs
    assert [align(p.reference.split(), (p.hypothesis or "").split(), method="sclite") for p in read] == theirs


def test_difference_fillers_are_no_words_in_english_rules_and_are_words_to_sclite(tmp_path: Path) -> None:
    require_sclite()
    said, heard = "uh i mean yes", "i mean um yes"
    (theirs,) = sclite_of([(said, heard)], tmp_path)
    assert theirs.errors == 2
    for name, errors in (("whisper-english", 0), ("none", 2)):
        words = normalizer(name).words
        assert align(words(said), words(heard)).errors == errors


def test_difference_sclite_knows_no_compounds_and_both_at_once_are_refused() -> None:
    with pytest.raises(UsageError, match="sclite does not support compounds"):
        ScoringOptions(compounds=True, method="sclite")


# the alignment that is shown


@given(WORDS, WORDS, METHODS)
def test_the_shown_alignment_has_the_counts(reference: list[str], hypothesis: list[str], method: str) -> None:
    counted = align(reference, hypothesis, method=method)  # type: ignore[arg-type]
    runs = spans(reference, hypothesis, method)  # type: ignore[arg-type]
    size = dict.fromkeys(("equal", "replace", "delete", "insert"), 0)
    for run in runs:
        size[run.kind] += max(run.reference[1] - run.reference[0], run.hypothesis[1] - run.hypothesis[0])
    assert Edits(*size.values()) == counted
    assert [w for r in runs for w in reference[slice(*r.reference)]] == reference
    assert [w for r in runs for w in hypothesis[slice(*r.hypothesis)]] == hypothesis


@pytest.mark.real
@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), METHODS)
def test_a_long_shown_alignment_has_the_errors(seed: int, method: str) -> None:
    ((said, heard),) = pairs(1, seed, longest=3)
    rng = random.Random(seed)
    said = said + [f"{rng.randrange(300)}" for _ in range(2500)]
    heard = heard + [word for word in said if rng.random() > 0.1]
    runs = spans(said, heard)
    errors = sum(
        max(r.reference[1] - r.reference[0], r.hypothesis[1] - r.hypothesis[0]) for r in runs if r.kind != "equal"
    )
    assert errors == align(said, heard).errors
