"""The consensus: one vote a family, words by alignment, and nothing that depends on the order of the models."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from earwitness.errors import ScoringError, UsageError
from earwitness.scoring.align.consensus import consensus, consensus_without, lattice

TEXT = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=7)
WITNESS = st.tuples(TEXT, st.sampled_from(["one", "two", "three", "four"]))
WITNESSES = st.lists(WITNESS, min_size=1, max_size=6)


def of(witnesses: list[tuple[list[str], str]]) -> tuple[str, ...]:
    return consensus([text for text, _ in witnesses], [family for _, family in witnesses])


def words(*texts: str) -> list[list[str]]:
    return [text.split() for text in texts]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("the cat sat", "the hat sat", "the cat sat"), "the cat sat"),
        # Each text misses a word, or has one too many, at a place of its own: by position, nothing would agree.
        (("b c d e f g h", "a b c e f g h", "a b c d e f g"), "a b c d e f g h"),
        (("uh a b c", "a b c", "a uh b c"), "a b c"),
        (("a b c d", "a b", "a b"), "a b"),
        (("", "", "hello there"), ""),
        (("hello there", "hello there", ""), "hello there"),
        # Two words in place of one: each slot votes for itself.
        (("can not go", "cannot go", "can not go"), "can not go"),
        # Two of three insert the same word at the same place.
        (("press now", "press one now", "press one now please"), "press one now"),
    ],
)
def test_cases_that_can_be_worked_by_hand(texts: tuple[str, ...], expected: str) -> None:
    for order in permutations(words(*texts)):
        assert consensus(order, [str(n) for n in range(len(order))]) == tuple(expected.split())


def test_three_clones_do_not_outvote_two_families_that_agree() -> None:
    texts = words("press two", "press two", "press two", "press one", "press one")
    assert consensus(texts, ["clone", "clone", "clone", "a", "b"]) == ("press", "one")
    assert consensus(texts, ["1", "2", "3", "a", "b"]) == ("press", "two")


def test_members_of_a_family_share_its_vote() -> None:
    slots = lattice(words("press one", "press won", "press one", "press two"), ["a", "a", "b", "c"])
    assert slots[0].votes == {"press": 3.0}
    assert slots[1].votes == {"one": 1.5, "won": 0.5, "two": 1.0}


def test_a_tie_takes_the_word_of_the_more_typical_text() -> None:
    texts = words("a b c x", "a b c y", "a b q z")
    assert consensus(texts, ["1", "2", "3"])[:3] == ("a", "b", "c")
    assert consensus(texts, ["1", "2", "3"])[3] in ("x", "y"), "the third text is further from the others"


def test_two_families_that_disagree_give_one_of_the_two_texts_and_no_mixture() -> None:
    first, second = words("a x c d", "a b c y")
    assert consensus([first, second], ["1", "2"]) in (tuple(first), tuple(second))


def test_where_two_disagree_neither_is_preferred() -> None:
    pairs = [words(f"go {n} left", f"go {n} right now") for n in range(400)]
    shorter = sum(len(consensus(pair, ["1", "2"])) == 3 for pair in pairs)
    assert 150 < shorter < 250


@given(TEXT, st.lists(st.sampled_from(["one", "two"]), min_size=1, max_size=4))
def test_equal_texts_are_their_own_consensus(text: list[str], families: list[str]) -> None:
    assert consensus([text] * len(families), families) == tuple(text)


@given(WITNESSES, st.randoms(use_true_random=False))
def test_the_order_of_the_models_does_not_matter(witnesses: list[tuple[list[str], str]], random: object) -> None:
    shuffled = list(witnesses)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert of(shuffled) == of(witnesses)


@given(WITNESSES, st.data())
def test_a_clone_changes_nothing(witnesses: list[tuple[list[str], str]], data: st.DataObject) -> None:
    clone = data.draw(st.sampled_from(witnesses))
    assert of([*witnesses, clone, clone]) == of(witnesses)


@given(WITNESSES)
def test_the_names_of_families_do_not_matter(witnesses: list[tuple[list[str], str]]) -> None:
    new = {"one": "z", "two": "y", "three": "x", "four": "w"}
    assert of([(text, new[family]) for text, family in witnesses]) == of(witnesses)


@given(TEXT, TEXT, TEXT)
def test_a_text_that_most_families_have_is_the_consensus(most: list[str], other: list[str], third: list[str]) -> None:
    texts = [other, most, most, third, most]
    assert consensus(texts, ["1", "2", "3", "4", "5"]) == tuple(most)


@given(WITNESSES)
def test_every_text_is_a_path_through_the_lattice_and_the_votes_are_the_families(
    witnesses: list[tuple[list[str], str]],
) -> None:
    texts = [text for text, _ in witnesses]
    families = [family for _, family in witnesses]
    slots = lattice(texts, families)
    for text in texts:
        ways = {0}
        for slot in slots:
            ways = {
                way + (word != "")
                for way in ways
                for word in slot.votes
                if word == "" or (way < len(text) and text[way] == word)
            }
        assert len(text) in ways
    for slot in slots:
        assert sum(slot.votes.values()) == pytest.approx(len(set(families)))
        assert set(slot.votes) != {""}


@given(WITNESSES)
def test_the_consensus_is_nearer_to_the_votes_than_the_average_text(witnesses: list[tuple[list[str], str]]) -> None:
    texts = [tuple(text) for text, _ in witnesses]
    families = [str(n) for n in range(len(texts))]
    best = consensus(texts, families)
    distances = [sum(Levenshtein.distance(one, other) for other in texts) for one in texts]
    assert sum(Levenshtein.distance(best, other) for other in texts) <= max(distances)


def test_long_texts_are_aligned_in_pieces() -> None:
    text = [f"w{n}" for n in range(3000)]
    without = [text[:n] + text[n + 1 :] for n in (100, 1400, 2900)]
    assert consensus(without, ["1", "2", "3"]) == tuple(text)


def test_no_family_is_judged_by_its_own_vote() -> None:
    texts = words("press two", "press one", "press one")
    assert consensus_without(texts, ["a", "b", "b"], "b") == ("press", "two")
    with pytest.raises(ScoringError, match="Only the family 'b'"):
        consensus_without(texts, ["b", "b", "b"], "b")


def test_texts_and_families_must_pair() -> None:
    with pytest.raises(UsageError, match="2 texts and 1 families"):
        consensus(words("a", "a"), ["1"])
    with pytest.raises(ScoringError, match="at least one text"):
        consensus([], [])
