from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from earwitness.scoring.align.edits import align, align_letters
from earwitness.scoring.stats.passages import Passage, passages

WORDS = st.lists(st.sampled_from("abcd"), max_size=30)


@given(WORDS, WORDS, WORDS)
def test_passages_add_up_to_the_counts_of_the_alignment(said: list[str], one: list[str], other: list[str]) -> None:
    found = passages(said, [one, other])
    assert sum(passage.length for passage in found) == len(said)
    for place, heard in enumerate((one, other)):
        assert sum(passage.errors[place] for passage in found) == align(said, heard).errors


@given(st.text("abc", max_size=30), st.text("abc", max_size=30))
def test_letters_add_up_to_the_counts_of_letters(said: str, heard: str) -> None:
    found = passages(list(said), [list(heard)], method="letters")
    assert sum(passage.errors[0] for passage in found) == align_letters(said, heard).errors


def test_no_passage_ends_where_one_system_is_wrong_or_only_one_word_is_right() -> None:
    found = passages(
        ["a", "b", "c", "d", "e", "f", "g", "h"],
        [["a", "x", "c", "d", "e", "f", "g", "h"], ["a", "b", "c", "y", "e", "f", "g", "h"]],
    )
    assert found[0] == Passage((1, 1), 6)


def test_three_systems_are_cut_at_once() -> None:
    found = passages(["a", "b", "c", "d"], [["a", "b", "c", "d"], ["x", "b", "c", "d"], ["a", "b", "c"]])
    assert [passage.errors for passage in found] == [(0, 1, 0), (0, 0, 1)]
