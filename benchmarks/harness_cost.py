"""What Earwitness costs beyond a plain loop over faster-whisper. Target: at most 2 % of the wall time, equal texts.

    python benchmarks/harness_cost.py [--model faster-whisper:tiny.en] [--data telephony-en] [--limit 60] [--rounds 5]

Both sides decode the same files from disk and transcribe them with the same weights and settings in a process of their
own; loading is left out on both sides. Ours has everything else in it: decoding and resampling, the pipe, scoring with
10,000 rounds of bootstrap, writing the record. The two take turns; the ratio is taken within a turn.
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
folder, threads, files = sys.argv[1], int(sys.argv[2]), json.load(sys.stdin)
model = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=threads)
started = time.perf_counter()
texts = []
for file in files:
    pieces, _ = model.transcribe(decode_audio(file), language="en", beam_size=1, temperature=0.0,
                                 condition_on_previous_text=False)
    texts.append("".join(piece.text for piece in pieces).strip())
json.dump({"seconds": time.perf_counter() - started, "texts": texts}, sys.stdout)
"""


def plain(folder: Path, files: list[str]) -> tuple[float, list[str]]:
    """Seconds and texts of a plain loop."""
    command = [sys.executable, "-c", PLAIN, str(folder), str(usable_cores())]
    done = subprocess.run(command, input=json.dumps(files), capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    return answer["seconds"], answer["texts"]


def ours(job: Job) -> tuple[float, list[str]]:
    """Seconds, less those of starting and loading the worker, and texts of a run."""
    with tempfile.TemporaryDirectory() as out:
        started = time.perf_counter()
        path = start(job, Path(out), lambda *_: None)
        seconds = time.perf_counter() - started
        info = read_run(path).workers
        if info is None:
            raise SystemExit("the run failed")
        texts = [r.hypothesis.transcript.text if r.hypothesis.transcript else "" for r in read_clips(path)]
        return seconds - info.spawn_s - info.load_s, texts


def main() -> None:
    """Print a line a turn, and the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--model", default="faster-whisper:tiny.en")
    parser.add_argument("--data", default="telephony-en")
    parser.add_argument("--limit", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
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
    ratios, same = [], True
    for turn in range(given.rounds):
        plain_s, plain_texts = plain(folder, files)
        ours_s, our_texts = ours(job)
        ratios.append(ours_s / plain_s)
        same &= plain_texts == our_texts
        print(
            f"turn {turn + 1}: plain loop {plain_s:6.2f} s, earwitness {ours_s:6.2f} s, ratio {ratios[-1]:.3f}",
            flush=True,
        )
    print(
        f"{len(files)} clips, {dataset.audio_s:.0f} s of audio, {model.id}, {environment().cpu}, {usable_cores()} cores"
    )
    print(f"median ratio {statistics.median(ratios):.3f} (target: at most 1.02), texts equal: {same}")


if __name__ == "__main__":
    main()
