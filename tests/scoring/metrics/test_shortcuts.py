"""Short ways to a score that must come out the same as the long ones."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein
from tests.conftest import clip, heard

from earwitness.languages import primary
from earwitness.scoring import ScoringOptions, score_clip, summarize
from earwitness.scoring.align.edits import align_letters
from earwitness.scoring.align.spans import spans
from earwitness.scoring.findings import deletions, language_mismatch
from earwitness.scoring.stats.bootstrap import resample
from earwitness.scoring.text.plain_words import plain_words
from earwitness.types import Failure, Hypothesis

HOLDS = ("summary.py", "scoring/findings/deletions.py")

WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), max_size=24)
SMALL_WORDS = language_mismatch.SMALL_WORDS.values()
A_FEW_OF_ONE = st.sampled_from(sorted(SMALL_WORDS)).flatmap(
    lambda words: st.lists(st.sampled_from(words.split()), max_size=6)
)
SMALL = sorted({word for words in SMALL_WORDS for word in words.split()} | {"hello", "спасибо", "я"})


@given(said=WORDS, hypothesis=WORDS)
@settings(max_examples=300)
def test_no_dropped_run_is_overlooked_by_counting_deletions_first(said: list[str], hypothesis: list[str]) -> None:
    found = [int(finding.detail.split()[0]) for finding in deletions.dropped_words(said, hypothesis, None, 1.0)]
    assert found == (by_aligning(said, hypothesis) if hypothesis else [])


def by_aligning(said: list[str], hypothesis: list[str]) -> list[int]:
    """How many words were deleted in each run that is long enough, with the whole alignment looked at."""
    runs: list[list[int]] = []  # deleted words, and where the run ends on each side
    for span in spans(said, hypothesis):
        if span.kind == "delete":
            (begin, end), (at, _) = span.reference, span.hypothesis
            if runs and begin - runs[-1][1] <= 1 and at - runs[-1][2] <= 1:
                runs[-1] = [runs[-1][0] + end - begin, end, at]
            else:
                runs.append([end - begin, end, at])
    at_end = [len(said), len(hypothesis)]
    return [n for n, *ends in runs if n >= (deletions.LEAST_TAIL if ends == at_end else deletions.LEAST_RUN)]


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
    text=st.builds(lambda few, any_: " ".join(few + any_), A_FEW_OF_ONE, st.lists(st.sampled_from(SMALL), max_size=15)),
    language=st.sampled_from([*language_mismatch.SCRIPTS, "xx"])
    | st.sampled_from(sorted(language_mismatch.SMALL_WORDS)),
)
@example(text="que para los", language="en")  # three small words are just enough
@settings(max_examples=300)
def test_a_foreign_text_is_found_as_by_looking_at_every_letter_and_every_table(text: str, language: str) -> None:
    short = language_mismatch.foreign(text, language)
    expected = str(primary(language))
    assert short == (every_letter(text, expected) or every_table(text, expected))


def every_letter(text: str, expected: str) -> str | None:
    counts = Counter(unicodedata.name(letter).split()[0].lower() for letter in text if letter.isalpha())
    total = sum(counts.values())
    if expected not in language_mismatch.SCRIPTS or total < 3:
        return None
    script, _ = counts.most_common(1)[0]
    right = sum(counts[name] for name in language_mismatch.SCRIPTS[expected])
    return f"script {script}" if script not in language_mismatch.SCRIPTS[expected] and 2 * right < total else None


def every_table(text: str, expected: str) -> str | None:
    tables = {language: set(plain_words(words)) for language, words in language_mismatch.SMALL_WORDS.items()}
    if expected not in tables:
        return None
    ours, words, found = tables[expected], plain_words(text), []
    for other in tables.keys() - {expected}:
        for_them = sum(word in tables[other] - ours for word in words)
        for_us = sum(word in ours - tables[other] for word in words)
        if for_them >= 3 and for_them >= 3 * for_us and 8 * for_them >= len(words):
            found.append((for_them, other))
    return max(found)[1] if found else None


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
    (anew,) = (score for score in summarize(completed, options) if score.metric == "wer")
    assert scores["wer_completed"] == replace(
        anew, metric="wer_completed", signature=options.signature("wer_completed")
    )
    same = replace(scores["wer"], metric="", signature="") == replace(scores["wer_completed"], metric="", signature="")
    assert same is not with_failure
