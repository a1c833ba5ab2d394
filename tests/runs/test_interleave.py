"""Several models in turns: in what order, what an error or a signal does, and when they do not fit."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from tests.runs.jobs import job, quiet, write_script

from earwitness.errors import RecordError
from earwitness.records import store
from earwitness.runs import interleave
from earwitness.runs.drift import Calibration
from earwitness.runs.drive import Turn, start, together

HOLDS = ("drift.py",)


def test_models_take_turns_clip_block_by_clip_block(tmp_path: Path, three_clips: Path) -> None:
    heard: list[tuple[str, str]] = []

    def turn(name: str) -> Turn:
        asked = job(tmp_path / name, three_clips, {"*": {"text": name}})
        return Turn(asked, lambda _done, _total, result: heard.append((name, result.clip.id)))

    paths = together([turn("a"), turn("b")], tmp_path / "runs")
    assert heard == [(name, f"clip{n}") for n in (1, 2, 3) for name in "ab"]
    runs = [store.read_run(path) for path in paths]
    assert [run.model.id for run in runs] == ["fake:a", "fake:b"]
    assert [run.status for run in runs] == ["complete", "complete"]
    assert all(run.workers and run.workers.n_started == 1 for run in runs)
    orders = [run.order for run in runs]
    assert [(o.turns, o.beside, o.block) for o in orders if o] == [
        ("interleaved", ("fake:b",), 1),
        ("interleaved", ("fake:a",), 1),
    ]
    assert {r.hypothesis.transcript.text for r in store.read_clips(paths[1]) if r.hypothesis.transcript} == {"b"}


def test_scores_are_those_of_running_alone(tmp_path: Path, three_clips: Path) -> None:
    jobs = [job(tmp_path / name, three_clips, {"*": {"text": f"{name} words"}}) for name in ("two", "little")]
    beside = together([Turn(one, quiet) for one in jobs], tmp_path / "runs")
    alone = [start(one, tmp_path / "alone", quiet) for one in jobs]
    assert [store.read_run(path).scores for path in beside] == [store.read_run(path).scores for path in alone]
    order = store.read_run(alone[0]).order
    assert order is not None
    assert order.turns == "alone"


def test_a_model_that_cannot_go_on_does_not_stop_the_other(tmp_path: Path, three_clips: Path) -> None:
    dying = job(tmp_path / "dying", three_clips, {"*": {"model": "crash"}})
    whole = job(tmp_path / "whole", three_clips, {"*": {"text": "x"}})
    paths = together([Turn(dying, quiet), Turn(whole, quiet)], tmp_path / "runs")
    runs = [store.read_run(path) for path in paths]
    assert [run.status for run in runs] == ["failed", "complete"]
    assert len(store.read_clips(paths[1])) == 3


def test_an_unexpected_error_in_one_leaves_the_other_to_be_resumed(tmp_path: Path, three_clips: Path) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    jobs = [job(tmp_path / name, three_clips, {"*": {"text": name}}) for name in "ab"]
    with pytest.raises(ZeroDivisionError):
        together([Turn(jobs[0], quiet), Turn(jobs[1], broken)], tmp_path / "runs")
    paths = store.find_records([tmp_path / "runs"])
    assert {store.read_run(path).model.id: store.read_run(path).status for path in paths} == {
        "fake:a": "interrupted",
        "fake:b": "failed",
    }
    again = [Turn(one, quiet, path) for one, path in zip(jobs, sorted(paths), strict=True)]
    together(again, tmp_path / "runs")
    assert {store.read_run(path).status for path in paths} == {"complete"}
    assert all(len(store.read_clips(path)) == 3 for path in paths)


def test_nothing_is_run_when_one_record_cannot_be_taken_up(tmp_path: Path, three_clips: Path) -> None:
    crashing = job(tmp_path / "m", three_clips, {"*": {"model": "crash"}})
    path = start(crashing, tmp_path / "runs", quiet)
    three_clips.write_text(three_clips.read_text().replace("two words", "other words"))
    changed = job(tmp_path / "m", three_clips, {"*": {"text": "x"}})
    with pytest.raises(RecordError, match="the data changed since"):
        together([Turn(changed, quiet), Turn(changed, quiet, path)], tmp_path / "runs")
    assert store.find_records([tmp_path / "runs"]) == [path]


@pytest.mark.parametrize("after_load", [False, True])
def test_models_that_do_not_fit_together_run_one_after_the_other_and_say_so(
    tmp_path: Path, three_clips: Path, monkeypatch: pytest.MonkeyPatch, after_load: bool
) -> None:
    if after_load:  # the estimate is too small, and what the workers then hold is too much
        monkeypatch.setattr(interleave, "WITHOUT_WEIGHTS_BYTES", 0)
    memory = SimpleNamespace(**{**psutil.virtual_memory()._asdict(), "available": 1_000_000})
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    heard: list[str] = []

    def turn(name: str) -> Turn:
        asked = job(tmp_path / name, three_clips, {"*": {"text": name}})
        return Turn(asked, lambda *_: heard.append(name))

    paths = together([turn("a"), turn("b"), turn("c")], tmp_path / "runs")
    assert heard == [*"aaabbbccc"]
    for path in paths:
        run = store.read_run(path)
        assert run.status == "complete"
        assert run.order is not None
        assert run.order.turns == "one after the other"
        assert "0.0 GB were available" in (run.order.reason or "")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no POSIX signals here: run it on Linux")
def test_ctrl_c_ends_the_workers_of_all_models_and_resuming_finishes_all(tmp_path: Path, three_clips: Path) -> None:
    for name in "ab":
        write_script(tmp_path / name, {"*": {"text": name, "sleep_s": 1.0}})
    models = [word for name in "ab" for word in ("-m", f"fake:{tmp_path / name}")]
    command = [sys.executable, "-m", "earwitness", "run", str(three_clips), *models, "--warmup", "0"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    workers: list[psutil.Process] = []
    while len(workers) < 3:  # one of them decodes
        assert time.monotonic() < deadline, "no two workers came up"
        workers = psutil.Process(process.pid).children()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=120) == 130
    assert not any(worker.is_running() for worker in workers)
    records = store.find_records([tmp_path / "runs"])
    assert [store.read_run(path).status for path in records] == ["interrupted", "interrupted"]
    for name in "ab":
        write_script(tmp_path / name, {"*": {"text": name, "sleep_s": 1.0}})
    done = subprocess.run(
        [sys.executable, "-m", "earwitness", "run", "--resume", "--json"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert {one["order"]["turns"] for one in json.loads(done.stdout)} == {"interleaved"}


def test_models_run_one_by_one_when_that_is_asked(tmp_path: Path, three_clips: Path) -> None:
    command = [sys.executable, "-m", "earwitness", "run", str(three_clips), "-m", "fake:echo", "-m", "fake:empty"]
    done = subprocess.run(
        [*command, "--one-by-one", "--json"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert {one["order"]["turns"] for one in json.loads(done.stdout)} == {"alone"}


def test_a_machine_that_slows_down_is_seen_as_a_multiple_of_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 100.0
    takes_s = iter([0.25, 0.0625, 0.0625, 0.5, 0.1875, 0.1875])  # the slower of two is a core that woke up

    def work() -> None:
        nonlocal now_s
        now_s += next(takes_s)

    monkeypatch.setattr("earwitness.runs.drift.time.perf_counter", lambda: now_s)
    calibration = Calibration(work, times=2)
    calibration.again()  # too soon: nothing is clocked within five seconds of the last
    now_s += 5.0
    calibration.again()
    calibration.again()
    now_s += 5.0
    calibration.again()
    found: Any = calibration.drift()
    assert (found.n, found.first_s, found.min, found.median, found.max) == (3, 0.0625, 1.0, 1.0, 3.0)
    assert list(takes_s) == []
