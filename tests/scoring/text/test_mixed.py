from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import clip, heard, score_of

from earwitness.scoring import ScoringOptions, score_clip, summarize
from earwitness.scoring.text import normalizer
from earwitness.scoring.text.mixed import counts_by_character, mixed_units
from earwitness.types import Clip, ClipScore, Edits, Score

OPTIONS = ScoringOptions(rounds=100)
UNSPACED = {
    "zh": "我想要一杯咖啡好的",
    "ja": "コーヒーをください々ー",
    "th": "ขอกาแฟหนึ่งถ้วยน้ำ",
    "lo": "ຂໍກາເຟໜຶ່ງຈອກ",
    "km": "សុំកាហ្វេ",
    "my": "ကော်ဖီတစ်ခွက်",
}
LATIN = st.text("abcdeé '.,", max_size=30)


def texts(language: str) -> st.SearchStrategy[str]:
    """Texts that begin with a letter: a mark alone is no text of any language."""
    letters = UNSPACED[language]
    return st.text(letters + " ", max_size=20).map(lambda text: letters[0] + text)


def mixed(*pairs: tuple[str, str], language: str = "zh") -> Score | None:
    clips: list[tuple[Clip, ClipScore]] = []
    for place, (reference, text) in enumerate(pairs):
        one = clip(str(place), reference, language=language)
        clips.append((one, score_clip(one, heard(text, one.id), OPTIONS)))
    return next((score for score in summarize(clips, OPTIONS) if score.metric == "mixed_error_rate"), None)


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("我想要 a cup of coffee", "我 想 要 a cup of coffee"),
        ("打开WiFi", "打 开 wifi"),
        ("2024年5月", "2024 年 5 月"),
        ("커피 한 잔 please", "커 피 한 잔 please"),
        ("コーヒーはGoogleで", "コ ー ヒ ー は google で"),
        ("один café", "один café"),
    ],
)
def test_units_by_hand(text: str, units: str) -> None:
    assert mixed_units(normalizer("auto").spaced_words(text, "zh")) == units.split()


def test_a_mark_behind_a_letter_that_counts_by_character_is_a_character_and_behind_another_a_part_of_the_word() -> None:
    assert mixed_units(["น้ำ"]) == ["น", "้", "ำ"]
    assert mixed_units(["и\u0306од"]) == ["и\u0306од"]


@pytest.mark.parametrize("language", sorted(UNSPACED))
@given(data=st.data())
def test_at_one_end_it_is_the_character_error_rate(language: str, data: st.DataObject) -> None:
    reference, text = data.draw(texts(language)), data.draw(texts(language))
    score = score_of(reference, text, language, OPTIONS)
    assert score.mixed is not None
    assert score.chars is not None
    assert (score.mixed.errors, score.mixed.length) == (score.chars.errors, score.chars.length)


@pytest.mark.parametrize("options", [OPTIONS, ScoringOptions("none"), ScoringOptions(compounds=True, rounds=10)])
@given(reference=LATIN, text=LATIN)
def test_at_the_other_end_it_is_the_word_error_rate(options: ScoringOptions, reference: str, text: str) -> None:
    assert score_of(reference, text, "es", options).mixed is None
    # The same words behind one Han character, so that there is a mixed rate: it adds a hit and no more.
    words, both = (score_of(*pair, "es", options) for pair in ((reference, text), (f"我 {reference}", f"我 {text}")))
    assert words.words is not None
    assert both.mixed is not None
    assert (both.mixed.errors, both.mixed.length) == (words.words.errors, words.words.length + 1)


def test_korean_counts_by_syllable_without_the_spaces_that_its_character_error_rate_counts() -> None:
    score = score_of("커피 한 잔", "커피 한잔", "ko", OPTIONS)
    assert score.mixed == Edits(hits=4)
    assert score.chars == Edits(hits=5, deletions=1)


def test_a_wrong_english_word_in_chinese_costs_one_and_so_does_a_wrong_character() -> None:
    score = score_of("我想要 a cup of coffee", "我想药 a cop of coffee", "zh", OPTIONS)
    assert score.mixed == Edits(hits=5, substitutions=2)


def test_a_corpus_has_the_score_only_if_a_reference_holds_such_a_script() -> None:
    assert mixed(("a cup", "a cup"), ("tea", "茶")) is None
    both = mixed(("a cup", "a cop"), ("茶", "茶"))
    assert both is not None
    assert (both.value, both.edits) == (1 / 3, Edits(hits=2, substitutions=1))
    assert "units:words-and-characters" in both.signature


def test_scripts_are_those_of_unicode() -> None:
    by_character = "漢ひカㄅ한ไລខခ"
    assert all(counts_by_character(letter) for letter in by_character)
    assert not any(counts_by_character(letter) for letter in "aяαאعहܐ1、")
