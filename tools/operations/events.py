"""The timetable: what happens to the servers, and what has to be seen of it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import psutil
from tests.server.serving import Running, until, wav
from tools.operations.clients import Clients
from tools.operations.report import Check, among, at_least, equal
from tools.operations.site import Moment, Site

RATE_HZ = 16_000
N_KILLS, N_BURST, N_SILENT = 5, 40, 12
_DRIFT_S, _STOPPED_S = 240.0, 240.0


@dataclass
class Day:
    """What an event is given."""

    site: Site
    clients: Clients
    speech: bytes
    """A clip of a few seconds."""
    long: bytes
    """A clip that keeps a worker busy for seconds."""
    silence: bytes
    """A clip without a word."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to a server on an ordinary day."""

    name: str
    """In words."""
    act: Callable[[Day], list[Check]]
    """Does it, waits for what comes of it, and checks that."""
    ends: tuple[str, ...] = ()
    """How requests may end meanwhile beside with a text."""
    alerts: tuple[tuple[str, str], ...] = ()
    """Alerts that it must raise, each with ``pending`` or ``firing``."""
    may: tuple[str, ...] = ()
    """Alerts that it may raise."""
    needs: str = ""
    """``nginx`` or ``disk``, where it cannot be done without."""


def gauge(server: Running, name: str) -> float:
    """Return a gauge, over all models."""
    return sum(value for key, value in server.metrics.items() if key[0] == name)


def all_at_work(server: Running) -> bool:
    """Whether every worker is ready and has a request."""
    return gauge(server, "in_flight") == gauge(server, "workers_ready") == gauge(server, "workers")


def all_ready(server: Running) -> bool:
    """Whether every worker is ready."""
    return gauge(server, "workers_ready") == gauge(server, "workers")


def steady(_: Day) -> list[Check]:
    """Clients send speech; nothing else happens."""
    time.sleep(5)
    return []


def kill_workers(day: Day) -> list[Check]:
    """Kill workers that have a request, one after the other."""
    server, moment = day.site.servers[0], Moment.now(day.site)
    while moment.rise("worker_restarts_total", "crash") < N_KILLS:
        until(lambda: all_at_work(server))
        before, answers = moment.rise("worker_restarts_total"), gauge(server, "outputs_total")
        os.kill(server.workers[0], signal.SIGKILL)
        until(lambda before=before: moment.rise("worker_restarts_total") > before)  # type: ignore[misc]
        # So that no request is hit twice.
        until(lambda answers=answers: all_ready(server) and gauge(server, "outputs_total") >= answers + 3)  # type: ignore[misc]
    rows = moment.rows("worker has ended", reason="crash")
    return [
        equal("worker_restarts_total, crash", N_KILLS, moment.rise("worker_restarts_total", "crash")),
        equal("lines: worker has ended, SIGKILL", N_KILLS, sum("SIGKILL" in row["how"] for row in rows)),
    ]


def stop_worker(day: Day) -> list[Check]:
    """Stop a worker that has a request: it hangs until the time is up."""
    server, moment = day.site.servers[0], Moment.now(day.site)
    until(lambda: all_at_work(server))
    os.kill(server.workers[0], signal.SIGSTOP)
    until(lambda: moment.rise("worker_restarts_total", "timeout"), _STOPPED_S)
    until(lambda: all_ready(server))
    return [
        equal("worker_restarts_total, timeout", 1, moment.rise("worker_restarts_total", "timeout")),
        equal("lines: worker has ended, timeout", 1, len(moment.rows("worker has ended", reason="timeout"))),
    ]


def strike_decoder(day: Day, reason: str, pause_s: float) -> list[Check]:
    """Stop a decoder so that a file comes to it; kill it after a pause, or leave it."""
    moment = Moment.now(day.site)
    while not moment.rise("decoder_ends_total", reason):
        pid = until(lambda: [pid for server in day.site.servers for pid in server.decoders])[0]
        os.kill(pid, signal.SIGSTOP)
        if reason == "died":
            time.sleep(pause_s)
            os.kill(pid, signal.SIGKILL)
            time.sleep(pause_s)
        else:
            until(lambda: moment.rise("decoder_ends_total", "hung"))
    n = moment.rise("decoder_ends_total", reason)
    rows = moment.rows("decoder has ended", reason=reason, level="warning")
    return [at_least(f"decoder_ends_total, {reason}", 1, n), equal(f"lines: decoder has ended, {reason}", n, len(rows))]


def hang_up(day: Day) -> list[Check]:
    """Clients hang up after the headers, within the file, and while they wait for the answer."""
    moment = Moment.now(day.site)
    ids = [day.clients.hang_up(day.speech, after=share, wait_s=0.5) for share in (0.0, 0.02, 0.5, 0.9)]
    ids += [day.clients.hang_up(day.long, after=1.0, wait_s=1.0) for _ in range(2)]

    def lines() -> list[dict[str, Any]]:
        return [row for row in moment.rows("request") if row["request_id"] in ids]

    until(lambda: len(lines()) == len(ids))
    told = {(row["status"], row.get("reason"), row["level"]) for row in lines()}
    return [
        equal("lines of the 6 requests", "499 client_closed info", " / ".join(" ".join(map(str, one)) for one in told)),
        equal("lines with a traceback", 0, sum("traceback" in row for row in day.site.log)),
    ]


def slow_uploads(day: Day) -> list[Check]:
    """Three clients on a bad network, and one that is slower than any speech."""
    with ThreadPoolExecutor(4) as pool:
        slow = [pool.submit(day.clients.send, day.speech, pieces=10, pause_s=0.4) for _ in range(3)]
        too_slow = pool.submit(day.clients.send, wav(2 * RATE_HZ), pieces=1280, pause_s=0.4)
        ends = [one.result().end for one in slow]
        last = too_slow.result()
    return [
        equal("three uploads of four seconds", ["text"] * 3, ends),
        equal("an upload of 125 bytes a second", (408, "upload_too_slow"), (last.status, last.end)),
    ]


def bad_files(day: Day) -> list[Check]:
    """Files that are no audio, too long and too large."""
    files = {"garbage": b"rubbish" * 999, "100 s of audio": wav(100 * RATE_HZ), "6 MB": bytes(6_000_000)}
    expected = [(400, "invalid_audio"), (413, "audio_too_long"), (413, "file_too_large")]
    seen = [day.clients.send(content) for content in files.values()]
    return [
        equal(what, ends, (one.status, one.end)) for what, ends, one in zip(files, expected, seen, strict=True)
    ]  # fmt: skip


def burst(day: Day) -> list[Check]:
    """More requests at once than there is room for, three times over."""
    seen = [one for _ in range(3) for one in day.clients.send_all([day.speech] * N_BURST)]
    ends = {name: sum(one.end == name for one in seen) for name in sorted({one.end for one in seen})}
    return [
        among(f"{3 * N_BURST} requests", ("text", "queue_full", "too_many_uploads"), ends),
        at_least("of them refused", 1, len(seen) - ends.get("text", 0)),
        equal("status of refusals", {429}, {one.status for one in seen if one.end != "text"}),
    ]


def wrong_key(day: Day) -> list[Check]:
    """A client with a key that nobody gave."""
    moment = Moment.now(day.site)
    seen = day.clients.send(day.speech, key="ew-guess")
    until(lambda: moment.rows("request", request_id=seen.request_id))
    return [
        equal("status", (401, "invalid_api_key"), (seen.status, seen.end)),
        equal("rejected_total, invalid_api_key", 1, moment.rise("rejected_total", "invalid_api_key")),
        equal("lines: request, 401", 1, len(moment.rows("request", status=401, reason="invalid_api_key"))),
    ]


def change_keys(day: Day) -> list[Check]:
    """A key is added and taken away while the servers run."""
    key = day.site.add_key("reception")
    fresh = day.clients.send(day.speech, key=key)
    day.site.secrets.append(key)
    day.site.command("serve", "keys", "remove", "reception", "--keys", str(day.site.keys))
    gone = day.clients.send(day.speech, key=key)
    return [
        equal("with the new key", "text", fresh.end),
        equal("once it is removed", (401, "invalid_api_key"), (gone.status, gone.end)),
    ]


def break_keys(day: Day) -> list[Check]:
    """The file of keys is damaged, and put right."""
    moment, before = Moment.now(day.site), day.site.keys.read_text("utf-8")
    day.site.keys.write_text("garbage", encoding="utf-8")
    n = len(day.site.servers)
    until(lambda: sum(gauge(one, "keys_last_reload_successful") == 0 for one in day.site.servers) == n)
    seen = day.clients.send(day.speech)
    day.site.await_alert("EarwitnessKeysUnreadable")
    day.site.keys.write_text(before, encoding="utf-8")
    until(lambda: all(gauge(one, "keys_last_reload_successful") == 1 for one in day.site.servers))
    rows = [row for row in moment.rows_like("keys cannot be read") if row["level"] == "error"]
    return [
        equal("the old key meanwhile", "text", seen.end),
        equal("lines: keys cannot be read", n, len(rows)),
        equal("lines: keys are read again", n, len(moment.rows("keys are read again"))),
    ]


def new_decision(day: Day) -> list[Check]:
    """Another decision is put in place of the one that is served."""
    moment, n = Moment.now(day.site), len(day.site.servers)
    day.site.decide(wer=0.2, empty_share=0.0)

    def promised(server: Running) -> float:
        return sum(value for key, value in server.metrics.items() if key[0] == "promise" and "wer" in key)

    until(lambda: [promised(one) for one in day.site.servers] == [0.2] * n)
    return [
        equal("promise, wer", [0.2] * n, [promised(one) for one in day.site.servers]),
        equal("lines: serving", n, len(until(lambda: len(moment.rows("serving")) >= n and moment.rows("serving")))),
    ]


def bad_decision(day: Day) -> list[Check]:
    """A decision that cannot be read is put in place, and then the good one again."""
    moment, before, n = Moment.now(day.site), day.site.decision.read_text("utf-8"), len(day.site.servers)
    day.site.decision.write_text("{}", encoding="utf-8")
    until(lambda: all(gauge(one, "config_last_reload_successful") == 0 for one in day.site.servers))
    day.site.await_alert("EarwitnessDecisionNotServed")
    day.site.decision.write_text(before, encoding="utf-8")
    until(lambda: all(gauge(one, "config_last_reload_successful") == 1 for one in day.site.servers))
    rows = [row for row in moment.rows_like("what is new cannot be served") if row["level"] == "error"]
    return [equal("lines: what is new cannot be served", n, len(rows))]


def drift(day: Day) -> list[Check]:
    """The recordings change: many have nobody speak in them."""
    moment = Moment.now(day.site)

    def drifts() -> list[Running]:
        return [
            server
            for server in day.site.servers
            if any(key[0] == "drift" and "empty_share" in key and value for key, value in server.metrics.items())
        ]

    ends_at = time.monotonic() + _DRIFT_S
    while not drifts() and time.monotonic() < ends_at:
        for _ in range(N_SILENT):
            day.clients.send(day.silence)
    rows = moment.rows("drift", measure="empty_share", level="warning")
    return [at_least("servers with drift, empty_share", 1, len(drifts())), at_least("lines: drift", 1, len(rows))]


def disk_full(day: Day) -> list[Check]:
    """The disk of the first server's uploads is full, and then there is room again."""
    first = day.site.everyone[0]
    filler = day.site.disk / "filler"
    direct = Clients(first.url.removeprefix("http://"), day.clients.key, day.clients.texts, day.clients.ledger)
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(1 << 20)):
                pass
        except OSError:
            seen = until(lambda: [one for one in [direct.send(day.speech)] if one.end != "text"], 30)[0]
    filler.unlink()
    after = until(lambda: [one for one in [direct.send(day.speech)] if one.end == "text"], 60)[0]
    return [
        equal("status", (503, "no_space"), (seen.status, seen.end)),
        equal("with room again", "text", after.end),
    ]


def roll(day: Day) -> list[Check]:
    """Both servers are replaced, each once the next one is ready."""
    ended = []
    for name, old in zip(("c", "d"), list(day.site.servers), strict=True):
        day.site.listed(day.site.start(name))
        ended.append(day.site.stop(old))
    return [equal("ended well, no process left", [True, True], ended)]


def restart(day: Day) -> list[Check]:
    """One of two servers is stopped, and started again afterwards."""
    ended = day.site.stop(day.site.servers[-1])
    day.site.listed(day.site.start("e"))
    return [equal("ended well, no process left", True, ended)]


def canary(day: Day) -> list[Check]:
    """A canary comes round, and is killed."""
    process, log = day.site.canary()
    until(lambda: '"event": "canary"' in log.read_text("utf-8"))
    time.sleep(5)
    psutil.Process(process.pid).kill()
    rounds = log.read_text("utf-8")
    return [
        at_least("rounds of the canary", 1, rounds.count('"event": "canary"')),
        equal("clips that failed", 0, rounds.count("clip failed")),
    ]


_DEATHS = ("EarwitnessWorkersDie", "EarwitnessErrors", "EarwitnessWorkerMissing")
TIMETABLE = (
    Event("an ordinary hour", steady),
    Event("a canary starts, and is killed", canary, alerts=(("EarwitnessCanaryDown", "firing"),)),
    Event("5 workers are killed at work", kill_workers, alerts=(("EarwitnessWorkersDie", "firing"),), may=_DEATHS),
    Event("a worker is stopped at work", stop_worker, ends=("timeout",), may=_DEATHS),
    Event("a decoder is killed at work", lambda day: strike_decoder(day, "died", 1.0)),
    Event("a decoder is stopped", lambda day: strike_decoder(day, "hung", 1.0)),
    Event("6 clients hang up", hang_up, ends=("hung up",)),
    Event("slow uploads", slow_uploads, ends=("upload_too_slow",)),
    Event("files that are no speech", bad_files, ends=("invalid_audio", "audio_too_long", "file_too_large")),
    Event(
        "3 bursts above the queue", burst, ends=("queue_full", "too_many_uploads"),
        alerts=(("EarwitnessOverloaded", "pending"),), may=("EarwitnessWaitsLong",),
    ),
    Event("a wrong key", wrong_key, ends=("invalid_api_key",)),
    Event("a key is added, and removed", change_keys, ends=("invalid_api_key",)),
    Event("the file of keys is damaged", break_keys, alerts=(("EarwitnessKeysUnreadable", "firing"),)),
    Event("a new decision", new_decision),
    Event("a decision that cannot be read", bad_decision, alerts=(("EarwitnessDecisionNotServed", "firing"),)),
    Event("recordings without speech", drift, alerts=(("EarwitnessDrift", "pending"),)),
    Event("a full disk", disk_full, ends=("no_space",), needs="disk", may=("EarwitnessErrors",)),
    Event("a rollout of both servers", roll, needs="nginx"),
    Event("a restart of one", restart, needs="nginx"),
    Event("an ordinary evening", steady),
)  # fmt: skip
