"""How much memory a worker takes for audio of a length, and how long it takes: prompts joined until they are as long.

    python benchmarks/serve_memory.py [--model faster-whisper:tiny.en] [--data telephony-en] [--lengths 3,160,620,1800]

Every length has a worker of its own with one thread, so that no peak is another's. Memory is the peak of its resident
set (VmHWM), which is what a decision promises as ``peak_rss_bytes``; the slope is between the shortest and the longest,
and is not printed for one length.
``earwitness serve`` and ``deploy`` reckon with it: src/earwitness/server/fit.py.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from earwitness import data, weights
from earwitness.audio import decode_to
from earwitness.engines.catalog import find
from earwitness.types import Settings
from earwitness.workers.worker import Worker

RATE_HZ = 16_000


def main() -> None:
    """Print a line a length."""
    arguments = argparse.ArgumentParser(description="Memory of a worker by length of audio.")
    arguments.add_argument("--model", default="faster-whisper:tiny.en")
    arguments.add_argument("--data", default="telephony-en")
    arguments.add_argument("--lengths", default="3,160,620,1800")
    given = arguments.parse_args()
    model = find(given.model)
    weights.pull(model)
    lengths = sorted(float(length) for length in given.lengths.split(","))
    peaks = []
    with tempfile.TemporaryDirectory() as folder:
        speech = joined(given.data, max(lengths), Path(folder))
        for length in lengths:
            path = Path(folder) / "audio.f32"
            speech[: round(length * RATE_HZ)].tofile(path)
            settings = Settings(threads=1)
            with Worker(model.engine, model.id, weights.require(model), "cpu", settings, options=model.options) as one:
                answer = one.transcribe(path, round(length * RATE_HZ), RATE_HZ, "en", budget_s=7200)
            peaks.append(answer.peak_rss_bytes or 0)
            print(f"{length:g} s: {peaks[-1] / (1 << 20):.0f} MiB, {answer.wall_s:.1f} s of work", flush=True)
    if lengths[-1] > lengths[0]:
        slope = (peaks[-1] - peaks[0]) / (lengths[-1] - lengths[0])
        print(f"slope: {slope / (1 << 10):.0f} KiB for each second of audio")


def joined(name: str, seconds: float, folder: Path) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Return speech of at least such a length: the clips of a dataset one after the other, again and again."""
    pieces: list[np.ndarray[tuple[int], np.dtype[np.float32]]] = []
    have = 0
    clips = data.load(name).clips
    while have < seconds * RATE_HZ:
        for clip in clips:
            target = folder / "piece.f32"
            decode_to(clip.audio_path, target, rate_hz=RATE_HZ, longest_s=3600)
            pieces.append(np.fromfile(target, "<f4"))
            have += len(pieces[-1])
            if have >= seconds * RATE_HZ:
                break
    return np.concatenate(pieces)


if __name__ == "__main__":
    main()
