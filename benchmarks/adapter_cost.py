"""What an engine's adapter costs beyond a plain call of its library. Target: at most 2 % of the wall time.

    python benchmarks/adapter_cost.py ENGINE FOLDER CLIPS.npz [--rounds 5]

ENGINE is one of those in PLAIN; FOLDER its converted Whisper, multilingual for onnx-asr, or an LFM2-Audio for
mlx-audio; CLIPS.npz holds 16 kHz float32 arrays (``--make-clips DATA`` writes one, and runs nothing). Run it with the
interpreter of the engine, with ``src`` on PYTHONPATH. All sides use one loaded model in one process and transcribe the
same clips with the same settings (greedy, English, no fall-back, segment times).

A turn is three calls with one clip: plain, adapter, plain, and in the next turn adapter, plain, adapter. Its ratio is
that of the middle call to the mean of its two neighbours, the other way round in every other turn: neither a machine
that becomes slower nor the place in the turn shows in the median. The control is the last call to the first, which are
of one side: its middle half tells how little a single ratio says. The first round is not counted. Beside wall time
stands processor time, which suffers less from other work on the machine. Equal texts are checked.

Where the control's middle half is wide, a ratio cannot show 2 %. So a profile of one more call with each clip adds up
the processor time of each side's own functions, without the library's, and of what they call of numpy and of C. A
profile only lengthens it.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

import earwitness
from earwitness.engines.base import ModelFiles
from earwitness.engines.lfm2_audio import system_turn, token_limit
from earwitness.types import Audio, Settings

Heard = Callable[[Any], str]
SIDES = ("plain", "adapter")
OURS = (str(Path(earwitness.__file__).parent), __file__)


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


def plain_mlx_audio(model: Any) -> Heard:
    library, mx = import_module("mlx_audio.sts.models.lfm_audio"), import_module("mlx.core")
    native, processor = model._hear.model, model._hear._processor

    def heard(x: Any) -> str:
        chat = library.ChatState(processor)
        chat.new_turn("system")
        chat.add_text(system_turn("en", "mlx-audio"))
        chat.end_turn()
        chat.new_turn("user")
        chat.add_audio(mx.array(x), 16_000)
        chat.end_turn()
        chat.new_turn("assistant")
        ids: list[int] = []
        for token, _ in native.generate_sequential(**dict(chat), max_new_tokens=token_limit(len(x) / 16_000)):
            ids.append(token.item())
            if ids[-1] in (library.model.IM_END_TOKEN, library.model.AUDIO_START_TOKEN):
                break
        return str(processor.tokenizer.decode(ids, skip_special_tokens=True).strip())

    return heard


PLAIN = {
    "mlx-audio": plain_mlx_audio,
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


@dataclass(frozen=True)
class Turn:
    """Wall time and processor time, of the adapter to the plain call, and of the last call to the first."""

    ratio: Any
    control: Any
    plain_cpu_s: float
    texts_equal: bool


def turn(sides: dict[str, Heard], samples: Any, *, middle: str) -> Turn:
    """Call one side between two calls of the other one."""
    (outer,) = {*SIDES} - {middle}
    (first, one), (between, two), (last, three) = (timed(sides[side], samples) for side in (outer, middle, outer))
    raw = between / ((first + last) / 2)
    return Turn(
        ratio=raw if middle == "adapter" else 1 / raw,
        control=last / first,
        plain_cpu_s=float((first if outer == "plain" else between)[1]),
        texts_equal=len({" ".join(text.split()) for text in (one, two, three)}) == 1,
    )


def spread(found: list[Any]) -> str:
    """Return the median of wall and processor time, each with the middle half."""
    wall, cpu = (f"{m:.3f} ({a:.3f} to {b:.3f})" for a, m, b in np.percentile(found, (25, 50, 75), axis=0).T)
    return f"wall {wall}, CPU {cpu}"


def own_seconds(heard: Heard, samples: Any) -> float:
    """Processor seconds in a side's functions here, and in those of numpy and of C that they call themselves."""
    profile = cProfile.Profile(time.thread_time)
    profile.runcall(heard, samples)
    found = 0.0
    stats: dict[tuple[str, int, str], Any] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    for (file, *_), (_, _, own_s, _, callers) in stats.items():
        ours = [times for (caller, *_), times in callers.items() if caller.startswith(OURS)]
        if file.startswith(OURS):
            found += own_s
        elif "/numpy/" in file or file == "~":
            found += sum(whole_s if "/numpy/" in file else own_s for _, _, own_s, whole_s in ours)
    return found


def make_clips(source: str, target: Path) -> None:
    from earwitness import data
    from earwitness.audio import decode

    clips = [clip for clip in data.load(source).clips if clip.reference and clip.duration_s > 2][:5]
    np.savez(target, *(decode(clip.audio_path).samples for clip in clips))


def main() -> None:
    """Print a line a round, and the medians."""
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
    turns: list[Turn] = []
    for number in range(given.rounds + 1):
        found = [turn(sides, samples, middle=SIDES[(number + n) % 2]) for n, samples in enumerate(clips)]
        wall, cpu = np.median([each.ratio for each in found], axis=0)
        print(f"round {number}: ratio {wall:.3f}, {cpu:.3f} of CPU", flush=True)
        turns += found if number else []
    print(f"{given.engine}, {len(clips)} clips, {sum(map(len, clips)) / 16_000:.0f} s of audio, {len(turns)} turns")
    print(
        f"adapter to plain call, median and middle half: {spread([each.ratio for each in turns])}; target: at most 1.02"
    )
    print(f"last call to the first, of one side: {spread([each.control for each in turns])}")
    own = {side: 1000 * np.median([own_seconds(sides[side], samples) for samples in clips]) for side in SIDES}
    plain = 1000 * np.median([each.plain_cpu_s for each in turns])
    print(
        f"own functions: adapter {own['adapter']:.2f} ms of CPU, plain {own['plain']:.2f}; a plain call: {plain:.0f} ms"
    )
    print(f"texts that differ: {sum(not each.texts_equal for each in turns)}")


if __name__ == "__main__":
    main()
