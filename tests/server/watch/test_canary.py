"""A canary at a real server whose texts are known, so its WER is."""

from __future__ import annotations

import io
import json
import logging
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.runs.jobs import job, quiet
from tests.server.serving import Running, running, script_folder, until, write_decision

from earwitness.api.canary import promise_of
from earwitness.cli import main
from earwitness.decision.decision import Evidence, RuleResult
from earwitness.records.record import Run
from earwitness.records.store import read_run
from earwitness.runs.drive import start
from earwitness.server.logs import set_up
from earwitness.server.watch.canary import Canary, Promise, Round, go_round

HOLDS = ("api/canary.py", "cli/canary.py", "server/logs.py")


@pytest.fixture(autouse=True)
def lines() -> Iterator[io.StringIO]:
    before = logging.getLogger().handlers
    stream = io.StringIO()
    set_up(stream)
    yield stream
    logging.getLogger().handlers = before


def metrics(text: str) -> dict[str, float]:
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            outcome = sample.labels.get("outcome")
            found[sample.name.removeprefix("earwitness_canary_") + (f" {outcome}" if outcome else "")] = sample.value
    return found


def test_what_is_not_known_is_no_metric(lines: io.StringIO) -> None:
    canary = Canary("http://a", 900.0)
    assert set(metrics(canary.text().decode())) == {"every_seconds", "rounds_total complete", "rounds_total failed"}
    canary.add(Round(0, {}, reason="It does not answer."))
    told = metrics(canary.text().decode())
    assert "wer" not in told
    assert "wer_limit" not in told
    assert (told["rounds_total failed"], told["wer_beyond"]) == (1.0, 0.0)
    assert "NaN" not in canary.text().decode()


def test_a_round_is_a_line_without_a_text_and_a_failed_clip_another(lines: io.StringIO) -> None:
    Canary("http://a", 900.0, Promise(0.1, 0.12, same_clips=True)).add(Round(2, {"x": "429"}, 0.2, None, 1.0, 2.0))
    clip, told = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert (clip["event"], clip["clip"], clip["reason"]) == ("clip failed", "x", "429")
    assert (told["level"], told["wer"], told["wer_limit"], told["beyond"]) == ("warning", 0.2, 0.12, True)
    assert told["same_clips_as_decided_on"] is True


def test_rounds_begin_on_schedule_whatever_they_take_and_one_that_takes_too_long_is_followed_at_once(
    lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a clock of its own: a round moves it by what the round takes, and a wait by as long as it is."""
    now, began = 1000.0, list[float]()

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            nonlocal now
            assert timeout is not None
            assert timeout >= 0
            now += timeout
            return self.is_set()

    stop, takes_s = Stop(), [100.0, 0.0, 2000.0, 100.0, 1.0]

    def ask() -> Round:
        nonlocal now
        began.append(now)
        now += takes_s[len(began) - 1]
        if len(began) == len(takes_s):
            stop.set()
        return Round(1, {}, 0.0)

    monkeypatch.setattr(time, "monotonic", lambda: now)
    go_round(Canary("http://a", 900.0), ask, stop)
    assert began == [1000.0, 1900.0, 2800.0, 4800.0, 5700.0]


def test_the_promise_is_the_decisions_interval_of_the_very_number(tmp_path: Path, three_clips: Path) -> None:
    from dataclasses import replace

    from earwitness.decision.decision_file import read_decision
    from earwitness.decision.decision_file import write_decision as rewrite

    path = tmp_path / "decision.json"
    write_decision(path, "fake:slow", promise={"wer": 0.1})
    assert promise_of(path, None, str(three_clips), None) == Promise(0.1, None)
    rule = RuleResult("gate", "WER", "wer", 0.2, "error rate", 0.1, (0.08, 0.13), "passed")
    noisy = replace(rule, measured=0.3, ci95=(0.2, 0.4))
    decision = read_decision(path)
    rewrite(path, replace(decision, verdicts=(replace(decision.verdicts[0], rules=(noisy, rule)),)))
    assert promise_of(path, None, str(three_clips), None) == Promise(0.1, 0.13)
    run = earwitness_run(tmp_path, three_clips)
    rewrite(
        path, replace(decision, evidence=(Evidence(run.id, "record.json", "", None, "fake:slow", run.dataset.sha256),))
    )
    assert promise_of(path, None, str(three_clips), None) == Promise(1.0, None, same_clips=True), (
        "as these clips were heard"
    )
    assert promise_of(path, None, str(three_clips), 2) == Promise(0.1, None), "these are others"
    write_decision(path, "fake:slow")
    assert main(["canary", "http://127.0.0.1:9", "--data", "sample", "--once", "--decision", str(path)]) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("http://127.0.0.1:9",), "Name the reference clips"),
        (("http://127.0.0.1:9", "--data", "sample", "--every", "soon"), "'soon' is not a time"),
        (("127.0.0.1:9", "--data", "sample", "--once"), "is not the address of a server"),
        (("http://127.0.0.1:9", "--data", "sample", "--listen", "9109"), "is not an address to listen on"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["canary", *arguments]) == 2
    assert said in capsys.readouterr().err


def earwitness_run(folder: Path, manifest: Path) -> Run:
    made = start(job(folder / "fake", manifest, {"*": {"text": ""}}), folder / "runs", quiet)
    made.rename(folder / "record.json")
    return read_run(folder / "record.json")


def seen(address: str) -> dict[str, float]:
    with urllib.request.urlopen(address, timeout=5) as reply:
        return metrics(reply.read().decode())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("canary")
    script = {"*": {"text": "one two three four"}, "48000": {"model": "error"}}
    with running(folder, "--model", f"fake:{script_folder(folder / 'model', script)}", "--workers", "1") as server:
        yield server


def once(url: str, manifest: Path, *more: str) -> tuple[int, dict[str, Any], list[dict[str, Any]]]:
    command = [sys.executable, "-m", "earwitness", "canary", url, "--data", str(manifest), "--once", "--json", *more]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, json.loads(done.stdout), [json.loads(line) for line in done.stderr.splitlines()]


@pytest.fixture
def reference(three_clips: Path) -> Path:
    """One, two and three seconds; the server says four words to the first two, and fails on the third."""
    rows = [json.loads(line) for line in three_clips.read_text("utf-8").splitlines()]
    for row in rows:
        row["text"] = "one two three four"
    path = three_clips.with_name("reference.jsonl")
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.real
def test_once_says_no_when_the_wer_is_beyond_the_promise(server: Running, reference: Path, tmp_path: Path) -> None:
    code, told, lines = once(server.url, reference)
    assert (code, told["n_clips"], len(told["failed"])) == (0, 3, 1)
    assert told["wer"] == pytest.approx(4 / 12), "a clip that fails counts as empty"
    assert "500" in lines[0]["reason"]
    decision = tmp_path / "decision.json"
    write_decision(decision, "fake:slow", promise={"wer": 0.1})
    assert once(server.url, reference, "--decision", str(decision))[0] == 1
    write_decision(decision, "fake:slow", promise={"wer": 0.4})
    code, told, _ = once(server.url, reference, "--decision", str(decision), "--out", str(tmp_path / "kept"))
    assert (code, told["beyond"]) == (0, False)
    assert Path(told["record"]).exists()


@pytest.mark.real
def test_it_goes_on_while_the_server_is_away_and_ends_when_told(reference: Path, tmp_path: Path) -> None:
    model = script_folder(tmp_path / "model", {"*": {"text": "one two three four"}})
    with running(tmp_path / "server", "--model", f"fake:{model}", "--workers", "1") as server:
        command = [
            sys.executable, "-m", "earwitness", "canary", server.url, "--data", str(reference), "--every", "1s",
            "--listen", "127.0.0.1:0",
        ]  # fmt: skip
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            try:
                assert process.stdout is not None
                address = process.stdout.readline().removeprefix("Metrics on ").strip()
                until(lambda: seen(address).get("rounds_total complete"))
                assert (seen(address)["wer"], seen(address)["failed_clips"]) == (0.0, 0.0)
                assert seen(address)["latency_p95_seconds"] > 0
                server.process.send_signal(signal.SIGTERM)
                assert server.process.wait(timeout=120) == 0
                until(lambda: seen(address)["rounds_total failed"])
                assert "wer" not in seen(address)
                process.send_signal(signal.SIGTERM)
                assert process.wait(timeout=120) == 0
            finally:
                process.kill()
