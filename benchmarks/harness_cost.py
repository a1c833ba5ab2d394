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

import statistics
import tempfile
import time
from pathlib import Path

from plain_loop import about, job, options, plain, spread, texts  # type: ignore[import-not-found]

from earwitness.records.environment import environment
from earwitness.records.speed import SpeedProtocols
from earwitness.records.store import read_clips, read_run
from earwitness.runs.drive import Job, start


def ours(made: Job) -> tuple[float, float, list[str]]:
    """Seconds without starting and loading the worker, how many of them beside the engine, and texts of a run."""
    with tempfile.TemporaryDirectory() as out:
        started = time.perf_counter()
        path = start(made, Path(out), lambda *_: None)
        seconds = time.perf_counter() - started
        info = read_run(path).workers
        if info is None:
            raise SystemExit("the run failed")
        engine_s = sum(result.hypothesis.wall_s or 0.0 for result in read_clips(path))
        heard: list[str] = texts(path)
    seconds -= info.spawn_s + info.load_s
    return seconds, seconds - engine_s, heard


def main() -> None:
    """Print a line a turn, and the medians."""
    given = options(__doc__, rounds=10).parse_args()
    made, folder = job(given, warmup=0, measure=SpeedProtocols())
    files = [clip.audio_path for clip in made.dataset.clips]
    environment()
    ratios, control, beside, same = [], [], [], True
    for turn in range(given.rounds):
        seconds, heard = {}, {}
        for side in (("first", "ours", "second") * 2)[turn % 3 :][:3]:
            if side == "ours":
                seconds[side], beside_s, heard[side] = ours(made)
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
    print(about(made))
    print(f"earwitness to plain loop: {spread(ratios)} (target: at most 1.02), texts equal: {same}")
    print(f"plain loop to plain loop: {spread(control)}")
    print(f"beside the engine: median {statistics.median(beside):.2%} of the wall time")
    _, other = plain(folder, files, "av")
    differ = sum(a != b for a, b in zip(heard["ours"], other, strict=True))
    print(f"with faster-whisper's own resampler, {differ} of {len(files)} texts differ")


if __name__ == "__main__":
    main()
