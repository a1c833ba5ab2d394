"""Whisper's English rules: the package whisper-normalizer against our fast path on top of it, on ordinary text.

    python benchmarks/normalizer_speed.py [--rounds 5]

Ordinary text is every English transcript that is here: the sample's and those of pulled English corpora. Cold is the
first time with empty caches, warm any later time. Seconds are of processor time, so other work on the machine counts
for little; the ratio is taken within a round, the package before and after ours. Target: warm at least 10 times as
fast.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence

from whisper_normalizer.english import EnglishTextNormalizer

from earwitness import data
from earwitness.data import corpora
from earwitness.text.fast_english import english

REPEATS = 20


def texts() -> list[str]:
    names = [n for n, c in corpora.CORPORA.items() if c.language.startswith("en") and corpora.folder(n).exists()]
    clips = [clip for name in ("sample", *names) for clip in data.load(name).clips]
    return [clip.reference for clip in clips if clip.reference]


def microseconds(normalize: Callable[[str], str], lines: Sequence[str]) -> float:
    started = time.process_time()
    for line in lines:
        normalize(line)
    return 1e6 * (time.process_time() - started) / len(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    lines = texts()
    package: Callable[[str], str] = EnglishTextNormalizer()
    fast = english()
    words = sum(len(line.split()) for line in lines) / len(lines)
    print(f"{len(lines)} transcripts of {words:.1f} words on average")
    print(f"cold: {microseconds(fast, lines):.1f} µs a transcript, learning included")
    ratios = []
    for _ in range(rounds):
        before = microseconds(package, lines)
        ours = microseconds(fast, list(lines) * REPEATS)
        after = microseconds(package, lines)
        ratios.append((before + after) / 2 / ours)
        print(f"package {(before + after) / 2:7.1f} µs   fast {ours:6.2f} µs   ratio {ratios[-1]:5.1f}")
    print(f"different outcomes: {sum(package(line) != fast(line) for line in lines)}")
    print(f"median ratio {statistics.median(ratios):.1f} (target: at least 10)")


if __name__ == "__main__":
    main()
