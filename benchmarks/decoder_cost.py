"""What decoding in a process of its own costs, beside the same decoding in this process.

    python benchmarks/decoder_cost.py [--data telephony-en] [--rounds 20]

Every clip is decoded to a scratch file by both, one right after the other, beginning with another one each time. The
cost is the difference of the two, clip by clip. On a machine with other work, most of it is waiting for a core; the CPU
time is without that. Starting the process and its memory are measured apart.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from earwitness import data
from earwitness.audio import decode_to, fence
from earwitness.audio.in_process import decode_to as decode_here
from earwitness.records.environment import environment


def timed(decode: Callable[..., int], path: str, target: Path) -> tuple[float, float]:
    """Seconds that a file takes, on the clock and of CPU, children included."""
    cpu, started = cpu_s(), time.perf_counter()
    decode(path, target)
    wall = time.perf_counter() - started
    return wall, cpu_s() - cpu


def cpu_s() -> float:
    """CPU time of this process and of its children that are there."""
    found = [psutil.Process(), *psutil.Process().children()]
    return float(sum(times.user + times.system for times in (process.cpu_times() for process in found)))


def main() -> None:
    """Print the cost of a clip, of a start, and the memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="telephony-en")
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args()
    paths = [clip.audio_path for clip in data.load(given.data).clips]
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "clip.f32")
        starts = []
        for _ in range(5):
            fence.close()
            starts.append(timed(decode_to, paths[0], target)[0])
        added, here, cpu = [], [], 0.0
        decode_here(paths[0], target)
        for turn in range(given.rounds):
            for path in paths:
                pair = [
                    timed(one, path, target) for one in ((decode_here, decode_to), (decode_to, decode_here))[turn % 2]
                ]
                inside, fenced = pair if turn % 2 == 0 else pair[::-1]
                here.append(inside[0])
                added.append(fenced[0] - inside[0])
                cpu += fenced[1] - inside[1]
        (child,) = psutil.Process().children()
        memory = child.memory_full_info()
    added.sort()
    machine = environment()
    print(f"{machine.cpu}, {machine.cores} cores; {len(paths)} clips of {given.data}, {given.rounds} rounds")
    print(f"decoding here: median {1000 * statistics.median(here):.2f} ms")
    print(
        f"added by the process: median {1000 * statistics.median(added):.2f} ms, "
        f"p95 {1000 * added[int(0.95 * len(added))]:.2f} ms"
    )
    print(f"CPU added by the process: mean {1000 * cpu / len(added):.2f} ms a clip")
    print(f"the first file, with the start of the process: median {statistics.median(starts):.2f} s")
    print(f"memory of the process: {memory.rss / 2**20:.0f} MiB, of which its own {memory.uss / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
