"""The API as clients see it: the real openai package, and requests put together by hand."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from tests.server.serving import ERROR, LOOP, PIECES, RATE_HZ, Running, form, running, script_folder, until, wav


@pytest.fixture
def client(shared: Running) -> Any:
    import openai

    with openai.OpenAI(base_url=f"{shared.url}/v1", api_key="none", max_retries=0) as client:
        yield client


def test_the_openai_client_gets_a_text_and_the_id_of_its_request(client: Any) -> None:
    heard = client.audio.transcriptions.create(model="default", file=("a.wav", wav()), language="en")
    assert heard.text == "hello there"
    assert heard.usage.seconds == pytest.approx(0.1)
    assert re.fullmatch("[0-9a-f]{32}", heard._request_id)


def test_the_openai_client_gets_every_format(client: Any) -> None:
    def create(form: str, **more: Any) -> Any:
        file = ("a.wav", wav(PIECES))
        return client.audio.transcriptions.create(model="default", file=file, response_format=form, **more)

    assert create("text") == "One. Two. Three.\n"
    assert create("srt").startswith("1\n00:00:00,000 --> 00:00:00,033\nOne.\n\n2\n")
    assert create("vtt").startswith("WEBVTT\n\n00:00:00.000 --> 00:00:00.033\nOne.\n\n")
    verbose = create("verbose_json", timestamp_granularities=["segment"])
    assert [segment.text for segment in verbose.segments] == ["One.", "Two.", "Three."]
    assert verbose.duration == pytest.approx(0.1, abs=0.001)
    assert verbose.segments[-1].end == pytest.approx(0.1, abs=0.001)


def test_the_openai_client_gets_a_text_as_it_is_decoded(client: Any) -> None:
    stream = client.audio.transcriptions.create(model="default", file=("a.wav", wav(PIECES)), stream=True)
    events = list(stream)
    assert [event.type for event in events] == ["transcript.text.delta"] * 3 + ["transcript.text.done"]
    assert "".join(event.delta for event in events[:-1]) == events[-1].text == "One. Two. Three."


def test_the_openai_client_lists_models_and_finds_one(client: Any, shared: Running) -> None:
    (model,) = client.models.list().data
    assert (model.id, model.object, model.owned_by) == (shared.state["id"], "model", "earwitness")
    assert client.models.retrieve(model.id).id == model.id
    assert client.models.retrieve("default").id == model.id
    assert client.audio.transcriptions.create(model=model.id, file=("a.wav", wav())).text == "hello there"


def test_the_openai_client_raises_its_own_errors(client: Any) -> None:
    import openai

    with pytest.raises(openai.NotFoundError, match="There is no model 'whisper-2' here"):
        client.audio.transcriptions.create(model="whisper-2", file=("a.wav", wav()))
    with pytest.raises(openai.BadRequestError, match="temperature is 0"):
        client.audio.transcriptions.create(model="default", file=("a.wav", wav()), temperature=0.4)
    with (
        pytest.warns(DeprecationWarning, match="deprecated"),
        pytest.raises(openai.BadRequestError, match="does not translate"),
    ):
        client.audio.translations.create(model="default", file=("a.wav", wav()))
    with pytest.raises(openai.InternalServerError, match="this model always fails"):
        client.audio.transcriptions.create(model="default", file=("a.wav", wav(ERROR)))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("temperature", "0.5", "temperature is 0"),
        ("temperature", "warm", "is a number"),
        ("response_format", "yaml", "not 'yaml'"),
        ("language", "--help", "There is no language"),
        ("timestamp_granularities[]", "segment", "set response_format=verbose_json"),
        ("stream", "perhaps", "true or false"),
        ("logprobs", "true", "'logprobs' is not supported"),
        ("chunking_strategy", "auto", "'chunking_strategy' is not supported"),
    ],
)
def test_a_parameter_that_cannot_be_honoured_is_refused(shared: Running, field: str, value: str, said: str) -> None:
    fields: dict[str, Any] = {field: value}
    reply = shared.hear(**fields)
    assert (reply.status, reply.error["param"]) == (400, field)
    assert said in reply.error["message"]


def test_a_prompt_reaches_the_engine_and_is_held_against_no_promise(tmp_path: Path) -> None:
    with running(tmp_path, "--model", f"fake:{script_folder(tmp_path / 'model')}", "--workers", "1") as server:
        assert server.hear(prompt="Names: Jo.").data["text"] == "Names: Jo. hello there"
        assert server.hear(prompt="").data["text"] == server.hear().data["text"] == "hello there"
        model = server.state["id"]
        assert server.metrics["live_answers", model] == 2
        assert server.metrics["outputs_total", model, "text"] == 3


def test_an_engine_that_takes_no_prompt_refuses_one(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("print('heard')\n")
    row = '[[model]]\nid = "command:mine"\nengine = "command"\nweights_id = "mine"\n'
    (tmp_path / "earwitness.toml").write_text(
        f"{row}options = {{ argv = {json.dumps([sys.executable, str(program), '{audio}'])} }}\n"
    )
    with running(tmp_path, "--model", "command:mine", "--workers", "1", cwd=tmp_path) as server:
        reply = server.hear(prompt="Jo", stream="true")
        assert (reply.status, reply.error["param"]) == (400, "prompt")
        assert "Engine 'command' takes no prompt" in reply.error["message"]
        assert (server.state["translates"], server.state["takes_prompt"]) == (False, False)


def test_a_model_that_translates_is_asked_at_an_address_of_its_own(tmp_path: Path) -> None:
    import openai

    folder = script_folder(tmp_path / "model", {"*": {"text": "buenos días", "translation": "good morning"}})
    row = f'id = "fake:both"\nengine = "fake"\nweights_id = "both"\ntranslates = true\nsources = ["path:{folder}"]\n'
    (tmp_path / "earwitness.toml").write_text(f"[[model]]\n{row}")
    with (
        running(tmp_path, "--model", "fake:both", "--workers", "1", cwd=tmp_path) as server,
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client,
    ):
        asked: dict[str, Any] = {"model": "default", "file": ("a.wav", wav())}
        assert client.audio.transcriptions.create(**asked).text == "buenos días"
        with pytest.warns(DeprecationWarning, match="deprecated"):
            plain = client.audio.translations.create(**asked)
        assert plain.text == "good morning"
        with pytest.warns(DeprecationWarning, match="deprecated"):
            verbose = client.audio.translations.create(**asked, response_format="verbose_json", prompt="Jo:")
        assert (verbose.text, verbose.language) == ("Jo: good morning", "en")
        assert server.state["translates"]
        assert [row.get("translate") for row in server.log if "audio_s" in row] == [None, True, True]


def test_what_belongs_together_is_checked_together(shared: Running) -> None:
    assert "srt cannot be streamed" in shared.hear(response_format="srt", stream="true").error["message"]
    fields: dict[str, Any] = {"response_format": "verbose_json", "timestamp_granularities[]": "word"}
    words = shared.hear(**fields)
    assert "no word times" in words.error["message"]


def test_a_stream_of_verbose_json_has_times(shared: Running) -> None:
    reply = shared.hear(PIECES, stream="true", response_format="verbose_json")
    assert reply.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(part.removeprefix("data: ")) for part in reply.body.decode().split("\n\n") if part]
    assert [round(event["end"], 2) for event in events[:3]] == [0.03, 0.07, 0.1]
    assert [segment["text"] for segment in events[-1]["segments"]] == ["One.", "Two.", "Three."]


def test_a_stream_that_fails_before_its_first_word_has_a_status(shared: Running) -> None:
    reply = shared.hear(ERROR, stream="true")
    assert (reply.status, reply.error["code"]) == (500, "engine_error")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/v1/models/nobody", 404),
        ("DELETE", "/v1/models", 405),
        ("PUT", "/healthz", 405),
    ],
)
def test_every_error_has_the_shape_of_openais(shared: Running, method: str, path: str, status: int) -> None:
    reply = shared.ask(path, method)
    assert reply.status == status
    assert reply.error["type"] == "invalid_request_error"
    assert reply.headers["x-request-id"]


def refused(shared: Running, body: Any, kind: str, **more: str) -> tuple[int, str]:
    reply = shared.ask("/v1/audio/transcriptions", "POST", body, {"Content-Type": kind, **more})
    return reply.status, reply.error["message"]


def test_what_is_no_form_is_refused(shared: Running) -> None:
    body, kind = form({}, wav())
    assert refused(shared, b"{}", "application/json")[0] == 415
    assert refused(shared, body, "multipart/form-data")[0] == 415
    assert refused(shared, body[:-40], kind) == (400, "The form cannot be read: it breaks off.")
    assert refused(shared, b"rubbish" * 99, kind)[0] == 400
    assert refused(shared, form({}, None)[0], kind)[0] == 400
    assert refused(shared, form({"prompt": "x" * 70_000}, wav())[0], kind)[0] == 400
    assert refused(shared, form({f"f{n}": "" for n in range(70)}, wav())[0], kind)[0] == 400


def test_what_is_no_audio_is_refused_in_a_sentence(shared: Running, tmp_path: Path) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(wav())
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{secret}\n#EXT-X-ENDLIST\n".encode()
    concat = f"ffconcat version 1.0\nfile {secret}\n".encode()
    png = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de")
    for content in (b"not audio at all", playlist, concat, png, wav()[:44], wav()[:20], b"RIFF\xff\xff\xff\xffWAVE"):
        reply = shared.hear(content=content)
        assert (reply.status, reply.error["code"]) == (400, "invalid_audio"), content
        assert "The file" in reply.error["message"]
    assert shared.hear(content=b"").error["message"] == "The file is empty (0 bytes)."


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..\\\\x.wav", "a\x00.wav", ".."])
def test_a_path_in_place_of_a_name_is_refused(shared: Running, name: str) -> None:
    reply = shared.hear(name=name)
    assert reply.status == 400
    assert reply.error["code"] in ("bad_name", "malformed_form")


def test_a_bomb_is_decoded_no_further_than_audio_may_be_long(shared: Running) -> None:
    out = io.BytesIO()
    soundfile.write(out, np.zeros(3600 * RATE_HZ, np.int16), RATE_HZ, format="FLAC")
    assert len(out.getvalue()) < 1 << 20
    reply = shared.hear(content=out.getvalue())
    assert (reply.status, reply.error["code"]) == (413, "audio_too_long")
    slow = wav(100, rate_hz=1)
    assert shared.hear(content=slow).status == 413


def test_an_upload_over_the_limit_is_refused_with_and_without_a_stated_length(shared: Running) -> None:
    body, kind = form({}, bytes(3 << 20))
    assert refused(shared, body, kind)[0] == 413
    chunks = (body[n : n + 65_536] for n in range(0, len(body), 65_536))
    reply = shared.ask("/v1/audio/transcriptions", "POST", chunks, {"Content-Type": kind})
    assert (reply.status, reply.error["code"]) == (413, "file_too_large")
    under, kind = form({}, bytes(3 << 18))
    assert refused(shared, under, kind)[1].startswith("The file")


def test_audio_of_any_rate_and_container_is_heard(shared: Running) -> None:
    out = io.BytesIO()
    soundfile.write(out, np.zeros((4410, 2), np.float32), 44_100, format="OGG")
    assert shared.hear(content=out.getvalue()).data["text"] == "hello there"
    assert shared.hear(content=wav(800, rate_hz=8_000)).data["text"] == "hello there"


def test_the_same_id_is_in_the_answer_and_in_the_log_and_no_text(shared: Running) -> None:
    body, kind = form({}, wav(LOOP))
    headers = {"Content-Type": kind, "X-Request-Id": "my-own.id_1"}
    reply = shared.ask("/v1/audio/transcriptions", "POST", body, headers)
    assert reply.headers["x-request-id"] == "my-own.id_1"
    line = until(lambda: [row for row in shared.log if row.get("request_id") == "my-own.id_1"])[0]
    assert (line["event"], line["status"], line["route"]) == ("request", 200, "/v1/audio/transcriptions")
    assert line["wall_s"] > 0
    assert "and then" not in shared.log_path.read_text()
    forged = shared.ask("/healthz", headers={"X-Request-Id": "a" * 999})
    assert forged.headers["x-request-id"] != "a" * 999


def test_the_page_needs_nothing_from_elsewhere(shared: Running) -> None:
    page = shared.ask("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for path in ("page.js", "page.css"):
        assert f'"{path}"' in page.body.decode(), "relative, so that it works under a path"
        found = shared.ask(f"/{path}")
        assert found.status == 200
        assert b"http:" not in found.body + page.body
        assert b"https:" not in found.body + page.body


def test_the_document_names_every_route(shared: Running) -> None:
    document = shared.ask("/openapi.json").data
    assert sorted(document["paths"]) == [
        "/healthz", "/metrics", "/readyz", "/state", "/v1/audio/transcriptions", "/v1/audio/translations", "/v1/models",
        "/v1/models/{model_id}",
    ]  # fmt: skip
    kinds = document["paths"]["/v1/audio/transcriptions"]["post"]["responses"]["200"]["content"]
    assert {"application/json", "text/vtt", "text/event-stream"} <= set(kinds)


def test_a_page_from_elsewhere_may_not_ask(shared: Running) -> None:
    reply = shared.ask("/v1/models", headers={"Origin": "https://evil.example"})
    assert (reply.status, reply.error["type"]) == (403, "permission_error")
    assert "access-control-allow-origin" not in reply.headers
    assert shared.ask("/v1/models", headers={"Origin": shared.url}).status == 200
