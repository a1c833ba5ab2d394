from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.scoring.text.grammar import lines

from earwitness.errors import UsageError
from earwitness.scoring.text import NAMES, join_words, normalizer
from earwitness.scoring.text.whisper import ADDED

HOLDS = ("multilingual.py", "whisper.py")


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        ("en", "Mr. Smith's colour—it isn't £5!", ["mister", "smiths", "color", "it", "is", "not", "5", "pounds"]),
        ("en-GB", "The U.S. train", ["the", "us", "train"]),
        ("es-MX", "¿Cuántos años, señor?", ["cuántos", "años", "señor"]),
        ("hi", "नमस्ते, दुनिया!", ["नमस्ते", "दुनिया"]),
        ("ar", "السَّلَامُ عَلَيْكُمْ", ["السَّلَامُ", "عَلَيْكُمْ"]),
        ("ru", "Ёлка (смеётся) стоит.", ["ёлка", "стоит"]),
        (None, "Grüße [music]", ["grüße"]),
    ],
)
def test_auto_takes_the_rules_of_the_clips_language(language: str | None, text: str, words: list[str]) -> None:
    assert normalizer("auto").words(text, language) == words


@pytest.mark.parametrize(("language", "text"), [("hi", "किताब"), ("th", "น้ำ"), ("ta", "கோயில்"), ("ar", "مُحَمَّد")])
def test_basic_keeps_vowel_signs_that_whispers_own_basic_normalizer_strips(language: str, text: str) -> None:
    import unicodedata

    kept = join_words(normalizer("basic").words(text, language), language)
    assert kept == unicodedata.normalize("NFKC", text)


def test_languages_without_spaces_are_compared_by_letters() -> None:
    norm = normalizer("auto")
    assert norm.words("今日は、良い。", "ja") == list("今日は良い")
    assert join_words(norm.words("今日は、良い。", "ja"), "ja") == "今日は良い"
    assert join_words(["two", "words"], "en") == "two words"


def test_none_changes_nothing_but_white_space() -> None:
    assert normalizer("none").words("  Mr.  Smith,\tMr! ", "en") == ["Mr.", "Smith,", "Mr!"]


@given(st.text(max_size=60), st.sampled_from(["es", "hi", None]))
def test_basic_is_idempotent(text: str, language: str | None) -> None:
    norm = normalizer("basic")
    once = norm.words(text, language)
    assert norm.words(" ".join(once), language) == once


def test_every_signature_is_different_and_names_the_version() -> None:
    signatures = {normalizer(name).signature for name in NAMES}
    assert len(signatures) == len(NAMES)
    assert all("@" in signature or signature == "none" for signature in signatures)


def test_a_misspelt_normalizer_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="Did you mean 'whisper-english'"):
        normalizer("wisper-english")


def test_the_default_before_our_own_rules_can_be_asked_for_by_name() -> None:
    before = normalizer("whisper")
    assert before.signature == "auto(en=whisper-english@0.1.15,*=basic@0.1.15)"
    assert before.words("It costs $0.5, isn’t it...", "en") == normalizer("whisper-english").words(
        "It costs $0.5, isn’t it...", "en"
    )
    assert before.words("l’hôtel", "fr") == normalizer("basic").words("l’hôtel", "fr")


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("lower", "none")])
def test_unspaced_languages_are_letters_under_every_name(name: str) -> None:
    assert normalizer(name).words("我用 iPhone。", "zh-CN") == list("我用iphone")


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("Well, WELL.", "en", ["well,", "well."]),
        ("DİYARBAKIR'da IŞIK", "tr", ["diyarbakır'da", "ışık"]),
        ("ΟΔΟΣ ΜΟΥ", "el", ["οδοσ", "μου"]),
        ("我用 iPhone。", "zh-CN", ["我用", "iphone。"]),
    ],
)
def test_lower_changes_case_alone(text: str, language: str, words: list[str]) -> None:
    assert normalizer("lower").words(text, language) == words


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("whisper-english", "the root because"),
        ("whisper-english-openai", "the root cause"),
        ("leaderboard", "the root cause"),
        ("leaderboard-f83d546", "the root cause"),
        ("english", "the root cause"),
        ("auto", "the root cause"),
    ],
)
def test_the_root_cause_is_because_to_the_package_alone(name: str, words: str) -> None:
    assert normalizer(name).words("the root cause", "en") == words.split()


def test_openais_rules_are_the_packages_but_for_four_contractions() -> None:
    ours, theirs = normalizer("whisper-english-openai").words, normalizer("whisper-english").words
    for text in lines(1500, seed=7):
        if not any(word in text.lower() for word in ADDED):
            assert outcome(ours, text) == outcome(theirs, text)


def outcome(words: Callable[[str], list[str]], text: str) -> object:
    try:
        return words(text)
    except Exception as error:  # noqa: BLE001 - whatever the package raises
        return type(error)


@pytest.mark.parametrize("name", ["whisper-english", "whisper-english-openai", "leaderboard", "leaderboard-f83d546"])
@pytest.mark.parametrize(
    "text", ["9" * 5000, "$" + "9" * 9000, "nine " * 5000 + "thousand"], ids=["digits", "money", "words"]
)
def test_a_numeral_without_end_does_not_break_the_rules_of_others(name: str, text: str) -> None:
    words = normalizer(name).words(f"it was {text} you know", "en")
    assert (words[:2], words[-2:]) == (["it", "was"], ["you", "know"])
    assert sum(word.count("9") for word in words) == text.count("9") + text.count("nine")


def test_a_mark_without_a_letter_is_no_word_with_a_space_in_it() -> None:
    words = normalizer("multilingual").words("می \u09cd\u200d क्\u200dष", "ja")
    assert words == ["م", "ی", "\u09cd\u200d", "क्\u200dष"]
    assert normalizer("multilingual").words(" ".join(words), "ja") == words
