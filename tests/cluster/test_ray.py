"""Real Ray with several nodes on this machine: the record is that of one machine, whatever dies on the way."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.cluster.ray_cluster import VARIABLES, kill, node_options, nodes, processes, sleeping_job
from tests.records.same import content
from tests.runs.jobs import quiet
from tests.runs.test_run import waiting_for

from earwitness.cluster.drive import over_cluster
from earwitness.cluster.link import address_of, ray_session
from earwitness.cluster.pool import ClusterPool
from earwitness.cluster.ray_backend import RayBackend
from earwitness.errors import UsageError
from earwitness.records import store
from earwitness.records.record import ClipResult
from earwitness.records.speed import SpeedProtocols
from earwitness.runs.drive import Turn, start
from earwitness.runs.job import Job
from earwitness.runs.pool import PoolSpec
from earwitness.types import Clip

HOLDS = ("actor.py", "link.py", "ray_backend.py")
pytestmark = pytest.mark.cluster
SEEDS = 20


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with nodes(3) as found:
        yield found


@pytest.fixture
def backend(cluster: Any) -> Iterator[RayBackend]:
    with ray_session(f"ray://{cluster.address}") as ray:
        found = RayBackend(ray)
        yield found
        found.close()


def alone(job: Job, tmp_path: Path) -> tuple[bytes, bytes]:
    return content(start(job, tmp_path / "alone", quiet))


def test_the_record_of_several_nodes_is_that_of_one_machine(
    backend: RayBackend, tmp_path: Path, write_wav: Callable[..., Path]
) -> None:
    job = sleeping_job(tmp_path, write_wav, 30)
    (path,) = over_cluster([Turn(job, quiet)], tmp_path / "runs", backend)
    run = store.read_run(path)
    assert (run.status, run.speed) == ("complete", None)
    assert {machine.name for machine in run.machines} == {"node 1", "node 2", "node 3"}
    assert run.workers is not None
    assert run.workers.n_started == 3
    assert content(path) == alone(job, tmp_path)


def test_two_models_share_nodes_or_have_them_to_themselves(
    backend: RayBackend, tmp_path: Path, write_wav: Callable[..., Path]
) -> None:
    job = sleeping_job(tmp_path, write_wav, 9, sleep_s=0.05)
    for whole_nodes in (False, True):
        turns = [Turn(job, quiet), Turn(replace(job, settings=replace(job.settings, beam_size=2)), quiet)]
        paths = over_cluster(turns, tmp_path / f"runs-{whole_nodes}", backend, whole_nodes=whole_nodes)
        runs = [store.read_run(path) for path in paths]
        assert [run.status for run in runs] == ["complete"] * 2
        assert [run.settings_asked.beam_size for run in runs] == [1, 2]
        assert all((run.speed is not None) == whole_nodes for run in runs)


@pytest.mark.parametrize("seed", [*range(2), *(pytest.param(n, marks=pytest.mark.long) for n in range(2, SEEDS))])
def test_whatever_is_killed_the_record_is_that_of_one_machine(
    seed: int, cluster: Any, backend: RayBackend, tmp_path: Path, write_wav: Callable[..., Path]
) -> None:
    job = sleeping_job(tmp_path, write_wav, 30)
    chance = random.Random(seed)
    kills = {chance.randrange(2, 26): what for what in chance.choices(["worker", "actor", "raylet"], k=2)}

    def strike(done: int, total: int, result: ClipResult) -> None:
        found = processes(cluster, kills[done]) if done in kills else []
        if found:
            kill(chance.choice(sorted(found, key=lambda process: process.pid)))

    (path,) = over_cluster([Turn(job, strike)], tmp_path / "runs", backend)
    run = store.read_run(path)
    assert (run.status, run.failure) == ("complete", None)
    assert content(path) == alone(job, tmp_path)
    for _ in range(3 - sum(node["Alive"] for node in backend.ray.nodes())):
        cluster.add_node(**node_options())


def test_audio_that_a_node_does_not_have_is_copied_by_its_hash(
    backend: RayBackend, tmp_path: Path, write_wav: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = sleeping_job(tmp_path, write_wav, 9, sleep_s=0.0)
    want = alone(job, tmp_path)
    monkeypatch.setattr("earwitness.cluster.ray_backend.shown_path", lambda clip: f"/no/such/disk{clip.audio_path}")
    (path,) = over_cluster([Turn(job, quiet)], tmp_path / "runs", backend)
    assert content(path) == want


def test_a_pool_on_the_cluster_takes_clips_as_they_come(
    backend: RayBackend, tmp_path: Path, write_wav: Callable[..., Path]
) -> None:
    job = sleeping_job(tmp_path, write_wav, 12, sleep_s=0.02)

    def source() -> Iterator[Clip]:
        yield from job.dataset.clips

    with ClusterPool(PoolSpec(job.model, job.folder, job.weights_sha256, settings=job.settings), backend) as pool:
        ids = [each.hypothesis.clip_id for each in pool.transcribe(source())]
    assert sorted(ids) == sorted(clip.id for clip in job.dataset.clips)


def test_weights_that_differ_are_refused_with_the_node(
    backend: RayBackend, tmp_path: Path, write_wav: Callable[..., Path]
) -> None:
    job = replace(sleeping_job(tmp_path, write_wav, 3), weights_sha256="0" * 64)
    (path,) = over_cluster([Turn(job, quiet)], tmp_path / "runs", backend)
    run = store.read_run(path)
    assert run.failure is not None
    assert run.failure.message.startswith("No node is left for fake:m on many.")
    assert "The weights of 'fake:m' here are others than the driver's. Copy them again" in run.failure.message


def test_speed_protocols_are_refused(backend: RayBackend, tmp_path: Path, write_wav: Callable[..., Path]) -> None:
    job = replace(sleeping_job(tmp_path, write_wav, 3), measure=SpeedProtocols(("latency",)))
    with pytest.raises(UsageError, match="--measure is about one machine"):
        over_cluster([Turn(job, quiet)], tmp_path / "runs", backend)


def command(cluster: Any, tmp_path: Path, *arguments: str | Path) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "earwitness", *map(str, arguments), "--on", f"ray://{cluster.address}"]
    around = {**os.environ, **VARIABLES}
    return subprocess.Popen(words, cwd=tmp_path, env=around, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def lines(root: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in root.rglob("*.clips.jsonl"))


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_a_driver_that_dies_is_continued_by_another_one(
    end: signal.Signals, cluster: Any, tmp_path: Path, write_wav: Callable[..., Path]
) -> None:
    job = sleeping_job(tmp_path, write_wav, 30)
    model = f"fake:{job.folder}"
    begun = command(cluster, tmp_path, "run", "many.jsonl", "--model", model, "--warmup", "0")
    waiting_for(lambda: lines(tmp_path) > 5)
    begun.send_signal(end)
    begun.communicate(timeout=60)
    waiting_for(lambda: not processes(cluster, "worker"))
    (path,) = store.find_records([tmp_path / "runs"])
    assert store.read_run(path).status == ("running" if end == signal.SIGKILL else "interrupted")
    done = command(cluster, tmp_path, "run", "--resume", "--json")
    said, complaints = done.communicate(timeout=120)
    assert done.returncode == 0, complaints
    (answer,) = json.loads(said)
    assert answer["status"] == "complete"
    one = [sys.executable, "-m", "earwitness", "run", "many.jsonl", "-m", model, "--warmup", "0", "--out", "alone"]
    assert subprocess.run(one, cwd=tmp_path, capture_output=True).returncode == 0
    (other,) = store.find_records([tmp_path / "alone"])
    assert content(path) == content(other)


@pytest.mark.long
def test_when_the_head_dies_the_driver_ends_and_one_machine_continues_the_record(
    tmp_path: Path, write_wav: Callable[..., Path]
) -> None:
    job = sleeping_job(tmp_path, write_wav, 30, sleep_s=0.3)
    with nodes(2) as own:
        model = f"fake:{job.folder}"
        driver = command(own, tmp_path, "run", "many.jsonl", "-m", model, "--warmup", "0", "--no-speech")
        waiting_for(lambda: lines(tmp_path) > 5)
        for what in ("gcs_server", "raylet"):
            kill(psutil.Process(own.head_node.all_processes[what][0].process.pid))
        driver.communicate(timeout=180)
    assert driver.returncode != 0
    (path,) = store.find_records([tmp_path / "runs"])
    assert store.read_run(path).status != "complete"
    words = [sys.executable, "-m", "earwitness", "run", "--resume"]
    assert subprocess.run(words, cwd=tmp_path, capture_output=True).returncode == 0
    assert content(path)[1] == alone(job, tmp_path)[1]


def test_an_archive_is_transcribed_on_the_cluster(cluster: Any, tmp_path: Path, write_wav: Callable[..., Path]) -> None:
    for n in range(1, 5):
        write_wav(f"calls/{n}.wav", n)
    begun = command(cluster, tmp_path, "transcribe", "calls", "--model", "fake:echo", "--out", "texts", "--json")
    said, complaints = begun.communicate(timeout=120)
    assert begun.returncode == 0, complaints
    assert json.loads(said)["n_texts"] == 4
    texts = {path.stem: path.read_text().strip() for path in (tmp_path / "texts").glob("*.txt")}
    assert texts == {str(n): f"heard {n}.00 seconds" for n in range(1, 5)}


def test_one_command_starts_ray_here_and_ends_it(tmp_path: Path, three_clips: Path) -> None:
    words = [sys.executable, "-m", "earwitness", "run", str(three_clips), "-m", "fake:echo", "--on", "ray"]
    around = {name: value for name, value in os.environ.items() if name not in VARIABLES} | {"HOME": str(tmp_path)}
    done = subprocess.run(words, cwd=tmp_path, env=around, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    assert "node 1: 127.0.0.1" in done.stderr
    (path,) = store.find_records([tmp_path / "runs"])
    assert store.read_run(path).status == "complete"
    assert (tmp_path / ".ray" / "auth_token").is_file()


@pytest.mark.parametrize("on", ["slurm", "ray://", "ray://host", "http://a:1"])
def test_what_is_no_cluster_is_refused(on: str) -> None:
    with pytest.raises(UsageError, match="Write ray, or ray://HOST:PORT"):
        address_of(on)


def test_a_cluster_that_is_not_there_is_one_sentence(tmp_path: Path, three_clips: Path) -> None:
    words = [
        sys.executable,
        "-m",
        "earwitness",
        "run",
        str(three_clips),
        "-m",
        "fake:echo",
        "--on",
        "ray://127.0.0.1:1",
    ]
    done = subprocess.run(words, cwd=tmp_path, env={**os.environ, **VARIABLES}, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert "There is no Ray at 127.0.0.1:1" in done.stderr
