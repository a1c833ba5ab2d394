"""Cold start and warm latency, with real processes that sleep for known times."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from tests.conftest import clip, heard
from tests.runs.jobs import job, quiet, write_script

from earwitness.records import store
from earwitness.records.record import ClipResult
from earwitness.records.speed import SpeedProtocols
from earwitness.runs.drive import resume, start
from earwitness.runs.protocols import Passes
from earwitness.types import ClipScore, Failure, Hypothesis
from earwitness.workers.supervisor import GivenUpError


def result(id_: str, wall_s: float, text: str = "x") -> ClipResult:
    return ClipResult(
        clip(id_), heard(text, id_, wall_s=wall_s), ClipScore(id_, None, None, failed=False, hypothesis_words=1)
    )


def passes(*walls: float, budget_s: float = 1e9) -> Passes:
    return Passes([result(str(n), wall_s) for n, wall_s in enumerate(walls)], budget_s)


def test_a_steady_machine_is_left_after_three_passes() -> None:
    found = passes(1.0, 2.0)
    n = 1
    while not found.done:
        found.again(lambda c: heard("x", c.id, wall_s=1.0 + int(c.id)))
        n += 1
    assert n == 3
    latency = found.latency()
    assert latency.steady
    assert (latency.pass_wall_s, latency.cv_last) == ((3.0, 3.0, 3.0), 0.0)


def test_a_slow_first_pass_is_outlived_and_moves_no_median() -> None:
    found = passes(10.0, 20.0)
    while not found.done:
        found.again(lambda c: heard("x", c.id, wall_s=1.0 + int(c.id)))
    latency = found.latency()
    assert latency.pass_wall_s == (30.0, 3.0, 3.0, 3.0)  # three alike, and the slow one
    assert latency.speed.wall_s == 3.0
    assert latency.speed.latency_p50_s == 1.5
    assert latency.speed.rtf == pytest.approx(3.0 / 2.0)
    assert latency.passes is not None
    assert (latency.passes.min, latency.passes.max) == (3.0, 30.0)


def test_an_unsteady_machine_ends_with_the_budget_and_says_so() -> None:
    walls = iter([1.0, 2.0] * 1000)
    found = passes(0.004, budget_s=0.05)

    def slow(c: object) -> Hypothesis:
        import time

        time.sleep(0.01)
        return heard("x", "0", wall_s=next(walls))

    while not found.done:
        found.again(slow)
    latency = found.latency()
    assert not latency.steady
    assert 2 <= len(latency.pass_wall_s) <= 6


def test_a_pass_that_cannot_end_within_the_budget_is_not_begun() -> None:
    found = passes(10.0, budget_s=5.0)
    assert found.done
    assert not found.latency().steady
    assert found.latency().pass_wall_s == (10.0,)


def test_a_clip_that_fails_in_a_later_pass_is_dropped_from_all_of_them() -> None:
    found = passes(1.0, 2.0)
    failed = Hypothesis("1", None, Failure("transcribe", "crash", "gone"), audio_s=1.0)
    found.again(lambda c: failed if c.id == "1" else heard("y", c.id, wall_s=1.5))
    latency = found.latency()
    assert latency.pass_wall_s == (1.0, 1.5)
    assert (latency.n_dropped, latency.texts_changed, latency.speed.n_timed) == (1, 1, 1)


def test_a_pass_without_a_worker_is_no_pass() -> None:
    found = passes(1.0, 2.0)

    def gone(c: object) -> Hypothesis:
        if getattr(c, "id", "") == "1":
            raise GivenUpError(Failure("spawn", "crash", "no worker"))
        return heard("x", "0", wall_s=5.0)

    found.again(gone)
    assert found.done
    assert found.latency().pass_wall_s == (3.0,)


def test_cold_and_warm_are_measured_and_fit_the_published_schema(tmp_path: Path, three_clips: Path) -> None:
    asked = job(
        tmp_path / "m",
        three_clips,
        {"*": {"text": "one", "sleep_s": 0.2}},
        measure=SpeedProtocols(("latency", "cold"), budget_s=30.0, cold_starts=2),
    )
    path = start(asked, tmp_path / "runs", quiet)
    run = store.read_run(path)
    assert run.measurements is not None
    cold, latency = run.measurements.cold, run.measurements.latency
    assert cold is not None
    assert (len(cold.starts), cold.n_failed, cold.clip_id) == (2, 0, "clip1")
    assert cold.first_clip_s is not None
    assert cold.first_clip_s.min >= 0.2
    assert all(one.spawn_s > 0 for one in cold.starts)
    assert latency is not None
    assert len(latency.pass_wall_s) >= 3
    assert latency.speed.latency_p50_s is not None
    assert latency.speed.latency_p50_s >= 0.2
    assert latency.texts_changed == 0
    assert run.speed is not None
    assert run.speed.wall_s == latency.pass_wall_s[0]
    assert run.measurements.throughput is None
    schema = json.loads((Path(__file__).parents[2] / "docs" / "schema" / "run.json").read_text())
    jsonschema.validate(json.loads(path.read_text()), schema)


def test_without_protocols_a_run_is_one_pass(tmp_path: Path, three_clips: Path) -> None:
    run = store.read_run(start(job(tmp_path / "m", three_clips, {"*": {"text": "x"}}), tmp_path / "runs", quiet))
    assert run.measurements is None
    assert run.workers is not None
    assert run.workers.n_started == 1


def test_a_run_killed_between_its_last_clip_and_its_protocols_measures_them_when_resumed(
    tmp_path: Path, three_clips: Path
) -> None:
    asked = job(tmp_path / "m", three_clips, {"*": {"text": "x"}}, measure=SpeedProtocols(("cold",), cold_starts=1))
    path = start(asked, tmp_path / "runs", quiet)
    whole = store.read_run(path)
    store.write_run(path, replace(whole, status="running", measurements=None, process=None))
    resume(path, asked, quiet)
    again = store.read_run(path)
    assert again.status == "complete"
    assert again.measurements is not None
    assert again.measurements.cold is not None
    assert again.scores == whole.scores


def test_starts_that_fail_are_counted_and_in_no_number(tmp_path: Path, three_clips: Path) -> None:
    folder = tmp_path / "m"
    asked = job(folder, three_clips, {"*": {"text": "x"}}, measure=SpeedProtocols(("cold",), cold_starts=2))

    def break_at_the_end(done: int, total: int, _: ClipResult) -> None:
        if done == total:
            write_script(folder, {"*": {"model": "error"}})

    run = store.read_run(start(asked, tmp_path / "runs", break_at_the_end))
    assert run.measurements is not None
    assert run.measurements.cold is not None
    assert (run.measurements.cold.n_failed, run.measurements.cold.first_text_s) == (2, None)
    assert run.status == "complete"


def test_a_protocol_that_does_not_exist_is_refused_in_one_sentence(tmp_path: Path, three_clips: Path) -> None:
    command = [sys.executable, "-m", "earwitness", "run", str(three_clips), "-m", "fake:echo", "--measure", "cold,warm"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.strip() == "There is no protocol 'warm' to measure. There are: latency, cold, throughput."
