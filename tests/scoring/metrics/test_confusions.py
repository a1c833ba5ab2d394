"""Confusions, worst clips and what was written in the place of missed terms, as functions and on the command line."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.comparison.study import clip as study_clip
from tests.comparison.study import heard as study_heard
from tests.comparison.study import record
from tests.conftest import clip, heard

import earwitness as ew
from earwitness.cli import main
from earwitness.errors import UsageError
from earwitness.reports.terms import instead_words, missed_lines, term_grids, term_rows
from earwitness.scoring.align.edits import align
from earwitness.scoring.metrics.clip import ScoringOptions
from earwitness.scoring.metrics.confusions import Confusion, confusions
from earwitness.scoring.metrics.key_terms import key_terms
from earwitness.scoring.metrics.terms import TermCount, TermSubstitutes, substitutes
from earwitness.types import Failure, Hypothesis

HOLDS = ("api/mistakes.py", "cli/mistakes.py", "comparison/terms.py", "key_terms.py", "reports/terms.py")

WORDS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=8)
SAID = [("the cat sat down", 0.0), ("a dog ran off", 1.0)]


@given(WORDS, WORDS)
def test_confusions_add_up_to_the_errors(said: list[str], got: list[str]) -> None:
    pair = (clip("c", " ".join(said)), heard(" ".join(got), "c"))
    found = confusions([pair], ScoringOptions("none"))
    edits = align(said, got)
    assert sum(found.values()) == edits.errors
    kinds: Counter[str] = Counter()
    for one, n in found.items():
        kinds[one.kind] += n
    assert (kinds["substitution"], kinds["deletion"], kinds["insertion"]) == (
        edits.substitutions, edits.deletions, edits.insertions,
    )  # fmt: skip


def test_clips_without_a_reference_are_passed_over_and_failures_are_deletions() -> None:
    failed = Hypothesis("f", None, Failure("transcribe", "error", "it failed"), 1.0)
    pairs = [(clip("u", None), heard("x", "u")), (clip("f", "yes"), failed)]
    assert confusions(pairs, ScoringOptions("basic")) == {Confusion("yes", ""): 1}


@pytest.mark.parametrize(
    ("said", "got", "instead"),
    [
        ("ask nagy now", "ask nodge now", ["nodge"]),
        ("ask nagy now", "ask now", [""]),
        ("ask nagy now", "ask nagy now", []),
        ("nagy", "na gee", ["na gee"]),
        ("so nagy", "so na gee", ["na gee"]),
        ("nagy and nagy", "nagy and nudge", ["nudge"]),
    ],
)
def test_what_stands_in_the_place_of_a_missed_term(said: str, got: str, instead: list[str]) -> None:
    assert substitutes(["nagy"], said.split(), got.split()) == instead


def test_all_scores_of_a_list_come_together() -> None:
    found = key_terms([(clip("c", "ask nagy"), heard("ask nodge", "c"))], ["Nagy"], "basic")
    assert (found.recall.value, found.precision.value) == (0.0, None)
    assert (found.counts, found.substitutes) == ((TermCount("Nagy", 1),), (TermSubstitutes("Nagy", {"nodge": 1}),))


def test_terms_in_words_name_what_was_written_and_how_many_more_there_are() -> None:
    counts = [TermCount("Nagy", 4, 1, 1), TermCount("Weiss", 2, 2, 2)]
    texts = [TermSubstitutes("Nagy", {"nodge": 2, "": 1}), TermSubstitutes("Weiss", {})]
    assert term_rows(counts, texts) == [["Nagy", "4", "1", "3", "nodge (2), (nothing)"], ["Weiss", "2", "2", "0", ""]]
    assert missed_lines("m", counts, texts) == ["m missed Nagy in 3 of 4 places; it wrote: nodge (2), (nothing)"]
    assert instead_words({"a": 1, "b": 1, "c": 1, "d": 1, "e": 1}) == "a, b, c and 2 other texts"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two models over two recordings; both write cap for cat."""
    for model, texts in (("one:a", ["the cap sat down", "a dog off"]), ("two:b", ["the cap sat", "a dog ran off"])):
        clips = [study_clip(f"c{n}", said.split(), 4.0) for n, (said, _) in enumerate(SAID)]
        record(
            tmp_path,
            model,
            "calls",
            [(one, study_heard(one, text, 1.0)) for one, text in zip(clips, texts, strict=True)],
        )
    return tmp_path


def test_models_that_make_the_same_error_share_a_row(runs: Path) -> None:
    first, *others = ew.confusions(runs)
    assert (first.kind, first.reference, first.hypothesis, first.n) == ("substitution", "cat", "cap", 2)
    assert first.by_model == {"one:a": 1, "two:b": 1}
    assert [(one.reference, one.hypothesis, one.n) for one in others] == [("down", "", 1), ("ran", "", 1)]
    assert len(ew.confusions(runs, top=1)) == 1


def test_the_worst_clips_come_with_audio_span_and_alignment(runs: Path) -> None:
    worst, other = ew.worst_clips(runs)
    assert (worst.clip.id, worst.errors, worst.clip.audio_path, worst.clip.duration_s) == (
        "c0",
        3,
        "/nowhere/c0.wav",
        4.0,
    )
    assert list(worst.models) == ["two:b", "one:a"]
    assert [piece.kind for piece in worst.models["two:b"].pieces] == ["equal", "replace", "equal", "delete"]
    assert other.errors == 1


def test_both_are_shown_within_100_columns_and_with_marks(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", "confusions", str(runs)]) == 0
    shown = capsys.readouterr().out
    assert "(nothing)" in shown
    assert main(["analyze", "worst", str(runs), "--top", "1"]) == 0
    shown += capsys.readouterr().out
    assert "1. c0: 3 errors" in shown
    assert "/nowhere/c0.wav, 0.00 to 4.00 s" in shown
    assert "the [-cat-] [+cap+] sat [-down-]" in shown
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= 100


def test_both_are_json(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", "confusions", str(runs), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["by_model"] == {"one:a": 1, "two:b": 1}
    assert main(["analyze", "worst", str(runs), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["models"]["two:b"]["words"]["deletions"] == 1


def test_no_rows_at_all_are_refused(runs: Path) -> None:
    with pytest.raises(UsageError, match="top must be at least 1"):
        ew.confusions(runs, top=0)


def test_compare_has_the_terms_in_its_wide_view_and_in_json(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (runs / "terms.txt").write_text("cat\ndog\n")
    assert main(["compare", str(runs), "--terms", str(runs / "terms.txt"), "--wide"]) == 0
    assert "Term recall" in capsys.readouterr().out
    assert main(["compare", str(runs), "--terms", str(runs / "terms.txt"), "--json"]) == 0
    row = json.loads(capsys.readouterr().out)["tables"][0]["rows"][0]
    assert row["terms"]["recall"]["value"] == 0.5
    assert row["terms"]["substitutes"][0] == {"term": "cat", "texts": {"cap": 1}}
    (table,) = ew.compare(runs, terms=["cat"]).tables
    assert term_grids(table.rows)[0]["rows"] == [["cat", "1", "0", "1", "cap"]]


def test_the_study_names_the_terms(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (runs / "terms.txt").write_text("cat\n")
    (runs / "earwitness.toml").write_text('[study]\ndata = ["x"]\nmodels = ["y:z"]\nterms = "terms.txt"\n')
    monkeypatch.chdir(runs)
    (table,) = ew.compare(".").tables
    assert all(row.terms is not None and row.terms.recall.value == 0.0 for row in table.rows)
