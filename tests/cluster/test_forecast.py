"""A forecast gives out the clips as the dispatcher does: by hand where it can be, in general between its bounds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cluster.fake_backend import node
from tests.runs.jobs import job, quiet

from earwitness.cluster.forecast import CLIP_OVERHEAD_S, ClipCost, ForecastWork, cost_of, forecast, machines_differ
from earwitness.errors import UsageError
from earwitness.records import store
from earwitness.runs.drive import start

NODES = ("node 1", "node 2", "node 3")


def work(durations: list[float], *nodes: str, start_s: float = 1.0, factor: float = 0.5) -> ForecastWork:
    return ForecastWork("m", tuple(durations), ClipCost(start_s, -CLIP_OVERHEAD_S, factor, "", ""), nodes)


@given(durations=st.lists(st.floats(0.1, 100), min_size=1, max_size=60), n_nodes=st.integers(1, 3))
def test_no_schedule_is_shorter_than_the_work_divided_and_none_by_list_longer_than_that_and_a_clip(
    durations: list[float], n_nodes: int
) -> None:
    found = forecast([work(durations, *NODES[:n_nodes])], whole_nodes=False)
    work_s = 0.5 * sum(durations)
    assert found.makespan_s >= 1.0 + max(work_s / n_nodes, 0.5 * max(durations)) - 1e-6
    assert found.makespan_s <= 1.0 + work_s / n_nodes + 0.5 * max(durations) + 1e-6
    assert found.work_s == pytest.approx(1.0 + work_s)


def test_two_models_on_two_nodes_take_one_each_where_a_node_has_one_model() -> None:
    works = [work([2.0] * 4, "node 1", "node 2"), work([2.0] * 4, "node 1", "node 2")]
    found = forecast(works, whole_nodes=True)
    assert (found.makespan_s, found.end_s) == (5.0, (5.0, 5.0))
    assert forecast(works, whole_nodes=False).end_s == (3.0, 3.0)


def test_a_node_that_is_done_with_one_model_takes_the_next() -> None:
    found = forecast([work([2.0, 2.0], "node 1"), work([2.0], "node 1")], whole_nodes=True)
    assert found.end_s == (3.0, 5.0)


def test_a_model_that_no_node_can_run_is_refused() -> None:
    with pytest.raises(UsageError, match="No node can run m"):
        forecast([work([1.0])], whole_nodes=False)


def test_costs_are_a_line_through_the_times_of_a_record(tmp_path: Path, three_clips: Path) -> None:
    path = start(job(tmp_path / "m", three_clips, {"*": {"model": "echo"}}), tmp_path / "runs", quiet)
    run = store.read_run(path)
    times = [(1.0, 0.4), (2.0, 0.6), (3.0, 0.8)]
    results = [
        replace(result, hypothesis=replace(result.hypothesis, audio_s=audio_s, wall_s=wall_s, decode_s=0.0))
        for result, (audio_s, wall_s) in zip(store.read_clips(path), times, strict=True)
    ]
    cost = cost_of(run, results, "r.json")
    assert cost is not None
    assert cost.clip_s == pytest.approx(0.2)
    assert cost.audio_factor == pytest.approx(0.2)
    assert run.workers is not None
    assert cost.start_s == run.workers.spawn_s + run.workers.load_s
    assert not machines_differ(cost, [node(1)])
    assert machines_differ(cost, [node(1, environment=replace(node(1).environment, cpu="Another CPU"))])
    assert cost_of(run, [], "r.json") is None
