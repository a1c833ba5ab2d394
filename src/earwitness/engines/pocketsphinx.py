"""pocketsphinx: a small recogniser from before neural networks; its wheel carries an English model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from earwitness.engines.base import DeviceSupport, EngineSpec, ModelFiles, settings_in_force
from earwitness.engines.blocks import in_blocks
from earwitness.errors import EngineError
from earwitness.types import RATE_HZ, Audio, Segment, Settings, Transcript

_NO_GPU = DeviceSupport("unsupported", "it computes on the CPU only")
SPEC = EngineSpec(
    name="pocketsphinx",
    summary="hidden Markov models and an n-gram language model, on one CPU thread",
    imports=("pocketsphinx",),
    packages=("pocketsphinx",),
    requirements=("pocketsphinx>=5.1",),
    devices={"cpu": DeviceSupport("supported"), "cuda": _NO_GPU, "mps": _NO_GPU, "tpu": _NO_GPU},
    fixed={
        "beam_size": None,
        "temperature_fallback": None,
        "context": None,
        "vad": False,
        "timestamps": "word",
        "precision": "float32",
        "threads": 1,
        "batch_size": 1,
        "chunk_s": 30.0,
    },
)
_FILLERS = ("<s>", "</s>", "<sil>", "[", "++")


class _PocketSphinx:
    def __init__(self, decoder: Any, settings: Settings) -> None:
        self.device = "cpu"
        self.in_force: Mapping[str, Any] = settings_in_force(SPEC, settings)
        self._decoder = decoder
        self._frames_per_s = decoder.config["frate"]

    def transcribe(self, audio: Audio, *, language: str | None) -> Transcript:
        if language is not None and not language.lower().startswith("en"):
            raise EngineError(f"This model knows only English, not {language!r}. You can force one: --set language=en")
        return in_blocks(audio, SPEC.fixed["chunk_s"], self._block, "en")

    def _block(self, audio: Audio, language: str | None) -> Transcript:
        pcm = (np.clip(audio.samples, -1, 1) * 32767).astype(np.int16)
        decoder = self._decoder
        # The decoder carries cepstral mean and noise level from one utterance into the next, and a clip's text would
        # depend on the clips before it. So the front end starts afresh, and is given the block whole to take the mean
        # of that block: fed piece by piece from a fresh start, it hears hardly anything.
        decoder.reinit_feat()
        decoder.start_utt()
        decoder.process_raw(pcm.tobytes(), full_utt=True)
        decoder.end_utt()
        best = decoder.hyp()
        words = tuple(
            Segment(s.start_frame / self._frames_per_s, (s.end_frame + 1) / self._frames_per_s, s.word.split("(")[0])
            for s in decoder.seg() or ()
            if not s.word.startswith(_FILLERS)
        )
        text = best.hypstr if best else ""
        segments = (Segment(words[0].start_s, words[-1].end_s, text),) if words else ()
        return Transcript(text, segments, words, language, covered_s=audio.duration_s)

    def close(self) -> None:
        self._decoder = None


class _Engine:
    spec = SPEC

    def load(self, model: ModelFiles, device: str, settings: Settings) -> _PocketSphinx:
        from pocketsphinx import Decoder

        del device
        if model.folder is None:
            raise EngineError(f"Model {model.id!r} has no model folder. Run: earwitness models pull {model.id}")
        folder = Path(model.folder)
        decoder = Decoder(
            hmm=str(folder / "en-us"),
            lm=str(folder / "en-us.lm.bin"),
            dict=str(folder / "cmudict-en-us.dict"),
            samprate=RATE_HZ,
            logfn=os.devnull,
        )
        return _PocketSphinx(decoder, settings)


engine = _Engine()
