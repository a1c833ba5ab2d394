"""Without references nothing goes into production, and the decision says what is bounded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.comparison.study import clip, heard, misheard, record, said

import earwitness as ew
from earwitness.cli import main
from earwitness.decision.unlabelled import NO_REFERENCE

POLICY = """
name = "speed alone"
summary = "no rule about accuracy"
[gates]
rtf = 1.0
"""


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    calls = [replace(clip(f"call-{n}", said(40, n), 20.0), reference=None) for n in range(6)]
    for number, model in enumerate(("e:one", "e:two", "e:three")):
        lines = [(one, heard(one, misheard(said(40, n), number + 1), 1.0)) for n, one in enumerate(calls)]
        record(tmp_path / "runs", model, "calls", lines, number=number)
    return tmp_path / "runs"


def test_the_default_policy_leaves_every_candidate_undecided_and_says_what_is_bounded(runs: Path) -> None:
    decision = ew.decide(runs)
    assert {verdict.status for verdict in decision.verdicts} == {"undecided"}
    assert decision.chosen is None
    assert any("whatever was said (proven)" in line for line in decision.bounds)


def test_no_candidate_becomes_production_where_the_policy_asks_for_no_accuracy(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text(POLICY)
    decision = ew.decide(runs, policy=str(tmp_path / "policy.toml"))
    assert {verdict.status for verdict in decision.verdicts} == {"conditional"}
    assert all(NO_REFERENCE in verdict.conditions for verdict in decision.verdicts)


def test_with_references_nothing_is_said_of_bounds(tmp_path: Path) -> None:
    calls = [clip(f"call-{n}", said(40, n), 20.0) for n in range(6)]
    for number, model in enumerate(("e:one", "e:two")):
        lines = [(one, heard(one, misheard(said(40, n), number + 1), 1.0)) for n, one in enumerate(calls)]
        record(tmp_path, model, "calls", lines, number=number)
    assert ew.decide(tmp_path).bounds == ()


def test_compare_and_decide_print_what_is_bounded(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(runs), "--out", str(runs / "scorecard.md")]) == 0
    assert "earwitness rank" in (shown := " ".join(capsys.readouterr().out.split()))
    assert "whatever was said (proven)" in shown
    assert "whatever was said (proven)" in (runs / "scorecard.md").read_text()
    assert main(["decide", str(runs)]) == 1
    assert "Without references:" in capsys.readouterr().out


def test_the_report_has_a_section_on_agreement(runs: Path, tmp_path: Path) -> None:
    files = ew.report(runs, out=tmp_path / "report", audio="none")
    page, results = (path.read_text(encoding="utf-8") for path in (files.page, files.page.parent / "results.md"))
    assert "<h3>Agreement</h3>" in page
    assert "Clips to hear first" in page
    assert "### Agreement" in results
