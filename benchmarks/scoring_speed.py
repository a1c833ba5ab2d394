"""Scoring 100,000 utterances on one core: the way of the Open ASR Leaderboard against ours, stage by stage.

    python benchmarks/scoring_speed.py [--utterances 100000] [--rounds 10000]

Both normalize reference and hypothesis with Whisper's English rules, align with compounds merged, and make a 95 %
interval from as many rounds of bootstrap. Theirs: the package whisper-normalizer, then kaldialign's ``edit_distance``
and ``bootstrap_wer_ci``, both with ``merge_compounds`` (the bootstrap aligns once more inside). Ours: ``normalizer``,
``align`` and ``interval``. The utterances are made of the English transcripts that are here: some strung together and
pieced to 5 to 30 words, then misheard. Seconds are of processor time of one process and one thread; the machine's other
work counts for little. Target: at least 8 times as fast, the same errors, and intervals that differ by no more than
chance.

Then everything that ``earwitness score`` does with two files of these utterances: it also counts letters, makes three
intervals and not one, looks for what is wrong with each text, and makes the values of a record. Once with the short
ways of ``scoring``, once without them; the scores must be equal.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import kaldialign
import numpy as np
from whisper_normalizer.english import EnglishTextNormalizer

from earwitness import data
from earwitness.api.score import as_clip
from earwitness.data import corpora
from earwitness.scoring import ScoringOptions, score_clip, summarize
from earwitness.scoring.align.edits import align
from earwitness.scoring.findings import deletions, language_mismatch
from earwitness.scoring.formats.transcripts import read_pairs
from earwitness.scoring.metrics import summary
from earwitness.scoring.stats import bootstrap
from earwitness.scoring.stats.bootstrap import interval
from earwitness.scoring.text import normalizer
from earwitness.types import Score


def utterances(n: int, seed: int = 0) -> list[tuple[str, str]]:
    """Return raw references and hypotheses: 5 to 30 words, one in ten of the latter wrong, some words run together."""
    rng = random.Random(seed)
    names = [n for n, c in corpora.CORPORA.items() if c.language.startswith("en") and corpora.folder(n).exists()]
    clips = [clip for name in ("sample", *names) for clip in data.load(name).clips]
    stock = [text for clip in clips if (text := clip.reference) and len(text.split()) >= 5]
    vocabulary = " ".join(stock).split()
    pairs = []
    for _ in range(n):
        size = rng.randint(5, 30)
        words: list[str] = []
        while len(words) < size:
            words += rng.choice(stock).split()
        words = words[:size]
        heard = []
        for word in words:
            luck = rng.random()
            if luck > 0.03:
                heard.append(word if luck > 0.08 else rng.choice(vocabulary))
            if luck > 0.98:
                heard.append(rng.choice(vocabulary))
        at = rng.randrange(len(heard)) if heard else 0
        if rng.random() < 0.03:
            heard[at : at + 2] = ["".join(heard[at : at + 2])]
        pairs.append((" ".join(words), " ".join(heard)))
    return pairs


class Clock:
    """Processor time of each stage."""

    def __init__(self) -> None:
        """Begin with no stage."""
        self.seconds: dict[str, float] = {}

    def __call__(self, stage: str, work: Callable[[], Any]) -> Any:
        """Do the work, keep how long it took, and return its answer."""
        started = time.process_time()
        answer = work()
        self.seconds[stage] = time.process_time() - started
        return answer


def theirs(pairs: Sequence[tuple[str, str]], rounds: int) -> tuple[Clock, int, int, tuple[float, float]]:
    clock = Clock()
    norm = EnglishTextNormalizer()
    words = clock("normalize", lambda: [(norm(said).split(), norm(heard).split()) for said, heard in pairs])
    counts = clock("align", lambda: [kaldialign.edit_distance(*pair, merge_compounds=True) for pair in words])
    said, heard = [pair[0] for pair in words], [pair[1] for pair in words]
    found = clock(
        "bootstrap", lambda: kaldialign.bootstrap_wer_ci(said, heard, replications=rounds, merge_compounds=True)
    )
    errors, length = sum(count["total"] for count in counts), sum(count["ref_len"] for count in counts)
    return clock, errors, length, (found["ci95min"], found["ci95max"])


def ours(pairs: Sequence[tuple[str, str]], rounds: int) -> tuple[Clock, int, int, tuple[float, float]]:
    clock = Clock()
    norm = normalizer("whisper-english").words
    words = clock("normalize", lambda: [(norm(said), norm(heard)) for said, heard in pairs])
    counts = clock("align", lambda: [align(said, heard, compounds=True) for said, heard in words])
    errors, lengths = [edits.errors for edits in counts], [edits.length for edits in counts]
    found = clock("bootstrap", lambda: interval(errors, lengths, range(len(counts)), rounds=rounds))
    return clock, sum(errors), sum(lengths), found


def whole(pairs: Sequence[tuple[str, str]], rounds: int) -> tuple[Clock, tuple[Score, ...]]:
    clock = Clock()
    options = ScoringOptions("whisper-english", compounds=True, rounds=rounds)
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("said.txt", "heard.txt")]
        for file, column in zip(files, zip(*pairs, strict=True), strict=True):
            file.write_text("".join(f"{text}\n" for text in column))
        texts = clock("read", lambda: [as_clip(pair, "en") for pair in read_pairs(files[0], files[1]).pairs])
    scored = clock("score_clip", lambda: [(clip, score_clip(clip, heard, options)) for clip, heard in texts])
    return clock, clock("summarize", lambda: summarize(scored, options))


@contextmanager
def the_long_way() -> Iterator[None]:
    """Every text aligned with its path, every table of small words looked at, errors and lengths drawn apart."""

    def by_columns(kinds: Any, counts: Any, rounds: int, seed: int) -> Any:
        rng = np.random.default_rng(seed)
        recordings = np.repeat(kinds, counts, axis=0)
        step = max(1, 4_000_000 // len(recordings))
        sizes = [min(step, rounds - start) for start in range(0, rounds, step)]
        draws = (rng.integers(0, len(recordings), (size, len(recordings)), np.int32) for size in sizes)
        return np.concatenate([np.stack([one[drawn].sum(axis=1) for one in recordings.T], axis=1) for drawn in draws])

    def again(_: Score, __: Any, completed: Any, options: ScoringOptions) -> Score:
        return summary._rate("wer_completed", completed, completed.rows["words"], options)

    everything = frozenset(word for words in language_mismatch.SMALL_WORDS.values() for word in words.split())
    with (
        mock.patch.object(deletions, "_too_few", return_value=False),
        mock.patch.object(language_mismatch, "_others", return_value=everything),
        mock.patch.object(bootstrap, "resample", by_columns),
        mock.patch.object(summary, "_of_completed", again),
    ):
        yield


def one_word_pairs(n: int, rules: str, seed: int = 0) -> tuple[float, float]:
    """Return the seconds of jiwer (WER and CER) and of all of ``score`` for pairs of one word, one in ten wrong."""
    import jiwer

    import earwitness as ew

    rng = random.Random(seed)
    # Of letters alone: under English rules a word with digits is read as a number with its unit, which takes longer.
    vocabulary = ["".join(chr(ord("a") + int(digit)) for digit in f"{number:04}") + "w" for number in range(5000)]
    said = rng.choices(vocabulary, k=n)
    heard = [word if rng.random() > 0.1 else rng.choice(vocabulary) for word in said]
    clock = Clock()
    clock("jiwer", lambda: (jiwer.process_words(said, heard), jiwer.process_characters(said, heard)))
    clock("ours", lambda: ew.score(said, heard, normalizer=rules, language="en"))
    return clock.seconds["jiwer"], clock.seconds["ours"]


def show(name: str, clock: Clock, n: int) -> None:
    stages = "   ".join(f"{stage} {1e6 * seconds / n:6.1f}" for stage, seconds in clock.seconds.items())
    print(f"{name:12} {sum(clock.seconds.values()):7.2f} s   µs an utterance: {stages}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--utterances", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=10_000)
    parser.add_argument("--one-word", type=int, metavar="PAIRS", help="time so many one-word pairs instead")
    parser.add_argument("--normalizer", default="auto", help="of ours, for one-word pairs")
    args = parser.parse_args()
    if args.one_word:
        jiwers, our = one_word_pairs(args.one_word, args.normalizer)
        print(
            f"{args.one_word} pairs of one word, {args.normalizer}: jiwer {jiwers:.1f} s, ours {our:.1f} s, "
            f"ratio {our / jiwers:.2f}"
        )
        return
    pairs = utterances(args.utterances)
    words = sum(len(said.split()) for said, _ in pairs) / len(pairs)
    print(f"{len(pairs)} utterances of {words:.1f} words on average, {args.rounds} rounds, processor time of one core")
    first, errors, length, ci = ours(pairs, args.rounds)
    other, their_errors, their_length, their_ci = theirs(pairs, args.rounds)
    show("leaderboard", other, len(pairs))
    show("ours", first, len(pairs))
    for stage in first.seconds:
        print(f"{stage:12} {other.seconds[stage] / first.seconds[stage]:6.1f} times as fast")
    print(f"errors {errors} and {their_errors} of {length} and {their_length} words")
    print("interval " + " and ".join(f"[{100 * low:.3f}, {100 * high:.3f}] %" for low, high in (ci, their_ci)))
    ratio = sum(other.seconds.values()) / sum(first.seconds.values())
    print(f"ratio {ratio:.1f} (target: at least 8)")
    short, scores = whole(pairs, args.rounds)
    with the_long_way():
        long, same = whole(pairs, args.rounds)
    show("all of it", short, len(pairs))
    show("the long way", long, len(pairs))
    for stage in short.seconds:
        print(f"{stage:12} {long.seconds[stage] / short.seconds[stage]:6.1f} times as fast")
    ratio = sum(long.seconds.values()) / sum(short.seconds.values())
    print(f"ratio {ratio:.1f}, scores equal: {scores == same}")


if __name__ == "__main__":
    main()
