"""The parameters of a request: every field is honoured or refused, none is ignored."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from earwitness.engines.registry import get_engine
from earwitness.errors import UsageError
from earwitness.languages import canonical, is_among, primary
from earwitness.server.api_errors import ApiError
from earwitness.server.config import ServedModel
from earwitness.server.http.uploads import UploadForm
from earwitness.types import Guide

ResponseFormat = Literal["json", "text", "srt", "vtt", "verbose_json"]
FORMATS: tuple[ResponseFormat, ...] = ("json", "text", "srt", "vtt", "verbose_json")
STREAMED: tuple[ResponseFormat, ...] = ("json", "text", "verbose_json")
GRANULARITIES = ("segment", "word")
DEFAULT = "default"
"""The name of whichever model is served first, such as the one that a decision has chosen."""
OPENAI_NAMES = (
    "whisper-1",
    "gpt-transcribe",
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    "gpt-4o-mini-transcribe-2025-12-15",
    "gpt-4o-transcribe-diarize",
)
"""Names of models that programs written for OpenAI have in them."""
_LISTS = {"timestamp_granularities[]", "timestamp_granularities"}
_KNOWN = ("model", "language", "prompt", "response_format", "temperature", "stream", *sorted(_LISTS))


@dataclass(frozen=True, slots=True)
class TranscriptionRequest:
    """A request that can be honoured."""

    model: str
    """Id of a served model."""
    language: str | None
    """What the engine is told."""
    format: ResponseFormat
    """Of the answer."""
    words: bool
    """Whether the answer has times of words."""
    segments: bool
    """Whether the answer has times of segments."""
    stream: bool
    """Whether the text goes out as it is decoded."""
    guide: Guide | None = None
    """What else the engine is told; ``None`` for nothing."""

    @property
    def translate(self) -> bool:
        """Whether the text is to be English."""
        return self.guide is not None and self.guide.translate


def parse_request(
    form: UploadForm, models: Mapping[str, ServedModel], *, translate: bool = False, aliases: Collection[str] = ()
) -> TranscriptionRequest:
    """Check a form against the served models.

    Args:
        form: As it came in.
        models: By id, the default first.
        aliases: Other names of the default.
        translate: Whether it asks for a translation.

    Raises:
        Refused: For the first thing that cannot be honoured.
    """
    fields = _single(form.fields)
    _require_sound(form)
    model = find(fields.get("model") or DEFAULT, models, aliases)
    _require_temperature_of_0(fields.get("temperature") or "0")
    guide = _guide(translate, fields.get("prompt") or "", model)
    form_of_answer = _one_of("response_format", fields.get("response_format") or "json", FORMATS)
    stream = _stream(fields.get("stream") or "false", form_of_answer)
    granularities = _granularities(form.fields, form_of_answer)
    words = "word" in granularities
    segments = form_of_answer in ("srt", "vtt", "verbose_json") and granularities != ["word"]
    _require_times(model, words=words, segments=segments)
    language = _language(fields.get("language") or None, model)
    return TranscriptionRequest(model.id, language, form_of_answer, words, segments, stream, guide)


def find(model_id: str, models: Mapping[str, ServedModel], aliases: Collection[str] = ()) -> ServedModel:
    """Return a served model by its id; ``default``, or an alias, is the first.

    Raises:
        Refused: With 404 when there is none.
    """
    if model_id == DEFAULT or (model_id in aliases and model_id not in models):
        return next(iter(models.values()))
    if model_id not in models:
        raise ApiError(
            404,
            f"There is no model {model_id[:100]!r} here. There are: {', '.join((DEFAULT, *models))}.",
            param="model",
            code="model_not_found",
        )
    return models[model_id]


def times_of(model: ServedModel) -> str:
    """Return the finest times that a model's answers have: ``none``, ``segment`` or ``word``."""
    return str((model.in_force or {}).get("timestamps") or model.settings.timestamps)


def translates(model: ServedModel) -> bool:
    """Return whether a model gives English text of speech in other languages."""
    return model.model.translates and "translate" in get_engine(model.model.engine).spec.guides


def takes_prompt(model: ServedModel) -> bool:
    """Return whether a model accepts a prompt."""
    return "prompt" in get_engine(model.model.engine).spec.guides


def language_of_client(model: ServedModel, language: str | None) -> str | None:
    """Return the language for the engine, under the setting ``language`` of the served model.

    Args:
        model: The model.
        language: That the request names.
    """
    setting = model.settings.language
    return {"clip": language, "auto": None}.get(setting, setting)


def _single(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in fields:
        if name not in _KNOWN:
            raise _invalid(
                name[:64], f"Parameter {name[:64]!r} is not supported. There are: file, {', '.join(_KNOWN)}."
            )
        if name in found and name not in _LISTS:
            raise _invalid(name, f"Parameter {name!r} is given more than once.")
        found[name] = value
    return found


def _require_sound(form: UploadForm) -> None:
    if form.file is None:
        raise _invalid("file", "There is no file. Send the audio as 'file', as in: curl -F file=@audio.wav.")
    if form.size_bytes == 0:
        raise _invalid("file", "The file is empty (0 bytes).")


def _guide(translate: bool, prompt: str, model: ServedModel) -> Guide | None:
    if prompt and not takes_prompt(model):
        raise _invalid("prompt", f"Engine {model.model.engine!r} takes no prompt. Leave it out.")
    if translate and not translates(model):
        raise ApiError(
            400,
            f"Model {model.id!r} does not translate. Ask /v1/audio/transcriptions for the text in its own language.",
            param="model",
            code="unsupported_task",
        )
    return Guide(translate, prompt) if translate or prompt else None


def _require_temperature_of_0(temperature: str) -> None:
    try:
        is_zero = float(temperature) == 0
    except ValueError:
        raise _invalid("temperature", f"temperature is a number, not {temperature[:40]!r}.") from None
    if not is_zero:
        raise _invalid("temperature", "Models are served with the settings that were measured: temperature is 0.")


def _stream(value: str, form_of_answer: ResponseFormat) -> bool:
    stream = _truth("stream", value)
    if stream and form_of_answer not in STREAMED:
        raise _invalid("stream", f"{form_of_answer} cannot be streamed. Ask for {', '.join(STREAMED)}.")
    return stream


def _granularities(fields: Iterable[tuple[str, str]], form_of_answer: ResponseFormat) -> list[str]:
    values = [value for name, value in fields if name in _LISTS]
    for value in values:
        _one_of("timestamp_granularities[]", value, GRANULARITIES)
    if values and form_of_answer != "verbose_json":
        raise _invalid("timestamp_granularities[]", "Times are in verbose_json only: set response_format=verbose_json.")
    return values


def _require_times(model: ServedModel, *, words: bool, segments: bool) -> None:
    finest = times_of(model)
    if words and finest != "word":
        raise _invalid(
            "timestamp_granularities[]",
            f"Model {model.id!r} is served with timestamps={finest}, which has no word times.",
        )
    if segments and finest == "none":
        raise _invalid(
            "response_format", f"Model {model.id!r} is served without times. Ask for response_format json or text."
        )


def _language(language: str | None, model: ServedModel) -> str | None:
    try:
        language = canonical(language)
    except UsageError as error:
        raise _invalid("language", str(error)) from None
    setting = model.settings.language
    if language is not None and setting == "auto":
        raise _invalid("language", f"Model {model.id!r} is served as it was measured: it finds the language itself.")
    if language is not None and setting != "clip" and primary(setting) != primary(language):
        raise _invalid("language", f"Model {model.id!r} is served as it was measured: for {setting!r} only.")
    if not is_among(language, model.model.languages):
        raise _invalid(
            "language", f"Model {model.id!r} knows {', '.join(model.model.languages)} only, not {language!r}."
        )
    return language_of_client(model, language)


def _one_of(name: str, value: str, choices: tuple[Any, ...]) -> ResponseFormat:
    if value not in choices:
        raise _invalid(name, f"{name} is one of {', '.join(choices)}, not {value[:40]!r}.")
    return cast("ResponseFormat", value)


def _truth(name: str, value: str) -> bool:
    if value.lower() not in ("true", "false", "1", "0"):
        raise _invalid(name, f"{name} is true or false, not {value[:40]!r}.")
    return value.lower() in ("true", "1")


def _invalid(param: str, message: str) -> ApiError:
    return ApiError(400, message, param=param, code="invalid_value")
