"""A real model behind the real API, asked by real clients; the document against a fuzzer."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.server.serving import Running, running, script_folder, until, write_decision

from earwitness import data, weights
from earwitness.engines.catalog import find
from earwitness.types import Clip

pytestmark = pytest.mark.real
MODEL = "faster-whisper:tiny.en"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    weights.pull(find(MODEL))
    arguments = ["--model", MODEL, "--workers", "1", "--set", "timestamps=word", "--set", "language=en"]
    with running(tmp_path_factory.mktemp("tiny"), *arguments) as server:
        yield server


@pytest.fixture
def client(tiny: Running) -> Any:
    import openai

    with openai.OpenAI(base_url=f"{tiny.url}/v1", api_key="none", max_retries=0) as client:
        yield client


def clip(id_: str = "clean-1") -> Clip:
    return next(found for found in data.load("sample").clips if found.id == id_)


def test_speech_becomes_text_with_times_of_words(client: Any) -> None:
    file = Path(clip().audio_path)
    heard = client.audio.transcriptions.create(
        model=MODEL, file=file, response_format="verbose_json", timestamp_granularities=["word", "segment"]
    )
    assert len(heard.text.split()) == len(heard.words) > 3
    assert heard.language == "en"
    ends = [word.end for word in heard.words]
    assert ends == sorted(ends)
    assert ends[-1] <= heard.duration + 0.1
    assert " ".join(segment.text for segment in heard.segments) == heard.text


def long_speech(folder: Path) -> Path:
    """A minute or so of the sample's sentences as one recording: more than one window of Whisper."""
    import numpy as np
    import soundfile

    from earwitness.audio import decode

    parts = [decode(found.audio_path).samples for found in data.load("sample").clips if found.reference]
    path = folder / "long.wav"
    soundfile.write(path, np.concatenate(parts)[: 60 * 16_000], 16_000)
    return path


def test_what_is_streamed_is_what_is_given_whole(client: Any, tmp_path: Path) -> None:
    path = long_speech(tmp_path)
    whole = client.audio.transcriptions.create(model=MODEL, file=path)
    *deltas, done = client.audio.transcriptions.create(model=MODEL, file=path, stream=True)
    assert len(deltas) > 3
    assert "".join(event.delta for event in deltas).strip() == done.text == whole.text


def test_the_first_words_come_long_before_the_last(client: Any, tmp_path: Path) -> None:
    path, started = long_speech(tmp_path), time.monotonic()
    stream = client.audio.transcriptions.create(model=MODEL, file=path, stream=True)
    times = [time.monotonic() - started for _ in stream]
    assert times[0] < 0.7 * times[-1]


def test_hanging_up_costs_no_reload(tiny: Running, client: Any, tmp_path: Path) -> None:
    before = tiny.workers
    stream = client.audio.transcriptions.create(model=MODEL, file=long_speech(tmp_path), stream=True)
    next(iter(stream))
    stream.close()
    until(lambda: tiny.state["in_flight"] == 0)
    if tiny.workers != before:  # a window of 30 s may take a slow machine longer than a worker gets to stop by itself
        assert tiny.metrics["worker_restarts_total", tiny.state["id"], "cancelled"] >= 1


def test_curl_as_in_the_documents(tiny: Running) -> None:
    address = f"{tiny.url}/v1/audio/transcriptions"
    command = ["curl", "-sS", "-N", address, "-F", f"file=@{clip().audio_path}", "-F", "model=default"]
    for form, begins in (("vtt", "WEBVTT"), ("srt", "1\n"), ("json", '{"text": ')):
        done = subprocess.run([*command, "-F", f"response_format={form}"], capture_output=True, text=True, timeout=60)
        assert done.stdout.startswith(begins), done.stderr
    done = subprocess.run([*command, "-F", "stream=true"], capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith('data: {"type": "transcript.text.delta"')


def test_a_model_is_measured_through_the_api_like_a_local_one(tiny: Running, tmp_path: Path) -> None:
    row = (
        f'[[model]]\nid = "openai-api:mine"\nengine = "openai-api"\nweights_id = "tiny"\n[model.options]\n'
        f'base_url = "{tiny.url}/v1"\nmodel = "{MODEL}"\n'
    )
    (tmp_path / "earwitness.toml").write_text(row)
    command = [sys.executable, "-m", "earwitness", "run", "sample", "--model", "openai-api:mine", "--limit", "3"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "0 of 3 clips failed" in done.stdout


def test_a_decision_is_served_with_its_settings_and_no_others(tmp_path: Path) -> None:
    decision = tmp_path / "decision.json"
    in_force = {"beam_size": 1, "threads": 1, "precision": "int8_float32", "timestamps": "segment"}
    write_decision(decision, MODEL, in_force=in_force)
    with running(tmp_path, "--decision", str(decision), "--workers", "1") as server:
        settings = server.state["settings"]
        assert {name: settings[name] for name in in_force} == in_force
        assert server.hear(content=Path(clip().audio_path).read_bytes()).data["text"]
    write_decision(decision, MODEL, in_force={**in_force, "precision": "int8"})
    command = [sys.executable, "-m", "earwitness", "serve", "--decision", str(decision), "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "was measured with 'int8'" in done.stderr.splitlines()[-1]


def test_a_fuzzer_finds_no_500_and_no_answer_that_the_document_does_not_know(tmp_path: Path) -> None:
    model = f"fake:{script_folder(tmp_path / 'model')}"
    with running(tmp_path, "--model", model, "--workers", "1", "--timeout", "5") as server:
        checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
        command = [
            str(Path(sys.executable).with_name("schemathesis")), "run", f"{server.url}/openapi.json",
            "--checks", checks, "--max-examples", "25", "--phases", "examples,coverage,fuzzing", "--seed", "0",
            "--workers", "2",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tmp_path)
        assert done.returncode == 0, done.stdout[-6000:]
        assert not [row for row in server.log if row["event"] == "unexpected"]
