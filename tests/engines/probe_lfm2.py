"""Runs the engine on a tiny checkpoint, in the engine's own interpreter, and prints what happened as one JSON object.

python probe_lfm2.py EMPTY_FOLDER
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from earwitness.engines.base import ModelFiles
from earwitness.engines.contract import conform
from earwitness.engines.lfm2_audio import engine, token_limit
from earwitness.types import Audio, Settings, Transcript

RATE_HZ = 16_000
ONE_THREAD = Settings(threads=1)


def load(folder: Path, device: str = "cpu", settings: Settings = ONE_THREAD) -> Any:
    return engine.load(ModelFiles("lfm2.5-audio:tiny", folder), device, settings)


def sound(seconds: float) -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal(round(seconds * RATE_HZ)).astype(np.float32) / 10
    noise[int(24 * RATE_HZ) : int(24.5 * RATE_HZ)] = 0
    return noise


def refusal(call: Callable[[], object]) -> str:
    try:
        call()
    except Exception as error:  # noqa: BLE001 - its kind is what is asked for
        return f"{type(error).__name__}: {error}"
    return "no error"


def told(transcript: Transcript) -> dict[str, Any]:
    return {"text": transcript.text, "remarks": transcript.remarks, "covered_s": transcript.covered_s}


def plain_call(folder: Path, samples: np.ndarray) -> str:
    """What the library's own page does, with what it leaves out on a machine without CUDA."""
    import torch
    from liquid_audio import ChatState, LFM2AudioModel, LFM2AudioProcessor

    processor = LFM2AudioProcessor.from_pretrained(folder, device="cpu").eval()
    model = LFM2AudioModel.from_pretrained(folder, dtype=torch.float32, device="cpu").eval()
    chat = ChatState(processor, dtype=torch.float32)
    chat.new_turn("system")
    chat.add_text("Perform ASR.")
    chat.end_turn()
    chat.new_turn("user")
    chat.add_audio(torch.from_numpy(samples).unsqueeze(0), RATE_HZ)
    chat.end_turn()
    chat.new_turn("assistant")
    made = list(model.generate_sequential(**chat, max_new_tokens=token_limit(len(samples) / RATE_HZ)))
    return str(processor.text.decode(torch.cat(made), skip_special_tokens=True)).strip()


def without(folder: Path, target: Path, lost: str, *, shape_of: bool = False) -> Path:
    """A copy of a checkpoint that lacks every tensor whose name has a word in it, or has them in another shape."""
    from safetensors.torch import load_file, save_file

    shutil.copytree(folder, target)
    tensors = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in tensors.items() if lost not in name}
    if shape_of:
        kept |= {name: tensors[name].flatten()[:1].clone() for name in tensors.keys() - kept.keys()}
    save_file(kept, target / "model.safetensors", metadata={"format": "pt"})
    return target


def main(folder: Path) -> dict[str, Any]:
    import torch

    sys.path.insert(0, str(Path(__file__).parent))  # a worker's Python leaves the folder of its script out
    from make_tiny_lfm2 import make  # type: ignore[import-not-found]  # a script beside this one

    tiny = folder / "tiny"
    make(tiny)
    model = load(tiny)
    found: dict[str, Any] = {
        "device": model.device,
        "in_force": dict(model.in_force),
        "training": [part.training for part in (model._model, model._processor.audio)],
        "lengths": {str(s): told(model.transcribe(Audio(sound(s), RATE_HZ), language="en")) for s in (0, 0.1, 3, 70)},
        "again": told(model.transcribe(Audio(sound(3), RATE_HZ), language="en")),
        "plain": plain_call(tiny, sound(3)),
    }
    wave = sound(3)
    shapes = {
        "float64": wave.astype(np.float64),
        "stereo": np.stack([wave, wave]),
        "int16": (wave * 32767).astype("i2"),
    }
    found["layouts"] = {
        name: model.transcribe(conform(samples, RATE_HZ), language="en").text for name, samples in shapes.items()
    }
    found["rates"] = [len(model.transcribe(Audio(wave, rate), language="en").text) for rate in (8000, 44_100)]
    for name, token in (("says_end", 7), ("says_audio", 128)):
        model._model._sample_text_token = lambda *_, token=token, **__: torch.tensor([token])
        found[name] = told(model.transcribe(Audio(wave, RATE_HZ), language="en"))
    model.close()
    found["precisions"] = {
        name: load(tiny, settings=Settings(threads=1, precision=name)).in_force["precision"]
        for name in ("float32", "bfloat16", "float16")
    }
    found["refused"] = {
        "missing": refusal(lambda: load(without(tiny, folder / "missing", "lfm.layers.1"))),
        "one missing": refusal(
            lambda: load(without(tiny, folder / "one", "conformer.layers.0.conv.batch_norm.running_mean"))
        ),
        "shape": refusal(lambda: load(without(tiny, folder / "shape", "audio_adapter", shape_of=True))),
        "int8": refusal(lambda: load(tiny, settings=Settings(threads=1, precision="int8"))),
        "cuda": "" if torch.cuda.is_available() else refusal(lambda: load(tiny, "cuda")),
        "mps": "" if torch.backends.mps.is_available() else refusal(lambda: load(tiny, "mps")),
        "no folder": refusal(lambda: load(folder / "nothing")),
    }
    return found


if __name__ == "__main__":
    print("\n" + json.dumps(main(Path(sys.argv[1]))))
