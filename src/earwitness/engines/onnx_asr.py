"""onnx-asr: Parakeet, Canary, GigaAM, Whisper and others on ONNX Runtime, without torch.

Its Whisper decodes one window greedily, without times, and always begins with a language, at which the English models
stop at once. So their prompt is made here, as their authors trained them; all else is the library's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from earwitness.engines import onnx_device
from earwitness.engines.base import DeviceSupport, EngineSpec, ModelFiles, Option, settings_in_force
from earwitness.engines.blocks import in_blocks
from earwitness.engines.contract import whisper_language
from earwitness.engines.segments import mean, words_of
from earwitness.errors import EngineError, SettingsError, UnsupportedDeviceError
from earwitness.types import Audio, DecodedSegment, Settings, Transcript

LONGEST_S = 30.0
"""Longest block: Whisper's window, and what the library's authors advise for the others."""
SHORTEST_S = 0.1
"""Shorter blocks are filled up with silence: spectrograms need more than a sample."""

SPEC = EngineSpec(
    name="onnx-asr",
    summary="Parakeet, Canary, GigaAM and Whisper on ONNX Runtime",
    imports=("onnx_asr", "onnxruntime"),
    packages=("onnx-asr", "onnxruntime"),
    devices={
        "cpu": DeviceSupport("supported"),
        "cuda": DeviceSupport("experimental", "it takes the package onnxruntime-gpu in place of onnxruntime"),
        "mps": DeviceSupport("experimental", "CoreML takes the parts of a model that it can, and the CPU the rest"),
        "tpu": DeviceSupport("unsupported", "ONNX Runtime has no TPU backend"),
    },
    fixed={"beam_size": 1, "temperature_fallback": False, "context": False, "vad": False, "batch_size": 1},
    maps={"language": "language", "timestamps": "with_timestamps", "precision": "quantization"},
    # ONNX Runtime holds matrices twice, as they are stored and as it computes with them.
    parameter_bytes={"cpu": 8, "cuda": 4, "mps": 8},
    requirements=("onnx-asr[cpu]==0.12.0",),
    options={
        "variant": Option("text", "a name or a type of model that onnx-asr knows; without, config.json names the type"),
        "quantization": Option("text", "the middle of the files' names, such as 'int8'; without, the plain files"),
    },
)


class _OnnxAsr:
    def __init__(self, model: Any, precision: str, settings: Settings, device: str) -> None:
        asr = model.asr
        self._call = _Whisper(asr) if hasattr(asr, "_detect_lang_input") else _Other(model)
        self.device = device
        self.in_force: Mapping[str, Any] = settings_in_force(
            SPEC,
            settings,
            precision=precision,
            threads=(settings.threads or 1) if device == "cpu" else None,
            chunk_s=min(settings.chunk_s, LONGEST_S),
            **({} if self._call.languages else {"language": None}),
            **({} if self._call.has_times else {"timestamps": "none"}),
        )
        if settings.timestamps == "word" and not self._call.has_times:
            raise SettingsError(f"Models of type {type(asr).__name__!r} have no word times. Ask for timestamps=none.")
        self._kind = settings.timestamps

    def transcribe(self, audio: Audio, *, language: str | None) -> Transcript:
        if self._call.languages:
            language = whisper_language(language, self._call.languages, multilingual=len(self._call.languages) > 1)
        return in_blocks(audio, self.in_force["chunk_s"], self._block, language)

    def _block(self, audio: Audio, language: str | None) -> Transcript:
        lacking = int(SHORTEST_S * audio.sample_rate_hz) - len(audio.samples)
        samples = np.pad(np.ascontiguousarray(audio.samples, np.float32), (0, max(0, lacking)))
        found = self._call(samples, language)
        words: tuple[DecodedSegment, ...] = ()
        if self._call.has_times:
            words = words_of(found.tokens or [], found.timestamps or [], found.logprobs, audio.duration_s)
        text = found.text.strip()
        whole = DecodedSegment(words[0].start_s, words[-1].end_s, text, mean(found.logprobs)) if words else None
        return Transcript(
            text=text,
            segments=(whole,) if whole and self._kind != "none" else (),
            words=words if self._kind == "word" else None,
            language=language,
            covered_s=audio.duration_s,
        )

    def close(self) -> None:
        del self._call


class _Whisper:
    has_times = False

    def __init__(self, asr: Any) -> None:
        self._asr = asr
        english = asr.config.get("vocab_size", 0) == 51864
        found = [token[2:-2] for token in asr._tokens if re.fullmatch(r"<\|[a-z]{2,3}\|>", token)]
        self.languages = ("en",) if english else tuple(found)
        self._prompt = [asr._tokens[name] for name in ("<|startoftranscript|>", "<|notimestamps|>")]

    def __call__(self, samples: Any, language: str | None) -> Any:
        waves, lengths = samples[None], np.array([len(samples)], np.int64)
        if len(self.languages) > 1:
            return next(iter(self._asr.recognize_batch(waves, lengths, language=language)))
        encoded = self._asr._encode(waves, lengths)
        return self._asr._decode_tokens(self._asr._decoding(encoded, np.array([self._prompt], np.int64))[0])


class _Other:
    def __init__(self, model: Any) -> None:
        self._model = model.with_timestamps()
        tokens = getattr(model.asr, "_tokens", {})
        # Canary is told its language, and gives no times; transducers and CTC models find the language by themselves.
        self.languages = tuple(token[2:-2] for token in tokens if re.fullmatch(r"<\|[a-z]{2}\|>", token))
        self.has_times = not tokens

    def __call__(self, samples: Any, language: str | None) -> Any:
        return self._model.recognize(samples, **({"language": language} if self.languages else {}))


class _Engine:
    spec = SPEC

    def load(self, model: ModelFiles, device: str, settings: Settings) -> _OnnxAsr:
        import onnx_asr
        import onnxruntime
        from onnx_asr.utils import ModelLoadingError

        if model.folder is None:
            raise EngineError(f"Model {model.id!r} has no weights folder. Run: earwitness models pull {model.id}")
        quantization = model.options.get("quantization")
        precision = quantization or "float32"
        if settings.precision not in ("auto", precision):
            raise SettingsError(
                f"Precision {settings.precision!r} is not that of the files, {precision}. Leave it out, or use a row "
                "with the option 'quantization'."
            )
        session = onnxruntime.SessionOptions()
        session.intra_op_num_threads = settings.threads or 1
        wanted = onnx_device.providers(onnxruntime, device)
        try:
            loaded = onnx_asr.load_model(
                model.options.get("variant"),
                model.folder,
                quantization=quantization,
                sess_options=session,
                providers=wanted,
            )
        except (ModelLoadingError, OSError) as error:
            raise EngineError(f"Model {model.id!r} does not load: {' '.join(str(error).split())[:300]}") from error
        sessions = [part for part in vars(loaded.asr).values() if isinstance(part, onnxruntime.InferenceSession)]
        used = onnx_device.device_of(sessions)
        if device != "auto" and used.partition(":")[0] != device.partition(":")[0]:
            raise UnsupportedDeviceError(f"Device {device!r} is not available: ONNX Runtime took {used} instead.")
        return _OnnxAsr(loaded, precision, settings, used)


engine = _Engine()
