"""MER and WIL are Morris, Maier and Green's and jiwer's; the pairs with most errors are aligned for a reader."""

from __future__ import annotations

import json
from pathlib import Path

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

import earwitness as ew
from earwitness.cli import main
from earwitness.scoring.metrics.information import match_error_rate, word_information_lost
from earwitness.types import Edits

HOLDS = ("mistakes.py", "word_diff.py")

WORDS = st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=8), min_size=1, max_size=5)


@given(WORDS, st.data())
def test_the_formulas_give_jiwers_rates_from_jiwers_counts(said: list[list[str]], data: st.DataObject) -> None:
    heard = [data.draw(st.lists(st.sampled_from("abcd"), max_size=8)) for _ in said]
    theirs = jiwer.process_words([" ".join(text) for text in said], [" ".join(text) for text in heard])
    edits = Edits(theirs.hits, theirs.substitutions, theirs.deletions, theirs.insertions)
    assert match_error_rate(edits) == pytest.approx(theirs.mer)
    assert word_information_lost(edits) == pytest.approx(theirs.wil)


@given(WORDS, st.data())
def test_score_has_jiwers_rates_where_the_hits_are_the_same_and_less_where_it_has_more_hits(
    said: list[list[str]], data: st.DataObject
) -> None:
    heard = [data.draw(st.lists(st.sampled_from("abcd"), min_size=1, max_size=8)) for _ in said]
    sides = [" ".join(text) for text in said], [" ".join(text) for text in heard]
    theirs, found = jiwer.process_words(*sides), ew.score(*sides, normalizer="none")
    mer, wil, wer = (found.score(name) for name in ("mer", "wil", "wer"))
    assert mer is not None
    assert wil is not None
    assert wer is not None
    assert wer.edits is not None
    assert mer.value is not None
    assert wil.value is not None
    assert wer.edits.hits >= theirs.hits
    if wer.edits.hits == theirs.hits:
        assert (mer.value, wil.value) == pytest.approx((theirs.mer, theirs.wil))
    else:
        assert mer.value < theirs.mer
        assert wil.value < theirs.wil


@pytest.mark.parametrize(
    ("edits", "mer", "wil"),
    [
        (Edits(hits=4), 0.0, 0.0),
        (Edits(deletions=4), 1.0, 1.0),
        (Edits(insertions=4), 1.0, 1.0),
        (Edits(substitutions=4), 1.0, 1.0),
        (Edits(hits=2, insertions=6), 0.75, 0.75),
        (Edits(hits=1, substitutions=1), 0.5, 0.75),
        (Edits(), None, None),
    ],
)
def test_ends_of_the_scale(edits: Edits, mer: float | None, wil: float | None) -> None:
    assert (match_error_rate(edits), word_information_lost(edits)) == (mer, wil)


def test_a_failed_pair_counts_as_empty_in_both() -> None:
    found = ew.score(["a b", "c d"], ["a b", None], normalizer="none")
    assert [found.score(name).value for name in ("mer", "wil")] == [0.5, 0.5]  # type: ignore[union-attr]
    assert "align:levenshtein" in found.score("mer").signature  # type: ignore[union-attr]


@pytest.fixture
def spanish(tmp_path: Path) -> tuple[str, str]:
    said = ["llamo al numero de telefono", "el camion llego manana", "uno dos tres", "cuatro"]
    heard = ["llamó al número de teléfono", "el camión llegó mañana", "uno tres cinco seis", "cuatro"]
    for name, lines in (("said.txt", said), ("heard.txt", heard)):
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    return str(tmp_path / "said.txt"), str(tmp_path / "heard.txt")


def test_score_says_that_accents_alone_cost_points(spanish: tuple[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["score", *spanish, "--language", "es"]) == 0
    printed = capfd.readouterr().out
    assert "Note: accents alone cost 46.2 points of WER: it would be 23.1 % without, not 69.2 %." in printed
    assert main(["score", spanish[1], spanish[1], "--language", "es"]) == 0
    assert "accents" not in capfd.readouterr().out
    assert main(["score", *spanish, "--language", "es", "--json"]) == 0
    (cost,) = json.loads(capfd.readouterr().out)["unfolded"]
    assert (cost["kind"], cost["in_references"], cost["in_texts"]) == ("accents", 0, 6)


def test_lower_says_what_punctuation_costs() -> None:
    found = ew.score(["well i never", "so it is"], ["Well, I never!", "So. It is."], normalizer="lower")
    assert [one.kind for one in found.unfolded] == ["punctuation"]


def test_errors_lists_the_pairs_with_most_errors_aligned_word_by_word(
    spanish: tuple[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", *spanish, "--language", "es", "--errors", "9"]) == 0
    printed = capfd.readouterr().out
    assert printed.endswith(
        "line 1: 3 errors in 5 words (3 substituted, 0 deleted, 0 inserted)\n"
        "  said:  LLAMO al NUMERO de TELEFONO\n"
        "  heard: LLAMÓ al NÚMERO de TELÉFONO\n"
        "line 2: 3 errors in 4 words (3 substituted, 0 deleted, 0 inserted)\n"
        "  said:  el CAMION LLEGO MANANA\n"
        "  heard: el CAMIÓN LLEGÓ MAÑANA\n"
        "line 3: 3 errors in 3 words (0 substituted, 1 deleted, 2 inserted)\n"
        "  said:  uno DOS tres ***** ****\n"
        "  heard: uno *** tres CINCO SEIS\n"
    )
    assert "[-" not in printed


def test_errors_are_in_the_json_with_their_alignment(
    spanish: tuple[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", *spanish, "--language", "es", "--errors", "3", "--json"]) == 0
    answer = json.loads(capfd.readouterr().out)
    last = answer["errors"][2]
    assert last["id"] == "line 3"
    assert [(piece["kind"], piece["reference"], piece["hypothesis"]) for piece in last["pieces"]] == [
        ("equal", "uno", "uno"),
        ("delete", "dos", ""),
        ("equal", "tres", "tres"),
        ("insert", "", "cinco seis"),
    ]
    assert answer["mer"]["value"] == pytest.approx(9 / 15)
    assert answer["wil"]["value"] == pytest.approx(1 - 6 / 13 * 6 / 14)


@given(st.lists(st.tuples(*[st.lists(st.sampled_from("ab"), max_size=6).map(" ".join)] * 2), min_size=1, max_size=4))
def test_an_alignment_has_all_words_and_the_counts_of_the_score(pairs: list[tuple[str, str]]) -> None:
    found = ew.score([said for said, _ in pairs], [heard for _, heard in pairs], normalizer="none")
    listed = found.most_errors(len(pairs))
    errors = [one.words.errors for one in listed]
    assert errors == sorted(errors, reverse=True)
    assert sum(errors) == found.scores[0].edits.errors  # type: ignore[union-attr]
    texts = {f"line {n}": pair for n, pair in enumerate(pairs, start=1)}
    for one in listed:
        said = " ".join(piece.reference for piece in one.pieces if piece.reference)
        heard = " ".join(piece.hypothesis for piece in one.pieces if piece.hypothesis)
        assert (said, heard) == texts[one.id]
        hits = sum(len(piece.reference.split()) for piece in one.pieces if piece.kind == "equal")
        assert hits == one.words.hits
