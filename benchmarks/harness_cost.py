"""What Earwitness costs beyond a plain loop over faster-whisper. Target: at most 2 % of the wall time, equal texts.

    python benchmarks/harness_cost.py [--model faster-whisper:tiny.en] [--data telephony-en] [--limit 60] [--rounds 10]

Both sides decode the same mono files from disk, resample them with soxr and transcribe them with the same weights and
settings in a process of their own; loading is left out on both sides. Ours has everything else in it: decoding and
resampling, the pipe, scoring with 10,000 rounds of bootstrap, writing the record. A turn is the plain loop, ours, and
the plain loop again, beginning with another one each time; the ratio is taken within a turn, to the mean of the two
loops. The two loops against each other, the same program twice, show what the machine's mood alone does to a ratio.
"Beside the engine" is what our side spent outside the engine's own clock, decoding included: it does not suffer from
that mood, and bounds what a better harness could save. The loop imports its decoder after the model, as the worker has
none: importing soundfile and soxr first moves the model in memory and makes the very same loop some 5 % faster on an
AMD EPYC, a bias of layout (Mytkowicz et al. 2009) that has nothing to do with either side. At the end, a loop that
decodes with faster-whisper's own resampler shows how many texts hang on that choice.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from earwitness import data, weights
from earwitness.engines.catalog import find
from earwitness.runs.drive import Job, start
from earwitness.runs.environment import environment, usable_cores
from earwitness.runs.record import Limits, Selection
from earwitness.runs.store import read_clips, read_run
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
    done = subprocess.run(command, input=json.dumps(files), capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    return answer["seconds"], answer["texts"]


def ours(job: Job) -> tuple[float, float, list[str]]:
    """Seconds without starting and loading the worker, how many of them beside the engine, and texts of a run."""
    with tempfile.TemporaryDirectory() as out:
        started = time.perf_counter()
        path = start(job, Path(out), lambda *_: None)
        seconds = time.perf_counter() - started
        info = read_run(path).workers
        if info is None:
            raise SystemExit("the run failed")
        heard = [result.hypothesis for result in read_clips(path)]
    seconds -= info.spawn_s + info.load_s
    texts = [hypothesis.transcript.text if hypothesis.transcript else "" for hypothesis in heard]
    return seconds, seconds - sum(hypothesis.wall_s or 0.0 for hypothesis in heard), texts


def spread(ratios: list[float]) -> str:
    """The median of the ratios and their middle half, in words."""
    low, median, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    return f"median {median:.3f}, middle half {low:.3f} to {high:.3f}, of {len(ratios)} turns"


def main() -> None:
    """Print a line a turn, and the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--model", default="faster-whisper:tiny.en")
    parser.add_argument("--data", default="telephony-en")
    parser.add_argument("--limit", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=10)
    given = parser.parse_args()
    model = find(given.model)
    folder = weights.require(model)
    if folder is None:
        raise SystemExit(f"{model.id} has no weights to load")
    dataset = data.load(
        given.data, limit=given.limit, tags={"kind": "speech"} if given.data != "librivox-mini" else None
    )
    job = Job(
        model=model,
        folder=folder,
        weights_sha256=weights.fingerprint(model),
        dataset=dataset,
        selection=Selection(given.data),
        device="cpu",
        settings=Settings(language="en"),
        limits=Limits(warmup=0),
    )
    files = [clip.audio_path for clip in dataset.clips]
    environment()
    ratios, control, beside, same = [], [], [], True
    for turn in range(given.rounds):
        seconds, heard = {}, {}
        for side in (("first", "ours", "second") * 2)[turn % 3 :][:3]:
            if side == "ours":
                seconds[side], beside_s, heard[side] = ours(job)
                beside.append(beside_s / seconds[side])
            else:
                seconds[side], heard[side] = plain(folder, files)
        ratios.append(seconds["ours"] / (seconds["first"] + seconds["second"]) * 2)
        control.append(seconds["second"] / seconds["first"])
        same &= heard["first"] == heard["ours"] == heard["second"]
        print(
            f"turn {turn + 1}: plain loop {seconds['first']:6.2f} s and {seconds['second']:6.2f} s, "
            f"earwitness {seconds['ours']:6.2f} s, ratio {ratios[-1]:.3f}",
            flush=True,
        )
    print(
        f"{len(files)} clips, {dataset.audio_s:.0f} s of audio, {model.id}, {environment().cpu}, {usable_cores()} cores"
    )
    print(f"earwitness to plain loop: {spread(ratios)} (target: at most 1.02), texts equal: {same}")
    print(f"plain loop to plain loop: {spread(control)}")
    print(f"beside the engine: median {statistics.median(beside):.2%} of the wall time")
    _, other = plain(folder, files, "av")
    differ = sum(a != b for a, b in zip(heard["ours"], other, strict=True))
    print(f"with faster-whisper's own resampler, {differ} of {len(files)} texts differ")


if __name__ == "__main__":
    main()
