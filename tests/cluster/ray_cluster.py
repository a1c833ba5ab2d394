"""Several nodes of Ray on this machine, all on 127.0.0.1, and ways to kill what runs on them."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.runs.jobs import job

from earwitness import weights
from earwitness.runs.job import Job

STORE_BYTES = 80 * 2**20
# Ray reads these when it is imported. The last makes 127.0.0.1 the address of this machine.
VARIABLES = {
    "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "a token of the tests, of no use elsewhere",
    "RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
}  # fmt: skip


def node_options(**more: Any) -> dict[str, Any]:
    """The options of a small node."""
    return {"num_cpus": 1, "object_store_memory": STORE_BYTES, "node_ip_address": "127.0.0.1", **more}


@contextmanager
def nodes(n: int) -> Iterator[Any]:
    """A cluster of so many nodes, the head included."""
    if find_spec("ray") is None:
        pytest.skip("there is no Ray here: make test-cluster")
    os.environ.update(VARIABLES)
    from ray.cluster_utils import Cluster

    cluster: Any = Cluster(initialize_head=True, head_node_args=node_options(include_dashboard=False))
    try:
        for _ in range(n - 1):
            cluster.add_node(**node_options())
        yield cluster
    finally:
        cluster.shutdown()


def sleeping_job(tmp_path: Path, write_wav: Callable[..., Path], n: int, sleep_s: float = 0.15) -> Job:
    """A job of n clips of one to three seconds, each of which sleeps; every ninth fails."""
    rows = []
    for number in range(n):
        seconds = 1 + number % 3 + 2 * (number % 9 == 8)
        write_wav(f"{seconds}s.wav", seconds)
        rows.append({"audio_filepath": f"{seconds}s.wav", "text": f"clip {seconds}", "id": f"c{number}", "lang": "en"})
    manifest = tmp_path / "many.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    says = {str(s): {"text": f"clip {s}", "sleep_s": sleep_s} for s in (1, 2, 3)}
    found = job(tmp_path / "m", manifest, {**says, "5": {"model": "error"}})
    return replace(found, weights_sha256=weights.fingerprint(found.model))


def processes(cluster: Any, what: str) -> list[psutil.Process]:
    """The workers of engines, the actors, or the raylets of a cluster, but for what belongs to its head."""
    head = cluster.head_node.all_processes["raylet"][0].process.pid
    raylets = [node.all_processes["raylet"][0].process.pid for node in cluster.worker_nodes]
    if what == "raylet":
        return [psutil.Process(pid) for pid in raylets]
    below = [child for pid in [*raylets, head] for child in psutil.Process(pid).children(recursive=True)]
    marks = {"worker": "earwitness.workers.child", "actor": "ray::ModelActor"}
    return [each for each in below if marks[what] in " ".join(_command(each))]


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def kill(process: psutil.Process) -> None:
    """End it at once."""
    with suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGKILL)
