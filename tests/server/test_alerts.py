"""Every rule that is shipped fires once, in a real Prometheus, because the thing that it is about has been done.

The rules are the shipped file, hastened: every ``for`` and every range in brackets is divided by HASTE, and what is
scraped every 15 s there is scraped every second here. Nothing else in them is changed.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psutil
import pytest
import yaml
from tests.deployment.test_deployment import free_port
from tests.server.serving import (
    CRASH,
    EMPTY,
    ERROR,
    HANG,
    Running,
    band,
    running,
    script_folder,
    until,
    with_text,
    write_decision,
)
from tests.server.test_ends import BIG, part_of_a_request
from tests.server.test_watching import RULES

HASTE = 15
FIRED_S = 600
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def hastened(rules: str, by: int = HASTE) -> str:
    """Divide every ``for`` and every range.

    >>> hastened("rate(x[5m]) > 300\\n        for: 10m")
    'rate(x[20s]) > 300\\n        for: 40s'
    """

    def shorter(found: re.Match[str]) -> str:
        seconds = int(found[2]) * _SECONDS[found[3]] // by
        return f"{found[1]}{max(1, seconds)}s{found[4]}"

    return re.sub(r"(\[|for: )(\d+)([smhd])(\]|$)", shorter, rules, flags=re.MULTILINE)


class Prometheus:
    """A real Prometheus with the hastened rules.

    Args:
        folder: For its configuration and data.
        jobs: Addresses that it scrapes, by job name.
        alertmanager: Address to which it sends alerts; ``None`` for none.
    """

    def __init__(self, folder: Path, jobs: dict[str, list[str]], alertmanager: str | None = None) -> None:
        (folder / "alerts.yml").write_text(hastened(RULES.read_text("utf-8")), encoding="utf-8")
        scrapes = [{"job_name": name, "static_configs": [{"targets": targets}]} for name, targets in jobs.items()]
        pace = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        targets = [{"static_configs": [{"targets": [alertmanager]}]}] if alertmanager else []
        config = {
            "global": pace,
            "rule_files": ["alerts.yml"],
            "scrape_configs": scrapes,
            "alerting": {"alertmanagers": targets},
        }
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        self.address = f"127.0.0.1:{free_port()}"
        self.fired: set[tuple[str, str]] = set()
        command = [
            "prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--web.listen-address={self.address}",
            f"--storage.tsdb.path={folder / 'data'}", "--log.level=error", "--query.lookback-delta=10s",
        ]  # fmt: skip
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def ask(self, path: str) -> dict[str, object]:
        with urllib.request.urlopen(f"http://{self.address}/api/v1/{path}", timeout=10) as reply:
            return dict(json.load(reply)["data"])

    def look(self) -> set[tuple[str, str]]:
        """Return every alert that has fired until now, with what it was about."""
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            found: list[dict[str, dict[str, str]]] = self.ask("alerts")["alerts"]  # type: ignore[assignment]
            for alert in found:
                if str(alert["state"]) == "firing":
                    labels = alert["labels"]
                    about = labels.get("instance") or labels.get("url") or labels["job"]
                    self.fired.add((labels["alertname"], about.removeprefix("http://")))
        return self.fired


@contextlib.contextmanager
def canary(server: Running, reference: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [
        sys.executable, "-m", "earwitness", "canary", server.url, "--data", str(reference), "--every", "1s",
        "--listen", "127.0.0.1:0", *more,
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline().removeprefix("Metrics on http://")
            yield process, line.removesuffix("/metrics\n")
        finally:
            process.kill()


def place(server: Running) -> str:
    return server.url.removeprefix("http://")


@pytest.fixture
def reference(three_clips: Path) -> Path:
    """Clips of one, two and three seconds, each with the same four words."""
    return with_text(three_clips, "one two three four")


class Causes:
    """Threads that do the same thing over and over until the end of the test."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def again_and_again(self, cause: Callable[[], object], pause_s: float = 0.2, n: int = 1) -> None:
        def run() -> None:
            while not self._stop.wait(pause_s):
                with contextlib.suppress(OSError, http.client.HTTPException):
                    cause()

        self._threads += [threading.Thread(target=run, daemon=True) for _ in range(n)]
        for thread in self._threads[-n:]:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=40)


def hang_up(server: Running) -> None:
    with part_of_a_request(server, BIG, 1000):
        pass


def test_hastened_rules_are_the_shipped_ones_but_for_their_times() -> None:
    shipped, quick = RULES.read_text("utf-8"), hastened(RULES.read_text("utf-8"))
    assert "for: 10m" in shipped
    assert "for: 40s" in quick
    without_times = re.compile(r"\[\w+\]|for: \w+")
    assert without_times.sub("", shipped) == without_times.sub("", quick)


@pytest.mark.long
def test_every_rule_fires_when_its_cause_is_there(tmp_path: Path, reference: Path) -> None:  # noqa: PLR0915
    if shutil.which("prometheus") is None:
        pytest.skip("there is no prometheus here: apt-get install prometheus")
    with contextlib.ExitStack() as ends:

        def start(name: str, *arguments: str, script: Mapping[str, object] | None = None) -> Running:
            folder = tmp_path / name
            model = f"fake:{script_folder(folder / 'model', script) if script else script_folder(folder / 'model')}"
            if "--decision" in arguments:
                at = folder / "decision.json"
                write_decision(at, model, promise=PROMISES[name], by_length=(band(0.09, 0.11, 1e-9),))
                arguments = ("--decision", str(at), *arguments[1:])
            else:
                arguments = ("--model", model, *arguments)
            return ends.enter_context(running(folder, *arguments, ready=True))

        one = ("--workers", "1")
        dead = start("dead", *one)
        well = start("well", *one)
        drifting = start("drifting", "--decision", *one)
        unknown = start("unknown", "--decision", *one)
        busy = start("busy", *one, "--queue", "8", "--timeout", "60", script={"*": {"text": "slow", "sleep_s": 2}})
        breaking = start("breaking", *one)
        # Time enough for a slow machine to decode the file before the worker gets it.
        hanging = start("hanging", "--workers", "2", "--timeout", "8")
        keys = tmp_path / "keys.json"
        keys.write_text('{"keys": []}', encoding="utf-8")
        stale = start("stale", "--decision", "--workers", "2", "--keys", str(keys))
        texts = {"*": {"text": "one two three five"}, "48000": {"model": "error"}}
        heard = start("heard", *one, script=texts)
        promise = tmp_path / "promise.json"
        write_decision(promise, "fake:slow", promise={"wer": 0.0})
        _, at = ends.enter_context(canary(heard, reference, "--decision", str(promise)))
        mortal, mortal_at = ends.enter_context(canary(breaking, reference))
        _, waits_at = ends.enter_context(canary(unknown, reference, "--timeout", "600"))

        servers = (well, drifting, unknown, busy, breaking, hanging, stale, heard)
        jobs = {
            "kubernetes-pods": [place(dead)],
            "earwitness": [place(server) for server in servers],
            "earwitness-canary": [at, mortal_at, waits_at],
        }
        prometheus = Prometheus(tmp_path, jobs)
        ends.callback(prometheus.process.wait)
        ends.callback(prometheus.process.kill)
        until(lambda: prometheus.look() is not None and healthy(prometheus) == 12, 60)

        causes = Causes()
        ends.callback(causes.stop)
        causes.again_and_again(lambda: hang_up(well))
        causes.again_and_again(lambda: drifting.hear(EMPTY))
        for _ in range(200):
            unknown.hear(900)
        causes.again_and_again(busy.hear, n=12)
        causes.again_and_again(lambda: [breaking.hear(CRASH), breaking.hear(ERROR)])
        causes.again_and_again(lambda: hanging.hear(HANG), n=3)
        dead.process.kill()
        mortal.kill()
        keys.write_text("garbage", encoding="utf-8")
        (tmp_path / "stale" / "model" / "script.json").write_text("garbage", encoding="utf-8")
        (tmp_path / "stale" / "decision.json").write_text("garbage", encoding="utf-8")
        psutil.Process(stale.workers[0]).kill()
        process = psutil.Process(unknown.process.pid)
        most = round(process.num_fds() / 0.85)
        process.rlimit(psutil.RLIMIT_NOFILE, (most, most))

        expected = {
            ("EarwitnessDown", place(dead)), ("EarwitnessGone", "kubernetes-pods"),
            ("EarwitnessSlow", place(drifting)), ("EarwitnessDrift", place(drifting)),
            ("EarwitnessMemory", place(drifting)), ("EarwitnessDriftUnknown", place(unknown)),
            ("EarwitnessOverloaded", place(busy)), ("EarwitnessWaitsLong", place(busy)),
            ("EarwitnessErrors", place(breaking)), ("EarwitnessWorkersDie", place(breaking)),
            ("EarwitnessErrors", place(hanging)), ("EarwitnessWorkersDie", place(hanging)),
            ("EarwitnessWorkerMissing", place(stale)), ("EarwitnessDescriptors", place(unknown)),
            ("EarwitnessDecisionNotServed", place(stale)), ("EarwitnessKeysUnreadable", place(stale)),
            ("EarwitnessCanaryWer", at), ("EarwitnessCanaryFails", at),
            ("EarwitnessCanaryDown", place(breaking)),
        }  # fmt: skip
        await_alerts(prometheus, expected)
        assert place(well) not in {about for _, about in prometheus.fired}, "a client that hangs up alerts nobody"

        psutil.Process(stale.workers[0]).kill()
        os.kill(unknown.process.pid, signal.SIGSTOP)
        ends.callback(unknown.process.wait)
        ends.callback(unknown.process.kill)
        later = {("EarwitnessNoWorkerReady", place(stale)), ("EarwitnessCanarySilent", waits_at)}
        await_alerts(prometheus, later | {("EarwitnessDown", place(unknown))})
        rules = {rule["alert"] for rule in yaml.safe_load(RULES.read_text("utf-8"))["groups"][0]["rules"]}
        assert {name for name, _ in expected | later} == rules, "every rule is caused"
        keys.write_text('{"keys": []}', encoding="utf-8")
        until(lambda: [row for row in stale.log if row["event"] == "keys are read again"])
        assert [row["level"] for row in stale.log if row["event"].startswith("keys cannot be read")] == ["error"]


def await_alerts(prometheus: Prometheus, expected: set[tuple[str, str]]) -> None:
    ends_at = time.monotonic() + FIRED_S
    while not expected <= prometheus.look() and time.monotonic() < ends_at:
        time.sleep(0.5)
    assert expected - prometheus.fired == set(), "these have not fired"


def healthy(prometheus: Prometheus) -> int:
    with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
        found: list[dict[str, object]] = prometheus.ask("targets")["activeTargets"]  # type: ignore[assignment]
        return sum(target["health"] == "up" for target in found)
    return 0


PROMISES = {
    "drifting": {"rtf": 1e-9, "empty_share": 0.0, "peak_rss_bytes": 1e6},
    "unknown": {"rtf": 0.1},
    "stale": {"rtf": 0.1},
}
