"""Rules on key terms: the list of a policy, recall and precision, and what the decision keeps of the list."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from tests.comparison.study import clip, heard, record

from earwitness.decision.decide import decide
from earwitness.decision.decision import Decision
from earwitness.decision.decision_file import read_decision, write_decision
from earwitness.decision.policy import load, parse
from earwitness.errors import PolicyError
from earwitness.reports.decision import explanation

TEXTS = [
    ("ask doctor nagy today", "ask doctor nodge today"), ("nagy is here", "nagy is here"), ("call weiss", "call weiss"),
    ("weiss and nagy", "weiss and nagy"), ("no name at all", "no nagy at all"), ("weiss again", "vice again"),
]  # fmt: skip
RULES = "[gates]\nterm_recall = { at_least = 0.9, by = 'value' }\n"


def decided(root: Path, policy: str) -> Decision:
    pairs = [(one := clip(f"c{n}", said.split(), 9.0), heard(one, text, 1.0)) for n, (said, text) in enumerate(TEXTS)]
    path = record(root, "steady:base", "calls", pairs)
    (root / "terms.txt").write_text("# names\nNagy\nWeiss\n")
    (root / "p.toml").write_text(policy)
    return decide([path], load(str(root / "p.toml")), out=root / "decision.json")


def test_a_gate_on_recall_fails_and_says_which_terms_were_missed(tmp_path: Path) -> None:
    found = decided(tmp_path, f'terms = "terms.txt"\n{RULES}')
    (rule,) = found.verdicts[0].rules
    assert (rule.outcome, rule.measured) == ("failed", 4 / 6)
    assert rule.ci95 is not None
    assert "missed most: Nagy (1 of 3), Weiss (1 of 3)" in found.verdicts[0].reasons[0]


def test_precision_counts_what_was_written_where_it_was_not_said(tmp_path: Path) -> None:
    found = decided(tmp_path, 'terms = ["Nagy", "Weiss"]\n[gates]\nwer = 0.9\n[targets]\nterm_precision = 0.95\n')
    rule = found.verdicts[0].rules[1]
    assert rule.measured == 4 / 5
    assert rule.reason == "written where it was not said: Nagy (1 of 3)"


def test_the_decision_keeps_the_terms_and_the_sha256_of_their_file(tmp_path: Path) -> None:
    found = decided(tmp_path, f'terms = "terms.txt"\n{RULES}')
    write_decision(tmp_path / "decision.json", found)
    policy = read_decision(tmp_path / "decision.json").policy
    assert policy.terms == ("Nagy", "Weiss")
    assert policy.terms_sha256 == hashlib.sha256((tmp_path / "terms.txt").read_bytes()).hexdigest()


def test_the_policy_in_words_names_its_terms() -> None:
    shown = explanation(parse(f'terms = ["Nagy", "New York"]\n{RULES}', "p.toml"))
    assert "Key terms (2): Nagy, New York" in shown


def test_terms_in_the_policy_have_the_sha256_of_a_file_with_one_a_line() -> None:
    policy = parse(f'terms = ["Nagy", "New York"]\n{RULES}', "p.toml")
    assert policy.terms_sha256 == hashlib.sha256(b"Nagy\nNew York\n").hexdigest()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (RULES, "has a rule on 'term_recall' and no key terms. Name their file at the top: terms ="),
        (f'terms = "nowhere.txt"\n{RULES}', "names a file of key terms that does not work"),
        (f"terms = []\n{RULES}", "'terms' must be a list of key terms, or a file of them"),
        (f"terms = 3\n{RULES}", "'terms' must be text"),
    ],
)
def test_a_list_that_is_missing_or_empty_is_refused(text: str, says: str) -> None:
    with pytest.raises(PolicyError) as refused:
        parse(text, "p.toml")
    assert says in str(refused.value)
