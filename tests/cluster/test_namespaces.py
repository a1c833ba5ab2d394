"""Two machines as network and mount namespaces: other paths, no shared cache, a link that is cut, a disk that fills."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.cluster.ray_cluster import STORE_BYTES, VARIABLES
from tests.records.same import content
from tests.runs.test_run import waiting_for

from earwitness.records import store

pytestmark = [pytest.mark.cluster, pytest.mark.long]
HEAD, NODE, PORT = "10.77.0.1", "10.77.0.2", 6399
NAMES = ("ew-head", "ew-node")
AROUND = {
    **os.environ, **{name: value for name, value in VARIABLES.items() if "CLUSTER" not in name},
    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    # A cut link is noticed after seconds and not after a minute.
    "RAY_health_check_initial_delay_ms": "1000", "RAY_health_check_period_ms": "500",
    "RAY_health_check_timeout_ms": "1000", "RAY_health_check_failure_threshold": "4",
}  # fmt: skip


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def machines() -> Iterator[None]:
    """Two network namespaces with one cable between them, which nobody else reaches."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("there is no right to make network namespaces here: run as root, with iproute2")
    with ExitStack() as stack:
        for name in NAMES:
            ip("netns", "add", name)
            stack.callback(ip, "netns", "delete", name)
        ip("link", "add", "ew0", "netns", NAMES[0], "type", "veth", "peer", "name", "ew0", "netns", NAMES[1])
        for name, address in zip(NAMES, (HEAD, NODE), strict=True):
            ip("-n", name, "address", "add", f"{address}/24", "dev", "ew0")
            ip("-n", name, "link", "set", "ew0", "up")
            ip("-n", name, "link", "set", "lo", "up")
        yield


def on(name: str, *words: str, cache: str | None = None, **options: object) -> subprocess.Popen[str]:
    """Start a command on a machine; one with a cache of so many bytes has an empty /tmp and a home of its own, too."""
    inside = 'exec "$@"'
    if cache is not None:
        own = f"mount -t tmpfs none /tmp; mkdir /tmp/cache; mount -t tmpfs -o size={cache} none /tmp/cache"
        inside = f"{own}; export HOME=/tmp EARWITNESS_CACHE=/tmp/cache; {inside}"
    command = ["ip", "netns", "exec", name, "unshare", "-m", "sh", "-c", inside, "sh", *words]
    return subprocess.Popen(command, env=AROUND, text=True, **options)  # type: ignore[call-overload,no-any-return]


def lines(root: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in root.rglob("*.clips.jsonl"))


@pytest.mark.parametrize("mishap", ["", "link", "disk"])
def test_a_machine_without_the_data_gets_it_and_one_that_is_cut_off_or_full_costs_no_clip(
    mishap: str, machines: None, tmp_path: Path, write_wav: Callable[..., Path]
) -> None:
    rows = []
    for number in range(600):
        path = write_wav(f"{number % 8}.wav", 1 + number % 8)
        rows.append({"audio_filepath": str(path), "text": "x", "id": f"c{number}", "lang": "en"})
    manifest = tmp_path / "data.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    arguments = ["earwitness", "run", str(manifest), "-m", "fake:slow", "--warmup", "0", "--no-speech"]
    size = ["--num-cpus", "1", "--object-store-memory", str(STORE_BYTES), "--block"]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    address = ["--node-ip-address", HEAD, "--port", str(PORT), "--include-dashboard", "false"]
    head = on(NAMES[0], "ray", "start", "--head", *address, *size, **quiet)
    node = None
    try:
        waiting_for(lambda: is_up(NAMES[0]))
        join = ["ray", "start", "--address", f"{HEAD}:{PORT}", "--node-ip-address", NODE]
        node = on(NAMES[1], *join, *size, cache="400k" if mishap == "disk" else "1g", **quiet)
        waiting_for(lambda: n_nodes(tmp_path) == 2)
        place = ["--on", f"ray://{HEAD}:{PORT}", "--out", str(tmp_path / "runs")]
        driver = on(NAMES[0], *arguments, *place, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if mishap == "link":
            waiting_for(lambda: lines(tmp_path / "runs") > 200)
            ip("-n", NAMES[1], "link", "set", "ew0", "down")
        said, complaints = driver.communicate(timeout=300)
        assert driver.returncode == 0, said + complaints
    finally:
        for name in NAMES:
            for pid in subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True).stdout.split():
                os.kill(int(pid), signal.SIGKILL)
        for process in (node, head):
            if process is not None:
                process.wait(30)
    (path,) = store.find_records([tmp_path / "runs"])
    run = store.read_run(path)
    assert [machine.name for machine in run.machines] == ["node 1", "node 2"], complaints
    assert ("takes no part" in complaints and "the disk is full" in complaints) is (mishap == "disk"), complaints
    assert (
        subprocess.run([*arguments, "--out", str(tmp_path / "alone")], env=AROUND, capture_output=True).returncode == 0
    )
    (alone,) = store.find_records([tmp_path / "alone"])
    assert content(path) == content(alone)


def is_up(name: str) -> bool:
    probe = f"import socket; socket.create_connection(({HEAD!r}, {PORT}), 2)"
    return on(name, sys.executable, "-c", probe, stderr=subprocess.DEVNULL).wait(20) == 0


def n_nodes(folder: Path) -> int:
    look = on(NAMES[0], "earwitness", "cluster", "--on", f"ray://{HEAD}:{PORT}", "--json", stdout=subprocess.PIPE)
    said, _ = look.communicate(timeout=120)
    return len(json.loads(said)["nodes"]) if look.returncode == 0 else 0
