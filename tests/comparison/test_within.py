from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.comparison.study import clip, heard, misheard, record, said
from tests.decision.rulings import ruling

from earwitness.api.compare import plan
from earwitness.cli import main
from earwitness.comparison.table import compare
from earwitness.decision.decide import decide
from earwitness.decision.decision_file import plain_decision, read_decision
from earwitness.decision.policy import load
from earwitness.records import store
from earwitness.reports.scorecard import notes
from earwitness.scoring import ScoringInfo

SECONDS = 163.0
WORDS = 400
ERRORS = {"good:base": 29, "poor:base": 290}
"""7.3 % and 72.5 %."""


def study(
    root: Path,
    *,
    words: int = WORDS,
    errors: dict[str, int] = ERRORS,
    recordings: int = 1,
    how: ScoringInfo | None = None,
) -> list[Path]:
    for model, wrong in errors.items():
        clips = [clip(f"call{n}", said(words, n), SECONDS * words / WORDS) for n in range(recordings)]
        lines = [(one, heard(one, misheard((one.reference or "").split(), wrong), 9.0)) for one in clips]
        record(root, model, "calls", lines, scoring=how)
    return store.find_records([root])


def test_one_recording_tells_a_wer_of_7_percent_from_one_of_72(tmp_path: Path) -> None:
    (table,) = compare(study(tmp_path)).tables
    assert [(row.label, row.rank) for row in table.rows] == [("good:base", "1"), ("poor:base", "2")]
    (pair,) = table.pairs
    assert pair.told_apart
    assert pair.difference.ci95 is not None
    assert table.target == pair.difference.target == "these recordings"
    assert notes(table)[0] == "WER and rank are of these recordings: for recordings like these, it takes at least 4"
    assert notes(table)[1].endswith("for longer ones it takes 240 s")
    assert notes(table)[2].endswith(", on these recordings")
    for row in table.rows:
        for metric in ("wer", "cer"):
            score = row.run.score(metric)
            assert score is not None
            assert score.value is not None
            assert score.ci95 is not None
            assert score.ci95[0] < score.value < score.ci95[1]


def test_four_recordings_are_about_recordings_like_these(tmp_path: Path) -> None:
    (table,) = compare(study(tmp_path, words=40, errors={"good:base": 2, "poor:base": 29}, recordings=6)).tables
    assert table.target == "recordings like these"
    assert table.pairs[0].difference.target == "recordings like these"
    assert table.pairs[0].difference.n_blocks is None


def test_half_a_minute_has_no_verdict_and_says_how_long_it_has_to_be(tmp_path: Path) -> None:
    records = study(tmp_path, words=80, errors={"good:base": 6, "poor:base": 58})
    (table,) = compare(records).tables
    assert table.unranked is not None
    assert table.unranked.endswith("it takes 100 s of recordings like this one, and there are 33 s")
    wer = table.rows[0].run.score("wer")
    assert wer is not None
    assert wer.ci95 is None
    assert wer.reason == "no interval: it takes 100 s of recordings like this one, and there are 33 s"


def test_texts_scored_with_compounds_are_not_cut_and_it_is_said(tmp_path: Path) -> None:
    (table,) = compare(study(tmp_path, how=ScoringInfo("none", compounds=True))).tables
    wer = table.rows[0].run.score("wer")
    assert wer is not None
    assert "scored with compounds are not cut into blocks" in (wer.reason or "")
    assert table.unranked is not None


def test_the_shipped_policy_judges_one_recording_on_the_condition_that_it_is_one(tmp_path: Path) -> None:
    records = study(tmp_path)
    decision = decide(records, load(), out=tmp_path / "decision.json")
    good, poor = decision.verdicts
    assert (good.candidate, good.status, poor.status) == ("good:base", "conditional", "rejected")
    assert good.conditions[0] == (
        "measured on 1 recording: the WER is of these recordings, and others may be harder; add more"
    )
    assert good.rules[0].rule == "WER of these recordings at most 30.0 % (upper end of the interval)"
    assert good.rules[0].ci95 is not None
    assert poor.reasons[0].startswith("WER of these recordings 72.5 % [")
    assert decision.target == plain_decision(decision)["target"] == "these recordings"


def test_a_gate_says_what_it_is_about(tmp_path: Path) -> None:
    records = study(tmp_path)
    (rule,) = ruling('[gates.wer]\nat_most = 0.3\ntarget = "these recordings"\n', *records).verdicts[0].rules
    assert (rule.target, rule.outcome, rule.rule.partition(" at")[0]) == (
        "these recordings", "passed", "WER of these recordings",
    )  # fmt: skip
    assert ruling('[gates.wer]\nat_most = 0.3\ntarget = "these recordings"\n', *records).verdicts[0].conditions == ()
    (rule,) = ruling('[gates.wer]\nat_most = 0.3\ntarget = "recordings like these"\n', *records).verdicts[0].rules
    assert rule.target == "recordings like these"
    assert rule.ci95 is None
    assert rule.reason == "no interval: it takes at least 4 recordings, and there is 1"


def test_these_recordings_may_be_many(tmp_path: Path) -> None:
    records = study(tmp_path, words=60, errors={"good:base": 4, "poor:base": 43}, recordings=6)
    (rule,) = ruling('[gates.wer]\nat_most = 0.3\ntarget = "these recordings"\n', *records).verdicts[0].rules
    assert rule.target == "these recordings"
    assert rule.ci95 is not None


def test_json_of_compare_and_the_plan_name_the_target(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    study(tmp_path)
    assert main(["compare", str(tmp_path), "--json"]) == 0
    (table,) = json.loads(capfd.readouterr().out)["tables"]
    assert table["target"] == "these recordings"
    assert table["pairs"][0]["difference"]["target"] == "these recordings"
    assert table["rows"][0]["scores"]["wer"]["target"] == "these recordings"
    needs = plan(tmp_path)
    assert needs.target == "these recordings"
    assert needs.wer["poor:base"] is not None
    assert main(["plan", str(tmp_path), "--width", "0.001"]) == 0
    printed = " ".join(capfd.readouterr().out.split())
    assert "of these recordings would bring it to 0.1 points" in printed


def test_a_decision_from_before_there_were_targets_is_read(tmp_path: Path) -> None:
    plain = plain_decision(decide(study(tmp_path), load(), out=tmp_path / "decision.json"))
    del plain["target"]
    for verdict in plain["verdicts"]:
        for rule in verdict["rules"]:
            del rule["target"]
    (tmp_path / "old.json").write_text(json.dumps(plain), encoding="utf-8")
    old = read_decision(tmp_path / "old.json")
    assert old.target is None
    assert old.verdicts[0].rules[0].target is None
