"""openai-whisper: Whisper as its authors published it, on torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from earwitness.engines import torch_device
from earwitness.engines.base import DeviceSupport, EngineSpec, ModelFiles, follow, settings_in_force, sole_file
from earwitness.engines.blocks import in_blocks
from earwitness.engines.contract import whisper_language
from earwitness.engines.segments import segment_of
from earwitness.errors import SettingsError
from earwitness.types import Audio, Guide, Segment, Settings, Transcript

SPEC = EngineSpec(
    name="whisper",
    summary="Whisper by OpenAI, on torch",
    imports=("whisper", "torch", "tiktoken", "numba"),
    packages=("openai-whisper", "torch", "tiktoken"),
    devices={
        "cpu": DeviceSupport("supported"),
        "cuda": DeviceSupport("supported"),
        "mps": DeviceSupport("experimental", "the authors do not offer it; the model is moved there by Earwitness"),
        "tpu": DeviceSupport("experimental", "the authors do not offer it; torch's TPU backend is in beta"),
    },
    fixed={"vad": False, "batch_size": 1},
    native={"temperature_fallback": True, "context": True},
    parameter_bytes={"cpu": 4, "cuda": 4, "mps": 4, "tpu": 4},
    requirements=("openai-whisper==20250625", "torch>=2.6,<2.14"),
    cuts=True,
    guides=("translate", "prompt"),
)
_FALLBACK_TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


class _Whisper:
    def __init__(self, torch: Any, model: Any, settings: Settings, *, half: bool) -> None:
        self.device = torch_device.device_of(model)
        self.in_force: Mapping[str, Any] = settings_in_force(
            SPEC,
            settings,
            precision="float16" if half else "float32",
            threads=torch.get_num_threads() if self.device == "cpu" else None,
        )
        self._torch, self._model, self._settings, self._half = torch, model, settings, half
        self.guide = Guide()

    def guided(self, guide: Guide) -> _Whisper:
        return follow(self, guide, multilingual=bool(self._model.is_multilingual))

    def transcribe(self, audio: Audio, *, language: str | None) -> Transcript:
        return in_blocks(audio, self._settings.chunk_s, self._block, self._whisper_language(language))

    def _block(self, audio: Audio, language: str | None) -> Transcript:
        settings = self._settings
        found = self._model.transcribe(
            np.ascontiguousarray(audio.samples, np.float32),
            language=language,
            task="translate" if self.guide.translate else "transcribe",
            initial_prompt=self.guide.prompt or None,
            # One beam is a beam search in this library, with all its bookkeeping; greedy is no beams.
            beam_size=settings.beam_size if settings.beam_size > 1 else None,
            temperature=_FALLBACK_TEMPERATURES if settings.temperature_fallback else 0.0,
            condition_on_previous_text=settings.context,
            without_timestamps=settings.timestamps == "none",
            word_timestamps=settings.timestamps == "word",
            fp16=self._half,
        )
        pieces = found["segments"]
        words = None
        if settings.timestamps == "word":
            words = tuple(
                Segment(float(word["start"]), float(word["end"]), word["word"])
                for piece in pieces
                for word in piece["words"]
            )
        return Transcript(
            text=found["text"].strip(),
            segments=tuple(segment_of(p["start"], p["end"], p["text"].strip(), p) for p in pieces),
            words=words,
            language=found["language"],
            covered_s=audio.duration_s,
        )

    def _whisper_language(self, language: str | None) -> str | None:
        from whisper.tokenizer import LANGUAGES

        return whisper_language(language, LANGUAGES, multilingual=bool(self._model.is_multilingual))

    def synchronize(self) -> None:
        torch_device.synchronize(self._torch, self.device)

    def peak_device_bytes(self) -> int | None:
        return torch_device.peak_bytes(self._torch, self.device)

    def close(self) -> None:
        self._model = None


class _Engine:
    spec = SPEC

    def load(self, model: ModelFiles, device: str, settings: Settings) -> _Whisper:
        import torch
        import whisper

        used = torch_device.resolve(torch, device)
        half = wants_half(settings, used)
        torch.set_num_threads(settings.threads or 1)
        # Always onto the CPU first: elsewhere, torch cannot unpickle, or keep, the sparse buffer of alignment heads.
        loaded = whisper.load_model(str(sole_file(model, "*.pt")), device="cpu")
        heads = whisper._ALIGNMENT_HEADS.get(model.id.partition(":")[2])
        if heads is not None:
            loaded.set_alignment_heads(heads)
        return _Whisper(torch, moved(loaded, used).eval(), settings, half=half)


def wants_half(settings: Settings, device: str) -> bool:
    """Return whether a model computes in float16 on a device, as asked or by itself.

    Raises:
        SettingsError: For a precision, or times of words, that are not to be had there.
    """
    on_cuda = device.startswith("cuda")
    known = ("float16", "float32") if on_cuda else ("float32",)
    precision = known[0] if settings.precision == "auto" else settings.precision
    if precision not in known:
        raise SettingsError(f"Precision {precision!r} is not available on {device}; available: {', '.join(known)}.")
    if settings.timestamps == "word" and device == "mps":
        raise SettingsError(
            "Word times are computed in float64, which mps does not support. Ask for timestamps=segment."
        )
    return precision == "float16"


def moved(model: Any, device: str) -> Any:
    """Return a model on a device, to which it came by way of the CPU."""
    if device == "cpu":
        return model
    # The heads that word times are read from are a sparse tensor. MPS has had none, and they are used on the CPU.
    heads = model._buffers.pop("alignment_heads")
    model.to(device)
    model.register_buffer("alignment_heads", heads, persistent=False)
    return model


engine = _Engine()
