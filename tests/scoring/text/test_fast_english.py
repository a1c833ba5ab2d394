"""The fast English normalizer gives, letter for letter, what the package gives."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.scoring.text.grammar import FOREIGN, NUMBER_WORDS, ORDINARY, PACKAGE, british, lines
from whisper_normalizer.english import EnglishTextNormalizer

from earwitness import data
from earwitness.data import corpora
from earwitness.scoring.text import fast_english
from earwitness.scoring.text.fast_english import FastEnglish, english, is_known

FAST = english()
WORDS = st.lists(
    st.one_of(
        st.sampled_from(
            [*ORDINARY, *NUMBER_WORDS, *FOREIGN, "a", "and", "half", "it's", "'s", "been", "uh", "", "$", "%", "."]
        ),
        st.integers(0, 10**6).map(str),
        st.text(max_size=5),
    ),
    max_size=10,
)


def differences(job: tuple[int, int]) -> list[str]:
    """Return generated lines on which the two differ, for a number of lines and a seed."""
    fast = english()
    return [line for line in lines(*job) if outcome(fast, line) != outcome(PACKAGE, line)]


def outcome(normalize: Callable[[str], str], text: str) -> str | type[Exception]:
    try:
        return normalize(text)
    except Exception as error:  # noqa: BLE001 - whatever the package raises, ours has to
        return type(error)


def test_the_installed_package_is_one_whose_code_was_read() -> None:
    assert is_known(PACKAGE)
    assert isinstance(FAST, FastEnglish)


def test_five_thousand_generated_lines_come_out_the_same() -> None:
    assert differences((5_000, 0)) == []


@pytest.mark.long
@pytest.mark.real
def test_a_million_generated_lines_come_out_the_same() -> None:
    """In twenty parts, each with an empty cache, on every core; about three minutes on two."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        parts = pool.map(differences, [(50_000, seed) for seed in range(1, 21)])
        assert [line for part in parts for line in part] == []


@pytest.mark.real
def test_all_transcripts_of_the_corpora_come_out_the_same() -> None:
    texts = [clip.reference or "" for clip in data.load("sample").clips]
    for corpus in corpora.CORPORA:
        corpora.pull(corpus)
        texts += [clip.reference or "" for clip in data.load(corpus).clips]
    assert len(texts) > 2700
    assert [text for text in texts if FAST(text) != PACKAGE(text)] == []
    recording = " ".join(texts)
    assert FAST(recording) == PACKAGE(recording)


@given(st.text(max_size=80))
@example("y\t'all mmn't")
@example("uh '")
@settings(deadline=None, max_examples=500)
def test_any_text_comes_out_the_same(text: str) -> None:
    assert outcome(FAST, text) == outcome(PACKAGE, text)


@given(WORDS, st.sampled_from([" ", "  ", "\n", ", ", "-", " uh "]))
@example(["five", "and", "a", "half", "miles"], " ")
@example(["and", "a", "half"], " uh ")
@example(["it's", "been"], "  ")
@example(["$", "x", "%"], " ")
@settings(deadline=None, max_examples=500)
def test_any_row_of_words_comes_out_the_same(words: list[str], space: str) -> None:
    text = space.join(words)
    assert outcome(FAST, text) == outcome(PACKAGE, text)


def test_lower_case_is_reached_in_one_step_for_every_character() -> None:
    every = [chr(n) for n in range(0x110000) if not 0xD800 <= n < 0xE000]
    assert [c for c in every if c.lower().lower() != c.lower()] == []


def test_every_british_spelling_comes_out_the_same() -> None:
    text = " ".join(british())
    assert FAST(text) == PACKAGE(text)


def test_a_package_with_other_code_is_called_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_english, "code_hash", lambda: "of other code")
    assert isinstance(english(), EnglishTextNormalizer)


@pytest.mark.parametrize(
    ("table", "entry"),
    [("replacers", {r"\b(a|b)+\b": "c"}), ("replacers", {"'s": r"\g<0>"}), ("ignore_patterns", r"\w+ \w+")],
)
def test_a_package_with_tables_of_another_form_is_called_as_it_is(table: str, entry: object) -> None:
    package = EnglishTextNormalizer()
    assert is_known(package)
    setattr(package, table, entry)
    assert not is_known(package)


def test_number_words_contractions_and_spellings_are_those_of_the_installed_package() -> None:
    class Other(EnglishTextNormalizer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.replacers = {r"\bbrb\b": "be right back", r"'z been\b": " has been"}
            self.standardize_numbers.ones["dozen"] = 12
            self.standardize_numbers.words.add("dozen")
            self.standardize_spellings.mapping["gaol"] = "jail"

    package = Other()
    fast = FastEnglish(package)
    for text in ("two dozen and brb.", "it'z been a dozen", "gaol it's", "brb twenty dozen, gaol"):
        assert fast(text) == package(text)


def test_the_cache_is_bounded() -> None:
    fast = FastEnglish(EnglishTextNormalizer(), most_tokens=50, most_units=20)
    for number in range(300):
        assert fast(f"word{'x' * (number % 9)}q {number} apples y{'z' * (number % 40)}") is not None
        n_tokens, n_units = fast.n_kept
        assert n_tokens < 60
        assert n_units < 30


def test_a_word_that_is_too_long_is_not_kept() -> None:
    fast = FastEnglish(EnglishTextNormalizer())
    assert fast("word one word") == PACKAGE("word one word")
    kept = fast.n_kept
    assert fast("word" * 250 + " one word") == PACKAGE("word" * 250 + " one word")
    assert fast("1" * 1000 + " word") == PACKAGE("1" * 1000 + " word")
    assert fast.n_kept == kept
    assert fast("another one word") == PACKAGE("another one word")
    assert fast.n_kept[0] == kept[0] + 1
