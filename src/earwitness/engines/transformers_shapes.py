"""The ways to call the speech models of transformers: Whisper's own, and four that serve all the others.

What a model is called with is told by its class: a name that ends in ``ForCTC`` gives a token per frame, ``ForRNNT``
and ``ForTDT`` are transducers; any other generates text, asked by its processor's ``apply_transcription_request``
where it has one, by a plain call of the processor where not.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from earwitness.engines.contract import whisper_code
from earwitness.errors import EngineError
from earwitness.types import Audio, Segment, Settings, Transcript

_FALLBACK_TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_WINDOW_S = 30.0
# Speech is some 4 tokens a second in English, up to 3 times that in scripts that a vocabulary covers badly.
_TOKENS_PER_S, _TOKENS_AT_LEAST = 16, 32
# Convolutions at the front of some models fail on less than their reach.
_SHORTEST_S = 0.5


@dataclass(frozen=True, slots=True)
class ModelParts:
    """A loaded model and what goes with it."""

    torch: Any
    """The module."""
    model: Any
    """In evaluation mode, on its device."""
    processor: Any
    """Feature extractor and tokenizer."""
    settings: Settings
    """As asked for."""
    id: str
    """The model's id."""
    translate: bool = False
    """Whether the text is wanted in English."""

    @property
    def sample_rate_hz(self) -> int:
        """The rate that the feature extractor needs."""
        return int(self.processor.feature_extractor.sampling_rate)


@dataclass(frozen=True, slots=True)
class ModelShape:
    """One way to call a model."""

    transcribe: Callable[[ModelParts, Audio, str | None], Transcript]
    """A block of audio, and its language, to text."""
    fixed: Mapping[str, Any]
    """Settings that models of this shape cannot change, with the value in force."""
    longest_s: float | None
    """The longest block that a model takes; ``None`` when it goes through a long one in windows of its own."""


def shape_of(model: Any, processor: Any) -> ModelShape:
    """Return the way to call a model, by its class and that of its processor."""
    name = type(model).__name__
    if name == "WhisperForConditionalGeneration":
        return WHISPER
    for ending, shape in (("ForCTC", CTC), ("ForRNNT", TRANSDUCER), ("ForTDT", TRANSDUCER)):
        if name.endswith(ending):
            return shape
    return REQUEST if hasattr(processor, "apply_transcription_request") else GENERATE


def translates(parts: ModelParts) -> bool:
    """Return whether a model can translate."""
    return getattr(parts.model.generation_config, "task_to_id", None) is not None


def _whisper(parts: ModelParts, audio: Audio, language: str | None) -> Transcript:
    settings, model, processor = parts.settings, parts.model, parts.processor
    is_long = audio.duration_s > _WINDOW_S
    long_form = {"truncation": False, "padding": "longest", "return_attention_mask": True} if is_long else {}
    inputs = _on_device(parts, _called(processor, audio, **long_form))
    spoken, options = _whisper_language(parts, inputs, language)
    options |= {"num_beams": settings.beam_size, "condition_on_prev_tokens": settings.context}
    if settings.temperature_fallback:
        # The compression of token ids, not of text as in OpenAI's code: 1.35 is what transformers' documents give.
        options |= {"temperature": _FALLBACK_TEMPERATURES, "compression_ratio_threshold": 1.35}
        options |= {"logprob_threshold": -1.0, "no_speech_threshold": 0.6}
    if settings.timestamps == "none":
        found = {"sequences": model.generate(**inputs, return_timestamps=False, **options), "segments": [[]]}
    else:
        found = model.generate(**inputs, return_timestamps=True, return_segments=True, **options)
    return Transcript(
        text=processor.batch_decode(found["sequences"], skip_special_tokens=True)[0].strip(),
        segments=tuple(
            Segment(float(s["start"]), float(s["end"]), processor.decode(s["tokens"], skip_special_tokens=True).strip())
            for s in found["segments"][0]
        ),
        language=spoken,
        covered_s=audio.duration_s,
    )


def _whisper_language(
    parts: ModelParts, inputs: Mapping[str, Any], language: str | None
) -> tuple[str | None, dict[str, Any]]:
    known = getattr(parts.model.generation_config, "lang_to_id", None)
    code = whisper_code(language) if language else None
    if code not in (None, "en") and (known is None or f"<|{code}|>" not in known):
        raise EngineError(f"This model does not know the language {language!r}. You can force one: --set language=en")
    if known is None:
        return "en", {}
    if code is None:
        # What generate would do; done here so that the language is known.
        window = int(parts.processor.feature_extractor.nb_max_frames)
        number = int(parts.model.detect_language(inputs["input_features"][:, :, :window])[0])
        code = next(token for token, n in known.items() if n == number).strip("<|>")
    return code, {"language": code, "task": "translate" if parts.translate else "transcribe"}


def _generate(parts: ModelParts, audio: Audio, language: str | None) -> Transcript:
    spoken = _accepted(parts.processor.__call__, language=language)
    return _generated(parts, _called(parts.processor, audio, **spoken), audio, language)


def _request(parts: ModelParts, audio: Audio, language: str | None) -> Transcript:
    ask = parts.processor.apply_transcription_request
    options = _accepted(ask, language=language, source_language=language, model_id=parts.id, format="wav")
    options |= _accepted(ask, sampling_rate=audio.sample_rate_hz)
    return _generated(parts, ask(_at_least(audio), **options), audio, language)


def _generated(parts: ModelParts, generate_options: Any, audio: Audio, language: str | None) -> Transcript:
    inputs = _on_device(parts, generate_options)
    limit = _TOKENS_AT_LEAST + int(_TOKENS_PER_S * audio.duration_s)
    prompt = inputs.get("decoder_input_ids" if parts.model.config.is_encoder_decoder else "input_ids")
    ids = parts.model.generate(**inputs, num_beams=parts.settings.beam_size, do_sample=False, max_new_tokens=limit)
    new = ids[:, 0 if prompt is None else prompt.shape[1] :]
    plain = _accepted(parts.processor.decode, return_format="transcription_only", strip_prefix=True)
    text = parts.processor.decode(new, skip_special_tokens=True, **plain)
    return Transcript(
        text=(text if isinstance(text, str) else text[0]).strip(),
        language=language,
        covered_s=audio.duration_s,
        remarks=("token_limit",) if new.shape[1] >= limit else (),
    )


def _ctc(parts: ModelParts, audio: Audio, language: str | None) -> Transcript:
    inputs = _on_device(parts, _called(parts.processor, audio))
    model = parts.model
    ids = model.generate(**inputs) if model.can_generate() else model(**inputs).logits.argmax(dim=-1)
    text = parts.processor.batch_decode(ids, skip_special_tokens=True)[0]
    return Transcript(text.strip(), language=language, covered_s=audio.duration_s)


def _transducer(parts: ModelParts, audio: Audio, language: str | None) -> Transcript:
    inputs = _on_device(parts, _called(parts.processor, audio))
    ids = parts.model.generate(**inputs).sequences
    text = parts.processor.batch_decode(ids, skip_special_tokens=True)[0]
    return Transcript(text.strip(), language=language, covered_s=audio.duration_s)


def _called(processor: Any, audio: Audio, **options: Any) -> Any:
    return processor(_at_least(audio), sampling_rate=audio.sample_rate_hz, return_tensors="pt", **options)


def _at_least(audio: Audio) -> np.ndarray[Any, np.dtype[np.float32]]:
    shortest = int(_SHORTEST_S * audio.sample_rate_hz)
    samples = np.ascontiguousarray(audio.samples, np.float32)
    return np.pad(samples, (0, max(0, shortest - len(samples))))


def _on_device(parts: ModelParts, inputs: Any) -> dict[str, Any]:
    # Cast before the move: a feature extractor may give float64, which MPS has not.
    model, tensor = parts.model, parts.torch.Tensor
    return {
        name: value.to(model.dtype if value.is_floating_point() else value.dtype).to(model.device)
        for name, value in inputs.items()
        if isinstance(value, tensor)
    }


def _accepted(function: Callable[..., Any], **options: Any) -> dict[str, Any]:
    """Return those of the options that a function names and that are not ``None``."""
    names = inspect.signature(function).parameters
    return {name: value for name, value in options.items() if name in names and value is not None}


_TEXT_ALONE: Mapping[str, Any] = {"temperature_fallback": None, "context": None, "timestamps": "none"}
WHISPER = ModelShape(_whisper, {}, None)
"""Whisper, which has windows, times and temperatures of its own."""
GENERATE = ModelShape(_generate, _TEXT_ALONE, _WINDOW_S)
"""Generates text from what its processor makes of a plain call."""
REQUEST = ModelShape(_request, _TEXT_ALONE, _WINDOW_S)
"""Generates text from the request that its processor puts together."""
CTC = ModelShape(_ctc, {**_TEXT_ALONE, "beam_size": None}, _WINDOW_S)
"""A token for each frame."""
TRANSDUCER = ModelShape(_transducer, {**_TEXT_ALONE, "beam_size": None}, _WINDOW_S)
"""A transducer."""
