"""LFM2.5-Audio and LFM2-Audio, by Liquid AI's library liquid-audio: an audio language model.

The library is written for CUDA and for chat. What keeps it right elsewhere is here; docs/lfm2-audio.md has the symptoms
of what goes wrong without.
"""

from __future__ import annotations

import gc
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from earwitness.engines import checkpoint, torch_device
from earwitness.engines.base import DeviceSupport, EngineSpec, ModelFiles, settings_in_force
from earwitness.engines.blocks import in_blocks
from earwitness.errors import EngineError, SettingsError
from earwitness.types import Audio, Settings, Transcript

LONGEST_S = 30.0
"""Longest block. The encoder's attention grows with the square of it, and the library has no chunking of its own; of
the 32,768 positions, 30 s take 375, a token limit of 424 included not a fortieth."""
SEARCH_SHARE = 0.5
"""A block ends at the longest pause of its second half."""
SHORTEST_S = 0.1
"""Shorter blocks are filled up with silence: the encoder needs nine frames of 10 ms."""
TOKENS_PER_S = 12
"""Twice what speech needs: the densest of 553 telephone prompts longer than a second has 5.9 a second (Whisper's
vocabulary, which is smaller than this model's), and Japanese, about a token a character, some ten."""
SPARE_TOKENS = 64
"""For a block that is short."""

_IM_END, _AUDIO_START = 7, 128  # fixed in the library's generation loop
_PRECISIONS = ("float32", "bfloat16", "float16")
_NEEDED = ("config.json", "tokenizer_config.json")

SPEC = EngineSpec(
    name="lfm2.5-audio",
    summary="LFM2.5-Audio and LFM2-Audio on PyTorch, greedy, in blocks of up to 30 s",
    imports=("liquid_audio",),
    packages=("liquid-audio", "torch", "torchaudio", "transformers", "accelerate"),
    devices={
        "cpu": DeviceSupport("supported"),
        "cuda": DeviceSupport("supported", "not run here"),
        "mps": DeviceSupport(
            "experimental", "not run here; no operation of transcribing needs float64, which it lacks"
        ),
        "tpu": DeviceSupport("unsupported", "shapes change with every token, and each would be compiled anew"),
    },
    fixed={
        "beam_size": 1,
        "temperature_fallback": False,
        "context": False,
        "vad": False,
        "timestamps": "none",
        "batch_size": 1,
    },
    python=">=3.12",
    parameter_bytes={"cpu": 4, "cuda": 2, "mps": 4},
    requirements=("liquid-audio==1.3.0",),
)


def token_limit(duration_s: float) -> int:
    """Return how many tokens a block may take: 12 a second and 64 more.

    >>> token_limit(30.0), token_limit(0.1)
    (424, 66)
    """
    return SPARE_TOKENS + int(np.ceil(TOKENS_PER_S * duration_s))


def default_precision(torch: Any, device: str) -> str:
    """Return the best precision for a device: ``bfloat16``, as published, if it is fast there.

    CUDA: bfloat16 from Ampere on; older GPUs only imitate it, and float16 has not the range. MPS: float32, in which the
    operations were audited. CPU: bfloat16 with AMX, where it is quicker and takes half the memory; float32 elsewhere:
    on an AMD EPYC with AVX512-BF16 a token took half the time of bfloat16, and where the processor has no bfloat16 at
    all, hearing a block takes 2.6 (AVX-512) to 3.8 times (AVX2) as long in it.
    """
    kind = device.partition(":")[0]
    if kind == "cuda":
        native = torch.cuda.get_device_capability(device)[0] >= 8
    else:
        # The name is private to torch; without it we are slower at worst.
        native = kind == "cpu" and getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)()
    return "bfloat16" if native else "float32"


def system_turn(language: str | None, model_id: str) -> str:
    """Return the instruction that the model was trained on; the Japanese variant has its own.

    >>> system_turn("en", "lfm2.5-audio:1.5b"), system_turn(None, "lfm2.5-audio:1.5b-jp")
    ('Perform ASR.', 'Perform ASR in japanese.')
    """
    japanese = model_id.lower().endswith("-jp") if language is None else language.lower().split("-")[0] == "ja"
    return "Perform ASR in japanese." if japanese else "Perform ASR."


class _Lfm2Audio:
    def __init__(self, torch: Any, library: Any, model: Any, processor: Any, model_id: str, settings: Settings) -> None:
        self.device = torch_device.device_of(model)
        self._dtype = next(model.parameters()).dtype
        self._longest_s = min(settings.chunk_s, LONGEST_S)
        self.in_force: Mapping[str, Any] = settings_in_force(
            SPEC,
            settings,
            language=None,  # it cannot be told one, but for the wording of the instruction
            precision=str(self._dtype).removeprefix("torch."),
            threads=torch.get_num_threads() if self.device == "cpu" else None,
            chunk_s=self._longest_s,
        )
        self._torch, self._library = torch, library
        self._model, self._processor, self._model_id = model, processor, model_id

    def transcribe(self, audio: Audio, *, language: str | None) -> Transcript:
        return in_blocks(audio, self._longest_s, self._block, language, SEARCH_SHARE)

    def _block(self, audio: Audio, language: str | None) -> Transcript:
        lacking = int(SHORTEST_S * audio.sample_rate_hz) - len(audio.samples)
        samples = np.pad(audio.samples, (0, max(0, lacking)))
        with self._torch.inference_mode():
            chat = self._library.ChatState(self._processor, dtype=self._dtype)
            chat.new_turn("system")
            chat.add_text(system_turn(language, self._model_id))
            chat.end_turn()
            chat.new_turn("user")
            chat.add_audio(self._torch.from_numpy(samples).unsqueeze(0), audio.sample_rate_hz)
            chat.end_turn()
            chat.new_turn("assistant")
            ids, remarks = self._generate(chat, token_limit(audio.duration_s))
        # All at once: a letter outside ASCII may be spread over several tokens.
        text = self._processor.text.decode(ids, skip_special_tokens=True).strip()
        return Transcript(text, language=language, covered_s=audio.duration_s, remarks=remarks)

    def _generate(self, chat: Any, limit: int) -> tuple[list[int], tuple[str, ...]]:
        ids: list[int] = []
        for token in self._model.generate_sequential(**chat, max_new_tokens=limit):
            number = int(token)
            if number == _IM_END:
                return ids, ()
            if number == _AUDIO_START:
                return ids, ("audio_reply",)  # what follows is sound, slow to make and of no use here
            ids.append(number)
        return ids, ("token_limit",)

    def synchronize(self) -> None:
        torch_device.synchronize(self._torch, self.device)

    def peak_device_bytes(self) -> int | None:
        return torch_device.peak_bytes(self._torch, self.device)

    def close(self) -> None:
        self._model = self._processor = None
        gc.collect()
        torch_device.release(self._torch, self.device)


class _Engine:
    spec = SPEC

    def load(self, model: ModelFiles, device: str, settings: Settings) -> _Lfm2Audio:
        if settings.precision not in ("auto", *_PRECISIONS):
            known = ", ".join(_PRECISIONS)
            raise SettingsError(
                f"Precision {settings.precision!r} is not available with {SPEC.name!r}; available: {known}."
            )
        if model.folder is None:
            raise EngineError(f"Model {model.id!r} has no weights folder. Run: earwitness models pull {model.id}")
        folder = Path(model.folder)  # the library takes a str for the name of a repository on the hub
        for name in _NEEDED:
            if not (folder / name).is_file():
                raise EngineError(f"Folder {str(folder)!r} has no {name!r}. Get the weights again.")
        stored = checkpoint.stored_shapes(folder)

        import liquid_audio
        import torch

        place = torch_device.resolve(torch, device)
        precision = default_precision(torch, place) if settings.precision == "auto" else settings.precision
        if settings.threads is not None:
            torch.set_num_threads(settings.threads)
        # Both come to the CPU first and move together: the library's own default is CUDA, whatever the machine has.
        processor = liquid_audio.LFM2AudioProcessor.from_pretrained(folder, device="cpu").to(place).eval()
        try:
            loaded = liquid_audio.LFM2AudioModel.from_pretrained(folder, dtype=getattr(torch, precision), device="cpu")
        except (ValueError, OSError, RuntimeError) as error:
            why = " ".join(str(error).split())[:300]
            raise EngineError(f"The checkpoint in {str(folder)!r} does not load: {why}") from error
        checkpoint.require_all(folder, stored, _wanted(loaded, stored))
        loaded = loaded.to(place).eval()  # it comes in training mode, with dropout
        return _Lfm2Audio(torch, liquid_audio, loaded, processor, model.id, settings)


def _wanted(model: Any, shapes: Mapping[str, checkpoint.TensorShape]) -> dict[str, checkpoint.TensorShape]:
    # Parameters, and the statistics of batch normalization; other buffers are computed when the model is built. Names
    # of one storage, as of tied embeddings, are one tensor, and one name of it is enough.
    learnt = {name for name, _ in model.named_parameters(remove_duplicate=False)}
    found = {
        name: tensor
        for name, tensor in model.state_dict().items()
        if name in learnt or name.endswith(("running_mean", "running_var"))
    }
    there = {tensor.data_ptr() for name, tensor in found.items() if name in shapes}
    return {
        name: tuple(tensor.shape) for name, tensor in found.items() if name in shapes or tensor.data_ptr() not in there
    }


engine = _Engine()
