"""What people type: taken as it is written, and checked before it is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earwitness.errors import UsageError
from earwitness.labels.page.wording import clean_text, require_author, require_braces
from earwitness.scoring.align.alternatives import parse


@pytest.mark.parametrize("text", ["{a / b", "a / b}", "{a / {b / c}", "}{", "so {i want to / i wanna go"])
def test_braces_without_a_partner_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="do not match"):
        clean_text(text, "text")


@given(st.text(alphabet="ab {}/@", max_size=12))
def test_every_text_that_is_taken_can_be_scored(text: str) -> None:
    depths = [text[: n + 1].count("{") - text[: n + 1].count("}") for n in range(len(text))]
    matches = not depths or (min(depths) >= 0 and depths[-1] == 0)
    if matches:
        require_braces(text)
        parse(text)
    else:
        with pytest.raises(UsageError):
            require_braces(text)


@pytest.mark.parametrize("text", ["", "  \n ", None])
def test_no_text_is_a_verdict_and_not_a_text(text: str | None) -> None:
    with pytest.raises(UsageError, match="not speech"):
        clean_text(text, "text")
    assert clean_text(text, "several speakers") is None
    assert clean_text(text, "unintelligible") is None


def test_case_punctuation_and_scripts_stay_as_they_are_typed() -> None:
    assert clean_text("Ça va?\nOui – ¡25 €! 你好", "several speakers") == "Ça va? Oui – ¡25 €! 你好"


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 101, "\x1b[31m"])
def test_a_label_says_who_made_it(name: str) -> None:
    with pytest.raises(UsageError):
        require_author(name)
    require_author("Ana María")


def test_a_text_without_end_is_refused() -> None:
    with pytest.raises(UsageError, match="characters"):
        clean_text("x" * 600_000, "text")
