"""The server is real here: it listens on 127.0.0.1, and is slow, wrong, or elsewhere, as it is told."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.contract.servers import Asked, Says, samples_in, server

from earwitness.engines import http
from earwitness.engines.base import ModelFiles
from earwitness.engines.openai_api import engine
from earwitness.engines.registry import require_options
from earwitness.errors import EngineError, SettingsError
from earwitness.records import store
from earwitness.types import Audio, Segment, Settings, Transcript

HOLDS = ("http.py", "jsonpath.py", "wav.py")

SECOND = Audio(np.full(16_000, 0.25, np.float32), 16_000)
KEY = "sk-very-secret-0123"


def load(url: str, settings: Settings | None = None, /, **options: Any) -> Any:
    row = {"base_url": f"{url}/v1", "model": "tiny", **options}
    require_options(engine.spec, "openai-api:test", row)
    return engine.load(ModelFiles("openai-api:test", None, row), "auto", settings or Settings(threads=1))


def asked(answer: Says | Callable[[Asked], Says], audio: Audio = SECOND, **more: Any) -> tuple[Transcript, list[Asked]]:
    language = more.pop("language", "en-US")
    with server(answer if callable(answer) else lambda _: answer) as (url, seen):
        return load(url, more.pop("settings", None), **more).transcribe(audio, language=language), seen


def test_the_server_gets_what_the_api_asks_for_and_its_answer_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)
    answer = {
        "text": " hello world ",
        "language": "english",
        "segments": [{"id": 0, "start": 0, "end": 0.5, "text": " hello"}, {"start": 0.5, "end": 1, "text": " world"}],
    }
    found, (request,) = asked(Says(answer), api_key_env="TEST_KEY")
    assert found.text == "hello world"
    assert found.segments == (Segment(0.0, 0.5, "hello"), Segment(0.5, 1.0, "world"))
    assert (found.words, found.language) == (None, "en-US")
    assert request.path == "/v1/audio/transcriptions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    form = request.form
    assert samples_in(form.pop("file")[0]) == 16_000
    assert form == {"model": [b"tiny"], "response_format": [b"verbose_json"], "language": [b"en"]}


def test_a_language_that_is_not_known_is_not_sent_and_a_name_in_the_answer_is_no_tag() -> None:
    found, (request,) = asked(Says({"text": "hola", "language": "spanish"}), language=None)
    assert "language" not in request.form
    assert found.language is None
    assert asked(Says({"text": "hola", "language": "es"}), language=None)[0].language == "es"


def test_words_are_asked_for_and_read() -> None:
    answer = {"text": "hi", "segments": [], "words": [{"word": "hi", "start": 0.1, "end": 0.2}]}
    found, (request,) = asked(Says(answer), settings=Settings(threads=1, timestamps="word"))
    assert request.form["timestamp_granularities[]"] == [b"segment", b"word"]
    assert found.words == (Segment(0.1, 0.2, "hi"),)


def test_a_server_without_times_is_asked_for_plain_json_and_words_are_refused_before_the_run() -> None:
    found, (request,) = asked(Says({"text": "hi"}), response_format="json")
    assert (found.text, request.form["response_format"]) == ("hi", [b"json"])
    with server(lambda _: Says()) as (url, _):
        assert load(url, response_format="json").in_force["timestamps"] == "none"
        with pytest.raises(SettingsError, match="gives no word times"):
            load(url, Settings(threads=1, timestamps="word"), response_format="json")


def test_a_long_recording_goes_out_in_pieces_and_network_times_add_up() -> None:
    audio = Audio(np.random.default_rng(0).uniform(-0.1, 0.1, 25 * 16_000).astype(np.float32), 16_000)
    found, seen = asked(
        lambda request: Says({"text": f"{samples_in(request.form['file'][0])}"}),
        audio,
        settings=Settings(threads=1, chunk_s=10.0),
    )
    assert sum(int(n) for n in found.text.split()) == 25 * 16_000
    assert len(seen) == 3
    assert found.network_s is not None


def test_waiting_for_the_server_is_not_the_networks_time_and_receiving_is() -> None:
    found, _ = asked(Says(wait_s=0.6, dribble_s=0.3))
    assert found.remarks == ()
    assert found.network_s is not None
    # A busy machine moves the moment at which the first byte is seen; with the wait in it, it would be 0.9 s.
    assert 0.2 <= found.network_s < 0.6


@pytest.mark.parametrize(
    ("headers", "remarks", "lowest", "highest"),
    [
        ({"Server-Timing": "queue;dur=100, total;dur=400"}, ("server_timing",), 0.1, 60.0),
        ({"openai-processing-ms": "400"}, ("server_timing",), 0.1, 60.0),
        ({"Server-Timing": "total;dur=99999999"}, (), 0.0, 0.45),  # more than the whole request: not believed
        ({"Server-Timing": "queue;dur=100, gpu;dur=300"}, (), 0.0, 0.45),  # which of them is the whole?
    ],
)
def test_what_the_server_says_of_its_time_is_taken_when_it_can_be(
    headers: dict[str, str], remarks: tuple[str, ...], lowest: float, highest: float
) -> None:
    found, _ = asked(Says(headers=headers, wait_s=0.5))
    assert found.remarks == remarks
    assert found.network_s is not None
    assert lowest <= found.network_s <= highest


@pytest.mark.parametrize(
    ("says", "sentence"),
    [
        (Says({"error": {"message": "slow down"}}, 429), r"answered 429 Too Many Requests \(there is no retry"),
        (
            Says({"error": {"message": f"Incorrect key {KEY}."}}, 401),
            r"answered 401 Unauthorized: Incorrect key \[key\]",
        ),
        (Says(b"<html>\nbroken\n</html>", 500), r"answered 500 Internal Server Error: <html> broken </html>"),
        (Says(b"", 503), r"answered 503 Service Unavailable \(there is no retry.*\): nothing"),
        (Says(b"hello"), "something that is not a JSON object: 'hello'"),
        (Says(["hello"]), "something that is not a JSON object"),
        (Says({"txt": "hello"}), "has no 'text' on the way to 'text'; there is: txt"),
        (Says({"text": None}), "has 'NoneType' at 'text', where text is needed"),
        (Says({"text": "", "segments": [{"start": 0}]}), "has no 'end' on the way to 'end'"),
        (Says(b'{"text": "cut', headers={"Content-Length": "5000"}), "does not answer: IncompleteRead"),
    ],
)
def test_a_server_that_fails_fails_the_clip_in_one_sentence_and_is_asked_once(
    says: Says, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)
    with server(lambda _: says) as (url, seen):
        model = load(url, api_key_env="TEST_KEY")
        with pytest.raises(EngineError, match=sentence) as caught:
            model.transcribe(SECOND, language="en")
        assert len(seen) == 1
    assert "\n" not in str(caught.value)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_with_the_key_in_hand(status: int) -> None:
    with server(lambda _: Says()) as (elsewhere, never):
        says = Says(b"", status, {"Location": f"{elsewhere}/v1/audio/transcriptions?token={KEY}"})
        with pytest.raises(EngineError, match="redirects to .* and redirects are not followed") as caught:
            asked(says)
        assert never == []
    assert KEY not in str(caught.value)
    assert elsewhere in str(caught.value)


def test_a_server_that_is_not_there_is_told_at_the_load() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    with pytest.raises(EngineError, match=r"cannot be reached: Connection refused\. Is the server up"):
        load(f"http://127.0.0.1:{port}")


def test_a_server_that_hangs_up_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        model = load(url)
        listening.close()
        with pytest.raises(EngineError, match="does not answer: Connection refused"):
            model.transcribe(SECOND, language="en")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"base_url": f"http://user:{KEY}@127.0.0.1/v1"}, "without user name or key, and its value is not"),
        ({"base_url": f"http://127.0.0.1/v1?key={KEY}"}, "without user name or key"),
        ({"base_url": "127.0.0.1:80"}, "must be the address before /audio/transcriptions"),
        ({"api_key_env": KEY}, "must be the name, in capitals, of the environment variable"),
        ({"api_key_env": "NO_SUCH_VARIABLE_HERE"}, "Set the environment variable 'NO_SUCH_VARIABLE_HERE'"),
        ({"base_url": "http://127.0.0.1:99999/v1"}, "an invalid port"),
        ({"modle": "x"}, "Did you mean 'model'"),
    ],
)
def test_a_row_that_cannot_work_is_refused_and_no_secret_is_repeated(options: dict[str, str], sentence: str) -> None:
    with pytest.raises(EngineError, match=sentence) as caught:
        load("http://127.0.0.1:1", **options)
    assert KEY not in str(caught.value)


def test_a_run_keeps_network_time_apart_and_no_key_in_its_record(tmp_path: Path, three_clips: Path) -> None:
    def answer(request: Asked) -> Says:
        if samples_in(request.form["file"][0]) == 32_000:
            return Says({"error": {"message": f"no room for {KEY}"}}, 429)
        return Says({"text": "one"}, wait_s=0.1)

    with server(answer) as (url, _):
        (tmp_path / "earwitness.toml").write_text(
            "[[model]]\nid = 'openai-api:test'\nengine = 'openai-api'\nweights_id = 'x'\n"
            f"[model.options]\nbase_url = '{url}/v1'\nmodel = 'tiny'\napi_key_env = 'TEST_KEY'\n"
        )
        command = [
            sys.executable,
            "-m",
            "earwitness",
            "run",
            str(three_clips),
            "-m",
            "openai-api:test",
            "--warmup",
            "0",
        ]
        environment = {**os.environ, "TEST_KEY": KEY}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "openai-api: beam_size, temperature_fallback, context, vad, precision, threads, batch_size do not apply" in (
        done.stderr
    )
    (path,) = store.find_records([tmp_path / "runs"])
    run = store.read_run(path)
    assert run.model.options["model"] == "tiny"
    assert run.device_used == "remote"
    assert run.speed is not None
    assert run.speed.network_s is not None
    assert run.speed.network_s < run.speed.wall_s - 0.2
    failures = [r.hypothesis.failure for r in store.read_clips(path) if r.hypothesis.failure]
    assert [failure.kind for failure in failures] == ["error"]
    assert "answered 429" in failures[0].message
    written = path.read_text() + store.clips_path(path).read_text()
    assert KEY not in written + done.stderr + done.stdout
    assert json.loads(path.read_text())["engine"]["name"] == "openai-api"


def test_addresses_are_shown_without_what_may_be_secret() -> None:
    assert http.address(f"https://me:{KEY}@example.org/v1?key={KEY}#x") == "https://example.org/v1"
