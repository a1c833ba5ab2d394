"""Does the ranking depend on the normalizer? Scores the same texts raw, lightly, by our rules and by Whisper's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from earwitness.errors import ScoringError
from earwitness.scoring.align.edits import align
from earwitness.scoring.stats.clusters import cluster_of
from earwitness.scoring.stats.ranks import PairVerdict, Ranks, rank_label, ranks
from earwitness.scoring.stats.significance import difference, holm
from earwitness.scoring.text import normalizer
from earwitness.scoring.text.normalize import Normalizer
from earwitness.types import Clip, Edits, Hypothesis

LEVELS: Mapping[str, str] = {"raw": "none", "light": "multilingual", "full": "auto", "whisper": "whisper"}
"""Names of the levels and the normalizers behind them."""


@dataclass(frozen=True, slots=True)
class Level:
    """The systems under one normalizer."""

    name: str
    """``raw``, ``light``, ``full`` or ``whisper``."""
    normalizer: str
    """Its name."""
    wer: tuple[float | None, ...]
    """By system; ``None`` when the references have no words."""
    place: tuple[int, ...]
    """Rank of each system by its rate alone, from 1; equal rates share one."""
    ranks: tuple[Ranks, ...]
    """The ranks that the tests leave open."""
    verdicts: tuple[PairVerdict, ...]
    """Every pair, with p corrected by Holm."""


@dataclass(frozen=True, slots=True)
class Flip:
    """Two systems whose order depends on the normalizer."""

    first: int
    """Place of one system in the order given."""
    second: int
    """Place of the other."""
    ahead_first: tuple[str, ...]
    """Levels at which the first has the lower rate."""
    ahead_second: tuple[str, ...]
    """Levels at which the second has."""
    called: tuple[str, ...]
    """Of all levels, those at which the difference is significant."""


def levels(systems: Sequence[Sequence[tuple[Clip, Hypothesis]]], *, rounds: int = 2000) -> tuple[Level, ...]:
    """Score every system at every level.

    Args:
        systems: For each one, the clips and what it made of them; all over the same clips, in the same order.
        rounds: Of the tests.

    Raises:
        ScoringError: When the systems do not have the same clips, or no clip has a reference.
    """
    ids = [[clip.id for clip, _ in system if clip.reference is not None] for system in systems]
    if any(these != ids[0] for these in ids):
        raise ScoringError("The systems did not transcribe the same clips. Compare runs over the same data.")
    if not ids or not ids[0]:
        raise ScoringError("No clip has a reference, so there is nothing to score. Label the clips first.")
    return tuple(_level(name, norm, systems, rounds) for name, norm in LEVELS.items())


def flips(levels: Sequence[Level]) -> tuple[Flip, ...]:
    """Return the pairs of systems that change places between levels."""
    answers = []
    for first, second in combinations(range(len(levels[0].wer)), 2):
        ahead: tuple[list[str], list[str]] = ([], [])
        significant = []
        for level in levels:
            a, b = level.wer[first], level.wer[second]
            if a is not None and b is not None and a != b:
                ahead[a > b].append(level.name)
            verdict = next(v for v in level.verdicts if (v.first, v.second) == (first, second))
            if rank_label(verdict.difference, verdict.p):
                significant.append(level.name)
        if ahead[0] and ahead[1]:
            answers.append(Flip(first, second, tuple(ahead[0]), tuple(ahead[1]), tuple(significant)))
    return tuple(answers)


def _level(name: str, norm: str, systems: Sequence[Sequence[tuple[Clip, Hypothesis]]], rounds: int) -> Level:
    rules = normalizer(norm)
    clips = [clip for clip, _ in systems[0] if clip.reference is not None]
    said = [rules.words(clip.reference or "", clip.language) for clip in clips]
    keys = [cluster_of(clip) for clip in clips]
    counts = [_edits(clips, said, system, rules) for system in systems]
    errors = [[e.errors for e in system] for system in counts]
    lengths = [len(words) for words in said]
    pairs = list(combinations(range(len(systems)), 2))
    tested = [difference(errors[a], errors[b], lengths, keys, rounds=rounds) for a, b in pairs]
    corrected = holm([test.p for test in tested])
    verdicts = tuple(PairVerdict(a, b, test.value, p) for (a, b), test, p in zip(pairs, tested, corrected, strict=True))
    wer = tuple(sum(system, Edits()).rate for system in counts)
    place = tuple(_place(rate, wer) for rate in wer)
    return Level(name, norm, wer, place, ranks(len(systems), verdicts), verdicts)


def _edits(
    clips: Sequence[Clip], references: Sequence[list[str]], system: Sequence[tuple[Clip, Hypothesis]], rules: Normalizer
) -> list[Edits]:
    texts = [h.transcript.text if h.transcript else "" for clip, h in system if clip.reference is not None]
    heard = [rules.words(text, clip.language) for clip, text in zip(clips, texts, strict=True)]
    return [align(a, b) for a, b in zip(references, heard, strict=True)]


def _place(rate: float | None, wer: Sequence[float | None]) -> int:
    """Return 1 and the number of systems with a lower WER."""
    return 1 + sum(other is not None and rate is not None and other < rate for other in wer)
