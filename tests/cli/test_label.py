"""``earwitness label --plan``: a table for people, JSON for programs, and a file for the page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import earwitness as ew
from earwitness.cli import main

HOLDS = ["api/label_plan.py"]


@pytest.fixture
def unlabelled(tmp_path: Path, write_wav: Callable[..., Path]) -> Path:
    rows = []
    for n in range(30):
        write_wav(f"{n}.wav", 0.2 + 0.1 * n)
        rows.append({"audio_filepath": f"{n}.wav", "id": f"c{n}", "lang": "en"})
    manifest = tmp_path / "calls.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return manifest


def test_a_plan_without_runs_is_printed_and_written(unlabelled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = unlabelled.with_name("plan.json")
    assert main(["label", str(unlabelled), "--labels", "12", "--plan", "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "Stratum" in shown
    assert "Label first: c" in shown
    assert "and 2 more" in shown
    assert len(json.loads(out.read_text("utf-8"))["order"]) == 30


def test_json_has_the_planned_clips_with_their_strata(unlabelled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["label", str(unlabelled), "--labels", "12", "--plan", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["clips"]) == found["n_labels"] == 12
    names = {stratum["name"] for stratum in found["strata"]}
    assert {one["stratum"] for one in found["clips"]} <= names
    assert all(0 < stratum["probability"] <= 1 for stratum in found["strata"])
    assert [one["id"] for one in found["clips"]] == list(ew.label_plan(unlabelled, labels=12).clips)


def test_a_goal_that_there_is_not_and_a_difference_without_runs_are_errors_of_the_user(
    unlabelled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["label", str(unlabelled), "--plan", "--goal", "rank"]) == 2
    assert "Choose wer, difference or gate" in capsys.readouterr().err
    assert main(["label", str(unlabelled), "--plan", "--goal", "difference"]) == 2
    assert "needs two models" in capsys.readouterr().err
