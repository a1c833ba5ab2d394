"""Throughput of a saturated machine against a plain loop over faster-whisper. Target: at least 1.25 times, same texts.

    python benchmarks/throughput.py [--model faster-whisper:tiny.en] [--data telephony-en] [--limit 60] [--rounds 5]

The plain loop is that of ``harness_cost.py``: one clip after the other, all cores given to the library, loading left
out. Ours is ``--measure throughput`` as a user gets it: a pass over the clips, the search for workers and threads, and
the saturated stretch, in which decoding is counted as it is in the loop. A turn is the loop, ours, and the loop again;
the ratio is taken within a turn, to the mean speed of the two loops, and the loops against each other show what the
machine's mood alone does to a ratio. Run it on a machine that has nothing else to do.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

from harness_cost import plain, spread  # type: ignore[import-not-found]

from earwitness import data, weights
from earwitness.engines.catalog import find
from earwitness.runs.drive import Job, start
from earwitness.runs.environment import environment, usable_cores
from earwitness.runs.measured import Measure, Throughput
from earwitness.runs.record import Limits, Selection
from earwitness.runs.store import read_clips, read_run
from earwitness.types import Settings


def ours(job: Job) -> tuple[Throughput, list[str]]:
    """What the protocol found, and the texts of one clip at a time."""
    with tempfile.TemporaryDirectory() as out:
        path = start(job, Path(out), lambda *_: None)
        found = read_run(path).measurements
        heard = [result.hypothesis for result in read_clips(path)]
    if found is None or found.throughput is None or found.throughput.rtfx is None:
        raise SystemExit(f"nothing was measured: {found and found.throughput}")
    return found.throughput, [hypothesis.transcript.text if hypothesis.transcript else "" for hypothesis in heard]


def main() -> None:
    """Print a line a turn, and the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--model", default="faster-whisper:tiny.en")
    parser.add_argument("--data", default="telephony-en")
    parser.add_argument("--limit", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--budget-s", type=float, default=120.0)
    given = parser.parse_args()
    model = find(given.model)
    folder = weights.require(model)
    if folder is None:
        raise SystemExit(f"{model.id} has no weights to load")
    speech = {"kind": "speech"} if given.data != "librivox-mini" else None
    dataset = data.load(given.data, limit=given.limit, tags=speech)
    job = Job(
        model=model,
        folder=folder,
        weights_sha256=weights.fingerprint(model),
        dataset=dataset,
        selection=Selection(given.data),
        device="cpu",
        settings=Settings(language="en"),
        limits=Limits(warmup=1),
        measure=replace(Measure(("throughput",)), budget_s=given.budget_s),
    )
    files = [clip.audio_path for clip in dataset.clips]
    ratios, control, same = [], [], True
    for turn in range(given.rounds):
        first_s, first = plain(folder, files)
        found, heard = ours(job)
        second_s, second = plain(folder, files)
        loop_rtfx = dataset.audio_s / ((first_s + second_s) / 2)
        ratios.append((found.rtfx or 0.0) / loop_rtfx)
        control.append(second_s / first_s)
        same &= first == heard == second and found.texts_differ == 0 and found.n_compared == len(files)
        tries = ", ".join(f"{one.workers}x{one.threads}: {one.rtfx or 0.0:.1f}" for one in found.tries)
        print(
            f"turn {turn + 1}: plain loop {loop_rtfx:.1f} times real time, saturated {found.rtfx:.1f} "
            f"with {found.workers} x {found.threads} (tried {tries}), ratio {ratios[-1]:.3f}",
            flush=True,
        )
    print(
        f"{len(files)} clips, {dataset.audio_s:.0f} s of audio, {model.id}, {environment().cpu}, {usable_cores()} cores"
    )
    print(f"throughput to plain loop: {spread(ratios)} (target: at least 1.25), texts equal: {same}")
    print(f"plain loop to plain loop: {spread(control)}")


if __name__ == "__main__":
    main()
