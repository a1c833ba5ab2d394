"""What takes minutes with real Ray: how it scales, and whether the forecast of a run comes true."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cluster.ray_cluster import nodes, sleeping_job
from tests.runs.jobs import quiet

from earwitness.api.cluster import list_nodes, plan_run
from earwitness.cli import main
from earwitness.cluster.drive import over_cluster
from earwitness.cluster.link import ray_session
from earwitness.cluster.ray_backend import RayBackend
from earwitness.runs.drive import Turn, start
from earwitness.runs.plan import Task

HOLDS = ("api/cluster.py", "cli/cluster.py")
pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with nodes(3) as found:
        yield found


def test_the_nodes_are_shown_with_what_they_can_run(cluster: Any, capsys: pytest.CaptureFixture[str]) -> None:
    on = f"ray://{cluster.address}"
    status = list_nodes(on=on, models=["fake:echo"], device="tpu")
    assert [node.name for node in status.nodes] == ["node 1", "node 2", "node 3"]
    assert status.problems == ()
    assert all("tpu" in reason for reason in status.unfit["fake:echo"].values())
    assert list_nodes(on=on, models="fake:echo").unfit == {"fake:echo": {}}
    assert main(["cluster", "--on", on, "--model", "fake:echo"]) == 0
    assert "fake:echo: 3 of 3 nodes can run it." in capsys.readouterr().out
    assert main(["cluster", "--on", on, "--model", "fake:echo", "--device", "tpu", "--json"]) == 1
    assert len(json.loads(capsys.readouterr().out)["nodes"]) == 3


@pytest.mark.long
def test_the_forecast_of_a_run_is_within_fifteen_percent(
    cluster: Any, tmp_path: Path, write_wav: Callable[..., Path]
) -> None:
    job = sleeping_job(tmp_path, write_wav, 90, sleep_s=1.5)
    few = sleeping_job(tmp_path, write_wav, 8, sleep_s=1.5)
    start(few, tmp_path / "runs", quiet)
    on = f"ray://{cluster.address}"
    plan = plan_run([Task(job)], tmp_path / "runs", on)
    with ray_session(on) as ray:
        backend = RayBackend(ray)
        backend.nodes()
        began_s = time.monotonic()
        over_cluster([Turn(job, quiet)], tmp_path / "done", backend)
        took_s = time.monotonic() - began_s
    assert plan.forecast.makespan_s == pytest.approx(took_s, rel=0.15)
