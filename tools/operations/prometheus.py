"""A real Prometheus with the shipped rules, hastened, and what each alert has come to."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml
from tests.deployment.test_deployment import free_port
from tests.server.test_alerts import hastened
from tests.server.test_watching import RULES

_LOOK_S = 1.0
STATES = ("silent", "pending", "firing")


class Alerts:
    """What Prometheus has said of each alert, and when first.

    Args:
        address: Where it answers.
    """

    def __init__(self, address: str) -> None:
        """Begin to look."""
        self._address = address
        self._seen: list[tuple[float, str, str]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()
        self._thread.join(timeout=20)

    def state(self, name: str, since: float = 0.0) -> str:
        """Return the most that an alert has come to since a time on the monotonic clock: one of ``STATES``."""
        states = [STATES.index(state) for at, alert, state in list(self._seen) if alert == name and at >= since]
        return STATES[max(states, default=0)]

    def fired(self) -> set[str]:
        """Return every alert that has fired."""
        return {name for _, name, state in list(self._seen) if state == "firing"}

    def _follow(self) -> None:
        while not self._stop.wait(_LOOK_S):
            with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError, ValueError):
                with urllib.request.urlopen(f"http://{self._address}/api/v1/alerts", timeout=10) as reply:
                    alerts = json.load(reply)["data"]["alerts"]
                self._seen += [(time.monotonic(), one["labels"]["alertname"], one["state"]) for one in alerts]


def write_targets(folder: Path, job: str, addresses: Sequence[str]) -> None:
    """Tell Prometheus whom to scrape; it reads the file again when it changes."""
    fresh = folder / f"{job}.new"
    fresh.write_text(json.dumps([{"targets": list(addresses)}]), encoding="utf-8")
    fresh.replace(folder / f"{job}.json")


@contextlib.contextmanager
def prometheus(folder: Path, haste: int) -> Iterator[Alerts]:
    """Run it over the targets that are written to ``folder``, with every time in the rules divided by ``haste``."""
    folder.mkdir()
    (folder / "alerts.yml").write_text(hastened(RULES.read_text("utf-8"), haste), encoding="utf-8")
    jobs = ("earwitness", "earwitness-canary")
    for job in jobs:
        write_targets(folder, job, [])
    scrapes = [{"job_name": job, "file_sd_configs": [{"files": [f"{job}.json"]}]} for job in jobs]
    pace = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config = {"global": pace, "rule_files": ["alerts.yml"], "scrape_configs": scrapes}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    command = [
        "prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--web.listen-address={address}",
        f"--storage.tsdb.path={folder / 'data'}", "--log.level=error", "--query.lookback-delta=15s",
    ]  # fmt: skip
    with (folder / "prometheus.log").open("w") as log, subprocess.Popen(command, stderr=log) as process:
        alerts = Alerts(address)
        try:
            yield alerts
        finally:
            alerts.stop()
            process.terminate()
