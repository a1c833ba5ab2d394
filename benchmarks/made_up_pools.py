"""Few labels on made-up pools: coverage and width of the intervals where nothing was taken from a corpus.

    python benchmarks/made_up_pools.py [--pools 20] [--labellings 40] [--seed 47]

Each row has pools of one kind, which differ by seed, and labels them by the plan, many times each. Kinds differ in the
lengths of the clips, in how many words are wrong, in loops (clips with several times as many errors as words), in clips
that are lost whole, and in what the proxy knows of the errors. *Width* is half the mean width of the intervals over
1.96 standard deviations of the estimates: 1 is what a normal estimate with a known variance would have.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from few_labels import draw  # type: ignore[import-not-found]

from earwitness.labels.plan import plan_labels
from earwitness.labels.pool import LabelPool, PoolTexts
from earwitness.labels.signals import Signals
from earwitness.scoring import ScoringOptions
from earwitness.scoring.stats.clusters import Counts
from earwitness.scoring.stats.survey import SurveyLabels, SurveyPool, estimate_rate
from earwitness.types import Clip

SIZES, LABELS = (300, 1000), (20, 30, 40, 60, 80, 160)


@dataclass(frozen=True, slots=True)
class Kind:
    """How the clips of a pool are made."""

    lengths: str
    """``long tail``: most are short, 3 % have 30 to 170 words; ``short``, ``even`` or ``lecture``."""
    wer: float
    """Share of words that are wrong, apart from loops."""
    spread: float
    """First parameter of the beta distribution of a clip's difficulty: the smaller, the more clips differ."""
    loops: float = 0.0
    """Share of clips with a loop, or lost."""
    loop_size: float = 1.0
    """Errors of such a clip per word."""
    proxy: float = 0.0
    """Share of the errors that the proxy sees; 0 for no proxy."""


KINDS = {
    "mild, good proxy": Kind("long tail", 0.08, 0.4, proxy=0.8),
    "mild, no proxy": Kind("long tail", 0.08, 0.4),
    "loops, no proxy": Kind("long tail", 0.15, 0.4, 0.02, 4),
    "loops, good proxy": Kind("long tail", 0.10, 0.4, 0.02, 4, 0.8),
    "long loops, no proxy": Kind("long tail", 0.3, 1.0, 0.01, 12),
    "rare errors, no proxy": Kind("short", 0.02, 0.2),
    "rare errors, good proxy": Kind("short", 0.02, 0.2, proxy=0.8),
    "many errors, weak proxy": Kind("long tail", 0.6, 1.5, proxy=0.3),
    "even lengths, no proxy": Kind("even", 0.1, 0.3),
    "lecture, weak proxy": Kind("lecture", 0.12, 0.6, 0.01, 3, 0.3),
    "clips lost, no proxy": Kind("short", 0.05, 0.3, 0.05, 1),
    "moderate, no proxy": Kind("long tail", 0.35, 0.8, 0.01, 5),
    "poor model, good proxy": Kind("long tail", 0.75, 2.0, proxy=0.95),
    "poor model, fair proxy": Kind("short", 0.7, 1.2, proxy=0.85),
    "poor model, loops, good proxy": Kind("long tail", 0.6, 1.5, 0.01, 3, 0.95),
    "half wrong, good proxy": Kind("long tail", 0.4, 0.8, proxy=0.9),
}


@dataclass(frozen=True, slots=True)
class MadePool:
    """Numbers by clip; arrays have the shape (N,)."""

    words: Counts
    errors: Counts
    guesses: Counts
    signals: Signals


def made_pool(kind: Kind, n: int, seed: int) -> MadePool:
    """Make the clips of a pool."""
    rng = np.random.default_rng(seed)
    words = lengths(kind.lengths, n, rng)
    hard = rng.beta(kind.spread, 4 * kind.spread, n)
    chance = np.clip(hard / hard.mean() * kind.wer, 0, 0.97)
    errors = rng.binomial(words, chance)
    looped = rng.random(n) < kind.loops * (0.5 + np.minimum(3, words / words.mean()) / 2)
    size = np.round(words * kind.loop_size * rng.uniform(0.6, 1.4, n)).astype(np.int64)
    errors = np.where(looped, np.maximum(errors, size), errors)
    if kind.proxy:
        own = rng.binomial(words, np.clip(0.8 * chance, 0, 0.97))
        guesses = rng.binomial(errors, kind.proxy) + np.where(
            rng.random(n) < 1 - kind.proxy, own, rng.binomial(own, 0.3)
        )
        heard = words
    else:
        guesses = np.zeros(n, np.int64)
        heard = np.maximum(0, words + rng.integers(-1, 2, n) + np.where(looped, (kind.loop_size - 1) * words, 0))
    odd = looped & (rng.random(n) < 0.7) & (kind.loop_size > 1)
    signals = Signals(guesses.astype(float), heard.astype(float), ("",) * n, odd)
    return MadePool(words.astype(float), errors.astype(float), guesses.astype(float), signals)


def lengths(name: str, n: int, rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the words of each clip."""
    if name == "even":
        return 1 + rng.poisson(9, n)
    if name == "lecture":
        return np.maximum(1, rng.normal(30, 8, n)).astype(np.int64)
    words = 1 + rng.poisson(rng.gamma(1.2, 4.0, n))
    return np.where(rng.random(n) < 0.03, rng.integers(30, 170, n), words) if name == "long tail" else words


def coverage(kind: Kind, n: int, n_labels: int, options: argparse.Namespace) -> tuple[float, float]:
    """Return the share of intervals that hold the true rate, and their width."""
    inside, halves, off = [], [], []
    for number in range(options.pools):
        made = made_pool(kind, n, 1000 * options.seed + number)
        truth = made.errors.sum() / made.words.sum()
        clips = tuple(Clip(str(place), "", "", 0.0, 1.0, None) for place in range(n))
        texts = LabelPool(clips, (PoolTexts("m", "m", (), np.zeros(n, bool)),), ScoringOptions("none"))
        plan = plan_labels(texts, n_labels, signals=made.signals)
        strata = np.empty(n, np.int64)
        strata[[int(clip_id) for clip_id in plan.order]] = plan.stratum_of
        each = np.array([stratum.n_labels for stratum in plan.strata])
        pool = SurveyPool(strata, made.guesses, made.signals.words, np.arange(n))
        for seed in range(options.labellings):
            places = draw(strata, each, seed)
            labels = SurveyLabels(places, made.errors[places], made.words[places])
            found = estimate_rate(pool, labels, lowest=0.0, seed=seed)
            if found.value is not None and found.ci95 is not None:
                inside.append(found.ci95[0] <= truth <= found.ci95[1])
                halves.append(found.ci95[1] - found.value)
                off.append(found.value - truth)
    return float(np.mean(inside)), float(np.mean(halves) / (1.96 * np.std(off)))


def main() -> None:
    """Print a row for each kind and number of clips."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pools", type=int, default=20)
    parser.add_argument("--labellings", type=int, default=40)
    parser.add_argument("--seed", type=int, default=47)
    options = parser.parse_args()
    print(f"| pools | clips | {' | '.join(f'{n} labels' for n in LABELS)} |")
    print(f"|---|--:|{'--:|' * len(LABELS)}")
    for name, kind in KINDS.items():
        for n in SIZES:
            cells = [coverage(kind, n, k, options) if k <= n / 2 else None for k in LABELS]
            shown = (f"{100 * cell[0]:.1f} %, {cell[1]:.2f}" if cell else "–" for cell in cells)
            print(f"| {name} | {n} | {' | '.join(shown)} |", flush=True)


if __name__ == "__main__":
    main()
