"""English rules on ordinary text: the package whisper-normalizer, our fast path on top of it, and our own rules.

    python benchmarks/normalizer_speed.py [--rounds 5]

Ordinary text is every English transcript that is here: the sample's and those of pulled English corpora. Cold is the
first time with empty caches, warm any later time. Seconds are of processor time, so other work on the machine counts
for little; a ratio is taken within a round, the package before and after ours. Target: warm at least 10 times as fast
as the package.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence

from whisper_normalizer.english import EnglishTextNormalizer

from earwitness import data
from earwitness.data import corpora
from earwitness.scoring.text.english import english
from earwitness.scoring.text.fast_english import english as fast_english
from earwitness.scoring.text.multilingual import multilingual

REPEATS = 20


def texts() -> list[str]:
    names = [n for n, c in corpora.CORPORA.items() if c.language.startswith("en") and corpora.folder(n).exists()]
    clips = [clip for name in ("sample", *names) for clip in data.load(name).clips]
    return [clip.reference for clip in clips if clip.reference]


def microseconds(normalize: Callable[[str], object], lines: Sequence[str]) -> float:
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
    ours: dict[str, Callable[[str], object]] = {
        "fast": fast_english(),
        "english": english,
        "multilingual": multilingual,
    }
    words = sum(len(line.split()) for line in lines) / len(lines)
    print(f"{len(lines)} transcripts of {words:.1f} words on average")
    for name, normalize in ours.items():
        print(f"{name}, cold: {microseconds(normalize, lines):.1f} µs a transcript, learning included")
    ratios: dict[str, list[float]] = {name: [] for name in ours}
    for _ in range(rounds):
        for name, normalize in ours.items():
            before = microseconds(package, lines)
            warm = microseconds(normalize, list(lines) * REPEATS)
            after = microseconds(package, lines)
            ratios[name].append((before + after) / 2 / warm)
            print(f"package {(before + after) / 2:7.1f} µs   {name} {warm:6.2f} µs   ratio {ratios[name][-1]:5.1f}")
    fast = ours["fast"]
    print(f"different outcomes of package and fast: {sum(package(line) != fast(line) for line in lines)}")
    for name, found in ratios.items():
        print(f"{name}: median ratio {statistics.median(found):.1f} (target: at least 10)")


if __name__ == "__main__":
    main()
