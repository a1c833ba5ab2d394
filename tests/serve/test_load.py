"""Under load, and when things break: every request gets its answer or a clear error, and no other notices."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psutil
import pytest
from tests.serve.serving import (
    CRASH,
    EMPTY,
    ERROR,
    HANG,
    HELLO,
    LONG,
    LOOP,
    PIECES,
    SLOW,
    Reply,
    Running,
    form,
    running,
    script_folder,
    until,
    wav,
)

# Each test is quick, but they take turns at a server, which the quick tests, on many processes, would start many times.
pytestmark = pytest.mark.real


def idle(server: Running) -> bool:
    state = server.state
    return bool(state["in_flight"] == 0 and state["waiting"] == 0 and state["workers_ready"] == state["workers"])


def test_health_answers_while_all_workers_are_at_work(shared: Running) -> None:
    until(lambda: idle(shared))
    answers = [shared.later(lambda: shared.hear(SLOW)) for _ in range(2)]
    until(lambda: shared.state["in_flight"] == 2)
    assert shared.ask("/healthz").status == 200
    assert [] in answers, "it waited for a worker"
    shared.join()
    assert [answer[0].data["text"] for answer in answers] == ["slow", "slow"]


def test_a_full_queue_is_said_at_once_with_when_to_come_again(shared: Running) -> None:
    until(lambda: idle(shared))
    answers = [shared.later(lambda: shared.hear(SLOW)) for _ in range(9)]
    shared.join()
    replies = [answer[0] for answer in answers]
    counts = Counter(reply.status for reply in replies)
    assert counts == {200: 6, 429: 3}
    refused = next(reply for reply in replies if reply.status == 429)
    assert (refused.error["type"], refused.error["code"]) == ("rate_limit_error", "queue_full")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert shared.metrics["rejected_total", "queue_full"] >= 3


def test_work_past_its_time_is_really_ended(shared: Running) -> None:
    until(lambda: idle(shared))
    before = shared.workers
    answer = shared.later(lambda: shared.hear(HANG))
    assert shared.hear().status == 200
    shared.join()
    assert (answer[0].status, answer[0].error["code"]) == (504, "timeout")
    assert len([pid for pid in before if psutil.pid_exists(pid)]) == 1
    until(lambda: idle(shared))
    assert len(shared.workers) == 2


def test_a_stream_past_its_time_ends_with_an_error_and_its_worker_goes_on(shared: Running) -> None:
    until(lambda: idle(shared))
    before = shared.workers
    reply = shared.hear(LONG, stream="true")
    assert reply.status == 200
    last = reply.body.decode().split("\n\n")[-2]
    assert '"code": "timeout"' in last
    until(lambda: idle(shared))
    assert shared.workers == before


def test_audio_that_kills_its_worker_twice_fails_clearly_and_nobody_else_notices(shared: Running) -> None:
    until(lambda: idle(shared))
    answer = shared.later(lambda: shared.hear(CRASH))
    others = [shared.hear() for _ in range(5)]
    shared.join()
    assert {other.status for other in others} == {200}
    assert (answer[0].status, answer[0].error["code"]) == (500, "worker_died")
    assert "SIGKILL" in answer[0].error["message"]


def test_a_worker_that_is_killed_is_replaced_and_its_request_answered(shared: Running) -> None:
    until(lambda: idle(shared))
    answers = [shared.later(lambda: shared.hear(SLOW)) for _ in range(2)]
    until(lambda: shared.state["in_flight"] == 2)
    os.kill(shared.workers[0], signal.SIGKILL)
    shared.join()
    assert [answer[0].status for answer in answers] == [200, 200]
    until(lambda: [row for row in shared.log if row.get("attempts") == 2 and row["status"] == 200])


def test_a_worker_that_dies_idle_is_replaced(shared: Running) -> None:
    until(lambda: idle(shared))
    gone = shared.workers[0]
    os.kill(gone, signal.SIGKILL)
    # What is being killed has no command line a moment before it counts as dead.
    until(lambda: gone not in shared.workers and len(shared.workers) == 2 and idle(shared))


def hang_up(server: Running, n_samples: int, *, wait: bool = True) -> None:
    body, kind = form({}, wav(n_samples))
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        head = (
            f"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        connection.sendall(head.encode() + body)
        if wait:
            until(lambda: server.state["in_flight"] > 0)


def test_a_client_that_is_gone_takes_its_work_with_it(shared: Running) -> None:
    until(lambda: idle(shared))
    before, started = shared.workers, time.monotonic()
    hang_up(shared, LONG)
    until(lambda: idle(shared))
    assert time.monotonic() - started < 2.9, "it ran to the end of its time"
    assert shared.workers == before, "an engine that streams stops between two segments"
    assert [row for row in shared.log if row.get("status") == 499]
    hang_up(shared, HANG)
    until(lambda: idle(shared))
    assert len([pid for pid in before if psutil.pid_exists(pid)]) == 1


def test_an_upload_that_breaks_off_leaves_nothing(shared: Running) -> None:
    host, port = shared.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        body, kind = form({}, bytes(600_000))
        head = (
            f"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n"
            "Content-Length: 900000\r\n\r\n"
        )
        connection.sendall(head.encode() + body[:500_000])
        until(shared.files)
    until(lambda: not shared.files())


def test_metrics_tell_what_happened(shared: Running) -> None:
    until(lambda: idle(shared))
    before = shared.metrics
    for n_samples in (HELLO, PIECES, LOOP, EMPTY, ERROR):
        shared.hear(n_samples)
    after, model = shared.metrics, shared.state["id"]

    def more(*key: str) -> float:
        return after[key] - before.get(key, 0.0)

    assert [more("outputs_total", model, kind) for kind in ("text", "empty", "loop")] == [2, 1, 1]
    assert more("failed_total", model) == 1
    assert more("requests_total", "/v1/audio/transcriptions", "200") == 4
    assert more("requests_total", "/v1/audio/transcriptions", "500") == 1
    assert more("request_seconds_count", model) == 5
    assert more("audio_seconds_total", model) == pytest.approx((HELLO + PIECES + LOOP + EMPTY) / 16_000)
    assert after["workers_ready", model] == 2
    assert after["queue_depth", model] == after["in_flight", model] == 0
    assert after["memory_bytes", model] > 1 << 20
    assert {key[0] for key in after} >= {"model_info", "live", "first_text_seconds_sum", "worker_restarts_total"}


def test_nothing_of_a_request_stays_on_disk(shared: Running) -> None:
    assert shared.hear().status == 200
    until(lambda: not shared.files())


GOOD = {HELLO: "hello there", PIECES: "One. Two. Three.", SLOW: "slow", EMPTY: ""}
BAD = (CRASH, HANG, ERROR)
RUBBISH, GONE = 0, 1
WARM_S, MOST_GROWTH_BYTES = 5.0, 4 << 20
FILES_OF_A_DECODER = 3  # two pipes, and how its end is told
# What may be said to one whose worker, or decoder, was killed twice, or who waited too long for one.
PROVOKED = {"worker_died", "decoder_died", "timeout", "no_worker"}


@dataclass
class Chaos:
    """What clients saw."""

    server: Running
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def client(self, seed: int, ends_at: float) -> None:
        dice = random.Random(seed)
        while time.monotonic() < ends_at:
            what = dice.choice([*GOOD, *GOOD, *BAD, RUBBISH, GONE])
            if what == GONE:
                hang_up(self.server, SLOW, wait=False)
                continue
            reply = self.server.hear(content=b"rubbish") if what == RUBBISH else self.server.hear(what)
            self.statuses[reply.status] += 1
            if not self.is_fair(what, reply):
                self.wrong.append(f"{what}: {reply.status} {reply.body!r}")

    def is_fair(self, what: int, reply: Reply) -> bool:
        if reply.status == 429:
            time.sleep(0.1)
            return True
        if what == RUBBISH:
            return reply.status == 400
        if what in BAD:
            return reply.error["code"] in PROVOKED | {"engine_error"}
        if reply.status == 200:
            return bool(reply.data["text"] == GOOD[what])
        return reply.error["code"] in PROVOKED


def kill_at_work(decoders: list[int], dice: random.Random) -> None:
    """End a decoder that has been stopped for a moment, in which somebody has come to it with a file."""
    for pid in dice.sample(decoders, min(1, len(decoders))):
        with contextlib.suppress(psutil.Error):
            psutil.Process(pid).suspend()
            time.sleep(0.1)
            psutil.Process(pid).kill()


def growth_bytes(held: list[tuple[float, int]]) -> float:
    """How much more is held at the end than at the beginning, by least squares over the whole run."""
    times = [when_s for when_s, _ in held]
    return statistics.linear_regression(times, [size for _, size in held]).slope * (times[-1] - times[0])


@pytest.mark.parametrize(
    "seconds", [20, pytest.param(int(os.environ.get("EARWITNESS_CHAOS_S", "600")), marks=pytest.mark.long)]
)
def test_chaos_ends_in_answers_and_clear_errors_and_leaves_nothing(tmp_path: Path, seconds: int) -> None:
    """Eight clients, one request in three broken, and a worker and a decoder killed every second."""
    model = f"fake:{script_folder(tmp_path / 'model')}"
    with running(tmp_path, "--model", model, "--workers", "2", "--queue", "8", "--timeout", "3") as server:
        chaos, dice, process = Chaos(server), random.Random(0), psutil.Process(server.process.pid)
        until(lambda: idle(server))
        n_files, held = process.num_fds(), list[tuple[float, int]]()
        started = time.monotonic()
        for seed in range(8):
            server.later(partial(chaos.client, seed, started + seconds))
        while time.monotonic() < started + seconds:
            time.sleep(dice.uniform(0.2, 0.7))
            for victim in dice.sample(server.workers, min(1, len(server.workers))):
                with contextlib.suppress(psutil.Error):
                    psutil.Process(victim).kill()
            time.sleep(dice.uniform(0.2, 0.7))
            kill_at_work(server.decoders, dice)
            held.append((time.monotonic() - started, process.memory_info().rss))
        server.join()
        assert chaos.wrong == []
        assert chaos.statuses[200] > 20, chaos.statuses
        until(lambda: idle(server))
        until(lambda: not server.files())
        assert server.hear().data["text"] == "hello there"
        assert len(server.decoders) <= 2
        until(lambda: process.num_fds() <= n_files + FILES_OF_A_DECODER * len(server.decoders))
        assert not [row for row in server.log if row["event"] == "unexpected"]
        growth = growth_bytes([one for one in held if one[0] > WARM_S])
        ended = sum(row["event"] == "decoder has ended" for row in server.log)
        print(f"{dict(chaos.statuses)}, {ended} decoders ended at work, memory {growth / (1 << 20):+.2f} MiB")
        assert ended > 0, "no decoder was killed at work"
        assert growth < MOST_GROWTH_BYTES
