"""``earwitness label`` without its page: labels go out, come back, and people are compared."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from earwitness.api.label_exchange import export_labels, import_labels, label_status
from earwitness.cli import main
from earwitness.data import load
from earwitness.errors import DataNotFoundError, UsageError
from earwitness.labels.label import Label
from earwitness.labels.overlay import append_label, overlay_path, read_labels
from earwitness.labels.settle import label_by_clip

HOLDS = ["api/label_exchange.py"]


@pytest.fixture
def data(three_clips: Path) -> Path:
    """Three clips, of which two people labelled one, and one person another."""
    clips = load(three_clips).clips
    first = Label(
        clips[0].id, clips[0].audio_sha256, 0.0, clips[0].duration_s, "one more", "text", "ana", "2026-11-30T09:00:00Z"
    )
    second = replace(first, clip_id=clips[1].id, audio_sha256=clips[1].audio_sha256, duration_s=clips[1].duration_s)
    for label in (first, replace(first, author="ben", text="one moor"), replace(second, text="two words")):
        append_label(overlay_path(three_clips), label)
    return three_clips


@pytest.mark.parametrize("name", ["tasks.json", "sheet.csv", "labels.jsonl"])
def test_labels_go_out_and_come_back_once(name: str, data: Path, tmp_path: Path) -> None:
    out = tmp_path / name
    assert export_labels(data, out) == 3
    fresh = tmp_path / "fresh.labels.jsonl"
    came = import_labels(data, out, overlay=fresh)
    assert (came.n_new, came.n_old) == (3, 0)
    assert set(read_labels(fresh).labels) == set(read_labels(overlay_path(data)).labels)
    again = import_labels(data, out, overlay=fresh)
    assert (again.n_new, again.n_old) == (0, 3)


def test_a_sheet_without_times_comes_in_once_and_a_correction_is_new(data: Path, tmp_path: Path) -> None:
    sheet, overlay = tmp_path / "sheet.csv", tmp_path / "fresh.labels.jsonl"
    for text, n_new in (("one more", 1), ("one more", 0), ("one moor", 1), ("one more", 1)):
        sheet.write_text(f"clip_id,text\nclip1,{text}\n", encoding="utf-8")
        assert import_labels(data, sheet, author="ana", overlay=overlay).n_new == n_new
    assert [label.text for label in read_labels(overlay).labels] == ["one more", "one moor", "one more"]


def test_a_nemo_manifest_has_the_label_that_counts(data: Path, tmp_path: Path) -> None:
    assert export_labels(data, tmp_path / "nemo.jsonl", format="nemo") == 2
    assert [clip.reference for clip in load(tmp_path / "nemo.jsonl").clips][:2] == ["one more", "two words"]


def test_what_there_is_not_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no format 'xml'. Choose label-studio, nemo, csv, jsonl"):
        export_labels(data, tmp_path / "x", format="xml")
    with pytest.raises(DataNotFoundError, match="There is no file"):
        import_labels(data, tmp_path / "gone.json")


def test_without_labels_there_is_no_status(three_clips: Path) -> None:
    assert label_status(three_clips) is None


def test_check_mentions_the_labels_and_their_problems(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "check", str(data)]) == 0
    out = capsys.readouterr().out
    assert "labels: 2 of 3 clips, by 2 people" in out
    assert "Labels disagree" in out
    overlay_path(data).write_text('{"clip_id": "x"}\n', encoding="utf-8")
    assert main(["data", "check", str(data)]) == 1
    assert "is not a label" in capsys.readouterr().out


def test_labels_of_another_dataset_are_a_warning_of_check(
    data: Path, write_wav: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_wav("other/a.wav").parent
    overlay_path(other).write_bytes(overlay_path(data).read_bytes())
    assert main(["data", "check", str(other)]) == 0
    assert "the labels are not used: The labels are of another dataset" in capsys.readouterr().out


def test_the_command_prints_the_agreement_for_people_and_for_machines(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["label", str(data), "--agreement"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["ana", "ben", "1", "0", "%", "50.0", "%", "0"]
    assert main(["label", str(data), "--agreement", "--json"]) == 0
    (pair,) = json.loads(capsys.readouterr().out)["agreement"]
    assert (pair["first"], pair["second"], pair["wer"]) == ("ana", "ben", 0.5)


def test_a_disagreement_is_settled_without_the_page_and_the_decision_is_taken_back(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["label", str(data), "--agreement"]) == 0
    out = capsys.readouterr().out
    assert "1 clip to settle:" in out
    assert "ana: one more" in out
    assert "ben: one moor" in out
    (line,) = re.findall(r"into a file: (\{.*\})", out)
    settled = tmp_path / "settled.jsonl"
    settled.write_text(line.replace("what is said", "one moor") + "\n", encoding="utf-8")
    assert main(["label", str(data), "--import", str(settled), "--author", "eve", "--agreement"]) == 0
    assert "to settle" not in capsys.readouterr().out
    labels = read_labels(overlay_path(data)).labels
    assert label_by_clip(labels)[labels[0].clip_id].text == "one moor"
    undo = {"clip_id": labels[0].clip_id, "verdict": "withdrawn", "adjudication": True, "author": "eve"}
    settled.write_text(json.dumps(undo) + "\n", encoding="utf-8")
    assert main(["label", str(data), "--import", str(settled), "--agreement", "--json"]) == 0
    assert list(json.loads(capsys.readouterr().out)["disagreements"]) == [labels[0].clip_id]


def test_the_command_exports_and_imports(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, fresh = tmp_path / "tasks.json", tmp_path / "fresh.labels.jsonl"
    assert main(["label", str(data), "--export", str(out), "--audio-prefix", "http://127.0.0.1:8080"]) == 0
    assert json.loads(out.read_text(encoding="utf-8"))[0]["data"]["audio"].startswith("http://127.0.0.1:8080/")
    assert main(["label", str(data), "--import", str(out), "--overlay", str(fresh), "--json"]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed[printed.index("{") :])["import"] == {"overlay": str(fresh), "new": 3, "old": 0}


def test_one_person_alone_has_no_agreement(data: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["label", str(data), "--agreement", "--overlay", str(tmp_path / "none.jsonl")]) == 0
    assert "No clip has labels of two people" in capsys.readouterr().out
