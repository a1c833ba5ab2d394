"""Records are looked for without opening a pipe, and read while they grow; conditions meet hostile folders."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from tests.runs.jobs import job, quiet
from tests.runs.test_hostile import IDS
from tests.runs.test_hostile import hostile as hostile  # noqa: PLC0414 - a fixture

from earwitness.cli import main
from earwitness.comparison.robustness import robustness
from earwitness.errors import RecordError
from earwitness.records import store
from earwitness.runs.conditions import under
from earwitness.runs.drive import start

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there are no named pipes here: run it on Linux")
ANSWERS = {"*": {"text": "one"}}


@pytest.fixture
def record(tmp_path: Path, three_clips: Path) -> Path:
    return start(job(tmp_path / "m", three_clips, ANSWERS), tmp_path / "runs", quiet)


def test_pipes_among_records_are_passed_over(
    record: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = record.parent
    os.mkfifo(folder / "a.json")
    (folder / "a.clips.jsonl").touch()
    (folder / "b.json").write_text(record.read_text())
    os.mkfifo(folder / "b.clips.jsonl")
    assert store.find_records([tmp_path / "runs"]) == [record]
    for command in (
        ["runs"],
        ["analyze", "completeness", "runs"],
        ["export", "runs", "--out", "x.zip"],
        ["import", "x.zip"],
    ):
        assert main(command) == 0, capfd.readouterr()


def test_a_pipe_that_is_named_as_a_record_is_refused(tmp_path: Path, record: Path) -> None:
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(RecordError, match="pipe or a device"):
        store.read_run(tmp_path / "a.json")
    store.clips_path(record).unlink()
    os.mkfifo(store.clips_path(record))
    with pytest.raises(RecordError, match="pipe or a device"):
        store.read_clips(record)


def test_texts_are_read_in_whole_lines_while_they_grow(record: Path, tmp_path: Path) -> None:
    lines = store.clips_path(record).read_bytes()
    results = store.read_clips(record)
    growing = tmp_path / "growing.json"
    store.clips_path(growing).touch()
    done = threading.Event()

    def write() -> None:
        with store.clips_path(growing).open("ab", buffering=0) as file:
            for n in range(0, len(lines), 7):
                file.write(lines[n : n + 7])
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    seen = []
    while not done.is_set():
        seen.append(store.read_clips(growing))
    thread.join()
    seen.append(store.read_clips(growing))
    assert all(part == results[: len(part)] for part in seen)
    assert seen[-1] == results


@pytest.mark.parametrize("condition", ["noise:10dB", "babble:10dB", "opus:12k+loss:5%", "reverb:0.5s+mulaw"])
def test_a_hostile_folder_is_heard_under_a_condition(hostile: Path, tmp_path: Path, condition: str) -> None:
    work = job(tmp_path / "m", hostile, ANSWERS)
    path = start(replace(work, dataset=under(work.dataset, condition)), tmp_path / "runs", quiet)
    results = {result.clip.id: result.hypothesis for result in store.read_clips(path)}
    assert len(results) == len(IDS) + 13
    assert store.read_run(path).status == "complete"
    assert {id_ for id_, heard in results.items() if heard.ok} == set(IDS)
    clean = start(work, tmp_path / "runs", quiet)
    (panel,) = robustness([path, clean]).panels
    ((point,),) = (curve.points for curve in panel.curves)
    assert point.wer.n_failed == 13
    assert all(heard.failure.stage == "audio" for heard in results.values() if heard.failure is not None)
