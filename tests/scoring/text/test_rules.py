"""A user's own rules: read, refused, kept in the record, and part of the signature."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import earwitness as ew
from earwitness.errors import UsageError
from earwitness.scoring import ScoringOptions
from earwitness.scoring.text import normalizer
from earwitness.scoring.text.rules import Rules, parse

RULES = """
base = "basic"
[[before]]
pattern = '(?i)\\bdr\\.'
with = "doctor"
[words]
"wifi" = "wi fi"
"you  know" = ""
"you know who" = "voldemort"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rules.toml"
    path.write_text(RULES)
    return path


def test_patterns_come_before_the_base_and_words_after_it_longest_first(file: Path) -> None:
    words = normalizer(str(file)).words
    assert words("Dr. Who, you know, has WiFi!") == ["doctor", "who", "has", "wi", "fi"]
    assert words("You know who.") == ["voldemort"]


def test_the_name_of_rules_is_the_rules_and_needs_no_file(file: Path) -> None:
    found = normalizer(str(file))
    file.unlink()
    assert normalizer(found.name) == found
    assert found.signature.startswith("rules-")
    assert found.signature.endswith(f"({normalizer('basic').signature})")


def test_other_rules_have_another_signature(file: Path) -> None:
    before = normalizer(str(file)).signature
    file.write_text(RULES.replace("voldemort", "riddle"))
    assert normalizer(str(file)).signature != before


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=9))
def test_without_rules_nothing_is_changed(words: list[str]) -> None:
    assert Rules("none", (), {}).replaced(words) == words
    assert Rules("none", (), {"a b": "a b", "c": "c"}).replaced(words) == words


def test_a_score_and_a_record_keep_the_rules_and_not_the_file(file: Path, three_clips: Path, tmp_path: Path) -> None:
    assert ScoringOptions(str(file)).normalizer.startswith("rules:{")
    found = ew.score(["the wifi"], ["the wi fi"], normalizer=str(file)).score("wer")
    assert found is not None
    assert found.value == 0
    (record,) = ew.run(three_clips, "fake:echo", normalizer=str(file), out=tmp_path / "runs")
    file.unlink()
    assert parse(record.run.scoring.normalizer).base == "basic"
    (again,) = ew.rescore(record, normalizer=record.run.scoring.normalizer)
    assert again.run.scores == record.run.scores


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("base = 1", "'base' of rules"),
        ('base = "basik"', "There is no normalizer 'basik'. Did you mean 'basic'"),
        ('base = "other.toml"', "cannot have rules as their base"),
        ("wrods = {}", "have an unknown key 'wrods'"),
        ("words = { a = 1 }", "not a table of texts"),
        ("[[before]]\npattern = 'a'", "Each needs a text 'pattern' and a text 'with'"),
        ("[[before]]\npattern = '('\nwith = ''", "is not a valid pattern"),
        ("[[before]]\npattern = 'a'\nwith = '\\2'", "is not a valid pattern"),
        ("words = ", "are not TOML"),
    ],
)
def test_what_is_no_rule_is_refused_in_one_sentence(file: Path, text: str, says: str) -> None:
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        normalizer(str(file))
    assert says in str(caught.value)


def test_a_file_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(UsageError, match=r"no file of rules 'nowhere.toml'"):
        normalizer("nowhere.toml")
