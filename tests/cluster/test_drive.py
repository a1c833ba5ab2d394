"""A record over a cluster whose parts die by a seed is the record over one where nothing dies."""

from __future__ import annotations

import json
import shutil
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.cluster.fake_backend import FakeBackend, node
from tests.records.same import content
from tests.runs.jobs import job, quiet

from earwitness.cluster.backend import ActorEvent
from earwitness.cluster.drive import over_cluster
from earwitness.cluster.nodes import NodeInfo
from earwitness.errors import UsageError
from earwitness.records import store
from earwitness.records.record import ClipResult, Run
from earwitness.records.speed import SpeedProtocols
from earwitness.runs.drive import RunInterrupt, Turn
from earwitness.runs.job import Job
from earwitness.runs.pool import PoolResult
from earwitness.types import Clip, Hypothesis, Segment, Transcript

HOLDS = ("record.py",)


@pytest.fixture
def whole(tmp_path: Path, write_wav: Callable[..., Path]) -> Job:
    write_wav("a.wav")
    manifest = tmp_path / "many.jsonl"
    rows = [{"audio_filepath": "a.wav", "text": f"c{n}", "id": f"c{n}"} for n in range(20)]
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return job(tmp_path / "m", manifest, {})


def run_of(path: Path) -> Run:
    return store.read_run(path)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), n_nodes=st.integers(2, 4), stop=st.integers(1, 20))
def test_whatever_dies_and_whenever_the_driver_is_stopped_the_record_is_the_same(
    whole: Job, tmp_path_factory: pytest.TempPathFactory, seed: int, n_nodes: int, stop: int
) -> None:
    out = tmp_path_factory.mktemp("out")
    places = [node(n) for n in range(n_nodes)]
    (want,) = over_cluster([Turn(whole, quiet)], out / "want", FakeBackend(places))

    def interrupt(done: int, total: int, result: ClipResult) -> None:
        if done == stop < total:
            raise KeyboardInterrupt

    backend = FakeBackend(places, seed=seed, chance=0.04)
    try:
        (path,) = over_cluster([Turn(whole, interrupt)], out / "got", backend)
    except RunInterrupt as end:
        (path,) = end.records
        assert run_of(path).status == "interrupted"
        over_cluster([Turn(whole, quiet, path)], out / "got", FakeBackend(places, seed=seed + 1, chance=0.04))
    results = store.read_clips(path)
    if all(result.hypothesis.ok for result in results):  # nothing died twice under the same clip
        assert content(path) == content(want)
    assert [result.clip.id for result in results] == [f"c{n}" for n in range(20)]
    assert store.seal_fits(path, run_of(path))


def test_a_driver_that_is_killed_leaves_behind_what_ran_where(whole: Job, tmp_path: Path) -> None:
    def copy(done: int, total: int, result: ClipResult) -> None:
        if done == total:
            shutil.copytree(tmp_path / "killed", tmp_path / "left")

    (want,) = over_cluster([Turn(whole, copy)], tmp_path / "killed", FakeBackend([node(1), node(2)]), whole_nodes=True)
    (path,) = store.find_records([tmp_path / "left"])
    left = run_of(path)
    assert (left.status, left.speed) == ("running", None)
    store.write_run(path, replace(left, process=None))
    over_cluster([Turn(whole, quiet, path)], tmp_path / "left", FakeBackend([node(1)]), whole_nodes=True)
    assert content(path) == content(want)
    for run in (left, run_of(path)):
        assert [machine.name for machine in run.machines] == ["node 1", "node 2"]
        assert (run.device_used, run.workers is not None) == (run_of(want).device_used, True)
    assert run_of(path).speed == run_of(want).speed


def test_the_driver_keeps_no_result_in_memory(whole: Job, tmp_path: Path) -> None:
    def says(place: NodeInfo, clip: Clip) -> ActorEvent:
        segments = tuple(Segment(n / 1000, (n + 1) / 1000, f"{clip.id} {n}") for n in range(500))
        hypothesis = Hypothesis(clip.id, Transcript(clip.id, segments), None, audio_s=1.0, wall_s=0.1, decode_s=0.1)
        return ActorEvent("", "result", PoolResult(hypothesis))

    held_bytes = []

    def look(done: int, total: int, result: ClipResult) -> None:
        held_bytes.append(tracemalloc.get_traced_memory()[0])

    tracemalloc.start()
    (path,) = over_cluster([Turn(whole, look)], tmp_path, FakeBackend([node(1)], says=says))
    tracemalloc.stop()
    one_line = len(store.clips_path(path).read_bytes()) / 20
    assert held_bytes[-1] - held_bytes[4] < one_line


def test_speed_counts_where_a_node_has_one_model_and_all_are_of_one_kind(whole: Job, tmp_path: Path) -> None:
    other = replace(node(1).environment, cpu="Another CPU")
    alike, mixed = [node(1), node(2)], [node(1), node(2, environment=other)]
    cases = [(alike, True, True), (alike, False, False), (mixed, True, False)]
    for n, (places, whole_nodes, has_speed) in enumerate(cases):
        backend = FakeBackend(places)
        (path,) = over_cluster([Turn(whole, quiet)], tmp_path / str(n), backend, whole_nodes=whole_nodes)
        run = run_of(path)
        assert (run.speed is not None) == has_speed
        assert [machine.name for machine in run.machines] == sorted(machine.name for machine in run.machines)
        assert {machine.run_id for machine in run.machines} == {None}


def test_a_run_that_no_node_can_do_is_failed_with_the_reason(whole: Job, tmp_path: Path) -> None:
    def says(place: NodeInfo, clip: Clip) -> ActorEvent:
        return ActorEvent("", "unable", reason="there is no room")

    notes: list[str] = []
    (path,) = over_cluster([Turn(whole, quiet)], tmp_path, FakeBackend([node(1)], says=says), note=notes.append)
    assert notes == ["node 1 takes no part in fake:m on many: there is no room"]
    run = run_of(path)
    assert run.status == "failed"
    assert run.failure is not None
    assert run.failure.message == "No node is left for fake:m on many. node 1: there is no room."


def test_an_error_of_the_driver_leaves_a_failed_record_that_can_be_continued(whole: Job, tmp_path: Path) -> None:
    def fault(done: int, total: int, result: ClipResult) -> None:
        if done == 5:
            raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        over_cluster([Turn(whole, fault)], tmp_path, FakeBackend([node(1)]))
    (path,) = store.find_records([tmp_path])
    assert run_of(path).status == "failed"
    over_cluster([Turn(whole, quiet, path)], tmp_path, FakeBackend([node(1)]))
    assert run_of(path).status == "complete"
    assert len(store.read_clips(path)) == 20


def test_protocols_of_speed_are_refused(whole: Job, tmp_path: Path) -> None:
    job = replace(whole, measure=SpeedProtocols(("latency",)))
    with pytest.raises(UsageError, match="--measure is about one machine"):
        over_cluster([Turn(job, quiet)], tmp_path, FakeBackend([node(1)]))
    assert list(tmp_path.glob("fake*")) == []


def test_nodes_are_named_as_clips_are_done(whole: Job, tmp_path: Path) -> None:
    seen: list[tuple[str, str, str]] = []

    def note(model: str, data: str, place: str) -> None:
        seen.append((model, data, place))

    over_cluster([Turn(whole, quiet)], tmp_path, FakeBackend([node(1)]), on_node=note)
    assert seen == [("fake:m", "many", "node 1")] * 20
