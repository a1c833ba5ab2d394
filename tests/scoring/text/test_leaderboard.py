"""The Leaderboard's English, step by step as its code has it, and the short way around it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scoring.text.grammar import lines
from whisper_normalizer.english import EnglishTextNormalizer

from earwitness.scoring.text import normalizer
from earwitness.scoring.text.leaderboard import REVISION, Leaderboard

PIECES = st.sampled_from(
    ["u.s.", "U.", "S.", "a.b.c.d.", "n.b.a.'s", "f.b.i.s", "...", "wait....", "(x)", "[y", "uh", "'s", "kinda",
     "cause", "won't", "p.m.", "twenty one", "$5", "m.", "u.h.", "Dr.", "colour", "i.", "b"]
)  # fmt: skip
NORM = Leaderboard()
REST = EnglishTextNormalizer()
REST.ignore_patterns = "(?!)"
REST.replacers = {p: text for p, text in REST.replacers.items() if not re.search("kinda|sorta|dunno|bcause", p)}


def step_by_step(text: str) -> str:
    """Every rule in the Leaderboard's order, spelled out, without any short way."""
    text = text.lower()
    text = re.sub(r"\.{3,}\s*$", "", text)
    text = re.sub(r"\s*\.{3,}\s*", " ", text)
    text = re.sub(r"[<\[][^>\]]*[>\]]", "", text)
    text = re.sub(r"\(([^)]+?)\)", "", text)
    text = re.sub(r"\b(hmm|mm|mhm|mmm|uh|um)\b", "", text)
    text = re.sub(r"\s+'", "'", text)
    one = "([a-z])"
    text = re.sub(rf"\b{one}\.{one}\.{one}\.s\b", r"\1\2\3s", text)
    text = re.sub(rf"\b{one}\.{one}\.{one}\.{one}\.?\b", r"\1\2\3\4", text)
    text = re.sub(rf"\b{one}\.{one}\.{one}\.?\b", r"\1\2\3", text)
    text = re.sub(rf"\b{one}\.{one}\.?\b", r"\1\2", text)
    text = re.sub(rf"\b{one}\.\s+{one}\.\s+{one}\.\s+{one}\.\b", r"\1\2\3\4", text)
    text = re.sub(rf"\b{one}\.\s+{one}\.\s+{one}\.\b", r"\1\2\3", text)
    text = re.sub(rf"\b{one}\.\s+{one}\.\b", r"\1\2", text)
    text = re.sub(rf"\b{one}\.{one}\.{one}\.'s\b", r"\1\2\3s", text)
    return " ".join(REST(text).split())


def outcome(normalize: Callable[[str], str], text: str) -> object:
    """The words, or the type of what the package raises."""
    try:
        return normalize(text).split()
    except Exception as error:  # noqa: BLE001 - whatever the package raises, ours has to
        return type(error)


@given(st.lists(PIECES, max_size=8).map(" ".join))
@settings(max_examples=300, deadline=None)
def test_pieces_that_meet_every_rule_come_out_as_step_by_step(text: str) -> None:
    assert outcome(NORM, text) == outcome(step_by_step, text)


def test_a_thousand_generated_lines_come_out_as_step_by_step() -> None:
    for text in lines(1000, seed=0):
        assert outcome(NORM, text) == outcome(step_by_step, text), text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The U.S. won't pay $20 million...", "the us will not pay $20000000"),
        ("kinda, sorta; I dunno, 'cause I am", "kinda sorta i dunno cause i am"),
        ("at 5 p.m. (laughs) mhm", "at 5 pm"),
    ],
)
def test_what_is_other_than_whispers(text: str, words: str) -> None:
    assert normalizer("leaderboard").words(text, "en-GB") == words.split()


def test_other_languages_keep_their_letters() -> None:
    assert normalizer("leaderboard").words("¿Dónde está la U.S.?", "es") == normalizer("basic").words(
        "¿Dónde está la U.S.?"
    )


def test_the_examples_on_the_page_of_metrics_are_true() -> None:
    page = (Path(__file__).parents[3] / "docs" / "metrics.md").read_text("utf-8")
    rules = page.partition("### Which of the Leaderboard's rules")[2].partition("Later revisions")[0]
    examples = re.findall(r"`([^`]+)` is `([^`]+)`", rules)
    assert len(examples) == 12
    for text, words in examples:
        assert normalizer("leaderboard").words(text, "en") == words.split(), text
    assert f"revision {REVISION}" in rules
    assert normalizer("leaderboard").signature in rules
