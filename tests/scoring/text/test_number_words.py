from __future__ import annotations

import sys
from importlib import metadata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earwitness.errors import UsageError
from earwitness.scoring import ScoringOptions
from earwitness.scoring.text.number_words import decimal_words, has_number_words, number_words

LANGUAGES = ("es", "fr", "it", "de", "pt", "ru", "nl", "pl", "uk", "ca")


# From grammars, by hand; not from the package.
@pytest.mark.parametrize(
    ("language", "digits", "wordings"),
    [
        ("es", "1", {"uno", "un", "una"}),
        ("es", "31", {"treinta y uno", "treinta y un", "treinta y una", "tres uno"}),
        ("es", "500", {"quinientos", "quinientas"}),
        ("es", "221", {"doscientos veintiuno", "doscientas veintiuna"}),
        ("es", "1234", {"mil doscientos treinta y cuatro", "uno dos tres cuatro", "doce treinta y cuatro"}),
        ("fr", "1", {"un", "une"}),
        ("fr", "21", {"vingt et un", "vingt et une"}),
        ("fr", "71", {"soixante et onze", "septante et un", "septante et une"}),
        ("fr", "95", {"quatre-vingt-quinze", "nonante-cinq"}),
        ("fr", "200", {"deux cents", "deux cent"}),
        ("it", "23", {"ventitré", "ventitre"}),
        ("it", "101", {"centouno", "cento uno"}),
        ("de", "1", {"eins", "ein", "eine", "einen", "einem", "einer"}),
        ("de", "30", {"dreißig", "dreissig"}),
        ("de", "100", {"hundert", "einhundert"}),
        ("de", "1984", {"neunzehnhundertvierundachtzig", "tausendneunhundertvierundachtzig"}),
        ("pt", "2", {"dois", "duas"}),
        ("pt", "16", {"dezasseis", "dezesseis"}),
        ("pt", "14", {"catorze", "quatorze"}),
        ("pt", "300", {"trezentos", "trezentas"}),
        ("ru", "1", {"один", "одна", "одно", "одного", "одной"}),
        ("ru", "2", {"два", "две", "двух"}),
        ("ru", "23", {"двадцать три", "двадцати трёх", "двадцати трех"}),
        ("ru", "1000", {"тысяча", "одна тысяча"}),
    ],
)
def test_wordings_by_hand(language: str, digits: str, wordings: set[str]) -> None:
    assert wordings - set(number_words(digits, language)) == set()


@given(st.integers(0, 10**16), st.sampled_from(LANGUAGES))
def test_no_two_numbers_share_a_wording_that_reads_neither_digit_by_digit_nor_in_pairs(n: int, language: str) -> None:
    ours, next_ones = set(number_words(str(n), language)[:1]), set(number_words(str(n + 1), language))
    assert ours.isdisjoint(next_ones)


@given(st.text("0123456789aé٣ ", max_size=20), st.sampled_from((*LANGUAGES, "xx", "")))
def test_any_text_has_wordings_or_none_and_never_an_empty_one(digits: str, language: str) -> None:
    assert all(reading.strip() for reading in number_words(digits, language))


def test_decimals_have_the_sign_of_the_language() -> None:
    assert "tres punto cinco" in decimal_words("3", "5", "es")
    assert "drei Komma fünf" in decimal_words("3", "5", "de")
    assert decimal_words("3", "5", "ru") == ()


def test_languages_without_spaces_and_unknown_ones_have_no_number_words() -> None:
    assert [tag for tag in ("ja", "th", "zh", "tlh", None) if has_number_words(tag)] == []


def test_without_the_package_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(sys.modules[number_words.__module__], "version", missing)
    with pytest.raises(UsageError, match=r"earwitness\[numbers\]"):
        ScoringOptions(numbers=True)
    assert "numbers" not in ScoringOptions().signature("wer")
