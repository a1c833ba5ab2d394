"""whisper.cpp: Whisper in C++ on ggml, through pywhispercpp."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from earwitness.engines.base import DeviceSupport, EngineSpec, ModelFiles, follow, settings_in_force, sole_file
from earwitness.engines.blocks import in_blocks
from earwitness.engines.contract import whisper_language
from earwitness.errors import SettingsError, UnsupportedDeviceError
from earwitness.types import Audio, Guide, Segment, Settings, Transcript

SPEC = EngineSpec(
    name="whisper-cpp",
    summary="Whisper in C++ on ggml",
    imports=("pywhispercpp",),
    packages=("pywhispercpp",),
    devices={
        "cpu": DeviceSupport("supported"),
        "cuda": DeviceSupport("experimental", "the published wheels have no CUDA; it takes a build of one's own"),
        "mps": DeviceSupport("experimental", "only in wheels that were built with Metal"),
        "tpu": DeviceSupport("unsupported", "ggml has no TPU backend"),
    },
    fixed={"vad": False, "batch_size": 1},
    native={"temperature_fallback": True, "context": True},
    parameter_bytes={"cpu": 2, "cuda": 2, "mps": 2},
    requirements=("pywhispercpp==1.5.1",),
    # No prompts: without context, whisper.cpp has no room for one and says nothing of it.
    cuts=True,
    guides=("translate",),
)
_FALLBACK_STEP = 0.2
_CONTEXT_TOKENS = 16_384
# ggml's numbers for the type of a file's matrices.
_PRECISIONS = {0: "float32", 1: "float16", 2: "q4_0", 3: "q4_1", 7: "q8_0", 8: "q5_0", 9: "q5_1"}
_KINDS = {"metal": "mps", "mtl": "mps", "cuda": "cuda"}


class _WhisperCpp:
    def __init__(self, native: Any, model: Any, settings: Settings, device: str) -> None:
        self.device = device
        self.in_force: Mapping[str, Any] = settings_in_force(
            SPEC, settings, precision=_precision(native, model), threads=model.get_params()["n_threads"]
        )
        self._native, self._model, self._settings = native, model, settings
        self.guide = Guide()

    def guided(self, guide: Guide) -> _WhisperCpp:
        return follow(self, guide, multilingual=bool(self._native.whisper_is_multilingual(self._model._ctx)))

    def transcribe(self, audio: Audio, *, language: str | None) -> Transcript:
        return in_blocks(audio, self._settings.chunk_s, self._block, self._whisper_language(language))

    def _block(self, audio: Audio, language: str | None) -> Transcript:
        # The empty language means that it is to be detected; an unknown one would be, too, without a word.
        # What is told to one call holds for the next, so that both are told to each.
        samples = np.ascontiguousarray(audio.samples, np.float32)
        self._model.transcribe(samples, language=language or "", translate=self.guide.translate)
        native, context = self._native, self._model._ctx
        pieces = range(native.whisper_full_n_segments(context))
        # A character may be torn over two segments: bytes are joined before they are decoded.
        raw = [native.whisper_full_get_segment_text(context, n) for n in pieces]
        times = [
            (native.whisper_full_get_segment_t0(context, n) / 100, native.whisper_full_get_segment_t1(context, n) / 100)
            for n in pieces
        ]
        found = tuple(
            Segment(start, end, text.decode(errors="replace"))
            for (start, end), text in zip(times, raw, strict=True)
            if text.strip()
        )
        kind = self._settings.timestamps
        spoken = language or native.whisper_lang_str(native.whisper_full_lang_id(context))
        return Transcript(
            text=b"".join(raw).decode(errors="replace").strip(),
            segments=tuple(Segment(s.start_s, s.end_s, s.text.strip()) for s in found) if kind == "segment" else (),
            words=found if kind == "word" else None,
            language=spoken,
            covered_s=audio.duration_s,
        )

    def _whisper_language(self, language: str | None) -> str | None:
        multilingual = bool(self._native.whisper_is_multilingual(self._model._ctx))
        return whisper_language(language, self._model.available_languages(), multilingual=multilingual)

    def close(self) -> None:
        self._model = None


class _Engine:
    spec = SPEC

    def load(self, model: ModelFiles, device: str, settings: Settings) -> _WhisperCpp:
        import _pywhispercpp as native
        from pywhispercpp.model import Model

        kind, _, index = device.partition(":")
        with tempfile.TemporaryDirectory(prefix="earwitness-ggml-") as folder:
            log = Path(folder) / "log.txt"
            loaded = Model(
                str(sole_file(model, "*.bin")),
                params_sampling_strategy=0 if settings.beam_size == 1 else 1,
                redirect_whispercpp_logs_to=str(log),
                context_params={"use_gpu": kind != "cpu", "gpu_device": int(index or 0)},
                **parameters(settings),
            )
            used = device_in_log(log.read_text(encoding="utf-8", errors="replace"))
        if kind not in ("auto", used.partition(":")[0]):
            raise UnsupportedDeviceError(
                f"Device {device!r} is not available: this build of whisper.cpp found {used} only."
            )
        if settings.precision not in ("auto", _precision(native, loaded)):
            raise SettingsError(
                f"Precision {settings.precision!r} is not that of the file, {_precision(native, loaded)}. "
                "Use a file of that precision, or leave it out."
            )
        return _WhisperCpp(native, loaded, settings, used)


def parameters(settings: Settings) -> dict[str, Any]:
    """Return what whisper.cpp is told of settings, in its own words."""
    word = settings.timestamps == "word"
    strategy: dict[str, Any] = {"greedy": {"best_of": 5}}
    if settings.beam_size > 1:
        strategy = {"beam_search": {"beam_size": settings.beam_size, "patience": -1.0}}
    return {
        **strategy,
        "n_threads": settings.threads or 1,
        "temperature": 0.0,
        "temperature_inc": _FALLBACK_STEP if settings.temperature_fallback else 0.0,
        # "no_context" only keeps the call before this one out; within a call, the text so far is always the prompt,
        # unless there is no room for any.
        "no_context": True,
        "n_max_text_ctx": _CONTEXT_TOKENS if settings.context else 0,
        "no_timestamps": settings.timestamps == "none",
        "token_timestamps": word,
        "max_len": 1 if word else 0,
        "split_on_word": word,
        **dict.fromkeys(("print_progress", "print_realtime", "print_timestamps"), False),
    }


def device_in_log(log: str) -> str:
    """Return the device that the loading log of whisper.cpp reports.

    >>> device_in_log("whisper_backend_init_gpu: no GPU found")
    'cpu'
    >>> device_in_log("whisper_backend_init_gpu: using CUDA1 backend")
    'cuda:1'
    """
    found = re.search(r"using ([A-Za-z]+)(\d*) backend", log)
    if found is None:
        return "cpu"
    kind = _KINDS.get(found[1].lower(), found[1].lower())
    return f"{kind}:{found[2] or 0}" if kind == "cuda" else kind


def _precision(native: Any, model: Any) -> str:
    number = int(native.whisper_model_ftype(model._ctx))
    return _PRECISIONS.get(number, f"ggml type {number}")


engine = _Engine()
