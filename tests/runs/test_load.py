"""A server that takes one request at a time and a known time for each: what a load must find can be reckoned."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contract.servers import Asked, Says, server
from tests.server.serving import until

from earwitness import data
from earwitness.engines.catalog import find
from earwitness.records import store
from earwitness.records.record import RunLimits, Selection
from earwitness.records.speed import Load, LoadPlan, LoadStep, LoadVerdict, SpeedProtocols
from earwitness.reports.speed import load_sentences
from earwitness.runs.drive import start
from earwitness.runs.job import Job
from earwitness.runs.load import most_shown, next_loads
from earwitness.runs.load_client import Client, LoadRequest
from earwitness.types import Clip

HOLDS = ("job.py", "load_client.py", "remote.py", "api/load_test.py", "cli/load.py")

TAKES_S = 0.04
# These depend on a clock, and take seconds: they are not run beside others.
clocked = pytest.mark.real


def one_at_a_time(takes_s: float = TAKES_S) -> Callable[[Asked], Says]:
    lock = threading.Lock()

    def answer(_: Asked) -> Says:
        with lock:
            time.sleep(takes_s)
        return Says({"text": "hello"})

    return answer


def under(
    url: str, manifest: Path, out: Path, plan: LoadPlan, *, budget_s: float = 20.0, stretch_s: float = 0.4,
    timeout_s: float = 5.0,
) -> Load:  # fmt: skip
    job = Job(
        model=find(f"openai-api:{url}/v1#tiny"),
        folder=None,
        weights_sha256=None,
        dataset=data.load(manifest),
        selection=Selection(str(manifest)),
        limits=RunLimits(warmup=0, timeout_floor_s=timeout_s, timeout_factor=0.0),
        measure=SpeedProtocols(budget_s=budget_s, stretch_s=stretch_s, load=plan),
    )
    run = store.read_run(start(job, out, lambda *_: None))
    assert run.status == "complete"
    assert run.measurements is not None
    assert run.measurements.load is not None
    return run.measurements.load


@clocked
def test_clients_wait_for_each_other(tmp_path: Path, three_clips: Path) -> None:
    with server(one_at_a_time()) as (url, seen):
        found = under(url, three_clips, tmp_path, LoadPlan("closed", (1, 3)))
    assert [step.load for step in found.steps] == [1, 3]
    for step in found.steps:
        assert step.errors == {}
        assert step.n_answered == step.n_requests >= step.load
        assert step.latency_p50_s is not None
        assert step.latency_p50_s >= TAKES_S
        assert step.rtfx is not None
        assert step.rtfx <= 3.0 / TAKES_S, "clips of 1, 2 and 3 s, one at a time"
        assert step.texts_differ == 0
    assert len(seen) == 3 + sum(step.n_requests for step in found.steps)


@pytest.mark.parametrize("clients", [1, 3])
def test_so_many_clients_wait_at_once_and_never_more(tmp_path: Path, three_clips: Path, clients: int) -> None:
    calls, inside, most = itertools.count(), 0, 0
    lock, all_wait = threading.Lock(), threading.Event()

    def answer(_: Asked) -> Says:
        nonlocal inside, most
        if next(calls) < 3:  # the first pass, one at a time
            return Says({"text": "hello"})
        with lock:
            inside += 1
            most = max(most, inside)
            if inside == clients:
                all_wait.set()
        is_full = all_wait.wait(120)
        with lock:
            inside -= 1
        return Says({"text": "hello"}) if is_full else Says(b"", status=500)

    with server(answer) as (url, _):
        plan = LoadPlan("closed", (clients,))
        (only,) = under(url, three_clips, tmp_path, plan, budget_s=120.0, stretch_s=0.1, timeout_s=240.0).steps
    assert most == clients
    assert only.errors == {}
    assert only.n_answered == only.n_requests >= clients


@clocked
def test_the_most_clients_that_meet_a_target_are_found_and_every_load_lasts_until_it_can_be_told(
    tmp_path: Path, three_clips: Path
) -> None:
    places = threading.Semaphore(2)

    def two_at_once(_: Asked) -> Says:
        if not places.acquire(blocking=False):
            return Says({"error": {"message": "Full.", "code": "queue_full"}}, status=429)
        time.sleep(0.005)
        places.release()
        return Says({"text": "hello"})

    with server(two_at_once) as (url, _):
        found = under(url, three_clips, tmp_path, LoadPlan("closed", (1, 4), target_p95_s=5.0), budget_s=60.0)
    assert [step.load for step in found.steps] == [1, 4, 2, 3]
    assert [step.verdict for step in found.steps] == ["met", "missed", "met", "missed"]
    assert (found.best, found.reason) == (2, None)
    assert load_sentences(found)[-1].endswith("up to 2 clients at once")
    for step in found.steps:
        assert step.n_independent == pytest.approx(step.n_requests / step.load, abs=1)
        if step.verdict == "met":
            assert step.n_requests >= 114 * step.load
            assert step.latency_p95_ci95_s is not None
            assert step.latency_p95_ci95_s[0] <= (step.latency_p95_s or 0.0) <= step.latency_p95_ci95_s[1]
            assert step.latency_p99_ci95_s is None
            assert (step.ci95_reason or "").startswith("p99 takes 368 independent requests for an interval")


@clocked
def test_a_request_is_timed_from_when_it_was_due(
    tmp_path: Path, three_clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, dues = itertools.count(), list[float]()

    def stalls_once(_: Asked) -> Says:
        # Three requests are the first pass; the next keeps everybody waiting.
        return Says({"text": "hello"}, wait_s=0.3 if next(calls) == 3 else 0.0)

    def ask(client: Client, clip: Clip, due_s: float) -> LoadRequest:
        dues.append(due_s)
        if len(dues) % 4 == 0:  # a client that has no time when a request is due
            time.sleep(0.5)
        return asked(client, clip, due_s)

    asked = Client.ask
    monkeypatch.setattr(Client, "ask", ask)
    plan = LoadPlan("poisson", (30.0,), target_p95_s=0.2)
    with server(stalls_once) as (url, _):
        (step,) = under(url, three_clips, tmp_path, plan, budget_s=1.1, stretch_s=1.0).steps
    assert step.n_requests == len(dues)
    # However fast the machine is, requests are due as the seed draws them, and a stall of the server moves none.
    drawn = np.random.default_rng(plan.seed).exponential(1 / 30, len(dues) - 1)
    assert np.diff(sorted(dues)) == pytest.approx(drawn, abs=1e-6)
    assert step.n_within is not None
    late = len(dues) // 4
    assert step.n_within <= step.n_requests - max(1, late), "who waited is late by the clock of when it was due"
    assert late > 2
    assert step.latency_p95_s is not None
    assert min(step.latency_p95_s, step.behind_s) >= 0.5


def test_errors_are_counted_by_kind_and_nothing_is_gained_by_refusing(tmp_path: Path, three_clips: Path) -> None:
    calls = itertools.count()
    refusal = Says({"error": {"message": "Full.", "code": "queue_full"}}, status=429)
    answers = [refusal, Says(b"<html>", status=502), Says({"words": []}), Says({"text": "other"})]

    def answer(_: Asked) -> Says:
        number = next(calls)
        return Says({"text": "hello"}) if number < 3 else answers[(number - 3) % 4]

    with server(answer) as (url, _):
        (step,) = under(url, three_clips, tmp_path, LoadPlan("closed", (1,), target_p95_s=1.0)).steps
    quarter = step.n_requests // 4
    assert set(step.errors) == {"429 queue_full", "502", "200 without a text"}
    assert all(abs(count - quarter) <= 1 for count in step.errors.values())
    assert step.n_answered == step.texts_differ == step.n_within
    assert (step.n_answered < step.n_requests / 2, step.verdict) == (True, "missed")


def test_a_server_that_hangs_costs_the_time_of_one_answer(tmp_path: Path, three_clips: Path) -> None:
    calls = itertools.count()
    with server(lambda _: Says(wait_s=3.0 if next(calls) >= 3 else 0.0)) as (url, _):
        found = under(url, three_clips, tmp_path, LoadPlan("closed", (2, 3, 4)), budget_s=1.0, timeout_s=0.8)
    assert found.steps[0].errors == {"timeout": 2}
    assert (found.steps[0].rtfx, found.steps[0].latency_p95_s) == (None, None)
    assert found.reason == "the budget of 1 s ended before 3 was tried"


def test_a_key_is_shown_to_the_server_and_is_in_no_file(
    tmp_path: Path, three_clips: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from earwitness.cli import main

    secret = "sk-very-secret-0123"
    monkeypatch.setenv("TEST_KEY", secret)
    with server(lambda _: Says({"text": "hello"})) as (url, seen):
        arguments = ["load", url, "--data", str(three_clips), "-m", "tiny", "--key-env", "TEST_KEY", "--json"]
        assert main([*arguments, "--clients", "2", "--stretch-s", "0.1", "--out", str(tmp_path / "runs")]) == 0
    assert {asked.headers["authorization"] for asked in seen} == {f"Bearer {secret}"}
    told = capsys.readouterr()
    written = [path.read_text("utf-8") for path in (tmp_path / "runs").rglob("*") if path.is_file()]
    assert len(written) == 2
    assert not [text for text in (*written, told.out, told.err) if secret in text]


def test_decide_reads_what_a_server_gives_under_load(tmp_path: Path, three_clips: Path) -> None:
    from earwitness.decision.candidates import gather

    with server(lambda _: Says({"text": "hello"}, wait_s=0.01)) as (url, _):
        found = under(url, three_clips, tmp_path, LoadPlan("closed", (1, 2)))
    (candidate,) = gather(store.find_records([tmp_path])).candidates
    assert candidate.take("load_rtfx").value == max(one.rtfx or 0.0 for one in found.steps)
    assert candidate.take("latency_p95_s").value is not None


def test_too_few_requests_to_tell_are_no_proof(tmp_path: Path, three_clips: Path) -> None:
    with server(lambda _: Says({"text": "hello"}, wait_s=0.01)) as (url, _):
        plan = LoadPlan("closed", (1,), target_p95_s=5.0)
        found = under(url, three_clips, tmp_path, plan, budget_s=0.3, stretch_s=0.1)
    (step,) = found.steps
    assert step.n_within == step.n_answered == step.n_requests < 72
    assert (step.verdict, step.latency_p95_ci95_s, found.best) == ("cannot be told", None, None)
    assert "p95 takes 72" in (step.ci95_reason or "")
    assert found.reason == "of 1 it cannot be told from so few requests: --stretch-s and --budget-s ask for longer"


def step(load: float, verdict: LoadVerdict) -> LoadStep:
    within = {"met": 100, "missed": 0, "cannot be told": 96}[verdict]
    return LoadStep(load, 100, 100, {}, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, within, verdict, 0, 0.0)


def told(*, meets: bool) -> LoadVerdict:
    return "met" if meets else "missed"


@given(st.integers(0, 200), st.sets(st.integers(1, 200), min_size=1, max_size=5))
def test_the_search_finds_the_last_that_meets_whatever_was_listed(most: int, listed: set[int]) -> None:
    plan = LoadPlan("closed", tuple(sorted(map(float, listed))), target_p95_s=1.0)
    steps = [step(load, told(meets=load <= most)) for load in plan.steps]
    while left := next_loads(plan, steps):
        steps += [step(load, told(meets=load <= most)) for load in left]
    assert len(steps) <= len(listed) + 8
    best, why = most_shown(plan, steps)
    if most < max(listed):
        assert (best or 0) == most
        assert why == ("no load that was tried meets 1 s" if best is None else None)
    else:
        assert len(steps) == len(listed)
        assert (best, why) == (max(listed), "it is the most that was tried: there may be more in it")


def test_rates_are_searched_to_a_tenth() -> None:
    plan = LoadPlan("poisson", (1.0, 16.0), target_p95_s=1.0)
    steps = [step(load, told(meets=load < 7.3)) for load in plan.steps]
    while left := next_loads(plan, steps):
        steps += [step(load, told(meets=load < 7.3)) for load in left]
    met = max(one.load for one in steps if one.verdict == "met")
    missed = min(one.load for one in steps if one.verdict == "missed")
    assert met < 7.3 <= missed <= met * 1.12


@given(st.lists(st.sampled_from(["met", "missed", "cannot be told"]), min_size=1, max_size=6))
def test_nothing_is_called_met_over_a_miss_and_what_cannot_be_told_is_named(verdicts: list[LoadVerdict]) -> None:
    plan = LoadPlan("closed", tuple(float(n) for n in range(1, len(verdicts) + 1)), target_p95_s=1.0)
    best, why = most_shown(plan, [step(load, one) for load, one in zip(plan.steps, verdicts, strict=True)])
    fair = verdicts[: verdicts.index("missed")] if "missed" in verdicts else verdicts
    assert best == max((n for n, one in enumerate(fair, 1) if one == "met"), default=None)
    above = [n for n, one in enumerate(fair, 1) if one == "cannot be told" and n > (best or 0)]
    assert bool(above) == (why is not None and why.startswith(f"of {', '.join(map(str, above))} it cannot be told"))


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "earwitness", "load", *arguments]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("http://192.0.2.1:8000", "--data", "sample"), "'192.0.2.1' is another machine."),
        (("ftp://127.0.0.1", "--data", "sample"), "'ftp://127.0.0.1' is not the address of a server."),
        (("http://127.0.0.1:9",), "Name the data to send"),
        (("http://127.0.0.1:9", "--data", "sample", "--clients", "1,2.5"), "--clients takes whole numbers"),
        (("http://127.0.0.1:9", "--data", "sample", "--arrivals", "poisson"), "need a rate of requests per second"),
        (("http://127.0.0.1:9", "--data", "sample", "--rate", "2"), "--rate needs random arrivals: --arrivals poisson"),
    ],
    ids=["remote", "no address", "no data", "half a client", "no rate", "rate of whom"],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from earwitness.cli import main

    assert main(["load", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_server_that_is_not_there_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    from earwitness.cli import main

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    assert main(["load", address, "--data", "sample"]) == 2
    told = capsys.readouterr().err
    assert (told.count("\n"), "Is the server up" in told) == (1, True)


def gone(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


@clocked
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_levels_that_were_finished_survive_an_interruption_and_the_rest_is_resumed(
    tmp_path: Path, three_clips: Path, how: signal.Signals
) -> None:
    """The whole group gets Ctrl-C, as from a terminal; a kill hits the one process alone."""
    from earwitness.cli import main

    at_once, second_level = threading.Semaphore(1), threading.Event()

    def answer(_: Asked) -> Says:
        if not at_once.acquire(blocking=False):
            second_level.set()
            return Says({"text": "hello"}, wait_s=0.03)
        time.sleep(0.03)
        at_once.release()
        return Says({"text": "hello"})

    scratch, out = tmp_path / "scratch", tmp_path / "runs"
    scratch.mkdir()
    with server(answer) as (url, seen):
        asked = ["--data", str(three_clips), "-m", "tiny", "--clients", "1,2", "--stretch-s", "1", "--out", str(out)]
        process = subprocess.Popen(
            command(url, *asked, "--response-format", "json"), stderr=subprocess.PIPE, text=True,
            start_new_session=True, env={**os.environ, "TMPDIR": str(scratch)},
        )  # fmt: skip
        assert second_level.wait(timeout=120)
        os.killpg(process.pid, how) if how == signal.SIGINT else process.kill()
        _, said = process.communicate(timeout=120)
        until(lambda: gone(process.pid))
        sent = len(seen)
        (record,) = store.find_records([out])
        before = store.read_run(record)
        assert {path.name for path in out.rglob("*") if path.is_file()} == {record.name, f"{record.stem}.clips.jsonl"}
        assert before.measurements is not None
        partial = before.measurements.load
        assert partial is not None
        assert ([step.load for step in partial.steps], partial.reason) == ([1], "2 not tried yet")
        if how == signal.SIGINT:
            assert (process.returncode, "Traceback" in said) == (130, False)
            assert f"earwitness run --resume {out}" in said
            # onnxruntime leaves an id of its own in the folder for temporary files.
            assert (before.status, [file for file in scratch.iterdir() if file.name != ".ses"]) == ("interrupted", [])
        assert len(seen) == sent, "nobody asks any more"
        assert main(["run", "--resume", str(record)]) == 0
        after = store.read_run(record)
        load = after.measurements.load if after.measurements else None
        assert load is not None
        assert after.status == "complete"
        assert load.steps[0] == partial.steps[0]
        assert ([step.load for step in load.steps], load.reason) == ([1, 2], None)
        assert len(seen) == sent + load.steps[1].n_requests, "clips and levels that were done are not sent again"
