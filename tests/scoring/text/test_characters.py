"""What a language's text may hold: look-alikes, invisible characters, brackets and case."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earwitness.scoring.text import normalizer
from earwitness.scoring.text.characters import APOSTROPHES, QUOTES, REMARKS, lower_case, unify, without_remarks

LANGUAGES = ["", "en", "es", "uk", "haw", "fa", "hi", "ml", "ar", "tr", "el", "zh", "ja", "th", "ro", "lt"]


def words(text: str, language: str) -> list[str]:
    return normalizer("multilingual").words(text, language)


@pytest.mark.parametrize("mark", APOSTROPHES)
@pytest.mark.parametrize(
    ("language", "word", "length"),
    [
        ("uk", "м{}який", 1),
        ("be", "аб{}ява", 1),
        ("uz", "o{}zbek", 1),
        ("br", "c{}hoar", 1),
        ("haw", "Hawai{}i", 1),
        ("haw", "{}okina", 1),
        ("to", "fa{}a", 1),
        ("fr", "l{}hôtel", 2),
        ("it", "dell{}arte", 2),
        ("ca", "l{}home", 2),
    ],
)
def test_every_apostrophe_is_one_apostrophe_and_a_letter_where_it_is_one(
    mark: str, language: str, word: str, length: int
) -> None:
    found = words(word.format(mark), language)
    assert found == words(word.format("'"), language)
    assert len(found) == length
    assert unify(word.format(mark), language) == unify(word.format("'"), language)


def test_a_quoted_word_has_no_letter_more() -> None:
    assert words("‘yes’ ua ‘aloha’", "haw") == ["yes", "ua", "aloha"]
    assert words("'так', 'м'яко'", "uk") == ["так", "мʼяко"]


@pytest.mark.parametrize(
    "mark",
    ["\u200b", "\u200e", "\u200f", "\u061c", "\u202a", "\u202e", "\u2066", "\u2069", "\ufeff", "\u2060", "\u00ad",
     "\u034f", "\ufe0f", "\U000e0100", "\x00", "\u180e"],
)  # fmt: skip
@pytest.mark.parametrize(("language", "word"), [("ar", "القطار"), ("en", "train"), ("he", "רכבת"), ("ja", "電車")])
def test_what_nobody_sees_makes_no_difference(mark: str, language: str, word: str) -> None:
    auto = normalizer("auto").words
    assert auto(word[:2] + mark + word[2:] + mark, language) == auto(word, language)


def test_tatweel_goes_and_letters_stay() -> None:
    assert words("الـــقطار", "ar") == words("القطار", "ar")
    assert words("أحمد", "ar") != words("احمد", "ar")


@pytest.mark.parametrize(
    ("language", "with_joiner", "kept"),
    [
        ("fa", "می\u200cخواهم", True),
        ("ckb", "بەڕێوە\u200cبەر", True),
        ("ar", "ال\u200cقطار", False),
        ("de", "Auf\u200clage", False),
        ("si", "ශ්\u200dරී", True),
        ("hi", "क्\u200dष", True),
        ("kn", "ರ್\u200dಯ", True),
        ("en", "rain\u200dbow", False),
        ("", "a\u200cb", False),
    ],
)
def test_joiners_stay_where_they_carry_meaning(language: str, with_joiner: str, kept: bool) -> None:
    bare = with_joiner.replace("\u200c", "").replace("\u200d", "")
    assert (unify(with_joiner, language) != unify(bare, language)) == kept


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("fa", "كتاب علي", "کتاب علی"),
        ("ur", "كي", "کی"),
        ("ro", "Bucureşti şi Galaţi", "București și Galați"),
        ("ml", "അവന്\u200d", "അവൻ"),
        ("bn", "হঠাত্\u200d", "হঠাৎ"),
        ("hi", "२०२६", "2026"),
        ("ar", "٢٠٢٦", "2026"),
        ("fa", "۲۰۲۶", "2026"),
        ("vi", unicodedata.normalize("NFD", "Việt Nam"), "Việt Nam"),
        ("ko", unicodedata.normalize("NFD", "한국어"), "한국어"),
        ("ja", "ｶﾀｶﾅ ＡＢＣ１２", "カタカナ ABC12"),
        ("es", "2½ horas", "2 1/2 horas"),
        ("de", "STRAẞE", "straße"),
        ("el", "ΟΔΟΣ", "οδος"),
        ("el", "οδοσ", "οδος"),
        ("tr", "İstanbul IŞIK", "istanbul ışık"),
        ("az", "İYUN ILIQ", "iyun ılıq"),
        ("tr", "I\u0307stanbul", "istanbul"),
        ("es", "İstanbul", "istanbul"),
    ],
)
def test_two_ways_to_write_one_letter_are_one(language: str, one: str, other: str) -> None:
    assert words(one, language) == words(other, language)


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [("de", "Maße", "Masse"), ("ru", "ёлка", "елка"), ("es", "esta", "está"), ("ps", "ي", "ی"), ("tr", "kıl", "kil")],
)
def test_two_letters_stay_two(language: str, one: str, other: str) -> None:
    assert words(one, language) != words(other, language)


@pytest.mark.parametrize("pair", REMARKS)
def test_a_remark_in_brackets_of_any_script_goes(pair: str) -> None:
    before, after = tuple(pair)
    assert words(f"{before}笑{after}そう {before}a {before}b{after} c{after}", "ja") == list("そう")
    assert words(f"uno {before}risas{after} dos", "es") == ["uno", "dos"]


@pytest.mark.parametrize("pair", QUOTES)
def test_what_is_quoted_was_said(pair: str) -> None:
    before, after = tuple(pair)
    assert words(f"{before}はい{after}と言う", "ja") == list("はいと言う")


@pytest.mark.parametrize("text", ["（笑）そうですね", "(笑)そうですね", "［笑］そうですね", "＜笑＞そうですね"])
def test_full_width_brackets_are_brackets(text: str) -> None:
    assert words(text, "ja") == list("そうですね")


@pytest.mark.parametrize("text", ["(617) 555", "[open", "a ) b", "<>"])
def test_numbers_in_brackets_and_lone_brackets_are_no_remarks(text: str) -> None:
    assert without_remarks(text) == text.replace("<>", " ")


@pytest.mark.parametrize("text", ["...", "…", "€", "%", "—", "『』", "1️⃣"[1:], "♪"])
@pytest.mark.parametrize("language", ["en", "es", "ja", None])
def test_a_lone_mark_is_no_word(text: str, language: str | None) -> None:
    assert normalizer("auto").words(text, language) == []


@given(st.text(max_size=60), st.sampled_from(LANGUAGES))
def test_a_clean_text_stays_as_it_is(text: str, language: str) -> None:
    once = words(text, language)
    assert words(" ".join(once), language) == once


@given(st.text(alphabet=st.characters(max_codepoint=0x24F), max_size=60))
def test_lower_case_without_a_language_is_pythons_but_for_the_dotted_i(text: str) -> None:
    if "İ" not in text and "i\u0307" not in text.lower():
        assert lower_case(text) == text.lower()
