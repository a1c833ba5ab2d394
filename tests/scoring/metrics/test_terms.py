from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import clip, heard

from earwitness.api.terms import term_report
from earwitness.cli.terms import show
from earwitness.errors import ScoringError
from earwitness.scoring.align.edits import align
from earwitness.scoring.metrics.punctuation import compare_raw, raw_scores, tokens
from earwitness.scoring.metrics.terms import (
    TermCount,
    TermPlaces,
    number_edits,
    number_score,
    read_terms,
    term_counts,
    term_scores,
)
from earwitness.types import Clip, Edits, Failure, Hypothesis

HOLDS = ("punctuation.py", "cli/terms.py")

WORDS = st.lists(st.sampled_from(["call", "7", "20", "now"]), max_size=10)


def texts(*pairs: tuple[str, str]) -> list[tuple[Clip, Hypothesis]]:
    return [(clip(f"c{n}", said), heard(text, f"c{n}")) for n, (said, text) in enumerate(pairs)]


@given(WORDS, WORDS)
def test_numbers_of_the_reference_are_each_counted_once(said: list[str], got: list[str]) -> None:
    found = number_edits(said, got)
    assert found.length == sum(word.isdigit() for word in said)
    assert found.hits + found.insertions <= sum(word.isdigit() for word in got)
    assert found.errors <= align(said, got).errors


def test_spelled_out_numbers_count_where_the_normalizer_writes_digits() -> None:
    pairs = texts(("I owe twenty dollars", "I owe thirty dollars"), ("meet at five", "meet at 5"))
    assert number_score(pairs, "auto").edits == Edits(hits=1, substitutions=1)
    assert number_score(pairs, "basic").edits == Edits(insertions=1)
    assert number_score(pairs, "basic").value is None


def test_a_word_taken_for_a_number_is_an_invented_number() -> None:
    assert number_edits(["for", "you"], ["4", "you"]) == Edits(insertions=1)


@pytest.mark.parametrize(
    ("said", "got", "count"),
    [
        ("to new york", "to new york", (1, 1, 1)),
        ("to new york", "to newark", (1, 0, 0)),
        ("to newark", "to new york", (0, 1, 0)),
        ("to new york", "to new old york", (1, 0, 0)),
        ("new york is far from here", "is far from here new york", (1, 1, 0)),
        ("new york new york", "new york", (2, 1, 1)),
    ],
)
def test_a_term_is_found_where_it_was_said(said: str, got: str, count: tuple[int, int, int]) -> None:
    assert term_counts({"New York": ["new", "york"]}, said.split(), got.split()) == [TermCount("New York", *count)]


def test_recall_and_precision_are_over_all_terms_with_intervals_by_recording() -> None:
    pairs = texts(
        ("ask Doctor Nguyen", "ask doctor Nguyen"), ("Nguyen and Weiss", "win and Weiss"), ("Weiss", "vice"),
        ("nobody", "Weiss"), ("Nguyen", "Nguyen"), ("Weiss", "ice"), ("Nguyen", "new yen"),
    )  # fmt: skip
    recall, precision, counts = term_scores(pairs, ["Nguyen", "Dr. Nguyen", "Weiss"], "auto")
    assert [(c.term, c.said, c.heard, c.found) for c in counts] == [
        ("Nguyen", 4, 2, 2), ("Dr. Nguyen", 1, 1, 1), ("Weiss", 3, 2, 1),
    ]  # fmt: skip
    assert (recall.value, precision.value) == (4 / 8, 4 / 5)
    assert recall.ci95 is not None
    assert 0 <= recall.ci95[0] < 0.5 < recall.ci95[1] <= 1
    assert "terms:3" in recall.signature


def test_terms_that_nobody_said_have_no_recall_and_the_reason() -> None:
    recall, precision, _ = term_scores(texts(("hello", "Weiss")), ["Weiss"], "auto")
    assert (recall.value, recall.reason) == (None, "no key term was said")
    assert precision.value == 0.0


def test_a_file_of_terms_skips_remarks_and_repeats(tmp_path: Path) -> None:
    (tmp_path / "terms.txt").write_text("# names\nNew York\n\n Weiss \nWeiss\n")
    assert read_terms(tmp_path / "terms.txt") == ("New York", "Weiss")


@pytest.mark.parametrize(("content", "message"), [(None, "There is no file"), ("# only\n", "holds no key term")])
def test_a_file_without_terms_is_an_error(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "terms.txt").write_text(content)
    with pytest.raises(ScoringError, match=message):
        read_terms(tmp_path / "terms.txt")


def test_a_term_that_normalizing_takes_away_is_refused() -> None:
    with pytest.raises(ScoringError, match="leaves nothing of the key term"):
        term_scores(texts(("a", "a")), ["[laughs]"], "auto")


@pytest.mark.parametrize(
    ("said", "got", "marks"),
    [
        ("Hello, world.", "hello world", Edits(deletions=2)),
        ("Hello world.", "Hello, world.", Edits(hits=1, insertions=1)),
        ("Is it?", "Is it.", Edits(substitutions=1)),
        ("Yes, no. So?", "Yes. no, So?", Edits(hits=1, substitutions=2)),
        ("Hello world.", "Hello.", Edits(hits=1)),
        ("One. Two. Three.", "One. Three.", Edits(hits=2, deletions=1)),
        ("It costs 3.50.", "It costs 3.50", Edits(deletions=1)),
        ("¿Qué?", "Qué?", Edits(hits=1, deletions=1)),
        ('"Well" - it\'s (fine)', "Well it's fine", Edits()),
    ],
)
def test_marks_are_compared_between_aligned_words(said: str, got: str, marks: Edits) -> None:
    assert compare_raw(said, got)[0] == marks


def test_letters_of_languages_without_spaces_are_words() -> None:
    assert tokens("你好。", "zh") == (["你", "好"], ["", "", "。"])


def test_case_is_judged_on_words_that_are_right() -> None:
    _, case = compare_raw("Anna met Bob in Paris", "anna met rob in Paris")
    assert (case.hits, case.substitutions) == (3, 1)


def test_punctuation_error_rate_is_that_of_librispeech_pc() -> None:
    """(S + D + I) / (C + S + D + I), by hand: one right, one for another, one missed, one too many."""
    punctuation, case = raw_scores(texts(("Well, yes. Is it? Fine", "Well, yes? Is it Fine!")))
    assert punctuation.value == 3 / 4
    assert case.value == 0.0


@given(st.text(alphabet="aB .,?", max_size=30))
def test_a_text_has_no_errors_against_itself(text: str) -> None:
    marks, case = compare_raw(text, text)
    assert (marks.errors, case.errors) == (0, 0)


def test_references_without_marks_or_capitals_give_no_rate_and_the_reason() -> None:
    punctuation, case = raw_scores(texts(("hello world", "Hello, world.")))
    assert (punctuation.value, punctuation.reason) == (None, "the references have no punctuation")
    assert (case.value, case.reason) == (None, "the references have no capital letters")


def test_failed_clips_are_left_out_of_punctuation() -> None:
    failed = Hypothesis("f", None, Failure("transcribe", "crash", "gone"), audio_s=1.0)
    punctuation, _ = raw_scores([*texts(("Yes.", "Yes.")), (clip("f", "No."), failed)])
    assert (punctuation.value, punctuation.n_clips) == (0.0, 1)


def test_a_recall_of_three_out_of_three_has_the_interval_of_three_trials() -> None:
    recall, precision, _ = term_scores(texts(*[("Weiss", "Weiss")] * 3), ["Weiss"], "auto")
    for score in (recall, precision):
        assert (score.value, score.reason) == (1.0, None)
        assert score.ci95 == pytest.approx((0.025 ** (1 / 3), 1.0), abs=1e-9)  # Clopper and Pearson


def test_occurrences_in_one_recording_are_worth_one_trial() -> None:
    recall, _, _ = term_scores(texts(("Weiss Weiss Weiss", "Weiss Weiss Weiss")), ["Weiss"], "auto")
    assert recall.ci95 == pytest.approx((0.025, 1.0), abs=1e-9)


def test_a_recall_of_nothing_has_an_upper_end() -> None:
    recall, precision, _ = term_scores(texts(*[("Weiss", "vice")] * 5), ["Weiss"], "auto")
    assert recall.ci95 == pytest.approx((0.0, 1 - 0.025 ** (1 / 5)), abs=1e-9)
    assert (precision.value, precision.reason) == (None, "no key term was heard")


def without_references(*heard_texts: str) -> list[tuple[Clip, Hypothesis]]:
    return [(clip(f"c{n}", None), heard(text, f"c{n}")) for n, text in enumerate(heard_texts)]


def test_without_references_every_reason_is_that_there_is_none() -> None:
    report = term_report(without_references("ask Weiss, now", "no. 5"), ["Weiss"], "auto")
    assert {score.reason for score in report.scores} == {
        "no clip has a reference",
        "no clip with a text has a reference",
    }
    assert all(score.value is None for score in report.scores)


def test_where_a_term_occurs_is_told_of_every_clip() -> None:
    pairs = [*without_references("Weiss and Weiss", "nobody", "weiss"), (clip("said", "x"), heard("Weiss", "said"))]
    report = term_report(pairs, ["Weiss", "Nguyen"], "auto")
    assert report.places == (TermPlaces("Weiss", {"c0": 2, "c2": 1, "said": 1}), TermPlaces("Nguyen", {}))
    assert report.places[0].n == 4
    assert report.n_unlabelled == 3


def test_what_is_printed_has_the_counts_and_the_clips(capsys: pytest.CaptureFixture[str]) -> None:
    show({"m": term_report(texts(*[("Weiss", "Weiss")] * 3), ["Weiss"], "auto")})
    out = capsys.readouterr().out
    assert "100.0 %, 3 of 3 [29.2, 100.0]" in out
    show({"m": term_report(without_references("Weiss and Weiss", "no"), ["Weiss", "Nguyen"], "auto")})
    out = capsys.readouterr().out
    assert "No clip has a reference" in out
    assert "m: Weiss: 2 times, in c0 (2)" in out
    assert "m: Nguyen: never" in out
    assert "no key term was" not in out
    assert "punctuation" not in out
