"""How long the spans of one compressed file take in one pass, beside decoding each from the file's beginning.

    python benchmarks/spans.py [--minutes 10] [--spans 60]

Both decode the same spans of the same MP3, one after the other, in the same process. From the beginning, the time grows
with the square of the file's length.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from earwitness.audio.bookmark import Bookmark
from earwitness.audio.in_process import decode_to
from earwitness.audio.open import open_source

RATE_HZ = 16_000


def main() -> None:
    """Print the seconds of both, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--spans", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path, target = Path(folder, "talk.mp3"), Path(folder, "span.f32")
        noise = np.random.default_rng(0).normal(0, 0.1, round(options.minutes * 60 * RATE_HZ)).astype(np.float32)
        soundfile.write(path, noise, RATE_HZ, format="MP3")
        length_s = options.minutes * 60 / options.spans * 0.9
        bookmark = Bookmark()
        times_s = {}
        for name, opener in (("from the beginning", open_source), ("in one pass", bookmark.open)):
            started = time.perf_counter()
            for n in range(options.spans):
                start_s = n * options.minutes * 60 / options.spans
                decode_to(path, target, start_s=start_s, duration_s=length_s, opener=opener)
            times_s[name] = time.perf_counter() - started
            print(f"{name}: {times_s[name]:.2f} s")
        bookmark.close()
        print(f"ratio: {times_s['from the beginning'] / times_s['in one pass']:.1f}")


if __name__ == "__main__":
    main()
