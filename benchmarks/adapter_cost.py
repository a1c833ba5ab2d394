"""What an engine's adapter costs beyond a plain call of its library. Target: at most 2 % of the wall time.

    python benchmarks/adapter_cost.py ENGINE FOLDER CLIPS.npz [--rounds 5]

ENGINE is one of those in PLAIN; FOLDER its converted Whisper, multilingual for onnx-asr; CLIPS.npz holds 16 kHz
float32 arrays (``--make-clips DATA`` writes one, and runs nothing). Run it with the interpreter of the engine, with
``src`` on PYTHONPATH. Both sides use one loaded model in one process, transcribe the same clips with the same settings
(greedy, English, no fall-back, segment times), and take turns, clip by clip, beginning with the other one each round;
a ratio is that of a round's sums, and the first round is not counted. Beside wall time stands processor time, which
suffers less from other work on the machine. Equal texts are checked.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from earwitness.engines.base import ModelFiles
from earwitness.types import Audio, Settings

Heard = Callable[[Any], str]


def plain_whisper(model: Any) -> Heard:
    native = model._model
    return lambda x: native.transcribe(x, language="en", temperature=0.0, condition_on_previous_text=False, fp16=False)[
        "text"
    ].strip()


def plain_transformers(model: Any) -> Heard:
    import torch

    native, processor = model._parts.model, model._parts.processor
    options = {"language": "en", "task": "transcribe"} if native.generation_config.is_multilingual else {}

    def heard(x: Any) -> str:
        long = {"truncation": False, "padding": "longest", "return_attention_mask": True} if len(x) > 480_000 else {}
        inputs = processor(x, sampling_rate=16_000, return_tensors="pt", **long)
        with torch.inference_mode():
            ids = native.generate(**inputs, return_timestamps=True, num_beams=1, **options)
        return str(processor.batch_decode(ids, skip_special_tokens=True)[0].strip())

    return heard


def plain_whisper_cpp(model: Any) -> Heard:
    native = model._model
    return lambda x: " ".join(segment.text for segment in native.transcribe(x, language="en"))


def plain_faster_whisper(model: Any) -> Heard:
    native = model._model

    def heard(x: Any) -> str:
        pieces, _ = native.transcribe(x, language="en", beam_size=1, temperature=0.0, condition_on_previous_text=False)
        return "".join(piece.text for piece in pieces).strip()

    return heard


def plain_mlx_whisper(model: Any) -> Heard:
    library, native = import_module("mlx_whisper.transcribe"), model._model
    library.ModelHolder.model, library.ModelHolder.model_path = native, ""
    options = {"temperature": 0.0, "condition_on_previous_text": False, "fp16": False}
    return lambda x: library.transcribe(x, path_or_hf_repo="", language="en", **options)["text"].strip()


def plain_onnx_asr(model: Any) -> Heard:
    native = model._call._asr

    def heard(x: Any) -> str:
        (found,) = native.recognize_batch(x[None], np.array([len(x)], np.int64), language="en")
        return str(found.text)

    return heard


PLAIN = {
    "mlx-whisper": plain_mlx_whisper,
    "onnx-asr": plain_onnx_asr,
    "whisper": plain_whisper,
    "transformers": plain_transformers,
    "whisper-cpp": plain_whisper_cpp,
    "faster-whisper": plain_faster_whisper,
}


def timed(heard: Heard, samples: Any) -> tuple[Any, str]:
    """Wall and processor seconds, and the text."""
    started = np.array([time.perf_counter(), time.process_time()])
    text = heard(samples)
    return np.array([time.perf_counter(), time.process_time()]) - started, text


def make_clips(source: str, target: Path) -> None:
    from earwitness import data
    from earwitness.audio import decode

    clips = [clip for clip in data.load(source).clips if clip.reference and clip.duration_s > 2][:5]
    np.savez(target, *(decode(clip.audio_path).samples for clip in clips))


def main() -> None:
    """Print a line a round, and the median."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("engine", choices=PLAIN)
    parser.add_argument("folder", type=Path)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--make-clips", metavar="DATA", help="write CLIPS.npz from a dataset, and stop")
    given = parser.parse_args()
    if given.make_clips:
        make_clips(given.make_clips, given.clips)
        return
    clips = list(np.load(given.clips).values())
    engine = import_module(f"earwitness.engines.{given.engine.replace('-', '_')}").engine
    settings = Settings(threads=given.threads, precision="float32" if given.engine == "faster-whisper" else "auto")
    model = engine.load(ModelFiles(given.engine, given.folder), "cpu", settings)
    sides: dict[str, Heard] = {
        "plain": PLAIN[given.engine](model),
        "adapter": lambda x: model.transcribe(Audio(x, 16_000), language="en").text,
    }
    ratios, differ = [], 0
    for turn in range(given.rounds + 1):
        seconds = {side: np.zeros(2) for side in sides}
        for n, samples in enumerate(clips):
            texts = {}
            for side in sorted(sides, reverse=bool((turn + n) % 2)):
                took, texts[side] = timed(sides[side], samples)
                seconds[side] += took
            differ += " ".join(texts["plain"].split()) != " ".join(texts["adapter"].split())
        ratio = seconds["adapter"] / seconds["plain"]
        print(
            f"round {turn}: plain {seconds['plain'][0]:.2f} s, ratio {ratio[0]:.3f}, {ratio[1]:.3f} of CPU", flush=True
        )
        ratios += [ratio] if turn else []
    audio_s = sum(map(len, clips)) / 16_000
    print(f"{given.engine}, {len(clips)} clips, {audio_s:.0f} s of audio, Python {sys.version.split()[0]}")
    wall, cpu = np.median(ratios, axis=0)
    print(
        f"adapter to plain call, median of {len(ratios)} rounds: wall {wall:.3f}, CPU {cpu:.3f} (target: at most 1.02)"
    )
    print(f"texts that differ: {differ}")


if __name__ == "__main__":
    main()
