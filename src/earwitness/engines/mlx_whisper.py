"""mlx-whisper: Whisper on MLX, Apple's library for its own chips.

After a window, the library continues at the last pair of times that follow each other in its tokens. Its rule against
times that go back compares places with times, so that pair may be 0.00 s: it would decode the same window for ever.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import numpy as np

from earwitness.engines import mlx_device
from earwitness.engines.base import DeviceSupport, EngineSpec, ModelFiles, follow, settings_in_force, sole_file
from earwitness.engines.blocks import in_blocks
from earwitness.engines.contract import whisper_language
from earwitness.engines.segments import segment_of
from earwitness.errors import SettingsError
from earwitness.types import Audio, Guide, Segment, Settings, Transcript

SPEC = EngineSpec(
    name="mlx-whisper",
    summary="Whisper on MLX, for Apple's chips",
    imports=("mlx", "mlx_whisper"),
    packages=("mlx-whisper", "mlx"),
    devices={
        "cpu": DeviceSupport("experimental", "MLX is made for Apple's chips; on Linux its wheel computes on one core"),
        "cuda": DeviceSupport("experimental", "it takes MLX's CUDA build: pip install 'mlx[cuda]'"),
        "mps": DeviceSupport("supported", "not run here"),
        "tpu": DeviceSupport("unsupported", "MLX has no TPU backend"),
    },
    # The library has no beam search, and MLX offers no choice of threads.
    fixed={"beam_size": 1, "vad": False, "batch_size": 1, "threads": None},
    native={"temperature_fallback": True, "context": True, "precision": "float16"},
    maps={
        "language": "language",
        "temperature_fallback": "temperature",
        "context": "condition_on_previous_text",
        "timestamps": "without_timestamps, word_timestamps",
        "precision": "fp16",
    },
    parameter_bytes={"cpu": 4, "cuda": 2, "mps": 2},
    requirements=("mlx[cpu]>=0.32", "huggingface-hub>=1.0", "numba", "scipy", "tiktoken", "tqdm"),
    # It requires torch, which only its converter uses.
    bare_requirements=("mlx-whisper==0.4.3",),
    guides=("translate", "prompt"),
)
N_TIMES = 1501
"""Tokens of times, the last of every vocabulary: 0.00 s, 0.02 s, and so on to 30 s."""
_FALLBACK_TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


class _MlxWhisper:
    def __init__(self, mx: Any, model: Any, settings: Settings) -> None:
        self.device = mlx_device.device_of(mx)
        self.in_force: Mapping[str, Any] = settings_in_force(SPEC, settings, precision=mlx_device.precision_of(model))
        self._mx, self._model, self._settings = mx, model, settings
        self._guard = WindowGuard(model)
        self._library = import_module("mlx_whisper.transcribe")
        self.guide = Guide()

    def guided(self, guide: Guide) -> _MlxWhisper:
        return follow(self, guide, multilingual=bool(self._model.is_multilingual))

    def transcribe(self, audio: Audio, *, language: str | None) -> Transcript:
        code = whisper_language(language, self._library.LANGUAGES, multilingual=bool(self._model.is_multilingual))
        return in_blocks(audio, self._settings.chunk_s, self._block, code)

    def _block(self, audio: Audio, language: str | None) -> Transcript:
        settings = self._settings
        # The library loads a folder by itself, once, and keeps it here; a model that is here is not loaded.
        self._library.ModelHolder.model, self._library.ModelHolder.model_path = self._guard, ""
        self._guard.n_retries = 0
        found = self._library.transcribe(
            np.ascontiguousarray(audio.samples, np.float32),
            path_or_hf_repo="",
            language=language,
            task="translate" if self.guide.translate else "transcribe",
            initial_prompt=self.guide.prompt or None,
            temperature=_FALLBACK_TEMPERATURES if settings.temperature_fallback else 0.0,
            condition_on_previous_text=settings.context,
            without_timestamps=settings.timestamps == "none",
            word_timestamps=settings.timestamps == "word",
            fp16=self._model.encoder.conv1.weight.dtype == self._mx.float16,
        )
        # Times may go back: a segment may end before it begins.
        pieces = [piece | {"end": max(piece["start"], piece["end"])} for piece in found["segments"]]
        spoken = [word for piece in pieces for word in piece.get("words", ())]
        words = tuple(Segment(float(word["start"]), float(word["end"]), word["word"]) for word in spoken)
        return Transcript(
            text=found["text"].strip(),
            segments=tuple(segment_of(p["start"], p["end"], p["text"].strip(), p) for p in pieces),
            words=words if settings.timestamps == "word" else None,
            language=found["language"],
            covered_s=audio.duration_s,
            remarks=("no_times",) if self._guard.n_retries else (),
        )

    def synchronize(self) -> None:
        self._mx.synchronize()

    def peak_device_bytes(self) -> int | None:
        return mlx_device.peak_bytes(self._mx, self.device)

    def close(self) -> None:
        self._model = self._library.ModelHolder.model = None
        del self._guard
        self._mx.clear_cache()


@dataclass
class WindowGuard:
    """The library's model, with which every window is followed by the next one.

    Where the library would decode a window for ever, the window is decoded once more, without times. Everything else is
    the model's own.
    """

    model: Any
    """As the library loads it."""
    n_retries: int = 0
    """Windows that were decoded again."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def decode(self, mel: Any, options: Any) -> Any:
        """Decode a window as the model does, given its spectrogram of shape (frames, bands)."""
        found = self.model.decode(mel, options)
        if not stands_still(found.tokens, first_time=self.model.dims.n_vocab - N_TIMES):
            return found
        self.n_retries += 1
        return self.model.decode(found.audio_features, replace(options, without_timestamps=True))


def stands_still(tokens: Sequence[int], first_time: int) -> bool:
    """Return whether the library would decode the same window again.

    Args:
        tokens: Of the window.
        first_time: The token of its beginning; those from it on are times.

    >>> stands_still([100, 7, 100, 100, 8], first_time=100), stands_still([100, 7, 150, 150, 8], first_time=100)
    (True, False)
    >>> stands_still([100, 7, 100, 100, 8, 150], first_time=100)  # it ends in one time: nobody speaks after it
    False
    """
    is_time = [token >= first_time for token in tokens]
    if is_time[-2:] == [False, True]:
        return False
    pairs = [before for before, (one, two) in zip(tokens, itertools.pairwise(is_time), strict=False) if one and two]
    return bool(pairs) and pairs[-1] == first_time


class _Engine:
    spec = SPEC

    def load(self, model: ModelFiles, device: str, settings: Settings) -> _MlxWhisper:
        import mlx.core as mx
        from mlx_whisper.load_models import load_model

        folder = sole_file(model, "weights.*").parent
        used = mlx_device.resolve(mx, device)
        precision = {"auto": "float32" if used == "cpu" else "float16"}.get(settings.precision, settings.precision)
        if precision not in ("float32", "float16"):
            raise SettingsError(f"Precision {precision!r} is not available; available: float32, float16.")
        loaded = load_model(str(folder), getattr(mx, precision))
        mlx_device.set_precision(mx, loaded, precision)
        return _MlxWhisper(mx, loaded, settings)


engine = _Engine()
