"""The machine saturated: workers that sleep can be counted on to add up."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import clip
from tests.runs.jobs import job, quiet, write_script

from earwitness.records import store
from earwitness.records.environment import usable_cores
from earwitness.records.record import ClipResult, RunLimits
from earwitness.records.speed import SpeedProtocols, Throughput
from earwitness.runs import saturate
from earwitness.runs.drive import start
from earwitness.runs.saturate import ClipQueue
from earwitness.runs.throughput import shares
from earwitness.runs.transcribe import transcribe_clip
from earwitness.types import Hypothesis

HOLDS = ("saturate.py",)

MEASURE = SpeedProtocols(("throughput",), budget_s=20.0, stretch_s=2.0)


def found(path: Path) -> Throughput:
    run = store.read_run(path)
    assert run.status == "complete"
    assert run.measurements is not None
    assert run.measurements.throughput is not None
    return run.measurements.throughput


def test_the_fastest_share_of_the_search_is_measured_and_its_figures_fit_together(
    tmp_path: Path, three_clips: Path
) -> None:
    answers: dict[str, dict[str, Any]] = {str(n): {"text": f"text {n}", "sleep_s": 0.25} for n in (1, 2, 3)}
    through = found(start(job(tmp_path / "m", three_clips, answers, measure=MEASURE), tmp_path / "runs", quiet))
    assert [(one.workers, one.threads) for one in through.tries] == [(1, 1), (2, 1)]
    fastest = max(through.tries, key=lambda one: one.rtfx or 0.0)
    assert (through.workers, through.threads) == (fastest.workers, fastest.threads)
    assert (through.texts_differ, through.n_compared, through.n_failed) == (0, 3, 0)
    assert through.n_clips > 3  # a short dataset is gone through again
    assert through.wall_s >= 2.0
    # Two clips at a time, each of two seconds in the mean, every quarter of a second: 16 at best.
    assert through.rtfx is not None
    assert through.sequential_rtfx is not None
    assert 0 < through.rtfx <= 16.0 * 1.01
    assert 0 < through.sequential_rtfx <= 8.0 * 1.01
    assert through.rtfx == pytest.approx(through.audio_s / through.wall_s)
    # At most one clip of each worker is still at work when the stretch ends.
    assert 0.25 * (through.n_clips - through.workers) <= through.workers * through.wall_s
    assert through.reason is None


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_as_many_clips_are_at_work_at_once_as_there_are_workers_and_each_is_heard_once(
    tmp_path: Path, three_clips: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    asked = job(tmp_path / "m", three_clips, {"*": {"text": "x"}})
    run = store.read_run(start(asked, tmp_path / "runs", quiet))
    at_work, most = 0, 0
    lock, all_at_work = threading.Lock(), threading.Event()

    def hear_once_all_are_at_work(*arguments: Any) -> Hypothesis:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
            if at_work == workers:
                all_at_work.set()
        assert all_at_work.wait(120), f"only {most} of {workers} were at work"
        heard = transcribe_clip(*arguments)
        with lock:
            at_work -= 1
        return heard

    monkeypatch.setattr(saturate, "transcribe_clip", hear_once_all_are_at_work)
    clips = asked.dataset.clips
    stretch = saturate.saturate(
        run, asked, clips, workers=workers, threads=1, least_s=0.0, most_s=600.0, scratch=tmp_path
    )
    assert stretch.reason is None
    assert most == workers
    assert sorted(one.hypothesis.clip_id for one in stretch.heard) == sorted(clip.id for clip in clips)
    first = sorted(stretch.heard, key=lambda one: one.began_s)[:workers]
    assert max(one.began_s for one in first) <= min(one.ended_s for one in first)


def test_texts_that_are_not_those_of_one_clip_at_a_time_are_counted(tmp_path: Path, three_clips: Path) -> None:
    folder = tmp_path / "m"
    right: dict[str, dict[str, Any]] = {str(n): {"text": f"text {n}"} for n in (1, 2, 3)}

    def change(done: int, total: int, _: ClipResult) -> None:
        if done == total:
            write_script(folder, right | {"2": {"text": "something else"}})

    measure = SpeedProtocols(("throughput",), budget_s=8.0, stretch_s=0.1)
    through = found(start(job(folder, three_clips, right, measure=measure), tmp_path / "runs", change))
    assert (through.texts_differ, through.n_compared) == (1, 3)


def test_clips_that_fail_when_saturated_are_failures_and_no_audio(tmp_path: Path, three_clips: Path) -> None:
    folder = tmp_path / "m"

    def change(done: int, total: int, _: ClipResult) -> None:
        if done == total:
            write_script(folder, {"*": {"model": "error"}})

    measure = SpeedProtocols(("throughput",), budget_s=4.0, stretch_s=0.1)
    asked = job(folder, three_clips, {"*": {"text": "x"}}, measure=measure)
    through = found(start(asked, tmp_path / "runs", change))
    assert through.rtfx is None
    assert all(one.rtfx is None and one.reason for one in through.tries)
    assert through.reason is not None
    assert "clips failed" in through.reason


def test_workers_that_keep_dying_end_the_measurement_and_not_the_run(tmp_path: Path, three_clips: Path) -> None:
    folder = tmp_path / "m"

    def change(done: int, total: int, _: ClipResult) -> None:
        if done == total:
            write_script(folder, {"*": {"model": "crash"}})

    asked = job(folder, three_clips, {"*": {"text": "x"}}, measure=MEASURE, limits=RunLimits(warmup=0, max_deaths=2))
    through = found(start(asked, tmp_path / "runs", change))
    assert through.rtfx is None
    assert "workers died one after the other" in (through.reason or "")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no POSIX signals here: run it on Linux")
@pytest.mark.skipif(usable_cores() < 2, reason="there is no second core here: run it on a machine with two")
def test_ctrl_c_in_the_saturated_stretch_ends_every_worker_and_keeps_the_run(tmp_path: Path, three_clips: Path) -> None:
    folder = tmp_path / "m"
    write_script(folder, {"*": {"text": "x", "sleep_s": 0.3}})
    command = [sys.executable, "-m", "earwitness", "run", three_clips, "-m", f"fake:{folder}"]
    process = subprocess.Popen(
        [*map(str, command), "--measure", "throughput"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    workers: list[psutil.Process] = []

    def written() -> bool:
        return sum(path.read_bytes().count(b"\n") for path in (tmp_path / "runs").rglob("*.clips.jsonl")) == 3

    # One child decodes, from the beginning on.
    while len(workers) < 3 or not written():
        assert time.monotonic() < deadline, "no second worker came up"
        workers = psutil.Process(process.pid).children(recursive=True)
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=120) == 130
    assert not any(worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE for worker in workers)
    (path,) = store.find_records([tmp_path / "runs"])
    assert store.read_run(path).status == "interrupted"
    assert len(store.read_clips(path)) == 3


@given(cores=st.integers(1, 300), fixed=st.booleans())
def test_no_share_uses_more_than_the_cores(cores: int, fixed: bool) -> None:
    tried = shares(cores, threads_fixed=fixed)
    assert all(1 <= workers * threads <= cores for workers, threads in tried)
    assert tried[0][0] == 1
    assert tried[-1] == (cores, 1)
    assert len(set(tried)) == len(tried)


def test_the_queue_gives_every_clip_once_and_again_while_the_stretch_is_short() -> None:
    queue = ClipQueue([clip("a"), clip("b")], least_s=0.0, most_s=60.0)
    queue.begin()
    assert [c.id for c in iter(queue.next, None)] == ["a", "b"]
    assert queue.ended_s >= queue.began_s > 0
    longer = ClipQueue([clip("a")], least_s=0.02, most_s=60.0)
    longer.begin()
    assert len(list(iter(longer.next, None))) > 1
    over = ClipQueue([clip("a"), clip("b")], least_s=0.0, most_s=0.0)
    over.begin()
    assert over.next() is None


def test_the_command_line_writes_it_and_compare_shows_it(tmp_path: Path, three_clips: Path) -> None:
    for name, text in (("a", "one"), ("b", "two")):
        write_script(tmp_path / name, {"*": {"text": text, "sleep_s": 0.05}})
    command = [sys.executable, "-m", "earwitness"]
    run = ["run", three_clips, "-m", f"fake:{tmp_path / 'a'}", "-m", f"fake:{tmp_path / 'b'}"]
    asked = ["--measure", "cold,latency", "--measure", "throughput", "--budget-s", "2"]
    done = subprocess.run([*command, *map(str, run), *asked], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    shown = subprocess.run(
        [*command, "compare", "runs", "--json", "--out", "card.md"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    (table,) = json.loads(shown.stdout)["tables"]
    assert all(row["measurements"][name] for row in table["rows"] for name in ("cold", "latency", "throughput"))
    card = (tmp_path / "card.md").read_text()
    assert "RTFx all cores" in card
    assert "the same text as one clip at a time in all 3 clips" in card
    assert "warm latency over" in card
    assert "cold start, " in card
