"""Every clip gets one result, whatever dies, and a model ends only when nothing can run it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cluster.fake_backend import CRASH, FakeBackend, node, report
from tests.conftest import clip

from earwitness import __version__
from earwitness.cluster.backend import ActorEvent
from earwitness.cluster.dispatch import Dispatcher, Work, WorkResult
from earwitness.cluster.nodes import NodeInfo, slots, why_unfit
from earwitness.cluster.pool import ClusterPool
from earwitness.engines.catalog import Model
from earwitness.runs.pool import PoolResult, PoolSpec
from earwitness.types import Clip, Hypothesis, Settings, Transcript
from earwitness.workers.supervisor import GivenUpError

HOLDS = ("backend.py", "nodes.py", "pool.py")
SPEC = PoolSpec(Model("fake:echo", "fake", "fake/echo"), None, None)


def clips(n: int, prefix: str = "c") -> list[Clip]:
    return [clip(f"{prefix}{number}") for number in range(n)]


def results(backend: FakeBackend, *works: Work, **options: object) -> list[WorkResult]:
    dispatcher = Dispatcher(backend, works, version=__version__, patience_s=0.0, **options)  # type: ignore[arg-type]
    return list(dispatcher.results())


@given(seed=st.integers(0, 10**6), n_nodes=st.integers(1, 4), n_clips=st.integers(1, 25), n_works=st.integers(1, 2))
def test_whatever_dies_every_clip_has_one_result(seed: int, n_nodes: int, n_clips: int, n_works: int) -> None:
    backend = FakeBackend([node(n) for n in range(n_nodes)], seed=seed, chance=0.2)
    works = [Work(SPEC, iter(clips(n_clips, f"w{n}-")), f"w{n}") for n in range(n_works)]
    found = results(backend, *works)
    for number, work in enumerate(works):
        ids = [each.result.hypothesis.clip_id for each in found if each.work is work and each.result]
        assert len(ids) == len(set(ids))
        if all(each.result for each in found if each.work is work):
            assert sorted(ids) == sorted(one.id for one in clips(n_clips, f"w{number}-"))
    for each in found:
        if each.result and each.result.hypothesis.failure:
            assert each.result.hypothesis.attempt >= 2


def test_clips_are_taken_as_they_are_needed() -> None:
    taken = 0

    def source() -> object:
        nonlocal taken
        for one in clips(1000):
            taken += 1
            yield one

    dispatcher = Dispatcher(FakeBackend([node(1), node(2)]), [Work(SPEC, source(), "w")], version=__version__)  # type: ignore[arg-type]
    stream = dispatcher.results()
    for _ in range(10):
        next(stream)
    assert taken <= 10 + 2 * 2 + 1


def killer(place: NodeInfo, one: Clip) -> ActorEvent | None:
    """One clip takes the whole process with it, wherever it is tried."""
    return ActorEvent("", "lost", reason="killed for memory") if one.id == "c1" else None


@pytest.mark.parametrize("n_nodes", [1, 2])
def test_a_clip_that_kills_its_process_is_a_failure_with_the_reason_and_the_rest_is_done(n_nodes: int) -> None:
    backend = FakeBackend([node(n) for n in range(n_nodes)], says=killer)
    done = [each.result for each in results(backend, Work(SPEC, clips(5), "w")) if each.result]
    found = {result.hypothesis.clip_id: result.hypothesis for result in done}
    assert len(found) == 5
    failure = found["c1"].failure
    assert failure is not None
    assert failure.message == "Its process was lost 3 times under this clip; the last: killed for memory"
    assert all(found[f"c{n}"].ok for n in (0, 2, 3, 4))


def test_a_clip_whose_worker_crashes_is_tried_once_more_and_on_another_node() -> None:
    places: list[str] = []

    def says(place: NodeInfo, one: Clip) -> ActorEvent | None:
        if one.id != "c0":
            return None
        places.append(place.name)
        return ActorEvent("", "result", PoolResult(Hypothesis("c0", None, CRASH, audio_s=1.0)))

    found = results(FakeBackend([node(1), node(2)], says=says), Work(SPEC, clips(9), "w"))
    (failed,) = [each.result.hypothesis for each in found if each.result and each.result.hypothesis.failure]
    assert (failed.attempt, len(set(places)), len(places)) == (2, 2, 2)


def test_a_crash_after_a_lost_process_is_tried_again_too() -> None:
    said: list[ActorEvent | None] = [
        ActorEvent("", "lost", reason="killed"),
        ActorEvent("", "result", PoolResult(Hypothesis("c0", None, CRASH, audio_s=1.0))),
    ]
    (found,) = results(FakeBackend([node(1)], says=lambda *_: said.pop(0) if said else None), Work(SPEC, clips(1), "w"))
    assert found.result is not None
    assert (found.result.hypothesis.ok, found.result.hypothesis.attempt) == (True, 3)


def test_a_node_with_another_device_or_other_packages_takes_no_part() -> None:
    def says(place: NodeInfo, one: Clip) -> ActorEvent | None:
        done = PoolResult(Hypothesis(one.id, Transcript(""), None, audio_s=1.0))
        return ActorEvent("", "result", done, report=report("cuda:0" if place.name == "node 2" else "cpu"))

    work = Work(SPEC, clips(20), "w")
    found = results(FakeBackend([node(1), node(2)], says=says), work)
    assert len(found) == 20
    assert len({each.node for each in found}) == 1
    (reason,) = work.unfit.values()
    assert "its device differ from the first node's" in reason


UNFIT = {
    "engine": (node(1, packages={}), "engine 'fake' is not installed. Type there: earwitness engines install fake"),
    "memory": (node(1, available_bytes=1), "the model needs about 0.3 GB, and 0.0 GB of memory are free"),
    "version": (
        node(1, environment=replace(node(1).environment, earwitness="0.1")),
        f"it has Earwitness 0.1, and this machine has {__version__}. Type there: pip install earwitness=={__version__}",
    ),
}


@pytest.mark.parametrize("name", UNFIT)
def test_a_model_that_no_node_can_run_ends_with_the_reason_of_each(name: str) -> None:
    place, reason = UNFIT[name]
    assert why_unfit(place, SPEC, __version__) == reason
    (end,) = results(FakeBackend([place]), Work(SPEC, clips(2), "fake:echo on d"))
    assert end.failure is not None
    assert end.failure.message.startswith(f"No node is left for fake:echo on d. node 1: {reason[:20]}")


def test_a_device_that_a_node_does_not_have_is_named() -> None:
    assert "tpu" in (why_unfit(node(1), replace(SPEC, device="tpu"), __version__) or "")


def test_nodes_that_join_later_are_used() -> None:
    def says(place: NodeInfo, one: Clip) -> ActorEvent | None:
        if one.id == "c3" and place.name == "node 1":
            backend.alive = [node(2)]
            return ActorEvent("", "lost", reason="node died")
        return None

    backend = FakeBackend([node(1)], says=says)
    found = results(backend, Work(SPEC, clips(6), "w"))
    assert [each.node for each in found] == ["node 1"] * 3 + ["node 2"] * 3


def test_a_node_that_measures_has_one_model_at_a_time() -> None:
    backend = FakeBackend([node(1), node(2)])
    works = [Work(SPEC, clips(6, f"w{n}-"), f"w{n}") for n in range(3)]
    found = results(backend, *works, whole_nodes=True)
    assert len(found) == 18
    assert all(each.result for each in found)


def test_a_node_has_a_worker_for_each_cuda_device_that_the_engine_can_use() -> None:
    place = node(1, devices={"cpu": 1, "cuda": 4})
    whisper = replace(SPEC, model=Model("whisper:tiny", "whisper", "w"))
    counts = [slots(place, replace(whisper, device=device)) for device in ("auto", "cuda", "cuda:1", "cpu")]
    assert counts == [4, 4, 1, 1]
    assert slots(place, SPEC) == slots(node(1), whisper) == 1


def test_a_node_has_as_many_workers_as_its_cores_hold_threads_unless_times_count() -> None:
    place = node(1, environment=replace(node(1).environment, cores=8))
    spec = replace(SPEC, settings=Settings(threads=2))
    assert (slots(place, spec), slots(place, spec, whole_node=True)) == (4, 1)
    backend = FakeBackend([place])
    assert len(results(backend, Work(spec, clips(12), "w"))) == 12
    assert len(backend.started) == 4


def test_a_pool_gives_every_clip_and_raises_when_nothing_can_run_it() -> None:
    with ClusterPool(SPEC, FakeBackend([node(1), node(2)], chance=0.1)) as pool:
        ids = {each.hypothesis.clip_id for each in pool.transcribe(iter(clips(30)))}
        assert ids == {one.id for one in clips(30)}
        assert pool.info is not None
        assert pool.info.device == "cpu"
    with (
        ClusterPool(SPEC, FakeBackend([]), patience_s=0.0) as pool,
        pytest.raises(GivenUpError, match="No node is left"),
    ):
        list(pool.transcribe(clips(1)))
