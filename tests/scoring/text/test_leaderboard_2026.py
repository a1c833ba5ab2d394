"""The Leaderboard's English since the summer of 2026: what its rules change of Whisper's."""

from __future__ import annotations

import pytest
from tests.scoring.text.grammar import lines

from earwitness.scoring.text import normalizer
from earwitness.scoring.text.leaderboard_2026 import FILLERS, REVISION, acronyms, compounds

NORM = normalizer(f"leaderboard-{REVISION}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The dog's bone, it's here", "the dog s bone it is here"),
        ("U.S.A. and u s a", "usa and usa"),
        ("The B B C on 5 G", "the bbc on 5g"),
        ("a big cat, i a b", "a big cat iab"),
        ("at 5 p.m., O.K.?", "at 5 pm okay"),
        ("Wi-Fi and e-mail, et cetera", "wifi and email etc"),
        ("kinda 'cause I dunno", "kinda cause i dunno"),
        ("Mr. Smith paid $1,000.", "mister smith paid $1000"),
        ("She'd gone, ain't that right, y'all?", "she had gone aint that right you all"),
    ],
)
def test_what_its_rules_make_of_a_text(text: str, words: str) -> None:
    assert NORM.words(text, "en") == words.split()


@pytest.mark.parametrize("filler", FILLERS)
def test_twenty_fillers_go(filler: str) -> None:
    assert len(FILLERS) == 20
    assert NORM.words(f"{filler}, yes", "en") == ["yes"]


def test_without_fillers_letters_in_a_row_and_short_is_its_rules_are_openais() -> None:
    openai = normalizer("whisper-english-openai").words
    same = 0
    for text in lines(800, seed=11):
        try:
            words = openai(text)
        except Exception:  # noqa: BLE001 - whatever the package raises
            continue
        line = " ".join(words)
        if set(words).isdisjoint({*FILLERS, "ok"}) and "'s" not in text.lower() and acronyms(compounds(line)) == line:
            assert NORM.words(text, "en") == words, text
            same += 1
    assert same > 300


def test_other_languages_keep_their_letters() -> None:
    assert NORM.words("Huh, ¿dónde?", "es") == ["huh", "dónde"]
