"""A plain loop over faster-whisper, and a job of ours over the same clips: what benchmarks of speed begin with."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from earwitness import data, weights
from earwitness.engines.catalog import find
from earwitness.records.environment import environment, usable_cores
from earwitness.records.record import RunLimits, Selection
from earwitness.records.speed import SpeedProtocols
from earwitness.records.store import read_clips
from earwitness.runs.drive import Job
from earwitness.types import Settings

PLAIN = """
import json, sys, time
from faster_whisper import WhisperModel, decode_audio

def read(file):
    import soundfile, soxr
    samples, rate_hz = soundfile.read(file, dtype="float32")
    return soxr.resample(samples, rate_hz, 16000, "HQ") if rate_hz != 16000 else samples

decode = {"soxr": read, "av": decode_audio}[sys.argv[3]]
folder, threads, files = sys.argv[1], int(sys.argv[2]), json.load(sys.stdin)
model = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=threads)
started = time.perf_counter()
texts = []
for file in files:
    pieces, _ = model.transcribe(decode(file), language="en", beam_size=1, temperature=0.0,
                                 condition_on_previous_text=False)
    texts.append("".join(piece.text for piece in pieces).strip())
json.dump({"seconds": time.perf_counter() - started, "texts": texts}, sys.stdout)
"""


def plain(folder: Path, files: list[str], decoder: str = "soxr") -> tuple[float, list[str]]:
    """Seconds and texts of a plain loop."""
    command = [sys.executable, "-c", PLAIN, str(folder), str(usable_cores()), decoder]
    # As our workers: with more threads, numpy rounds the features otherwise, and some texts are others.
    around = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, input=json.dumps(files), env=around, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    return answer["seconds"], answer["texts"]


def job(given: argparse.Namespace, warmup: int, measure: SpeedProtocols) -> tuple[Job, Path]:
    """What the options ask for, with the loop's settings, and the folder of the weights."""
    model = find(given.model)
    folder = weights.require(model)
    if folder is None:
        raise SystemExit(f"{model.id} has no weights to load")
    speech = {"kind": "speech"} if given.data != "librivox-mini" else None
    made = Job(
        model=model,
        folder=folder,
        weights_sha256=weights.fingerprint(model),
        dataset=data.load(given.data, limit=given.limit, tags=speech),
        selection=Selection(given.data),
        device="cpu",
        settings=Settings(language="en"),
        limits=RunLimits(warmup=warmup),
        measure=measure,
    )
    return made, folder


def options(doc: str | None, rounds: int) -> argparse.ArgumentParser:
    """The options that these benchmarks share."""
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.add_argument("--model", default="faster-whisper:tiny.en")
    parser.add_argument("--data", default="telephony-en")
    parser.add_argument("--limit", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=rounds)
    return parser


def texts(record: Path) -> list[str]:
    """What was heard, clip by clip."""
    heard = [result.hypothesis.transcript for result in read_clips(record)]
    return [transcript.text if transcript else "" for transcript in heard]


def about(made: Job) -> str:
    """What was measured on what, in a line."""
    clips = f"{len(made.dataset.clips)} clips, {made.dataset.audio_s:.0f} s of audio"
    return f"{clips}, {made.model.id}, {environment().cpu}, {usable_cores()} cores"


def spread(ratios: list[float]) -> str:
    """The median of the ratios and their middle half, in words."""
    low, median, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    return f"median {median:.3f}, middle half {low:.3f} to {high:.3f}, of {len(ratios)} turns"
