"""mlx-audio: LFM2.5-Audio, Parakeet, Qwen3-ASR, Voxtral and others on MLX, Apple's library for its own chips.

The library adds noise to the sound before LFM2.5-Audio hears it, as training does; liquid-audio does not, and neither
does this. Its other models are called by the one function that they share, and told the language if they take one.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from earwitness.engines import mlx_device
from earwitness.engines.base import DeviceSupport, EngineSpec, ModelFiles, settings_in_force, sole_file
from earwitness.engines.blocks import in_blocks
from earwitness.engines.contract import whisper_code
from earwitness.engines.lfm2_audio import LONGEST_S, SEARCH_SHARE, SHORTEST_S, system_turn, token_limit
from earwitness.engines.segments import words_of
from earwitness.errors import EngineError, SettingsError
from earwitness.types import Audio, Segment, Settings, Transcript

SPEC = EngineSpec(
    name="mlx-audio",
    summary="LFM2.5-Audio, Parakeet, Qwen3-ASR and Voxtral on MLX, for Apple's chips",
    imports=("mlx", "mlx_audio"),
    packages=("mlx-audio", "mlx", "transformers"),
    devices={
        "cpu": DeviceSupport("experimental", "MLX is made for Apple's chips; on Linux its wheel computes on one core"),
        "cuda": DeviceSupport("experimental", "it takes MLX's CUDA build: pip install 'mlx[cuda]'"),
        "mps": DeviceSupport("supported", "not run here"),
        "tpu": DeviceSupport("unsupported", "MLX has no TPU backend"),
    },
    fixed={
        "beam_size": 1,
        "temperature_fallback": False,
        "context": False,
        "vad": False,
        "batch_size": 1,
        "threads": None,
    },
    parameter_bytes={"cpu": 4, "cuda": 2, "mps": 2},
    requirements=("mlx-audio==0.6.2", "mlx[cpu]>=0.32"),
)
_IM_END, _AUDIO_START = 7, 128


class _MlxAudio:
    def __init__(self, mx: Any, model: Any, hear: _Lfm | _Speech, settings: Settings) -> None:
        self.device = mlx_device.device_of(mx)
        self._longest_s = min(settings.chunk_s, LONGEST_S)
        self.in_force: Mapping[str, Any] = settings_in_force(
            SPEC,
            settings,
            precision=mlx_device.precision_of(model),
            chunk_s=self._longest_s,
            **({} if hear.takes_language else {"language": None}),
            **({} if hear.has_times else {"timestamps": "none"}),
        )
        self._mx, self._hear = mx, hear

    def transcribe(self, audio: Audio, *, language: str | None) -> Transcript:
        return in_blocks(audio, self._longest_s, self._block, language, SEARCH_SHARE)

    def _block(self, audio: Audio, language: str | None) -> Transcript:
        lacking = int(SHORTEST_S * audio.sample_rate_hz) - len(audio.samples)
        samples = np.pad(np.asarray(audio.samples, np.float32), (0, max(0, lacking)))
        return self._hear(self._mx.array(samples), audio, language)

    def synchronize(self) -> None:
        self._mx.synchronize()

    def peak_device_bytes(self) -> int | None:
        return mlx_device.peak_bytes(self._mx, self.device)

    def close(self) -> None:
        del self._hear
        self._mx.clear_cache()


class _Lfm:
    has_times = takes_language = False

    def __init__(self, folder: str, model_id: str) -> None:
        from mlx_audio.sts.models import lfm_audio

        self.model = lfm_audio.LFM2AudioModel.from_pretrained(folder)
        self._processor = lfm_audio.LFM2AudioProcessor.from_pretrained(folder)
        self._processor.audio_preprocessor.config.dither = 0.0
        self._chat, self._id = lfm_audio.ChatState, model_id

    def __call__(self, samples: Any, audio: Audio, language: str | None) -> Transcript:
        chat = self._chat(self._processor)
        chat.new_turn("system")
        chat.add_text(system_turn(language, self._id))
        chat.end_turn()
        chat.new_turn("user")
        chat.add_audio(samples, audio.sample_rate_hz)
        chat.end_turn()
        chat.new_turn("assistant")
        ids: list[int] = []
        remarks: tuple[str, ...] = ("token_limit",)
        for each, _ in self.model.generate_sequential(**dict(chat), max_new_tokens=token_limit(audio.duration_s)):
            token = int(each.item())
            if token in (_IM_END, _AUDIO_START):
                remarks = () if token == _IM_END else ("audio_reply",)
                break
            ids.append(token)
        text = self._processor.tokenizer.decode(ids, skip_special_tokens=True).strip()
        return Transcript(text, language=language, covered_s=audio.duration_s, remarks=remarks)


class _Speech:
    def __init__(self, folder: Path, settings: Settings) -> None:
        from mlx_audio.stt.utils import load_model

        # Without "strict", tensors that are missing would be random numbers.
        self.model = load_model(folder, strict=True)
        self.has_times = "parakeet" in type(self.model).__module__
        self.takes_language = "language" in inspect.signature(self.model.generate).parameters
        self._kind = settings.timestamps

    def __call__(self, samples: Any, audio: Audio, language: str | None) -> Transcript:
        asked = {"language": language_name(language)} if self.takes_language else {}
        found = self.model.generate(samples, verbose=False, **asked)
        sentences = getattr(found, "sentences", ())
        tokens = [token for sentence in sentences for token in sentence.tokens]
        return Transcript(
            text=found.text.strip(),
            segments=tuple(Segment(s.start, s.end, s.text.strip()) for s in sentences) if self._kind != "none" else (),
            words=words_of([t.text for t in tokens], [t.start for t in tokens], None, audio.duration_s)
            if self._kind == "word"
            else None,
            language=language,
            covered_s=audio.duration_s,
        )


def language_name(language: str | None) -> str | None:
    """Return the English name of a language, by which models of this library are told it.

    Raises:
        EngineError: For a language that the library has no name for.
    """
    from mlx_audio.stt.models.whisper.tokenizer import LANGUAGES

    if language is None:
        return None
    name = LANGUAGES.get(whisper_code(language))
    if name is None:
        raise EngineError(f"This model does not know the language {language!r}. You can force one: --set language=en")
    return str(name)


class _Engine:
    spec = SPEC

    def load(self, model: ModelFiles, device: str, settings: Settings) -> _MlxAudio:
        import mlx.core as mx

        folder = sole_file(model, "config.json").parent
        used = mlx_device.resolve(mx, device)
        if settings.precision not in ("auto", *mlx_device.PRECISIONS):
            raise SettingsError(
                f"Precision {settings.precision!r} is not available; available: {', '.join(mlx_device.PRECISIONS)}."
            )
        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            is_lfm = "encoder" in config and "lfm" in config
            hear = _Lfm(str(folder), model.id) if is_lfm else _Speech(folder, settings)
        except (ValueError, TypeError, KeyError, OSError) as error:
            why = " ".join(str(error).split())[:300]
            raise EngineError(f"The checkpoint in {str(folder)!r} does not load: {why}") from error
        if settings.timestamps == "word" and not hear.has_times:
            raise SettingsError(f"Model {model.id!r} has no word times. Ask for timestamps=segment.")
        if settings.precision != "auto" or used == "cpu":
            # As it is stored on a GPU; a CPU computes in float32 at best.
            mlx_device.set_precision(mx, hear.model, "float32" if settings.precision == "auto" else settings.precision)
        return _MlxAudio(mx, hear.model, hear, settings)


engine = _Engine()
