"""``earwitness label``: the page with the plan, the estimate and drafts of runs, started and ended as people do."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.labels.page.pages import Client

import earwitness as ew
from earwitness.errors import UsageError
from earwitness.labels.overlay import read_labels

HOLDS = ["api/label_page.py"]
pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def unlabelled(three_clips: Path) -> Path:
    """The three clips without references."""
    rows = [json.loads(line) for line in three_clips.read_text().splitlines()]
    three_clips.write_text("".join(json.dumps({k: v for k, v in row.items() if k != "text"}) + "\n" for row in rows))
    return three_clips


def record(folder: Path, data: Path, name: str) -> Path:
    """A run of the fake engine that wrote the same for every clip."""
    model = folder / name
    model.mkdir()
    (model / "script.json").write_text(json.dumps({"*": {"text": "two words"}}))
    (found,) = ew.run(data, models=f"fake:{model}", out=folder / "runs")
    return found.path


@contextmanager
def started(cwd: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], Client, list[str]]]:
    command = [sys.executable, "-m", "earwitness", "label", *options, "--no-browser", "--port", "0"]
    with subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        notes: list[str] = []
        while not notes or "token=" not in notes[-1]:
            line = process.stderr.readline()
            assert line, notes
            notes.append(line.strip())
        try:
            yield process, Client(notes[-1]), notes
        finally:
            process.kill()


def test_a_page_by_command_saves_beside_the_data_and_ends_with_a_summary(unlabelled: Path) -> None:
    folder = unlabelled.parent
    runs = record(folder, unlabelled, "one")
    command = (unlabelled.name, "--runs", str(runs), "--author", "ana", "--second-opinion", "0", "--json")
    with started(folder, *command) as (process, page, notes):
        assert "Open this address in a browser" in notes[0]
        order = []
        for text in ("one", "two words"):
            clip = page.next()
            order.append(clip["clip_id"])
            page.send(clip["unit"], text, client_id=text, seconds=30.0)
        lines = page.ask("/api/estimate").json
        assert any("WER" in line for line in lines)
        assert "For all 3 clips of this pool" in lines[-1]
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in errors) == (0, False)
    summary = json.loads(out)
    assert (summary["n_labels"], summary["n_done"], summary["n_planned"], summary["minutes"]) == (2, 2, 3, 1.0)
    assert summary["estimate"] == lines
    labels = read_labels(folder / "three.labels.jsonl").labels
    assert [label.clip_id for label in labels] == order
    assert {label.author for label in labels} == {"ana"}
    with started(folder, *command) as (_, page, _):
        assert page.next()["clip_id"] not in order, "the plan goes on in its order"


def test_drafts_are_hidden_or_of_a_model_that_is_no_candidate(unlabelled: Path) -> None:
    folder = unlabelled.parent
    candidate = record(folder, unlabelled, "one")
    data = (unlabelled.name, "--runs", str(candidate))
    with started(folder, *data, "--draft", "hidden") as (_, page, _):
        clip = page.next()
        assert (clip["draft"], clip["draft_source"]) == ("two words", "hidden family")
        assert "fake" not in json.dumps(clip)
    with pytest.raises(UsageError, match="weights of a candidate"):
        ew.label_page(unlabelled, runs=candidate, draft=candidate)
    with pytest.raises(UsageError, match="--runs"):
        ew.label_page(unlabelled, draft="hidden")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"second_opinion": 2.0}, "from 0 to 1"),
        ({"host": "0.0.0.0"}, "--allow-network"),
        ({"goal": "rubbish"}, "no goal"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(unlabelled: Path, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        ew.label_page(unlabelled, **options)


def test_named_clips_are_labelled_in_their_order_with_their_references_as_drafts(three_clips: Path) -> None:
    folder = three_clips.parent
    (folder / "suspects.txt").write_text("clip3\n\nclip1\n")
    options = (three_clips.name, "--clips", "suspects.txt", "--draft", "reference")
    with started(folder, *options) as (_, page, _):
        clip = page.next()
        assert (clip["clip_id"], clip["draft"], clip["draft_source"]) == ("clip3", "three little words", "reference")
        page.send(clip["unit"], "three words", draft=clip["draft"], draft_source="reference")
        assert page.next()["clip_id"] == "clip1"
    (label,) = read_labels(folder / "three.labels.jsonl").labels
    assert (label.draft, label.draft_source, label.text) == ("three little words", "reference", "three words")
    with pytest.raises(UsageError, match="no clip 'clip9'"):
        ew.label_page(three_clips, clips=["clip1", "clip9"])
