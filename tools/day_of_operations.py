"""A day of operations in ten minutes: real servers under steady load, and what an operator meets in a day.

    python tools/day_of_operations.py [--minutes 10] [--model faster-whisper:tiny.en] [--clients 4] [--haste 5]

Two servers with two workers each, nginx before them, a Prometheus with the shipped rules, whose times are divided by
``--haste``, and clients that send speech all the time. Then workers and decoders are killed and stopped, clients hang
up or send rubbish, keys and decisions change, the disk is full, servers are replaced. Each event says what it expects:
the status of requests, counters, lines of the log, alerts. In the end every request is accounted for: it was answered
with the text that a quiet server gives, or refused for a reason that the event allows, and the log says the same.

It needs the environment for development (``make setup``). Without nginx or Prometheus (Debian's ``nginx-light`` and
``prometheus``), or where no disk can be mounted, it leaves out what needs them and says so. Everything listens on
127.0.0.1 alone and is stopped at the end. The exit code is 1 when something was not as expected. ``--model fake`` takes
a scripted engine in place of a real one.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil
from tests.server.serving import script_folder, until
from tools.operations.clients import Clients
from tools.operations.events import TIMETABLE, Day, Event, all_ready
from tools.operations.ledger import TEXT, account
from tools.operations.prometheus import STATES
from tools.operations.report import Check, Row, among, as_json, at_least, equal, say, table
from tools.operations.site import Site, alive, opened

from earwitness import data, weights
from earwitness.engines.catalog import find

FILES = ("clean-1", "clean-2", "clean-3", "clean-4", "telephone-1", "fast-2")
MOST_GROWTH_BYTES = 24 << 20
WARM = 10  # looks at the memory, before growth is told from it
_ALERT_S = 240.0
_END_S = 30.0
# What the scripted engine says, by number of samples: those of the clips "silence" and "long".
SCRIPT = {
    "*": {"text": "hello there", "sleep_s": 0.3},
    "80000": {"model": "empty"},
    "1133082": {"text": "long", "sleep_s": 3},
}


def options(model: str) -> tuple[str, ...]:
    """Return those of every server; a real model gets more time."""
    timeout_s = 20 if model.startswith("fake") else 90
    return (
        "--workers", "2", "--queue", "4", "--timeout", str(timeout_s), "--max-seconds", "90", "--max-mb", "5",
        "--linger", "12",
    )  # fmt: skip


def live(day: Day, minutes: float) -> list[Row]:
    """Have every event happen, in its turn and not before its time."""
    began_at, rows, since = time.monotonic(), list[Row](), dict[str, float]()
    for number, event in enumerate(TIMETABLE):
        time.sleep(max(0.0, began_at + 60 * minutes * number / len(TIMETABLE) - time.monotonic()))
        since[event.name] = time.monotonic()
        rows.append(happen(day, event, time.monotonic() - began_at))
        say(f"{rows[-1].at_s:5.0f} s  {'ok' if rows[-1].ok else 'NO'}  {event.name}")
    return [with_alerts(day.site, event, row, since[event.name]) for event, row in zip(TIMETABLE, rows, strict=True)]


def happen(day: Day, event: Event, at_s: float) -> Row:
    """Have one event happen, and hold how requests end meanwhile against what it allows."""
    missing = (event.needs == "nginx" and day.site.balancer is None) or (
        event.needs == "disk" and not day.site.has_disk
    )
    if missing:
        return Row(at_s, event.name, (), f"there is no {event.needs} for it here")
    n = len(day.clients.ledger.outcomes)
    try:
        checks = event.act(day)
        until(lambda: all(all_ready(server) for server in day.site.servers))
        until(lambda: day.clients.send(day.speech).end == TEXT)
    except (AssertionError, OSError, psutil.Error) as error:
        checks = [Check("it came to its end", "yes", repr(error), ok=False)]
    return Row(at_s, event.name, [*checks, among("requests", (TEXT, *event.ends), day.clients.ledger.ends(n))])


def with_alerts(site: Site, event: Event, row: Row, since: float) -> Row:
    """Add the alerts that an event has to raise; they have until some time after the last event."""
    alerts = site.alerts
    if alerts is None or row.skipped:
        return row
    checks, ends_at = list(row.checks), time.monotonic() + _ALERT_S
    for name, least in event.alerts:
        while STATES.index(alerts.state(name, since)) < STATES.index(least) and time.monotonic() < ends_at:
            time.sleep(1)
        state = alerts.state(name, since)
        ok = STATES.index(state) >= STATES.index(least)
        checks.append(Check(f"alert {name.removeprefix('Earwitness')}", least, state, ok))
    return Row(row.at_s, row.name, checks)


def totals(day: Day) -> list[Check]:
    """Account for every request, every alert, every secret, and the memory."""
    site, found = day.site, account(day.clients.ledger.outcomes, day.site.log)
    allowed = {TEXT, *(end for event in TIMETABLE for end in event.ends)}
    checks = [
        among(f"{found.sent} requests", sorted(allowed), found.ends),
        equal("lost", [], list(found.lost)),
        equal("with another text than a quiet server gives", [], list(found.wrong)),
        equal("without a line in the log", [], list(found.unlogged)),
        equal("with several lines in the log", [], list(found.repeated)),
        equal("with another status in the log", [], list(found.untrue)),
        equal("unexpected errors in the log", 0, sum(row["event"] == "unexpected" for row in site.log)),
    ]
    if site.alerts is not None:
        may = {name for event in TIMETABLE for name in (*event.may, *(name for name, _ in event.alerts))}
        checks.append(equal("alerts without a cause", [], sorted(site.alerts.fired() - may)))
    logs = [path for path in site.folder.rglob("*") if path.suffix in (".log", ".jsonl") and path.is_file()]
    secrets = [*site.secrets, *(text for text in day.clients.texts.values() if len(text) > 20)]
    lines = [line for path in logs for line in path.read_text("utf-8", errors="replace").splitlines()]
    checks.append(at_least("lines of logs", 1, len(lines)))
    checks.append(equal("with a key or a text in them", 0, sum(any(one in line for one in secrets) for line in lines)))
    growth = max(series[-1] - series[min(WARM, len(series) - 1)] for series in site.memory.values())
    shown = f"{growth / (1 << 20):+.1f} MiB"
    checks.append(
        Check("most growth of a server", f"< +{MOST_GROWTH_BYTES >> 20} MiB", shown, growth < MOST_GROWTH_BYTES)
    )
    return checks


def run(folder: Path, model: str, minutes: float, n_clients: int, haste: int) -> tuple[list[Row], list[Check]]:
    """Live through the day, and return its rows and its totals."""
    if model == "fake":
        model = f"fake:{script_folder(folder / 'model', SCRIPT)}"
    weights.pull(find(model))
    clips = {clip.id: Path(clip.audio_path).read_bytes() for clip in data.load("sample").clips}
    with opened(folder, model, options(model), haste) as site:
        quiet = site.servers[0]
        texts = {clips[name]: quiet.hear(content=clips[name], key=site.key).data["text"] for name in FILES}
        clients = Clients(site.entry(), site.key, texts)
        day = Day(site, clients, clips["fast-2"], clips["long"], clips["silence"])
        say(f"{len(site.servers)} servers with {model} at {site.entry()}, {n_clients} clients")
        clients.begin(n_clients)
        rows = live(day, minutes)
        clients.end()
        checks = totals(day)
    return rows, [*checks, equal("processes that are left", 0, n_left(site.processes))]


def n_left(processes: Iterable[psutil.Process]) -> int:
    """Return how many still run after a while in which they may end."""
    ends_at = time.monotonic() + _END_S
    while (left := len(alive(processes))) and time.monotonic() < ends_at:
        time.sleep(0.1)
    return left


def main() -> int:
    """Live through the day and print what came of it; 1 when something was not as expected."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="over which the events are spread (10)")
    parser.add_argument(
        "--model", default="faster-whisper:tiny.en", help="a model id, or fake (faster-whisper:tiny.en)"
    )
    parser.add_argument("--clients", type=int, default=4, help="who send speech all the time (4)")
    parser.add_argument("--haste", type=int, default=5, help="by which times in the alert rules are divided (5)")
    parser.add_argument("--json", action="store_true", help="print JSON in place of a table")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="day-of-operations-") as folder:
        rows, checks = run(Path(folder), told.model, told.minutes, told.clients, told.haste)
    document = as_json(rows, checks)
    print(json.dumps(document, indent=1) if told.json else table([*rows, Row(0.0, "the whole day", checks)]))
    return 0 if document["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
