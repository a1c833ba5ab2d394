"""Every end of a request and of a process that docs/watching.md lists, caused with real processes."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.server.serving import (
    CRASH,
    ERROR,
    HANG,
    HELLO,
    LONG,
    RATE_HZ,
    Reply,
    Running,
    form,
    idle,
    running,
    script_folder,
    until,
    wav,
)

from earwitness.server.http.service import DECODERS as N_DECODERS

HOLDS = ("server/http/service.py", "server/pool/job.py")

pytestmark = pytest.mark.real
PAGE = Path(__file__).parents[2] / "docs" / "watching.md"
ROUTE = "/v1/audio/transcriptions"
TIMEOUT_S = 10
BIG = wav(400_000)


def table(heading: str) -> dict[str, list[str]]:
    """The rows of the table under whose heading such a column stands, by their first cell; code marks are left out."""
    rows, inside = dict[str, list[str]](), False
    for line in PAGE.read_text("utf-8").splitlines():
        cells = [cell.strip().replace("`", "") for cell in line.strip("|").split("|")]
        inside = line.startswith("|") and (inside or line.replace("`", "").startswith(heading))
        if inside and not line.startswith(("|---", heading)):
            rows[cells[0]] = cells[1:]
    return rows


REQUESTS = table("| what happens | status |")
PROCESSES = table("| what happens | reason |")


def ask(server: Running, content: bytes, **fields: str) -> tuple[str, Reply]:
    """Send a file, and return the id of the request with the answer."""
    body, kind = form(fields, content)
    request_id = uuid.uuid4().hex
    return request_id, server.ask(ROUTE, "POST", body, {"Content-Type": kind, "X-Request-Id": request_id})


@contextlib.contextmanager
def part_of_a_request(server: Running, content: bytes, n_bytes: int | None) -> Iterator[str]:
    """Send the headers and so many bytes of the body, or all of it; the client hangs up when the context ends."""
    body, kind = form({}, content)
    request_id = uuid.uuid4().hex
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        head = (
            f"POST {ROUTE} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: {kind}\r\nX-Request-Id: {request_id}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        connection.sendall(head.encode() + body[:n_bytes])
        yield request_id


def hung_up_after(n_bytes: int) -> Callable[[Running], str]:
    def cause(server: Running) -> str:
        with part_of_a_request(server, BIG, n_bytes) as request_id:
            # Nothing tells from outside that the server has read what there is; it answers others meanwhile.
            assert server.ask("/healthz").status == 200
        return request_id

    return cause


def hung_up_at_work(server: Running) -> str:
    with part_of_a_request(server, wav(LONG), None) as request_id:
        until(lambda: server.state["in_flight"] == 1)
    return request_id


def hung_up_in_the_queue(server: Running) -> str:
    with part_of_a_request(server, wav(LONG), None):
        until(lambda: server.state["in_flight"] == 1)
        with part_of_a_request(server, wav(HELLO), None) as request_id:
            until(lambda: server.state["waiting"] == 1)
        until(lambda: server.state["waiting"] == 0)
    return request_id


def queue_is_full(server: Running) -> str:
    with part_of_a_request(server, wav(LONG), None), part_of_a_request(server, wav(LONG), None):
        until(lambda: server.state["in_flight"] + server.state["waiting"] == 2)
        return ask(server, wav(HELLO))[0]


def sent(content: bytes) -> Callable[[Running], str]:
    return lambda server: ask(server, content)[0]


def answered(server: Running) -> str:
    request_id, reply = ask(server, wav(HELLO))
    assert reply.data["text"] == "hello there"
    return request_id


@contextlib.contextmanager
def signalling_decoders(server: Running, sent: signal.Signals) -> Iterator[None]:
    """Send a signal to each decoder that the server has or starts, until the end of the block."""
    over = threading.Event()

    def send() -> None:
        while not over.wait(0.001):
            for pid in decoders(server):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, sent)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    try:
        yield
    finally:
        over.set()
        sender.join()


def killed_decoders(server: Running) -> str:
    """Send a file until it is refused, and kill each decoder that the server has or starts for it."""
    with signalling_decoders(server, signal.SIGKILL):
        # One that waits for a file may be done with it before it is found.
        answers = (ask(server, wav(HELLO)) for _ in range(100))
        return next(request_id for request_id, reply in answers if reply.status != 200)


def stopped_decoders(server: Running) -> str:
    """Have every decoder started, stop them all, and send a file."""
    until(lambda: answered(server) and len(decoders(server)) == N_DECODERS)
    for pid in decoders(server):
        os.kill(pid, signal.SIGSTOP)
    return ask(server, wav(HELLO))[0]


def decoders_stopped_at_their_start(server: Running) -> str:
    """Kill every decoder, and stop each that is started in its place before it is ready; then send a file."""
    for pid in decoders(server):
        os.kill(pid, signal.SIGKILL)
    until(lambda: not decoders(server))
    with signalling_decoders(server, signal.SIGSTOP):
        return ask(server, wav(HELLO))[0]


def decoders(server: Running) -> list[int]:
    found = []
    for child in psutil.Process(server.process.pid).children():
        with contextlib.suppress(psutil.Error):
            if "earwitness.audio.decoder" in child.cmdline():
                found.append(child.pid)
    return found


CAUSES: dict[str, Callable[[Running], str]] = {
    "it is answered": answered,
    "the client hangs up after the headers": hung_up_after(0),
    "the client hangs up in the head of the part": hung_up_after(40),
    "the client hangs up after 1 kB of the file": hung_up_after(1_000),
    "the client hangs up after 400 kB of the file": hung_up_after(400_000),
    "the client hangs up while it waits in the queue": hung_up_in_the_queue,
    "the client hangs up while its audio is at work": hung_up_at_work,
    "the file is larger than --max-mb": sent(wav(600_000)),
    "the audio is longer than --max-seconds": sent(wav(31 * RATE_HZ)[: 2 * 31 * RATE_HZ]),
    "the file is no audio": sent(b"rubbish" * 99),
    "the queue is full": queue_is_full,
    "the engine fails on the audio": sent(wav(ERROR)),
    "a worker dies of the audio, and the next one, too": sent(wav(CRASH)),
    "a worker hangs until the time is up": sent(wav(HANG)),
    "a decoder dies of the file, and the next one, too": killed_decoders,
    "a decoder hangs at the file, and the next one, too": stopped_decoders,
    "a decoder hangs while it starts, and the next one, too": decoders_stopped_at_their_start,
}
# These end or break their server, so that each has one of its own.
ALONE = {
    "no worker comes up",
    "the model is still being loaded",
    "the server stops, and --drain is over",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("ends")
    model = f"fake:{script_folder(folder / 'model')}"
    limits = ("--workers", "1", "--queue", "1", "--timeout", str(TIMEOUT_S), "--max-seconds", "30", "--max-mb", "1")
    with running(folder, "--model", model, *limits) as server:
        yield server


def counted(server: Running, name: str) -> dict[tuple[str, ...], float]:
    return {key[1:]: value for key, value in server.metrics.items() if key[0] == name}


def rise(before: dict[tuple[str, ...], float], after: dict[tuple[str, ...], float]) -> dict[tuple[str, ...], float]:
    return {key: value - before.get(key, 0) for key, value in after.items() if value != before.get(key, 0)}


def line_of(server: Running, request_id: str) -> dict[str, Any]:
    found = until(lambda: [row for row in server.log if row.get("request_id") == request_id])
    assert len(found) == 1, "a request is one line of the log"
    return dict(found[0])


def require(row: dict[str, Any], cells: list[str]) -> None:
    status, reason, level, _ = cells
    assert (str(row["status"]), row.get("reason", ""), row["level"]) == (status, reason, level), row
    assert "traceback" not in row


def test_every_end_that_is_listed_is_caused_here() -> None:
    assert set(REQUESTS) == set(CAUSES) | ALONE
    assert set(PROCESSES) == set(WORKERS) | set(DECODERS) | {
        "the kernel kills a worker because memory ran out",  # test_fit.py, under a control group
        "a worker dies, hangs or fails while it starts",  # in test_no_worker_comes_up
        "the server is told to stop",
        "the server is killed",  # as a process below, and as an alert in test_alerts.py
    }


def test_every_alert_that_is_named_is_one() -> None:
    from tests.server.test_watching import rules

    named = set(
        re.findall(r"Earwitness\w+", " ".join(" ".join(row) for row in (*REQUESTS.values(), *PROCESSES.values())))
    )
    assert named <= {rule["alert"] for rule in rules()}


@pytest.mark.parametrize("what", CAUSES)
def test_a_request_ends_with_one_reason_in_status_metric_and_log(server: Running, what: str) -> None:
    until(lambda: idle(server))
    requests, rejected = counted(server, "requests_total"), counted(server, "rejected_total")
    row = line_of(server, CAUSES[what](server))
    require(row, REQUESTS[what])
    status, reason = str(row["status"]), row.get("reason")
    until(lambda: idle(server))
    mine = {key: n for key, n in rise(requests, counted(server, "requests_total")).items() if key[0] == ROUTE}
    assert mine[ROUTE, status] >= 1
    assert {int(key[1]) for key in mine} <= {int(status), 499, 200}, "what else is sent hangs up or is answered"
    assert set(rise(rejected, counted(server, "rejected_total"))) <= {(reason,), ("client_closed",)} - {(None,)}
    assert not [row for row in server.log if row["event"] == "unexpected"]


def test_no_worker_comes_up(tmp_path: Path) -> None:
    folder = script_folder(tmp_path / "model")
    with running(tmp_path, "--model", f"fake:{folder}", "--workers", "1", "--timeout", "20") as server:
        (folder / "script.json").write_text("this is no JSON", encoding="utf-8")
        before = counted(server, "worker_restarts_total")
        psutil.Process(server.workers[0]).kill()
        until(lambda: server.state["workers_ready"] == 0)
        require(line_of(server, ask(server, wav(HELLO))[0]), REQUESTS["no worker comes up"])
        reason = PROCESSES["a worker dies, hangs or fails while it starts"][0]
        risen = rise(before, counted(server, "worker_restarts_total"))
        assert (reason,) in {key[1:] for key in risen}, risen
        lines = [row for row in server.log if row["event"] == "no worker came up"]
        assert lines
        assert {row["level"] for row in lines} == {"error"}


def test_the_model_is_still_being_loaded(tmp_path: Path) -> None:
    model = f"fake:{script_folder(tmp_path / 'model', {'*': {'text': 'late', 'sleep_s': 5}})}"
    with running(tmp_path, "--model", model, "--workers", "1", ready=False) as server:
        require(line_of(server, ask(server, wav(HELLO))[0]), REQUESTS["the model is still being loaded"])


def test_the_server_stops_and_its_time_to_drain_is_over(tmp_path: Path) -> None:
    model = f"fake:{script_folder(tmp_path / 'model')}"
    with running(tmp_path, "--model", model, "--workers", "1", "--drain", "1") as server:
        answer = server.later(lambda: ask(server, wav(HANG)))
        until(lambda: server.state["in_flight"] == 1)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=20) == 0
        server.join()
        require(line_of(server, answer[0][0]), REQUESTS["the server stops, and --drain is over"])
        (row,) = [row for row in server.log if row["event"] == PROCESSES["the server is told to stop"][0]]
        assert row["signal"] == "SIGTERM"
        assert server.log[-1]["event"] == "server has ended"


def test_a_server_that_is_killed_takes_its_workers_with_it(tmp_path: Path) -> None:
    with running(tmp_path, "--model", f"fake:{script_folder(tmp_path / 'model')}", "--workers", "1") as server:
        (worker,) = server.workers
        server.process.kill()
        assert server.process.wait(timeout=20) == -signal.SIGKILL
        until(lambda: not psutil.pid_exists(worker))


def at_work(server: Running, which: signal.Signals) -> None:
    """Send a signal to the worker that has a request, which takes longer than there is time, on a second try, too."""
    (worker,) = server.workers
    answer = server.later(lambda: ask(server, wav(LONG)))
    until(lambda: server.state["in_flight"] == 1)
    psutil.Process(worker).send_signal(which)
    until(lambda: not psutil.pid_exists(worker))
    server.join()
    assert answer[0][1].status == 504


def between_requests(server: Running, which: signal.Signals) -> None:
    (worker,) = server.workers
    psutil.Process(worker).send_signal(which)
    until(lambda: not psutil.pid_exists(worker), 60)


def is_written(file: Path) -> bool:
    flags = (file.parents[1] / "fdinfo" / file.name).read_text().split("flags:")[1].split()[0]
    return bool(int(flags, 8) & os.O_WRONLY) and str(file.readlink()).startswith("pipe:")


def nonsense(server: Running) -> None:
    """Write into the pipe on which the worker replies, which is not the one of its errors."""
    (worker,) = server.workers
    with part_of_a_request(server, wav(HANG), None):
        until(lambda: server.state["in_flight"] == 1)
        files = Path(f"/proc/{worker}/fd")
        errors = (files / "2").readlink()
        for file in files.iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                if file.readlink() != errors and is_written(file):
                    file.write_text("nonsense\n")
        until(lambda: not psutil.pid_exists(worker))


def does_not_stop(server: Running) -> None:
    (worker,) = server.workers
    with part_of_a_request(server, wav(HANG), None):
        until(lambda: server.state["in_flight"] == 1)
    until(lambda: not psutil.pid_exists(worker))


# What is done, and in which words the log says how the worker ended.
WORKERS: dict[str, tuple[Callable[[Running], None], str]] = {
    "a worker is killed, or crashes, at work": (lambda server: at_work(server, signal.SIGKILL), "SIGKILL"),
    "a worker hangs at work until the time is up": (lambda server: at_work(server, signal.SIGSTOP), ""),
    "a worker hangs between two requests": (lambda server: between_requests(server, signal.SIGSTOP), "No answer"),
    "a worker is killed, or crashes, between two requests": (
        lambda server: between_requests(server, signal.SIGTERM), "SIGTERM",
    ),
    "a worker replies with nonsense": (nonsense, "makes no sense"),
    "a worker does not stop for a client that hung up": (does_not_stop, ""),
}  # fmt: skip


DECODERS = {
    "a decoder is killed, or crashes, at work": killed_decoders,
    "a decoder hangs at work": stopped_decoders,
    "a decoder hangs while it starts": decoders_stopped_at_their_start,
}


@pytest.mark.parametrize("what", DECODERS)
def test_a_decoder_ends_with_one_reason_in_metric_and_log(server: Running, what: str) -> None:
    until(lambda: idle(server), 60)
    ends, n_lines = counted(server, "decoder_ends_total"), len(server.log)
    DECODERS[what](server)
    reason = PROCESSES[what][0]
    assert set(rise(ends, counted(server, "decoder_ends_total"))) == {(reason,)}
    lines = [row for row in server.log[n_lines:] if row["event"] == "decoder has ended"]
    assert {(row["reason"], row["level"]) for row in lines} == {(reason, "warning")}


@pytest.mark.skipif(not Path("/proc").exists(), reason="there is no /proc here: run it on Linux")
@pytest.mark.parametrize("what", WORKERS)
def test_a_worker_ends_with_one_reason_in_metric_and_log(server: Running, what: str) -> None:
    until(lambda: idle(server), 60)
    restarts, n_lines = counted(server, "worker_restarts_total"), len(server.log)
    cause, how = WORKERS[what]
    cause(server)
    until(lambda: idle(server))
    reason = PROCESSES[what][0]
    assert {key[1:]: n for key, n in rise(restarts, counted(server, "worker_restarts_total")).items()} == {(reason,): 1}
    (row,) = [row for row in server.log[n_lines:] if row["event"] == "worker has ended"]
    assert (row["reason"], row["level"]) == (reason, "warning")
    assert how in row["how"]
