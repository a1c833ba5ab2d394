"""How long ``earwitness --help`` takes, against a bare ``python -c pass``. Target: at most five times.

python benchmarks/help_time.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 30


def seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    bare = [sys.executable, "-c", "pass"]
    ours = [str(Path(sys.executable).with_name("earwitness")), "--help"]
    pairs = [(seconds(bare), seconds(ours)) for _ in range(ROUNDS)]
    ratios = [b / a for a, b in pairs]
    print(f"python -c pass      median {1000 * statistics.median(a for a, _ in pairs):6.1f} ms")
    print(f"earwitness --help   median {1000 * statistics.median(b for _, b in pairs):6.1f} ms")
    print(f"ratio               median {statistics.median(ratios):6.2f} (target: at most 5), of {ROUNDS} pairs")


if __name__ == "__main__":
    main()
