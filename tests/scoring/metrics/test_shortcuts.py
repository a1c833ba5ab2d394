"""Short ways to a score that must come out the same as the long ones."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein
from tests.conftest import clip, heard

from earwitness.scoring import ScoringOptions, score_clip, summarize
from earwitness.scoring.align.edits import align_letters
from earwitness.scoring.findings import deletions, language_mismatch
from earwitness.scoring.metrics.summary import _rate
from earwitness.scoring.stats.bootstrap import resample
from earwitness.types import Failure, Hypothesis

HOLDS = ("summary.py", "scoring/findings/deletions.py")

WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), max_size=24)
SMALL_WORDS = language_mismatch.SMALL_WORDS.values()
SMALL = sorted({word for words in SMALL_WORDS for word in words.split()} | {"hello", "спасибо", "я"})


@given(said=WORDS, hypothesis=WORDS)
@settings(max_examples=300)
def test_no_dropped_run_is_overlooked_by_counting_deletions_first(said: list[str], hypothesis: list[str]) -> None:
    short = deletions.dropped_words(said, hypothesis, None, 1.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deletions, "_too_few", lambda *_: False)
        assert deletions.dropped_words(said, hypothesis, None, 1.0) == short


def test_counting_deletions_first_does_find_some() -> None:
    assert deletions.dropped_words(["a", "b", "c", "d", "e", "f", "g"], ["a", "b"], None, 1.0)


def by_columns(kinds: np.ndarray, counts: np.ndarray, rounds: int, seed: int) -> np.ndarray:
    """The sums of errors and of lengths, each looked up by itself."""
    rng = np.random.default_rng(seed)
    recordings = np.repeat(kinds, counts, axis=0)
    drawn = rng.integers(0, len(recordings), (rounds, len(recordings)), np.int32)
    return np.stack([column[drawn].sum(axis=1) for column in recordings.T], axis=1)


@given(
    rows=st.lists(st.tuples(st.integers(0, 10**5), st.integers(0, 10**5), st.integers(1, 5)), min_size=1, max_size=9),
    seed=st.integers(0, 5),
)
def test_drawing_two_counts_in_one_number_gives_the_same_sums(rows: list[tuple[int, int, int]], seed: int) -> None:
    kinds, counts = np.array([row[:2] for row in rows]), np.array([row[2] for row in rows])
    assert np.array_equal(resample(kinds, counts, 7, seed), by_columns(kinds, counts, 7, seed))


@given(
    text=st.lists(st.sampled_from(SMALL), max_size=20).map(" ".join),
    language=st.sampled_from([*language_mismatch.SCRIPTS, "xx"]),
)
@settings(max_examples=300)
def test_a_foreign_text_is_found_as_by_looking_at_every_letter_and_every_table(text: str, language: str) -> None:
    short = language_mismatch.foreign(text, language)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(language_mismatch, "_others", lambda _: frozenset(SMALL))
        patch.setattr(language_mismatch, "_by_script", every_letter)
        assert language_mismatch.foreign(text, language) == short


def every_letter(text: str, expected: str) -> str | None:
    counts = Counter(language_mismatch._script(letter) for letter in text if letter.isalpha())
    total = sum(counts.values())
    if expected not in language_mismatch.SCRIPTS or total < 3:
        return None
    script, _ = counts.most_common(1)[0]
    right = sum(counts[name] for name in language_mismatch.SCRIPTS[expected])
    return f"script {script}" if script not in language_mismatch.SCRIPTS[expected] and 2 * right < total else None


@given(said=st.text("abc "), hypothesis=st.text("abc "))
def test_letters_are_counted_as_rapidfuzz_names_them_one_by_one(said: str, hypothesis: str) -> None:
    kinds = Counter(edit.tag for edit in Levenshtein.editops(said, hypothesis))
    found = align_letters(said, hypothesis)
    assert (found.substitutions, found.deletions, found.insertions) == (
        kinds["replace"], kinds["delete"], kinds["insert"]
    )  # fmt: skip


@pytest.mark.parametrize("with_failure", [False, True])
def test_the_rate_of_the_clips_that_were_finished_is_computed_anew_only_where_some_were_not(with_failure: bool) -> None:
    options = ScoringOptions("basic")
    texts = ["one two", "one", "two two", "two", "one two three"]
    pairs = [(clip(str(n), "one two"), heard(text, str(n))) for n, text in enumerate(texts)]
    if with_failure:
        last = pairs[-1]
        failed = Hypothesis(last[1].clip_id, None, Failure("load", "error", "no"), audio_s=1.0)
        pairs[-1] = (last[0], failed)
    scored = [(one, score_clip(one, hypothesis, options)) for one, hypothesis in pairs]
    scores = {score.metric: score for score in summarize(scored, options)}
    completed = [pair for pair in scored if not pair[1].failed]
    assert scores["wer_completed"] == _rate("wer_completed", completed, lambda score: score.words, options)
    same = replace(scores["wer"], metric="", signature="") == replace(scores["wer_completed"], metric="", signature="")
    assert same is not with_failure
