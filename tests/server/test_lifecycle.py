"""From start to end: ready, drained, changed under way, and refused when it makes no sense."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.server.serving import (
    EMPTY,
    HANG,
    SCRIPT,
    SLOW,
    band,
    children,
    running,
    script_folder,
    until,
    write_decision,
)

from earwitness.server.http.service import DECODERS
from earwitness.server.watch.drift import LEAST

HOLDS = ("models.py", "run.py", "cli/serve.py", "server/http/app.py", "server/pool/start.py")

# Starting a server takes a second or two: too long for the quick tests.
starts_servers = pytest.mark.real


@starts_servers
def test_it_is_ready_once_a_worker_has_heard_the_probe_and_drains_when_told_to_stop(tmp_path: Path) -> None:
    script = {**SCRIPT, "16000": {"text": "probe", "sleep_s": 0.7}}
    model = f"fake:{script_folder(tmp_path / 'model', script)}"
    with running(tmp_path, "--model", model, "--workers", "1", ready=False) as server:
        assert server.ask("/healthz").status == 200
        early = server.ask("/readyz")
        assert (early.status, early.error["code"]) == (503, "not_ready")
        assert server.hear().error["code"] == "not_ready"
        until(lambda: server.ask("/readyz").status == 200)
        answer = server.later(lambda: server.hear(SLOW))
        until(lambda: server.state["in_flight"] == 1)
        server.process.send_signal(signal.SIGTERM)
        with pytest.raises(OSError, match="refused|reset"):
            until(lambda: server.ask("/healthz").status != 200)
        server.join()
        assert answer[0].data["text"] == "slow"
        assert server.process.wait(timeout=120) == 0
        assert [path for path in server.scratch.rglob("*") if path.is_file()] == []


@starts_servers
def test_a_server_that_is_killed_leaves_no_process(tmp_path: Path) -> None:
    with running(tmp_path, "--model", f"fake:{script_folder(tmp_path / 'model')}", "--workers", "1") as server:
        answer = server.later(lambda: hung_up_on(lambda: server.hear(HANG)))
        until(lambda: server.state["in_flight"] == 1)
        below = children(server.process.pid)
        assert len(below) == 2  # a worker and a decoder
        server.process.kill()
        server.process.wait()
        until(lambda: not [p for p in below if p.is_running() and p.status() != psutil.STATUS_ZOMBIE])
        server.join()
        assert answer == [True]


def hung_up_on(ask: Callable[[], Any]) -> bool:
    try:
        ask()
    except OSError:
        return True
    return False


@starts_servers
def test_a_new_decision_is_taken_over_without_a_dropped_request(tmp_path: Path) -> None:
    first = script_folder(tmp_path / "first", {"*": {"text": "first", "sleep_s": 0.02}})
    second = script_folder(tmp_path / "second", {"*": {"text": "second", "sleep_s": 0.02}})
    decision = tmp_path / "decision.json"
    write_decision(decision, f"fake:{first}")
    with running(tmp_path, "--decision", str(decision), "--workers", "1") as server:
        assert (server.state["status"], server.state["promise"]["rtf"]) == ("production", 0.1)
        assert server.metrics["promise", f"fake:{first}", "rtf"] == 0.1
        texts, statuses, ends_at = [], set(), 0.0

        def ask_on() -> None:
            while not ends_at or time.monotonic() < ends_at:
                reply = server.hear()
                statuses.add(reply.status)
                texts.append(reply.data.get("text"))

        server.later(ask_on)
        until(lambda: "first" in texts)
        decision.write_text("{}")
        os.kill(server.process.pid, signal.SIGHUP)
        until(lambda: [row for row in server.log if row["event"].startswith("what is new cannot be served")])
        write_decision(decision, f"fake:{second}")
        os.kill(server.process.pid, signal.SIGHUP)
        until(lambda: "second" in texts)
        write_decision(decision, f"fake:{first}", in_force={"beam_size": 5})
        os.kill(server.process.pid, signal.SIGHUP)
        until(lambda: [row for row in server.log if "was measured with 5" in row.get("reason", "")])
        ends_at = time.monotonic() + 0.2
        server.join()
        assert statuses == {200}
        assert texts == sorted(texts)
        until(lambda: len(server.workers) == 1)
        assert [model["id"] for model in server.ask("/v1/models").data["data"]] == [f"fake:{second}"]


@starts_servers
@pytest.mark.long
def test_a_worker_that_hangs_while_it_starts_is_replaced_within_a_minute_or_two(tmp_path: Path) -> None:
    model = f"fake:{script_folder(tmp_path / 'model')}"
    with running(tmp_path, "--model", model, "--workers", "1", "--timeout", "100") as server:
        (first,) = server.workers
        psutil.Process(first).kill()
        (second,) = until(lambda: [pid for pid in server.workers if pid != first])
        psutil.Process(second).suspend()
        assert not [row for row in server.log if row["event"] == "worker is ready"][1:], (
            "it was stopped while it started"
        )
        answer = server.later(lambda: server.hear(EMPTY))
        until(lambda: [pid for pid in server.workers if pid not in (first, second)])
        until(lambda: answer)
        assert answer[0].status == 200
        (row,) = [row for row in server.log if row["event"] == "no worker came up"]
        assert (row["level"], row["reason"]) == ("error", "No answer within 30 s; the worker was ended.")


@starts_servers
def test_a_decoder_that_hangs_is_replaced_and_the_client_gets_its_text(tmp_path: Path) -> None:
    model = f"fake:{script_folder(tmp_path / 'model')}"
    with running(tmp_path, "--model", model, "--workers", "1", "--timeout", "60") as server:
        until(lambda: server.hear().status == 200 and len(server.decoders) == DECODERS)
        # Decoders take turns: the one that is stopped waits for the next file or for the one behind it.
        stopped = server.decoders[0]
        os.kill(stopped, signal.SIGSTOP)
        assert [server.hear().data["text"] for _ in range(DECODERS)] == ["hello there"] * DECODERS
        assert stopped not in server.decoders
        assert server.metrics["decoder_ends_total", "hung"] == 1
        assert server.metrics["decoder_ends_total", "died"] == 0
        (line,) = [row for row in server.log if row["event"] == "decoder has ended"]
        assert (line["level"], line["reason"]) == ("warning", "hung")


@starts_servers
def test_drift_is_a_metric_and_a_line_of_the_log(tmp_path: Path) -> None:
    model = f"fake:{script_folder(tmp_path / 'model')}"
    promise = {"empty_share": 0.01, "latency_p95_s": 5.0}
    write_decision(tmp_path / "decision.json", model, promise=promise, by_length=(band(0.1, 0.14, 5.0),))
    with running(tmp_path, "--decision", str(tmp_path / "decision.json"), "--workers", "1") as server:
        for _ in range(LEAST):
            server.hear(EMPTY)
        metrics = server.metrics
        assert metrics["drift", model, "empty_share"] == 1
        assert metrics["drift", model, "latency_p95_s"] == 0
        assert metrics["live", model, "empty_share"] == 1
        assert server.state["drift"] == ["empty_share"]
        assert metrics["live_answers", model] == metrics["alike_answers", model] == LEAST
        assert 0 < metrics["slowdown", model, "latency_p95_s"] < 1
        (line,) = [row for row in server.log if row["event"] == "drift"]
        assert (line["level"], line["measure"], line["promised"], line["live"]) == ("warning", "empty_share", 0.01, 1.0)


@starts_servers
def test_answers_of_other_lengths_than_were_measured_are_no_drift_of_speed(tmp_path: Path) -> None:
    model = f"fake:{script_folder(tmp_path / 'model')}"
    promise, short = {"rtf": 1e-9, "latency_p95_s": 1e-9}, band(0.05, 0.07, 1e-9)
    write_decision(tmp_path / "decision.json", model, promise=promise, by_length=(short,))
    with running(tmp_path, "--decision", str(tmp_path / "decision.json"), "--workers", "1") as server:
        for _ in range(LEAST):
            server.hear()
        metrics = server.metrics
        assert (metrics["live_answers", model], metrics["alike_answers", model]) == (LEAST, 0)
        assert not [key for key in metrics if key[0] in ("drift", "slowdown")]
        for _ in range(LEAST):
            server.hear(900)
        assert server.metrics["alike_answers", model] == LEAST
        assert server.state["drift"] == ["rtf", "latency_p50_s", "latency_p95_s", "latency_p99_s"]
        (line,) = [row for row in server.log if row["event"] == "drift" and row["measure"] == "rtf"]
        assert line["answers"] == LEAST
        assert line["slowdown"] > 1.5


@starts_servers
def test_a_second_model_is_loaded_when_it_is_asked_for_and_makes_room(tmp_path: Path) -> None:
    ids = [f"fake:{script_folder(tmp_path / name, {'*': {'text': name}})}" for name in ("a", "b", "c")]
    models = [argument for id_ in ids for argument in ("--model", id_)]
    # A worker is taken for 256 MiB until it is known; a fake one is then known to hold some 40.
    with running(tmp_path, *models, "--workers", "1", "--memory-mb", "300") as server:
        assert len(server.workers) == 1
        assert [server.hear(model=id_).data["text"] for id_ in (ids[1], ids[2], ids[0], ids[1])] == ["b", "c", "a", "b"]
        loaded = [model["loaded"] for model in server.ask("/v1/models").data["data"]]
        assert loaded[:2] == [True, True]
        assert [row for row in server.log if row["event"] == "model is unloaded"]


@starts_servers
def test_only_keys_may_ask_and_only_so_often(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"

    def manage(*arguments: str) -> str:
        command = [sys.executable, "-m", "earwitness", "serve", "keys", *arguments, "--keys", str(keys)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    first = manage("add", "reception", "--rate", "2")
    second = json.loads(manage("add", "cellar", "--json"))["key"]
    assert first not in keys.read_text()
    assert keys.stat().st_mode & 0o077 == 0
    assert "reception: since" in manage("list")
    model = f"fake:{script_folder(tmp_path / 'model')}"
    origin = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    with running(
        tmp_path, "--model", model, "--workers", "1", "--keys", str(keys), "--cors", "https://app.example"
    ) as server:
        nobody = server.hear()
        assert (nobody.status, nobody.error["code"]) == (401, "invalid_api_key")
        assert nobody.headers["www-authenticate"] == "Bearer"
        assert server.hear(key="ew-wrong").status == 401
        assert [server.hear(key=first).status for _ in range(3)] == [200, 200, 429]
        assert int(server.hear(key=first).headers["retry-after"]) <= 30
        assert server.hear(key=second).status == 200
        assert server.ask("/v1/audio/transcriptions", "OPTIONS", headers=origin).status == 200
        manage("remove", "cellar")
        assert server.hear(key=second).status == 401
        assert server.ask("/metrics").status == 200
        line = next(row for row in server.log if row.get("status") == 200)
        assert line["key"] == "reception"
        assert first not in server.log_path.read_text()


def serve(*arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "earwitness", "serve", "--port", "0", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr


def test_what_makes_no_sense_is_refused_before_it_serves(tmp_path: Path) -> None:
    assert serve() == (
        2, "Give one of --decision decision.json, or --model, such as faster-whisper:base.\n",
    )  # fmt: skip
    folder = script_folder(tmp_path / "model")
    decision = tmp_path / "decision.json"
    write_decision(decision, f"fake:{folder}")
    assert "Leave out --set" in serve("--decision", str(decision), "--set", "beam_size=2")[1]
    (folder / "script.json").write_text("{}")
    code, said = serve("--decision", str(decision))
    assert code == 2
    assert "are not those that were measured" in said


@starts_servers
def test_a_model_that_does_not_load_and_a_port_that_is_taken_end_with_a_sentence(tmp_path: Path) -> None:
    code, said = serve("--model", "fake:error", "--workers", "1")
    assert code == 2
    assert said.splitlines()[-1] == "Model 'fake:error' cannot be served: RuntimeError: this model always fails"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, said = serve("--model", "fake:echo", "--port", str(taken.getsockname()[1]))
    assert code == 2
    assert said.splitlines()[-1].startswith("Cannot listen on '127.0.0.1'")


@starts_servers
def test_a_server_that_lingers_is_not_ready_and_still_answers(tmp_path: Path) -> None:
    model = f"fake:{script_folder(tmp_path / 'model')}"
    with running(tmp_path, "--model", model, "--workers", "1", "--linger", "3") as server:
        assert "connection" not in server.hear().headers
        server.process.send_signal(signal.SIGTERM)
        until(lambda: server.ask("/readyz").status == 503)
        assert server.ask("/readyz").error["code"] == "stopping"
        assert server.ask("/healthz").status == 200
        last = server.hear()
        assert (last.data["text"], last.headers["connection"]) == ("hello there", "close")
        assert server.process.wait(timeout=30) == 0
        (row,) = [row for row in server.log if row["event"] == "stopping"]
        assert (row["signal"], row["linger_s"]) == ("SIGTERM", 3.0)


@starts_servers
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_the_lingering(tmp_path: Path, second: signal.Signals) -> None:
    model = f"fake:{script_folder(tmp_path / 'model')}"
    with running(tmp_path, "--model", model, "--workers", "1", "--linger", "600") as server:
        server.process.send_signal(signal.SIGTERM)
        until(lambda: server.ask("/readyz").status == 503)
        server.process.send_signal(second)
        assert server.process.wait(timeout=30) == 0


@starts_servers
def test_a_stop_that_comes_before_the_server_is_up_is_a_stop(tmp_path: Path) -> None:
    with running(tmp_path, "--model", "fake:echo", "--workers", "1", ready=False) as server:
        server.process.send_signal(signal.SIGTERM)  # it has just said where it listens
        assert server.process.wait(timeout=30) == 0
        assert server.log[-1]["event"] == "server has ended"


@starts_servers
def test_a_stop_while_a_model_loads_does_not_wait_for_it(tmp_path: Path) -> None:
    with running(tmp_path, "--model", "fake:hang", "--workers", "1", ready=False) as server:
        until(lambda: server.workers)
        (worker,) = server.workers
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=30) == 0
        assert not psutil.pid_exists(worker)
        assert server.log[-1]["event"] == "server has ended"


@starts_servers
def test_time_is_up_for_what_does_not_end(tmp_path: Path) -> None:
    model = f"fake:{script_folder(tmp_path / 'model')}"
    with running(tmp_path, "--model", model, "--workers", "1", "--drain", "1") as server:
        answer = server.later(lambda: server.hear(HANG))
        until(lambda: server.state["in_flight"] == 1)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=120) == 0
        server.join()
        assert (answer[0].status, answer[0].error["code"]) == (503, "stopping")
