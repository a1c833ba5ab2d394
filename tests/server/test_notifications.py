"""One cause, one notification: a real Prometheus and a real Alertmanager with the shipped rules and configuration.

Four things go wrong at four servers at once. Each raises several alerts; the receiver must be notified of the cause
alone.
All times of the rules and of the configuration are divided by HASTE, which keeps their order.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from tests.deployment.test_deployment import free_port
from tests.server.serving import (
    CRASH,
    SLOW,
    Running,
    answering,
    band,
    running,
    script_folder,
    until,
    with_text,
    write_decision,
)
from tests.server.test_alerts import HASTE, Causes, Prometheus, await_alerts, canary, healthy, place

from earwitness.deployment.deployment import contents

pytestmark = pytest.mark.long
_SECONDS = {"s": 1, "m": 60, "h": 3600}
Alert = tuple[str, str]
"""Name, and the job it is about."""


class Receiver:
    """A webhook that keeps what Alertmanager sends to it."""

    def __init__(self) -> None:
        self.notifications: list[dict[str, Any]] = []
        notifications = self.notifications

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                notifications.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    @property
    def alerts(self) -> list[list[Alert]]:
        """Alerts that fire, notification by notification."""
        sent = [[one for one in body["alerts"] if one["status"] == "firing"] for body in list(self.notifications)]
        return [[_alert(one["labels"]) for one in alerts] for alerts in sent if alerts]


def _alert(labels: Mapping[str, str]) -> Alert:
    return labels["alertname"], labels["job"]


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    with answering(receiver.server):
        yield receiver


def shipped_configuration(folder: Path) -> str:
    """The file that ``deploy`` writes."""
    from tests.deployment.test_deployment import pulled

    write_decision(folder / "any.json", "fake:slow")
    return contents(pulled(folder / "any.json"))["alertmanager/alertmanager.yml"]


def hastened_configuration(text: str, url: str) -> str:
    """Divide every time by HASTE, and name a receiver."""

    def shorter(found: re.Match[str]) -> str:
        return f"{found[1]}{max(1, int(found[2]) * _SECONDS[found[3]] // HASTE)}s"

    config = yaml.safe_load(re.sub(r"((?:group|repeat)_\w+: )(\d+)([smh])", shorter, text))
    config["receivers"] = [{"name": "nobody", "webhook_configs": [{"url": url}]}]
    return str(yaml.safe_dump(config))


@contextlib.contextmanager
def alertmanager(folder: Path, url: str) -> Iterator[str]:
    """Start one with the shipped configuration and a receiver, and return its address."""
    folder.mkdir()
    config = folder / "alertmanager.yml"
    config.write_text(hastened_configuration(shipped_configuration(folder), url), encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    command = [
        "prometheus-alertmanager", f"--config.file={config}", f"--web.listen-address={address}",
        f"--storage.path={folder / 'data'}", "--cluster.listen-address=", "--log.level=error",
    ]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        until(lambda: states(address) is not None, 60)
        yield address
    finally:
        process.kill()
        process.wait()


def states(address: str) -> dict[Alert, str] | None:
    """Return the state of each alert in an Alertmanager, such as ``suppressed``; ``None`` when it does not answer."""
    with (
        contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError),
        urllib.request.urlopen(f"http://{address}/api/v2/alerts", timeout=10) as reply,
    ):
        return {_alert(one["labels"]): str(one["status"]["state"]) for one in json.load(reply)}
    return None


CAUSES = {
    ("EarwitnessDown", "killed"),
    ("EarwitnessErrors", "crashing"),
    ("EarwitnessNoWorkerReady", "broken"),
    ("EarwitnessSlow", "slow"),
}
CONSEQUENCES = {
    ("EarwitnessGone", "killed"),
    ("EarwitnessWorkersDie", "crashing"),
    ("EarwitnessCanaryFails", "canary-crashing"),
    ("EarwitnessCanaryWer", "canary-crashing"),
    ("EarwitnessErrors", "broken"),
    ("EarwitnessCanaryFails", "canary-broken"),
    ("EarwitnessWaitsLong", "slow"),
    ("EarwitnessOverloaded", "slow"),
}


@pytest.fixture
def reference(three_clips: Path) -> Path:
    return with_text(three_clips, "hello there")


def test_the_receiver_is_notified_of_each_cause_and_of_no_consequence(tmp_path: Path, reference: Path) -> None:
    for program in ("prometheus", "prometheus-alertmanager"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program} here: apt-get install {program}")
    with contextlib.ExitStack() as ends:

        def start(name: str, *arguments: str, script: Mapping[str, object] = {}) -> Running:
            script = {"*": {"text": "hello there"}, str(CRASH): {"model": "crash"}, **script}
            model = f"fake:{script_folder(tmp_path / name / 'model', script)}"
            if name == "slow":
                decision = tmp_path / name / "decision.json"
                write_decision(decision, model, promise={"rtf": 1e-9}, by_length=(band(0.09, 0.11, 1e-9),))
                return ends.enter_context(running(tmp_path / name, "--decision", str(decision), *arguments))
            return ends.enter_context(running(tmp_path / name, "--model", model, *arguments))

        killed = start("killed", "--workers", "1")
        # Four workers, so that some are always ready.
        crashing = start("crashing", "--workers", "4", script={"48000": {"model": "crash"}})
        broken = start("broken", "--workers", "1")
        slow = start("slow", "--workers", "1", "--queue", "30", script={str(SLOW): {"text": "slow", "sleep_s": 0.4}})
        servers = {"killed": killed, "crashing": crashing, "broken": broken, "slow": slow}
        promise = tmp_path / "promise.json"
        write_decision(promise, "fake:slow", promise={"wer": 0.0})
        jobs = {name: [place(server)] for name, server in servers.items()}
        for name in ("killed", "crashing", "broken"):
            _, at = ends.enter_context(canary(servers[name], reference, "--decision", str(promise)))
            jobs[f"canary-{name}"] = [at]

        receiver = ends.enter_context(receiving())
        address = ends.enter_context(alertmanager(tmp_path / "alertmanager", receiver.url))
        prometheus = Prometheus(tmp_path, jobs, address)
        ends.callback(prometheus.process.wait)
        ends.callback(prometheus.process.kill)
        until(lambda: healthy(prometheus) == len(jobs), 60)

        causes = Causes()
        ends.callback(causes.stop)
        for _ in range(60):
            slow.hear()
        causes.again_and_again(lambda: slow.hear(SLOW), n=40)
        causes.again_and_again(lambda: crashing.hear(CRASH), pause_s=3)
        (tmp_path / "broken" / "model" / "script.json").write_text("garbage", encoding="utf-8")
        psutil.Process(broken.workers[0]).kill()
        causes.again_and_again(broken.hear)
        killed.process.kill()

        abouts = {job: targets[0] for job, targets in jobs.items()}
        expected = {(name, abouts[job]) for name, job in (CAUSES | CONSEQUENCES) - {("EarwitnessGone", "killed")}}
        await_alerts(prometheus, expected | {("EarwitnessGone", "killed")})
        until(lambda: {alert for alerts in receiver.alerts for alert in alerts} >= CAUSES)
        found = until(lambda: (now := states(address) or {}).keys() >= CONSEQUENCES and now)
        assert {alert: found[alert] for alert in CONSEQUENCES} == dict.fromkeys(CONSEQUENCES, "suppressed")
        assert {alert for alerts in receiver.alerts for alert in alerts} == CAUSES
        assert all(len(alerts) == 1 for alerts in receiver.alerts), "no notification tells of two causes"


def test_every_time_of_the_configuration_is_divided(tmp_path: Path) -> None:
    shipped = shipped_configuration(tmp_path)
    route = yaml.safe_load(hastened_configuration(shipped, "http://a/"))["route"]
    assert (route["group_wait"], route["group_interval"], route["repeat_interval"]) == ("2s", "20s", "960s")
    assert (
        yaml.safe_load(shipped)["inhibit_rules"] == yaml.safe_load(hastened_configuration(shipped, ""))["inhibit_rules"]
    )
