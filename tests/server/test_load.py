"""Under load, and when things break: every request gets its answer or a clear error, and no other notices."""

from __future__ import annotations

import os
import signal
import socket
from collections import Counter

import psutil
import pytest
from tests.server.serving import (
    CRASH,
    EMPTY,
    ERROR,
    HANG,
    HELLO,
    LONG,
    LOOP,
    PIECES,
    SLOW,
    Running,
    form,
    hang_up,
    idle,
    until,
    wav,
)

HOLDS = ("server/pool/pool.py",)

# Each test is quick, but they take turns at a server, which the quick tests, on many processes, would start many times.
pytestmark = pytest.mark.real


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


def require_stopped_or_ended(server: Running, workers: list[int], reason: str) -> None:
    """A worker that streams stops between two segments and stays; on a machine too slow for that it is ended."""
    if server.workers != workers:
        assert server.metrics["worker_restarts_total", server.state["id"], reason] >= 1


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
    require_stopped_or_ended(shared, before, "timeout")


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


def test_a_client_that_is_gone_takes_its_work_with_it(shared: Running) -> None:
    until(lambda: idle(shared))
    n_rows = len(shared.log)
    before = shared.workers
    hang_up(shared, wav(LONG))
    until(lambda: idle(shared))
    assert not [row for row in shared.log[n_rows:] if row.get("status") == 504], "it ran to the end of its time"
    require_stopped_or_ended(shared, before, "cancelled")
    assert [row for row in shared.log if row.get("status") == 499]
    before = shared.workers
    hang_up(shared, wav(HANG))
    until(lambda: idle(shared))
    assert len([pid for pid in before if psutil.pid_exists(pid)]) == 1


def test_an_upload_that_breaks_off_leaves_nothing(shared: Running) -> None:
    host, port = shared.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        body, kind = form({}, bytes(600_000))
        head = (
            f"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: {kind}\r\n"
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
