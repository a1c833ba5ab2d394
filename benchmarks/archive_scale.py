"""An archive of many files, and of long ones, with an engine that costs nothing: what Earwitness itself takes.

    python benchmarks/archive_scale.py [--files 50000] [--hours 0.17,10]

``--files``: a folder of so many WAV files of 0.1 s, one in a thousand of them broken and one a link to another, is
transcribed into text files, and then again, when there is nothing to do. Printed are seconds, files a second, and the
peak memory of the process that drives. ``--hours``: one recording of each length, generated, and the same numbers with
that of the worker and of the decoder.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import soundfile

COMMAND = [sys.executable, "-m", "earwitness", "transcribe", "--model", "fake:echo", "--no-speech", "--json"]


def measure(folder: Path, out: Path) -> tuple[float, int, int]:
    """Seconds, and the peak memory of the driver and of its largest child, in bytes."""
    began_s = time.perf_counter()
    process = subprocess.Popen([*COMMAND, str(folder), "--out", str(out)], stdout=subprocess.DEVNULL)
    watched = psutil.Process(process.pid)
    own = child = 0
    while process.poll() is None:
        try:
            own = max(own, private(watched))
            child = max([child, *map(private, watched.children(recursive=True))])
        except psutil.NoSuchProcess:
            break
        time.sleep(0.1)
    if process.wait() != 0:
        raise SystemExit("transcribe failed")
    return time.perf_counter() - began_s, own, child


def private(process: psutil.Process) -> int:
    """Memory of a process without the pages of files that it maps, such as the recording, which are the system's."""
    memory = process.memory_info()
    return int(memory.rss - getattr(memory, "shared", 0))


def many(n_files: int, root: Path) -> None:
    """A folder of many files."""
    folder = root / "many"
    for n in range(n_files):
        path = folder / f"{n // 1000:03}" / f"c{n:06}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        if n % 1000 == 999:
            path.write_bytes(b"RIFF")
        elif n % 1000 == 998:
            path.symlink_to(folder / f"{n // 1000:03}" / f"c{n - 1:06}.wav")
        else:
            soundfile.write(path, np.zeros(1_600, np.float32), 16_000)
    for what in ("transcribed", "nothing to do but the broken ones"):
        seconds, own, _ = measure(folder, root / "out")
        print(
            f"{n_files} files, {what}: {seconds:.0f} s, {n_files / seconds:.0f} a second, {own >> 20} MiB", flush=True
        )


def long(hours: float, root: Path) -> None:
    """One long recording."""
    path = root / f"{hours:g}" / "long.flac"
    path.parent.mkdir()
    rng = np.random.default_rng(0)
    minute = (0.1 * rng.standard_normal(60 * 8_000)).astype(np.float32)
    with soundfile.SoundFile(path, "w", 8_000, 1) as file:
        for _ in range(round(hours * 60)):
            file.write(minute)
    seconds, own, child = measure(path.parent, root / f"out-{hours:g}")
    print(f"{hours:g} h: {seconds:.0f} s, driver {own >> 20} MiB, largest child {child >> 20} MiB", flush=True)


def main() -> None:
    """Print a line for each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--hours", default="0.17,10")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        for hours in filter(None, given.hours.split(",")):
            long(float(hours), Path(name))
        if given.files:
            many(given.files, Path(name))
    print(f"load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
