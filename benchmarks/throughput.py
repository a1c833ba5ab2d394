"""Throughput of a saturated machine against a plain loop over faster-whisper. Target: at least 1.25 times, same texts.

    python benchmarks/throughput.py [--model faster-whisper:tiny.en] [--data telephony-en] [--limit 60] [--rounds 5]

The plain loop is that of ``plain_loop.py``: one clip after the other, all cores given to the library, loading left
out. Ours is ``--measure throughput`` as a user gets it: a pass over the clips, the search for workers and threads, and
the saturated stretch, in which decoding is counted as it is in the loop. A turn is the loop, ours, and the loop again;
the ratio is taken within a turn, to the mean speed of the two loops, and the loops against each other show what the
machine's mood alone does to a ratio. Run it on a machine that has nothing else to do.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from plain_loop import about, job, options, plain, spread, texts  # type: ignore[import-not-found]

from earwitness.records.speed import SpeedProtocols, Throughput
from earwitness.records.store import read_run
from earwitness.runs.drive import Job, start


def ours(made: Job) -> tuple[Throughput, list[str]]:
    """What the protocol found, and the texts of one clip at a time."""
    with tempfile.TemporaryDirectory() as out:
        path = start(made, Path(out), lambda *_: None)
        found = read_run(path).measurements
        heard: list[str] = texts(path)
    if found is None or found.throughput is None or found.throughput.rtfx is None:
        raise SystemExit(f"nothing was measured: {found and found.throughput}")
    return found.throughput, heard


def main() -> None:
    """Print a line a turn, and the medians."""
    parser = options(__doc__, rounds=5)
    parser.add_argument("--budget-s", type=float, default=120.0)
    given = parser.parse_args()
    made, folder = job(given, warmup=1, measure=SpeedProtocols(("throughput",), given.budget_s))
    files = [clip.audio_path for clip in made.dataset.clips]
    ratios, control, same = [], [], True
    for turn in range(given.rounds):
        first_s, first = plain(folder, files)
        found, heard = ours(made)
        second_s, second = plain(folder, files)
        loop_rtfx = made.dataset.audio_s / ((first_s + second_s) / 2)
        ratios.append((found.rtfx or 0.0) / loop_rtfx)
        control.append(second_s / first_s)
        same &= first == heard == second and found.texts_differ == 0 and found.n_compared == len(files)
        tries = ", ".join(f"{one.workers}x{one.threads}: {one.rtfx or 0.0:.1f}" for one in found.tries)
        print(
            f"turn {turn + 1}: plain loop {loop_rtfx:.1f} times real time, saturated {found.rtfx:.1f} "
            f"with {found.workers} x {found.threads} (tried {tries}), ratio {ratios[-1]:.3f}",
            flush=True,
        )
    print(about(made))
    print(f"throughput to plain loop: {spread(ratios)} (target: at least 1.25), texts equal: {same}")
    print(f"plain loop to plain loop: {spread(control)}")


if __name__ == "__main__":
    main()
