"""A worker is a real process here: every failure below really happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from earwitness.types import DecodedSegment, Failure, Segment, Settings
from earwitness.workers.supervisor import AudioFile, GivenUpError, Supervisor
from earwitness.workers.worker import Answer, CancelledError, Worker, WorkerFailedError

HOLDS = ("child.py", "processes.py", "spawn.py", "supervisor.py", "transcripts.py")

SETTINGS = Settings(threads=1)


@pytest.fixture
def audio(tmp_path: Path) -> AudioFile:
    path = tmp_path / "clip.f32"
    np.zeros(32_000, "<f4").tofile(path)
    return AudioFile(path, 32_000, 16_000)


def fake(model: str) -> Worker:
    return Worker("fake", f"fake:{model}", None, "cpu", SETTINGS, budget_s=30)


def ask(worker: Worker, audio: AudioFile, budget_s: float = 20.0) -> str:
    answer = worker.transcribe(audio.path, audio.n_samples, audio.sample_rate_hz, "en", budget_s=budget_s)
    return answer.transcript.text


def test_the_text_is_finished_and_clocked_in_the_worker(audio: AudioFile) -> None:
    with fake("slow") as worker:
        started = time.perf_counter()
        answer = worker.transcribe(audio.path, audio.n_samples, 16_000, "en", budget_s=20)
        outside_s = time.perf_counter() - started
    assert answer.transcript.text == "heard 2.00 seconds"
    assert 0.05 <= answer.wall_s <= outside_s
    assert worker.info.device == "cpu"
    assert worker.info.in_force["threads"] == 1
    assert answer.peak_rss_bytes is None or answer.peak_rss_bytes > 1_000_000


def test_what_a_decoder_says_of_a_segment_crosses(audio: AudioFile) -> None:
    with fake("echo") as worker:
        answer = worker.transcribe(audio.path, audio.n_samples, audio.sample_rate_hz, None, budget_s=20.0)
    (segment,) = answer.transcript.segments
    assert isinstance(segment, DecodedSegment)
    assert bytes(segment.tokens or ()).decode() == segment.text == answer.transcript.text
    assert (segment.avg_logprob, segment.seek, segment.temperature) == (0.0, 0, 0.0)


def test_empty_audio_crosses(tmp_path: Path) -> None:
    empty = tmp_path / "empty.f32"
    empty.touch()
    with fake("echo") as worker:
        assert ask(worker, AudioFile(empty, 0, 16_000)) == "heard 0.00 seconds"


def test_what_an_engine_prints_does_not_break_the_protocol(audio: AudioFile) -> None:
    with fake("noisy") as worker:
        assert [ask(worker, audio) for _ in range(3)] == ["heard 2.00 seconds"] * 3


def test_an_exception_fails_the_clip_and_the_worker_lives_on(audio: AudioFile) -> None:
    with fake("error") as worker:
        for _ in range(2):
            with pytest.raises(WorkerFailedError, match="RuntimeError: this model always fails") as caught:
                ask(worker, audio)
            assert caught.value.alive
            assert caught.value.failure.kind == "error"
            assert "Traceback" in (caught.value.failure.detail or "")


def test_a_crash_is_a_failure_that_names_the_signal(audio: AudioFile) -> None:
    with fake("crash") as worker, pytest.raises(WorkerFailedError, match="SIGKILL") as caught:
        ask(worker, audio)
    assert not caught.value.alive
    assert caught.value.failure.kind == "crash"
    assert not psutil.pid_exists(worker.pid)


def test_a_hang_ends_with_the_budget_and_leaves_no_process(audio: AudioFile) -> None:
    with fake("hang") as worker:
        with pytest.raises(WorkerFailedError, match="No answer within 1 s") as caught:
            ask(worker, audio, budget_s=1.0)
        assert caught.value.failure.kind == "timeout"
        assert not psutil.pid_exists(worker.pid)


def test_a_model_that_cannot_be_loaded_says_why_and_leaves_no_process(tmp_path: Path) -> None:
    before = psutil.Process().children()  # decoders of earlier tests
    with pytest.raises(WorkerFailedError, match="needs a script at") as caught:
        Worker("fake", "fake:x", tmp_path, "cpu", SETTINGS)
    assert caught.value.failure.stage == "load"
    assert set(psutil.Process().children()) <= set(before)


def test_a_device_that_the_engine_does_not_have_is_refused_before_the_load() -> None:
    with pytest.raises(WorkerFailedError, match="does not run on 'tpu'"):
        Worker("fake", "fake:echo", None, "tpu", SETTINGS)


@pytest.mark.skipif(os.name != "posix", reason="there are no POSIX signals here: run it on Linux")
def test_a_worker_does_not_outlive_a_killed_parent(tmp_path: Path, audio: AudioFile) -> None:
    code = (
        "import sys; from pathlib import Path; from earwitness.types import Settings;"
        "from earwitness.workers.worker import Worker;"
        "w = Worker('fake', 'fake:hang', None, 'cpu', Settings(threads=1)); print(w.pid, flush=True);"
        f"w.transcribe(Path({str(audio.path)!r}), 32000, 16000, 'en', budget_s=60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        worker = int(parent.stdout.readline())
    time.sleep(0.3)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 120
    while psutil.pid_exists(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not psutil.pid_exists(worker)


def supervisor(model: str, audio: AudioFile, *, warm_up: bool = False, max_deaths: int = 3) -> Supervisor:
    return Supervisor(
        lambda: fake(model),
        lambda audio_s: 1.0,
        warm_up=(audio, "en") if warm_up else None,
        warm_up_times=2,
        max_deaths=max_deaths,
    )


def test_a_dead_worker_is_replaced_by_a_fresh_one(audio: AudioFile) -> None:
    with supervisor("crash", audio) as workers:
        first, second = workers.transcribe(audio, "en"), workers.transcribe(audio, "en")
        assert isinstance(first, Failure)
        assert isinstance(second, Failure)
        assert workers.n_workers == 2


def test_repeated_deaths_end_the_run_with_the_last_cause(audio: AudioFile) -> None:
    with supervisor("crash", audio, max_deaths=2) as workers:
        first = workers.transcribe(audio, "en")
        assert isinstance(first, Failure)
        workers.give_up_if_hopeless(first)
        failure = workers.transcribe(audio, "en")
        assert isinstance(failure, Failure)
        with pytest.raises(GivenUpError, match=r"2 workers died one after the other.*SIGKILL"):
            workers.give_up_if_hopeless(failure)


def test_warming_up_is_counted_and_not_measured(audio: AudioFile) -> None:
    with supervisor("echo", audio, warm_up=True) as workers:
        workers.transcribe(audio, "en")
        workers.transcribe(audio, "en")
        assert workers.n_warmup == 2
        assert workers.n_workers == 1


def test_a_warm_up_that_kills_the_worker_costs_no_clip(audio: AudioFile) -> None:
    with supervisor("crash", audio, warm_up=True, max_deaths=1) as workers:
        answer = workers.transcribe(audio, "en")
        assert isinstance(answer, Failure)
        assert answer.kind == "crash"
        assert workers.n_warmup == 0


def test_a_model_that_never_loads_gives_up_at_once(audio: AudioFile, tmp_path: Path) -> None:
    def start() -> Worker:
        return Worker("fake", "fake:x", tmp_path, "cpu", SETTINGS)

    with (
        Supervisor(start, lambda s: 1.0, warm_up=None, warm_up_times=0, max_deaths=3) as workers,
        pytest.raises(GivenUpError, match="needs a script"),
    ):
        workers.transcribe(audio, "en")


LOADED = {"event": "loaded", "load_s": 0.0, "device": "cpu", "in_force": {}, "packages": {}, "python": "3"}


@pytest.mark.skipif(os.name != "posix", reason="there is no shell here: run it on Linux")
@pytest.mark.parametrize("reply", ["not json", "[]", "3", "{}", '{"event": "pong"}', '{"event": ["transcript"]}'])
def test_a_program_that_speaks_the_protocol_and_then_sends_nonsense_is_told_apart_and_ended(
    audio: AudioFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reply: str
) -> None:
    program = tmp_path / "program.sh"
    program.write_text(f"#!/bin/sh\nread load\necho '{json.dumps(LOADED)}'\nread work\necho '{reply}'\nsleep 600\n")
    program.chmod(0o755)
    monkeypatch.setattr("earwitness.workers.spawn.python_of", lambda _: program)
    with fake("echo") as worker:
        with pytest.raises(WorkerFailedError, match="makes no sense") as caught:
            ask(worker, audio)
        assert caught.value.failure.kind == "protocol"
        assert not caught.value.alive
        assert worker.ending == "was killed by signal SIGKILL"


def test_audio_and_languages_that_would_become_nonsense_never_reach_the_engine(tmp_path: Path) -> None:
    path = tmp_path / "scaled.f32"
    np.full(1600, 20_000, "<f4").tofile(path)
    with fake("echo") as worker:
        with pytest.raises(WorkerFailedError, match=r"AudioError: Audio peaks at 20000 where full scale is 1"):
            worker.transcribe(path, 1600, 16_000, "en", budget_s=20)
        with pytest.raises(WorkerFailedError, match=r"EngineError: '--help' is not a language tag"):
            worker.transcribe(path, 1600, 16_000, "--help", budget_s=20)
        assert worker.transcribe(path, 0, 16_000, "en", budget_s=20).transcript.text == "heard 0.00 seconds"


def test_an_engine_that_does_not_give_finished_text_fails_the_clip(tmp_path: Path, audio: AudioFile) -> None:
    (tmp_path / "script.json").write_text(json.dumps({"*": {"text": ["later"]}}))
    with Worker("fake", "fake:x", tmp_path, "cpu", SETTINGS) as worker:
        with pytest.raises(WorkerFailedError, match="Transcript has 'list' for its text: finish it first") as caught:
            ask(worker, audio)
        assert caught.value.alive


def test_an_option_that_the_engine_does_not_know_is_refused_by_the_worker_too() -> None:
    with pytest.raises(WorkerFailedError, match="Engine 'fake' has no option 'speed'"):
        Worker("fake", "fake:echo", None, "cpu", SETTINGS, options={"speed": 1})


def scripted(folder: Path, **answer: object) -> Worker:
    (folder / "script.json").write_text(json.dumps({"*": answer}))
    return Worker("fake", "fake:x", folder, "cpu", SETTINGS)


def hear(worker: Worker, audio: AudioFile, on_segment: Callable[[Segment], None]) -> Answer:
    return worker.transcribe(
        audio.path, audio.n_samples, audio.sample_rate_hz, "en", budget_s=200, on_segment=on_segment
    )


def test_segments_come_as_they_are_decoded_and_the_text_is_the_same(tmp_path: Path, audio: AudioFile) -> None:
    with scripted(tmp_path, pieces=[" one", " two", " three"], sleep_s=0.05) as worker:
        heard: list[Segment] = []
        answer = hear(worker, audio, heard.append)
        assert worker.info.streams
        assert ask(worker, audio) == answer.transcript.text == "one two three"
    assert tuple(heard) == answer.transcript.segments
    assert answer.first_text_s is not None
    assert 0.05 <= answer.first_text_s <= answer.wall_s - 0.1, "two more pieces of 0.05 s come after the first"


def test_work_that_is_cancelled_stops_at_the_next_segment_and_the_worker_goes_on(
    tmp_path: Path, audio: AudioFile
) -> None:
    pieces = ["a"] * 2000
    with scripted(tmp_path, pieces=pieces, sleep_s=0.05) as worker:
        heard: list[Segment] = []

        def cancel(segment: Segment) -> None:
            heard.append(segment)
            worker.cancel()

        with pytest.raises(CancelledError):
            hear(worker, audio, cancel)
        assert 1 <= len(heard) < len(pieces)
        worker.cancel()  # too late, and for nothing
        (tmp_path / "script.json").unlink()
        with pytest.raises(CancelledError):
            hear(worker, audio, lambda _: worker.cancel())
        assert worker.alive


def test_an_engine_that_does_not_stream_answers_at_once(audio: AudioFile, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("print('heard')")
    argv = [sys.executable, str(program), "{audio}"]
    with Worker("command", "command:x", None, "auto", SETTINGS, options={"argv": argv}) as worker:
        heard: list[Segment] = []
        answer = hear(worker, audio, heard.append)
        assert not worker.info.streams
    assert (heard, answer.transcript.text, answer.first_text_s) == ([], "heard", None)
