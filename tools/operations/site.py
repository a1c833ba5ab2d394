"""What runs on the day: servers, nginx before them, Prometheus, and a file each of keys and of the decision."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from tests.deployment.test_deployment import free_port
from tests.server.serving import Running, children, running, until, write_decision
from tests.server.test_rollout import NGINX, Balancer, balanced
from tools.operations.prometheus import Alerts, prometheus, write_targets

DISK_BYTES = 64 << 20
_LOOK_S = 0.5
_EARWITNESS = (sys.executable, "-m", "earwitness")


@dataclass
class Site:
    """Everything that runs."""

    folder: Path
    """For all files."""
    model: str
    """Its id."""
    options: tuple[str, ...]
    """Of every server."""
    ends: contextlib.ExitStack
    """Stops what was started."""
    everyone: list[Running] = field(default_factory=list)
    """Servers that run or ran."""
    servers: list[Running] = field(default_factory=list)
    """Those that run."""
    balancer: Balancer | None = None
    """``None`` where nginx is not installed."""
    alerts: Alerts | None = None
    """``None`` where Prometheus is not installed."""
    has_disk: bool = False
    """Whether the first server's uploads are on a small disk of their own."""
    key: str = ""
    """The key that clients send."""
    secrets: list[str] = field(default_factory=list)
    """That must be in no log."""
    processes: set[psutil.Process] = field(default_factory=set)
    """Every process that a server has ever started."""
    memory: dict[int, list[int]] = field(default_factory=dict)
    """Of each server itself, by its process, every half second."""
    _stop: threading.Event = field(default_factory=threading.Event)

    @property
    def decision(self) -> Path:
        """The file that all servers follow."""
        return self.folder / "decision.json"

    @property
    def keys(self) -> Path:
        """The file of keys."""
        return self.folder / "keys.json"

    @property
    def disk(self) -> Path:
        """Where the first server keeps uploads: a disk of its own, where one can be mounted."""
        return self.folder / "a" / "scratch"

    @property
    def log(self) -> list[dict[str, Any]]:
        """Lines of all servers."""
        return [row for server in self.everyone for row in server.log]

    def start(self, name: str) -> Running:
        """Start a server, and return it once it is ready."""
        arguments = ("--decision", str(self.decision), "--keys", str(self.keys), *self.options)
        server = self.ends.enter_context(running(self.folder / name, *arguments))
        self.everyone.append(server)
        self.servers.append(server)
        self.tell_prometheus()
        return server

    def stop(self, server: Running) -> bool:
        """Tell a server to stop, wait, and return whether it ended well and left no process."""
        below = children(server.process.pid)
        server.process.send_signal(signal.SIGTERM)
        code = server.process.wait(timeout=180)
        self.servers.remove(server)
        self.tell_prometheus()
        return code == 0 and not alive(below)

    def tell_prometheus(self) -> None:
        """Have the servers that run scraped."""
        if self.alerts is not None:
            places = [server.url.removeprefix("http://") for server in self.servers]
            write_targets(self.folder / "prometheus", "earwitness", places)

    def listed(self, server: Running) -> None:
        """Wait until nginx sends requests to a server."""
        if self.balancer is not None:
            balancer, place = self.balancer, server.url.removeprefix("http://")
            until(lambda: place in balancer.listed)

    def command(self, *arguments: str) -> str:
        """Run ``earwitness`` and return what it prints."""
        return subprocess.run(
            [*_EARWITNESS, *arguments], capture_output=True, text=True, check=True, timeout=120
        ).stdout

    def add_key(self, name: str) -> str:
        """Add a key as an operator does, and return it."""
        shown = json.loads(self.command("serve", "keys", "add", name, "--keys", str(self.keys), "--json"))
        return str(shown["key"])

    def entry(self) -> str:
        """Return where clients ask: nginx, or the first server where there is none."""
        if self.balancer is not None:
            return f"127.0.0.1:{self.balancer.port}"
        return self.servers[0].url.removeprefix("http://")

    def decide(self, **promise: float) -> None:
        """Write a decision for the model."""
        write_decision(self.decision, self.model, promise=promise)

    def await_alert(self, name: str) -> None:
        """Wait until an alert fires, where there is a Prometheus."""
        since, alerts = time.monotonic(), self.alerts
        if alerts is not None:
            until(lambda: alerts.state(name, since) == "firing")

    def canary(self) -> tuple[subprocess.Popen[bytes], Path]:
        """Start a canary, have it scraped, and return it with its log."""
        port, log = free_port(), self.folder / "canary.log"
        command = [
            *_EARWITNESS, "canary", f"http://{self.entry()}", "--data", "sample", "--limit", "2", "--every", "5s",
            "--listen", f"127.0.0.1:{port}", "--key-env", "DAY_KEY",
        ]  # fmt: skip
        with log.open("w") as file:
            environment = {**os.environ, "DAY_KEY": self.key}
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=file, env=environment)
        self.ends.callback(process.wait)
        self.ends.callback(process.kill)
        if self.alerts is not None:
            write_targets(self.folder / "prometheus", "earwitness-canary", [f"127.0.0.1:{port}"])
        return process, log

    def follow(self) -> None:
        """Note every process of the servers and what the servers hold, until the end."""
        while not self._stop.wait(_LOOK_S):
            for server in list(self.servers):
                self.processes.update(children(server.process.pid))
                with contextlib.suppress(psutil.Error):
                    held = psutil.Process(server.process.pid).memory_info().rss
                    self.memory.setdefault(server.process.pid, []).append(held)

    def end(self) -> None:
        """Note no more processes."""
        self._stop.set()


@dataclass(frozen=True, slots=True)
class Moment:
    """How things stood at a moment, so that what has come since can be told."""

    site: Site
    metrics: dict[int, dict[tuple[str, ...], float]]
    lines: dict[int, int]

    @classmethod
    def now(cls, site: Site) -> Moment:
        """Look at all servers."""
        lines = {one.process.pid: len(one.log) for one in site.everyone}
        return cls(site, {one.process.pid: one.metrics for one in site.servers}, lines)

    def rise(self, name: str, *labels: str) -> int:
        """Return by how much a counter has risen since, over all servers that ran then and run now."""
        total = 0.0
        for server in self.site.servers:
            before = self.metrics.get(server.process.pid)
            if before is not None:
                total += sum(
                    value - before.get(key, 0.0)
                    for key, value in server.metrics.items()
                    if key[0] == name and set(labels) <= set(key[1:])
                )
        return round(total)

    def rows_like(self, start: str) -> list[dict[str, Any]]:
        """Return lines of the log since then whose event begins like this."""
        return [row for row in self._fresh() if row["event"].startswith(start)]

    def rows(self, event: str, **fields: Any) -> list[dict[str, Any]]:
        """Return lines of the log since then that have these fields."""
        wanted = {"event": event, **fields}
        return [row for row in self._fresh() if wanted.items() <= row.items()]

    def _fresh(self) -> list[dict[str, Any]]:
        return [row for one in self.site.everyone for row in one.log[self.lines.get(one.process.pid, 0) :]]


def alive(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Return those that still run."""
    found = []
    for process in processes:
        with contextlib.suppress(psutil.Error):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


@contextlib.contextmanager
def small_disk(place: Path) -> Iterator[bool]:
    """Mount a disk of ``DISK_BYTES`` there, and say whether that could be done: it takes a privilege."""
    place.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(place)]
    mounted = (
        shutil.which("mount") is not None and subprocess.run(command, check=False, capture_output=True).returncode == 0
    )
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", str(place)], check=True)


@contextlib.contextmanager
def opened(folder: Path, model: str, options: tuple[str, ...], haste: int) -> Iterator[Site]:
    """Start two servers and what stands around them, and see to it that all of it ends."""
    with contextlib.ExitStack() as ends:
        site = Site(folder, model, options, ends)
        site.has_disk = ends.enter_context(small_disk(site.disk))
        if shutil.which("prometheus") is not None:
            site.alerts = ends.enter_context(prometheus(folder / "prometheus", haste))
        site.decide(wer=0.1, empty_share=0.0)
        site.key = site.add_key("day")
        site.secrets.append(site.key)
        for name in ("a", "b"):
            site.start(name)
        if NGINX is not None:
            site.balancer = ends.enter_context(balanced(folder / "nginx", *site.servers))
            site.servers = site.balancer.servers
        watch = threading.Thread(target=site.follow, daemon=True)
        watch.start()
        try:
            yield site
        finally:
            site.end()
            watch.join(timeout=60)
