from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earwitness.scoring.metrics.entities import entity_places
from earwitness.scoring.text import normalizer
from earwitness.scoring.text.entities import KINDS, EntityPlace, spoken_entities, without_overlaps, written_entities

PLACES = st.builds(
    lambda kind, start, size: EntityPlace(kind, start, start + size),
    st.sampled_from(KINDS), st.integers(0, 20), st.integers(1, 5),
)  # fmt: skip


def kinds(text: str, language: str = "en") -> list[str]:
    return [place.kind for place in entity_places(text, normalizer("auto").words(text, language), language)]


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        ("email", ["jane.doe@example.com", "jane dot doe at example dot com", "j d o e at example dot co dot uk",
                   "jane underscore doe at big bank dot com"]),
        ("phone", ["555-1234", "five five five one two three four", "(617) 555-1234", "+1 617 555 1234",
                   "one eight hundred five five five one two three four"]),
        ("date", ["March 3rd, 2024", "march third twenty twenty four", "the 3rd of March", "May 5th", "3/4/2024",
                  "2024-03-04", "5 March", "january 2024"]),
        ("time", ["3:30 pm", "three thirty p.m.", "ten o'clock", "half past three", "quarter to five", "10:30"]),
        ("money", ["$23.05", "twenty three dollars and five cents", "£1.5m", "20 euros", "fifty cents", "one dollar"]),
        ("code", ["AB12CD", "x seven k nine q a", "delta lima four five six", "BA-2490"]),
        ("digits", ["4242", "my pin is four two four two"]),
    ],
)  # fmt: skip
def test_written_and_spoken_forms_are_of_one_kind(kind: str, texts: list[str]) -> None:
    assert {text: kinds(f"so {text} please") for text in texts} == {text: [kind] for text in texts}


@pytest.mark.parametrize(
    "text",
    [
        "find us at example dot com",
        "may five people come",
        "I have a 10 or so",
        "five million people in 1984",
        "the FBI and the COVID wave",
        "march on",
        "one of the second floor rooms",
        "a b c",
    ],
)
def test_phrases_that_look_like_entities_are_none(text: str) -> None:
    assert kinds(text) == []


def test_other_languages_have_written_mail_addresses_and_digits_alone() -> None:
    assert kinds("escriba a juan@ejemplo.es o llame al 91 123 45 67 el 3/4/2024", "es") == ["email", "digits"]
    assert kinds("son 1.500.000 personas en 2024, unas 1.500", "es") == []
    assert kinds("march third", "fr") == []


@given(st.lists(PLACES, max_size=12))
def test_no_two_places_overlap_and_a_left_out_one_overlaps_one_that_goes_first(places: list[EntityPlace]) -> None:
    kept = without_overlaps(places)
    assert all(one.end <= other.start for one, other in pairwise(kept))
    for place in set(places) - set(kept):
        assert any(
            one.start < place.end and place.start < one.end and KINDS.index(one.kind) <= KINDS.index(place.kind)
            for one in kept
        )


@given(st.text(max_size=60), st.sampled_from(["en", "es", "zh", "xx"]))
def test_any_text_has_places_inside_itself(text: str, language: str) -> None:
    words = normalizer("auto").words(text, language)
    for places, length in ((written_entities(text, language), len(text)), (spoken_entities(words), len(words))):
        assert all(0 <= place.start < place.end <= length for place in places)
    assert all(0 <= place.start < place.end <= len(words) for place in entity_places(text, words, language))
