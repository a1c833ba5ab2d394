"""Any server with the transcription endpoint of OpenAI's API: vLLM, speaches, whisper.cpp's server, OpenAI itself.

    [[model]]
    id = "openai-api:my-server"
    engine = "openai-api"
    weights_id = "openai/whisper-large-v3"
    languages = ["*"]

    [model.options]
    base_url = "http://127.0.0.1:8000/v1"
    model = "whisper-large-v3"
    api_key_env = "MY_SERVER_KEY"

Without a row, ``openai-api:http://127.0.0.1:8000/v1#whisper-large-v3`` is such a model.

The key is read from the environment variable that the row names; it is in no record and no message. The recording goes
out as 16-bit WAV, in pieces of at most ``chunk_s``, cut at quiet places: ten minutes are 19 MB, under the 25 MB that
OpenAI takes. ``wall_s`` is what a user waits: making the WAV, the network, and the server; ``network_s`` beside it says
how much of it was the network, see ``earwitness.engines.http.post``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from earwitness.engines.base import DeviceSupport, EngineSpec, ModelFiles, Option, settings_in_force
from earwitness.engines.blocks import in_blocks
from earwitness.engines.http import URL_PATTERN, address, get, multipart, post, try_connection
from earwitness.engines.jsonpath import segments_at, text_at
from earwitness.engines.wav import wav_bytes
from earwitness.errors import EngineError, SettingsError
from earwitness.types import Audio, Settings, Transcript

_ELSEWHERE = DeviceSupport("unsupported", "the model is on the server's device, which it does not report")
SPEC = EngineSpec(
    name="openai-api",
    summary="any server with OpenAI's transcription endpoint",
    imports=(),
    packages=(),
    devices={"cpu": _ELSEWHERE, "cuda": _ELSEWHERE, "mps": _ELSEWHERE, "tpu": _ELSEWHERE},
    fixed={
        "beam_size": None,
        "temperature_fallback": None,
        "context": None,
        "vad": None,
        "precision": None,
        "threads": None,
        "batch_size": None,
    },
    maps={"language": "language", "timestamps": "response_format, timestamp_granularities[]"},
    deterministic=False,
    options={
        "base_url": Option(
            "text",
            "the address before /audio/transcriptions, such as http://127.0.0.1:8000/v1, without user name or key",
            required=True,
            pattern=URL_PATTERN,
        ),
        "model": Option("text", "the model's name on the server", required=True),
        "api_key_env": Option(
            "text",
            "the name, in capitals, of the environment variable that holds the key",
            pattern="[A-Z_][A-Z0-9_]*",
        ),
        "response_format": Option(
            "text", "verbose_json, which has times, or json where the server has no other", pattern="verbose_json|json"
        ),
    },
)


class _OpenAIApi:
    def __init__(self, options: Mapping[str, str], key: str, settings: Settings) -> None:
        self.device = "remote"
        self._url = endpoint(options["base_url"])
        self._verbose = wants_verbose(options)
        self._words = settings.timestamps == "word"
        self.in_force: Mapping[str, Any] = settings_in_force(
            SPEC, settings, timestamps=settings.timestamps if self._verbose else "none"
        )
        self._model, self._key, self._settings = options["model"], key, settings

    def transcribe(self, audio: Audio, *, language: str | None) -> Transcript:
        return in_blocks(audio, self._settings.chunk_s, self._block, language)

    def _block(self, audio: Audio, language: str | None) -> Transcript:
        body, kind = form(self._model, audio, language, verbose=self._verbose, words=self._words)
        headers = {"Content-Type": kind, "Accept": "application/json", **authorization(self._key)}
        reply = post(self._url, body, headers, secret=self._key)
        data = reply.json(address(self._url))
        segments = segments_at(data, "segments", ["start", "end", "text"], 1.0) if data.get("segments") else ()
        words = segments_at(data, "words", ["start", "end", "word"], 1.0) if data.get("words") else None
        return Transcript(
            text_at(data, "text"),
            segments if self._settings.timestamps != "none" else (),
            words if self._words else None,
            # Some servers give a name, such as "english"; the next piece would be sent with it.
            language or _tag(data.get("language")),
            remarks=reply.remarks,
            network_s=reply.network_s,
        )

    def close(self) -> None:
        self._key = ""


def form(
    model: str, audio: Audio, language: str | None, *, verbose: bool = False, words: bool = False
) -> tuple[bytes, str]:
    """Return the body of a request for a transcript, and its content type.

    Args:
        model: Its name on the server.
        audio: Sent as 16-bit WAV.
        language: BCP 47 tag, of which the server gets the first part; ``None`` to let it find out.
        verbose: Whether times are wanted.
        words: Whether those of words are.
    """
    fields = [("model", model), ("response_format", "verbose_json" if verbose else "json")]
    if language is not None:
        fields.append(("language", language.partition("-")[0].lower()))
    if words:
        fields += [("timestamp_granularities[]", kind) for kind in ("segment", "word")]
    return multipart(fields, "audio.wav", wav_bytes(audio))


def wants_verbose(options: Mapping[str, str]) -> bool:
    """Return whether a model's row requests times, as it does unless it has ``json``."""
    return options.get("response_format", "verbose_json") == "verbose_json"


def endpoint(base_url: str) -> str:
    """Return the endpoint for transcripts.

    >>> endpoint("http://127.0.0.1:8000/v1/")
    'http://127.0.0.1:8000/v1/audio/transcriptions'
    """
    return base_url.rstrip("/") + "/audio/transcriptions"


def key_of(model_id: str, options: Mapping[str, str]) -> str:
    """Return the key of a model from the environment; empty if its row names no variable.

    Raises:
        EngineError: When there is no such variable.
    """
    variable = options.get("api_key_env")
    key = os.environ.get(variable, "") if variable else ""
    if variable and not key:
        raise EngineError(f"Set the environment variable {variable!r} to the key of model {model_id!r}.")
    return key


def authorization(key: str) -> dict[str, str]:
    """Return the header with a key; empty for an empty key."""
    return {"Authorization": f"Bearer {key}"} if key else {}


def names_on(base_url: str, key: str) -> tuple[str, ...]:
    """Request the names of the models of a server.

    Raises:
        EngineError: In one sentence, when it does not answer as OpenAI's API does.
    """
    url = base_url.rstrip("/") + "/models"
    data = get(url, authorization(key), secret=key).json(address(url))
    rows = data.get("data")
    found = [row.get("id") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    names = tuple(name for name in found if isinstance(name, str))
    if not names:
        raise EngineError(f"{address(url)} lists no model. Is it a server with OpenAI's API?")
    return names


def _tag(language: object) -> str | None:
    return language if isinstance(language, str) and re.fullmatch("[a-z]{2,3}", language) else None


class _Engine:
    spec = SPEC

    def load(self, model: ModelFiles, device: str, settings: Settings) -> _OpenAIApi:
        del device
        options = model.options
        key = key_of(model.id, options)
        if settings.timestamps == "word" and options.get("response_format") == "json":
            raise SettingsError(f"Model {model.id!r} gives no word times: its row has response_format 'json'.")
        try_connection(options["base_url"])
        return _OpenAIApi(options, key, settings)


engine = _Engine()
