"""``earwitness rank``: tables, sentences and JSON for people who have no references."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.comparison.study import clip, heard, misheard, record, said

from earwitness.api.rank import rank
from earwitness.cli import main
from earwitness.comparison.agreement_lines import short_lines
from earwitness.records.store import find_records
from earwitness.reports.agreement import markdown, plain, sentences, title
from earwitness.scoring import ScoringInfo

HOLDS = ("comparison/agreement_lines.py", "reports/agreement.py")

ERRORS = {"e:whisper-tiny": (1, 2, 3, 2, 2), "e:whisper-base": (1, 2, 3, 3, 2), "e:other": (25, 27, 26, 28, 24)}


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    calls = [replace(clip(f"call-{n}", said(40, n), 20.0), reference=None) for n in range(5)]
    for number, (model, errors) in enumerate(ERRORS.items()):
        texts = [misheard(said(40, n), n_errors) for n, n_errors in enumerate(errors)]
        lines = [(call, heard(call, text, 1.0)) for call, text in zip(calls, texts, strict=True)]
        record(tmp_path / "runs", model, "calls", lines, number=number, scoring=ScoringInfo("none"))
    return tmp_path / "runs"


def test_it_prints_models_distances_sentences_and_clips(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rank", str(runs), "--clips", "2"]) == 0
    shown = capsys.readouterr().out
    assert "calls: 5 clips, 1 min 40 s, references not used" in shown
    assert "All 3 runs have the same text for 0 of 5 clips" in shown
    assert "they share training data" in shown
    assert "Kim et al., ICML 2025" in shown
    assert shown.count("edits apart") == 2
    assert "–" in shown


def test_what_is_proven_says_so_and_what_is_estimated_too(runs: Path) -> None:
    (found,) = rank(runs).datasets
    lines = sentences(found)
    near = next(pair for pair in found.pairs if "other" not in pair.first + pair.second)
    assert any(
        f"differ by at most {near.distance} errors on these clips, whatever was said (proven)" in x for x in lines
    )
    assert any("makes more errors than" in line and line.endswith("% (proven).") for line in lines)
    assert any("No independent witness" in line for line in lines)
    assert any("labels settle which of" in line for line in lines)
    *short, last = short_lines(found, find_records([runs]))
    assert all(line.endswith((".", ")")) for line in short)
    assert last.endswith(f"run: earwitness rank {runs}")
    assert "| e:other |" in "\n".join(markdown(found)).replace("\\", "")
    assert title(found).endswith("references not used")


def test_a_known_error_rate_is_an_option(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rank", str(runs), "--wer-at-most", "e:whisper-base=0.1", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["datasets"]
    assert {model["label"]: model["rank"] for model in found["models"]}["e:other"] == "3"
    assert found["premises"] == {"e:whisper-base": 0.1}
    assert all(0 <= pair["bound"]["reversal_wer"] < 1 for pair in found["pairs"])


def test_json_has_what_the_function_returns(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rank", str(runs), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["datasets"] == json.loads(json.dumps([plain(one) for one in rank(runs).datasets]))
    assert shown["left_out"] == []


def test_an_option_that_makes_no_sense_is_refused(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rank", str(runs), "--wer-at-most", "e:whisper-base"]) == 2
    assert "--wer-at-most takes MODEL=RATIO" in capsys.readouterr().err
