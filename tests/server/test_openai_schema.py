"""Answers against the models of OpenAI's own package, read strictly: a number is a number, and nothing is null."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openai.types.audio import (
    Transcription,
    TranscriptionSegment,
    TranscriptionStreamEvent,
    TranscriptionVerbose,
)
from pydantic import TypeAdapter, ValidationError
from tests.server.serving import PIECES, Running, running, wav

from earwitness import data, weights
from earwitness.engines.catalog import find

TOLD_BY_DECODERS = {"avg_logprob", "compression_ratio", "no_speech_prob", "seek", "temperature", "tokens"}


def nulls(value: Any, path: str = "") -> list[str]:
    if isinstance(value, dict):
        return [place for name, inner in value.items() for place in nulls(inner, f"{path}.{name}")]
    if isinstance(value, list):
        return [place for n, inner in enumerate(value) for place in nulls(inner, f"{path}[{n}]")]
    return [path] if value is None else []


def missing(body: bytes) -> set[str]:
    """The fields of OpenAI's verbose answer that are not there; everything that is there must be of its type."""
    try:
        TranscriptionVerbose.model_validate_json(body, strict=True)
    except ValidationError as error:
        rows = error.errors()
    else:
        return set()
    assert {row["type"] for row in rows} == {"missing"}, rows
    return {str(row["loc"][-1]) for row in rows}


def events_of(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(part.removeprefix("data: ")) for part in body.decode().split("\n\n") if part]


def test_verbose_json_is_valid_where_the_engine_tells_all_that_openai_has(shared: Running) -> None:
    reply = shared.hear(response_format="verbose_json")
    assert missing(reply.body) == set()
    assert nulls(reply.data) == []
    (segment,) = reply.data["segments"]
    assert set(segment) == set(TranscriptionSegment.model_fields)
    assert bytes(segment["tokens"]).decode() == segment["text"] == "hello there"
    assert segment["compression_ratio"] == pytest.approx(11 / 19)
    assert reply.data["language"] == "und", "BCP 47 for a language that nobody named or found"
    assert shared.hear(response_format="verbose_json", language="en").data["language"] == "en"


def test_the_openai_client_reads_an_answer_that_its_own_model_takes(shared: Running) -> None:
    import openai

    with openai.OpenAI(base_url=f"{shared.url}/v1", api_key="none", max_retries=0) as client:
        answer = client.audio.transcriptions.create(
            model="default", file=("a.wav", wav()), response_format="verbose_json"
        )
    TranscriptionVerbose.model_validate(answer.model_dump())


def test_what_an_engine_does_not_tell_is_absent_and_never_null(shared: Running) -> None:
    # Segments that are read as they are decoded have no more than times and text in this engine.
    reply = shared.hear(PIECES, response_format="verbose_json")
    assert missing(reply.body) == TOLD_BY_DECODERS
    assert nulls(reply.data) == []
    assert [set(segment) for segment in reply.data["segments"]] == [{"id", "start", "end", "text"}] * 3


def test_every_event_of_a_stream_is_one_of_openais(shared: Running) -> None:
    one: TypeAdapter[Any] = TypeAdapter(TranscriptionStreamEvent)
    for response_format in ("json", "verbose_json"):
        events = events_of(shared.hear(PIECES, stream="true", response_format=response_format).body)
        assert [one.validate_python(event, strict=True).type for event in events][-1] == "transcript.text.done"
        assert [nulls(event) for event in events] == [[]] * 4


def test_a_plain_answer_is_of_openais_type(shared: Running) -> None:
    assert Transcription.model_validate_json(shared.hear().body, strict=True).text == "hello there"


@pytest.mark.real
@pytest.mark.parametrize(
    ("model", "absent"), [("faster-whisper:tiny.en", set()), ("pocketsphinx:en-us", TOLD_BY_DECODERS)]
)
def test_a_real_engine_tells_what_its_library_has(tmp_path: Path, model: str, absent: set[str]) -> None:
    weights.pull(find(model))
    clip = next(clip for clip in data.load("sample").clips if clip.reference)
    content = Path(clip.audio_path).read_bytes()
    with running(tmp_path, "--model", model, "--workers", "1") as server:
        reply = server.hear(content=content, response_format="verbose_json")
    assert missing(reply.body) == absent
    assert nulls(reply.data) == []
    assert reply.data["language"] == "en"
    if not absent:
        first = reply.data["segments"][0]
        assert first["avg_logprob"] < 0 <= first["no_speech_prob"] < 1
        assert first["temperature"] == 0
        assert first["tokens"]
