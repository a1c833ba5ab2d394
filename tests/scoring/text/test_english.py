"""Our English: pairs that are the same words, pairs that are not, and every number."""

from __future__ import annotations

import random
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scoring.text.grammar import ORDINARY, PACKAGE, lines

from earwitness.scoring.text import normalizer
from earwitness.scoring.text.english import english
from earwitness.scoring.text.english_words import DIGITS, UNDER_HUNDRED

HOLDS = ("english_lexer.py",)

GROUPS = tomllib.loads((Path(__file__).parent / "english_pairs.toml").read_text("utf-8"))["group"]
SAME = [pair for group in GROUPS for pair in group["same"]]
OTHER = [pair for group in GROUPS for pair in group["other"]]
NAMES = {number: word for word, number in UNDER_HUNDRED.items()}
SENTENCE = [
    "the", "ferry", "was", "five", "twenty", "thousand", "hundred", "room", "dollars", "percent", "cents", "point",
    "oh", "first",
    "o'clock", "kg", "10:30", "$5", "half", "double", "am", "two", "50%", "mr", "b", "c", "i", "nineteen", "miles",
    "don't", "it's", "been", "a", "ten", "to", "no", "ok",
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_words_are_the_same(one: str, other: str) -> None:
    assert english(one) == english(other)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_other_words_are_not_the_same(one: str, other: str) -> None:
    assert english(one) != english(other)


@pytest.mark.parametrize("text", [text for pair in SAME + OTHER for text in pair])
def test_normalized_text_stays_as_it_is(text: str) -> None:
    once = english(text)
    assert english(" ".join(once)) == once


@pytest.mark.parametrize("seed", range(4))
def test_generated_text_stays_as_it_is_once_normalized(seed: int) -> None:
    rng = random.Random(seed)
    rows = [" ".join(rng.choices(SENTENCE, k=rng.randrange(2, 8))) for _ in range(3000)]
    for text in [*rows, *lines(1500, seed)]:
        once = english(text)
        assert english(" ".join(once)) == once, text


def said(number: int) -> str:
    """A number as it is read, with the British "and"."""
    if number in NAMES:
        return NAMES[number]
    if number < 100:
        return f"{NAMES[number // 10 * 10]}-{NAMES[number % 10]}"
    for scale, name in ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= scale:
            rest = number % scale
            joint = " and " if rest < 100 else " "
            return f"{said(number // scale)} {name}" + (joint + said(rest) if rest else "")
    raise AssertionError


@given(st.one_of(st.integers(2, 20_000), st.integers(2, 10**12 - 1)))
@settings(deadline=None, max_examples=400)
def test_a_number_is_its_digits_however_it_is_said(number: int) -> None:
    for text in (said(number), said(number).replace(" and ", " "), f"{number:,}", str(number)):
        assert english(text) == [str(number)], text


@given(st.integers(1000, 2999).filter(lambda year: year % 100 > 9))
@settings(deadline=None)
def test_a_year_is_read_in_pairs(year: int) -> None:
    assert english(f"in {said(year // 100)} {said(year % 100)}") == ["in", str(year)]


@given(st.lists(st.integers(0, 9), min_size=3, max_size=12))
@settings(deadline=None)
def test_digits_in_a_row_are_one_numeral(digits: list[int]) -> None:
    numeral = "".join(map(str, digits))
    names = {number: word for word, number in DIGITS.items()}
    assert english(" ".join(names[d] for d in digits)) == [numeral]
    assert english(" ".join(map(str, digits))) == [numeral]
    assert english("-".join(map(str, digits))) == [numeral]


@given(st.integers(0, 12), st.integers(0, 59), st.sampled_from(["", " am", " p.m."]))
@settings(deadline=None)
def test_a_time_is_read_as_hour_and_minute(hour: int, minute: int, half: str) -> None:
    read = said(minute) if minute > 9 else f"oh {said(minute)}"
    spoken = f"{said(hour)} {read}" if minute else said(hour) if half else f"{said(hour)} o'clock"
    assert english(f"at {hour}:{minute:02d}{half}") == english(f"at {spoken}{half}")


@given(st.integers(0, 10**6), st.integers(1, 99))
@settings(deadline=None)
def test_a_sum_is_read_as_whole_and_hundredths(whole: int, part: int) -> None:
    spoken = f"{said(whole)} dollars and {said(part)} cents" if whole else f"{said(part)} cents"
    assert english(f"${whole:,}.{part:02d}") == english(spoken)


def test_a_word_that_is_missing_is_missed() -> None:
    """But for the hundred of 220, which is read two twenty as well, and for $5 dollars, which is written twice."""
    rng = random.Random(0)
    for _ in range(5000):
        row = rng.choices(SENTENCE, k=rng.randrange(3, 8))
        gone = rng.randrange(len(row))
        if row[gone] != "dollars":
            assert english(" ".join(row)) != english(" ".join(row[:gone] + row[gone + 1 :])), (row, gone)


@given(st.lists(st.sampled_from([w for w in ORDINARY if PACKAGE(w) == w]), max_size=20))
def test_ordinary_words_come_out_as_whispers_rules_leave_them(row: list[str]) -> None:
    text = " ".join(row).capitalize() + "."
    assert english(text) == PACKAGE(text).split()


@given(st.text(max_size=80))
@settings(deadline=None, max_examples=500)
def test_any_text_has_words(text: str) -> None:
    assert all(word and not word.isspace() for word in english(text))


def test_generated_lines_have_words_that_do_not_depend_on_what_came_before() -> None:
    rows = list(lines(2000, seed=3))
    first = [english(text) for text in rows]
    assert [english(text) for text in reversed(rows)][::-1] == first


@pytest.mark.parametrize(
    "text",
    ["9" * 6000, "$" + "9" * 6000, "9" * 6000 + "th", "9" * 6000 + " million", "$" + "9" * 6000 + ".50",
     "July " + "9" * 6000,
     "9" * 6000 + " hundreds", "$" + "9" * 6000 + "k", "a" * 131_072, "a." * 8000, "a-" * 8000, "a@" * 8000,
     "1." * 8000, "1," * 8000, "(" * 131_072 + "a", "(" * 9000 + "a" + ")" * 9000, "'" + " " * 131_072 + "s",
     "a" + "'ve" * 40_000, "a " * 8000, "b " * 8000, "one " * 8000, "and " * 8000, "hundred and " * 4000,
     "one hundred and " * 4000, "oh " * 8000, "1/2 " * 8000, "x" + "\u200d" * 60_000],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_a_text_of_any_length_has_words(text: str) -> None:
    for words in (english(text), normalizer("multilingual").words(text, "haw")):
        assert words or "(((" in text
