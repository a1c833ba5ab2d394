"""Peak memory of a run over 10 minutes and over 10 hours of audio. Target: the same.

    python benchmarks/memory_flat.py [--model faster-whisper:tiny.en] [--minutes 10 600] [--data sample]

A recording of each length is made by repeating the clips of a dataset, as FLAC, 16 kHz. Each is run in a process of its
own, which reports its own peak and its worker's. A model takes its time: faster-whisper:tiny.en some 15 minutes for ten
hours on two cores. ``--model fake:echo`` shows the harness alone in a minute.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from earwitness import data
from earwitness.audio import decode
from earwitness.records.environment import environment, usable_cores

RUN = """
import json, sys
from pathlib import Path
from earwitness.runs.plan import plan
from earwitness.runs.spec import RunSpec
from earwitness.runs.drive import start
from earwitness.records.store import read_clips, read_run
from earwitness.workers.host_memory import peak_rss_bytes
(task,) = plan(RunSpec(sources=(sys.argv[1],), models=(sys.argv[2],), language="en"))
path = start(task.job, Path(sys.argv[3]), lambda *_: None)
(result,) = read_clips(path)
if result.hypothesis.failure is not None:
    raise SystemExit(result.hypothesis.failure.message)
words = len(result.hypothesis.transcript.text.split())
print(json.dumps([peak_rss_bytes(), read_run(path).workers.peak_rss_bytes, words]))
"""


def make(path: Path, minutes: float, source: str) -> None:
    """Write a recording of that length, clip after clip, without holding it in memory."""
    clips = [
        decode(clip.audio_path, start_s=clip.start_s, duration_s=clip.duration_s).samples
        for clip in data.load(source, limit=200).clips
    ]
    with soundfile.SoundFile(path, "w", 16_000, 1) as file:
        left = int(minutes * 60 * 16_000)
        while left > 0:
            for samples in clips:
                file.write(np.clip(samples[:left], -1, 1))
                left -= len(samples[:left])


def main() -> None:
    """Print a line a length, and the ratios of the peaks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--model", default="faster-whisper:tiny.en")
    parser.add_argument("--minutes", type=float, nargs=2, default=[10.0, 600.0])
    parser.add_argument("--data", default="sample")
    given = parser.parse_args()
    peaks = []
    with tempfile.TemporaryDirectory() as folder:
        for minutes in given.minutes:
            recording = Path(folder) / f"{minutes:g}-minutes.flac"
            make(recording, minutes, given.data)
            started = time.perf_counter()
            command = [sys.executable, "-c", RUN, str(recording), given.model, str(Path(folder) / "runs")]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(done.stderr)
            parent, worker, words = json.loads(done.stdout)
            peaks.append((parent, worker))
            print(
                f"{minutes:6g} min: earwitness {parent / 2**20:5.0f} MiB, worker {worker / 2**20:5.0f} MiB, "
                f"{words} words, {time.perf_counter() - started:.0f} s",
                flush=True,
            )
            recording.unlink()
    (parent, worker), (long_parent, long_worker) = peaks
    print(f"{given.model}, {environment().cpu}, {usable_cores()} cores")
    print(f"ratio of the peaks: earwitness {long_parent / parent:.2f}, worker {long_worker / worker:.2f}")


if __name__ == "__main__":
    main()
