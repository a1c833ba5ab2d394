"""Few labels: bias, coverage and width of the estimate, with the references of whole corpora hidden.

    python benchmarks/few_labels.py tests/labels/counts/telephony-en.json [--labellings 500]
    python benchmarks/few_labels.py --records runs/ --write tests/labels/counts/telephony-en.json

The first command labels the pool 500 times with 20, 40, 80 and 160 labels, by seed, and compares the estimates with the
rate over all clips, which is known here and hidden from the estimate. "At random" is as many clips drawn at random,
without strata and proxies. The width that theory promises is that of random labelling times sqrt(1 - rho^2), with the
correlation rho of errors and proxy: this is what a proxy gives without strata.

The second command makes the file of counts from records over one dataset: numbers alone, no texts. The consensus, the
distances and the errors are those that ``earwitness label`` uses.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from earwitness.labels.plan import plan_labels
from earwitness.labels.pool import LabelPool, pool_of, proxies
from earwitness.labels.signals import Signals, signals_of
from earwitness.records.select import RunWithClips, newest_with_clips
from earwitness.records.store import find_records
from earwitness.scoring import ScoringOptions
from earwitness.scoring.stats.clusters import Counts
from earwitness.scoring.stats.survey import SurveyEstimate, SurveyLabels, SurveyPool, estimate_rate
from earwitness.scoring.stats.tuning import Indices
from earwitness.types import Clip

LABELS = (20, 40, 80, 160)


@dataclass(frozen=True, slots=True)
class CountsFile:
    """Numbers by clip of a corpus with references."""

    models: tuple[str, ...]
    words: Counts
    errors: Counts
    """Shape (M, N)."""
    guesses: Counts
    """Distance to the witness; shape (M, N)."""
    lengths: Counts
    """Words of the witness; shape (M, N)."""
    signals: Signals

    @property
    def pool(self) -> LabelPool:
        """Clips without texts."""
        clips = (Clip(str(n), "", "", 0.0, 1.0, None) for n in range(len(self.words)))
        return LabelPool(tuple(clips), (), ScoringOptions("none"))


def read(path: Path) -> CountsFile:
    data = json.loads(path.read_text(encoding="utf-8"))
    columns = {name: np.array(data[name], float) for name in ("words", "errors", "guesses", "lengths", "distance")}
    n = len(columns["words"])
    signals = Signals(columns["distance"], np.mean(columns["lengths"], axis=0), ("",) * n, np.array(data["odd"], bool))
    return CountsFile(
        tuple(data["models"]), columns["words"], columns["errors"], columns["guesses"], columns["lengths"], signals
    )


def write(runs: Sequence[RunWithClips], path: Path) -> None:
    pool = pool_of([result.clip for result in runs[0].results], runs)
    found = [proxies(pool, n) for n in range(len(runs))]
    signals = signals_of(pool, pool.labels)
    scores = [[result.score.words for result in run.results] for run in runs]
    data = {
        "made": "python benchmarks/few_labels.py --records RECORDS --write FILE",
        "models": list(pool.labels),
        "words": [edits.length for edits in scores[0] if edits],
        "errors": [[edits.errors for edits in each if edits] for each in scores],
        "guesses": [guess.astype(int).tolist() for guess, _ in found],
        "lengths": [length.astype(int).tolist() for _, length in found],
        "distance": signals.distance.round(3).tolist(),
        "odd": signals.odd.astype(int).tolist(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, separators=(",", ":")) + "\n", encoding="utf-8")


def draw(strata: Indices, each: Indices, seed: int) -> Indices:
    """Return places of labelled clips: so many of each stratum, at random."""
    order = np.lexsort((np.random.default_rng(seed).random(len(strata)), strata))
    starts = np.concatenate([[0], np.cumsum(np.bincount(strata))[:-1]])
    return np.concatenate([order[start : start + n] for start, n in zip(starts, each, strict=True)])


def strata_of_plan(counts: CountsFile, n_labels: int) -> tuple[Indices, Indices]:
    """Return the stratum of each clip, and the labels of each stratum."""
    plan = plan_labels(counts.pool, n_labels, signals=counts.signals)
    strata = np.empty(len(plan.order), np.int64)
    strata[[int(clip_id) for clip_id in plan.order]] = plan.stratum_of
    return strata, np.array([stratum.n_labels for stratum in plan.strata])


def labellings(
    pool: SurveyPool, errors: Counts, words: Counts, each: Indices, rounds: int, lowest: float = 0.0
) -> list[SurveyEstimate]:
    found = []
    for seed in range(rounds):
        places = draw(pool.strata, each, seed)
        found.append(estimate_rate(pool, SurveyLabels(places, errors[places], words[places]), lowest=lowest, seed=seed))
    return found


@dataclass(frozen=True, slots=True)
class Row:
    """What the labellings of one model with so many labels gave."""

    bias: float
    spread: float
    """Standard deviation of the estimates."""
    coverage: float
    width: float
    n_effective: float


def summary(found: list[SurveyEstimate], truth: float) -> Row:
    values = np.array([one.value for one in found], float)
    intervals = np.array([one.ci95 if one.ci95 else (np.nan, np.nan) for one in found])
    there = np.isfinite(intervals[:, 0])
    inside = (intervals[there, 0] <= truth) & (truth <= intervals[there, 1])
    effective = np.median([one.n_effective for one in found if one.n_effective])
    return Row(
        float(values.mean() - truth),
        float(values.std()),
        float(inside.mean()),
        float((intervals[there, 1] - intervals[there, 0]).mean()),
        float(effective),
    )


def experiment(counts: CountsFile, model: int, n_labels: int, rounds: int, other: int | None = None) -> tuple[Row, Row]:
    """Return the plan's labellings and as many at random, of a model's WER or of a difference of two models."""
    errors, guesses, lowest = counts.errors[model], counts.guesses[model], 0.0
    if other is not None:
        errors, guesses, lowest = errors - counts.errors[other], guesses - counts.guesses[other], -np.inf
    truth = float(errors.sum() / counts.words.sum())
    n = len(counts.words)
    strata, each = strata_of_plan(counts, n_labels)
    planned = SurveyPool(strata, guesses, counts.lengths[model], np.arange(n))
    plain = SurveyPool(np.zeros(n, np.int64), np.zeros(n), np.zeros(n), np.arange(n))
    return (
        summary(labellings(planned, errors, counts.words, each, rounds, lowest), truth),
        summary(labellings(plain, errors, counts.words, np.array([n_labels]), rounds, lowest), truth),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("counts", nargs="?", type=Path)
    parser.add_argument("--labellings", type=int, default=500)
    parser.add_argument("--records", type=Path)
    parser.add_argument("--write", type=Path)
    args = parser.parse_args()
    if args.records and args.write:
        write(newest_with_clips(find_records([args.records])), args.write)
        return
    counts = read(args.counts)
    started = time.process_time()
    print(f"{len(counts.words)} clips, {counts.words.sum():.0f} words, {args.labellings} labellings a row")
    print("| rate | truth | labels | bias | coverage | ± planned | ± at random | at random covers | n_eff | ± by rho |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    jobs: list[tuple[str, int, int | None]] = [(label, n, None) for n, label in enumerate(counts.models)]
    if len(counts.models) > 1:
        jobs.append((f"{counts.models[1]} less {counts.models[0]}", 1, 0))
    for label, model, other in jobs:
        errors = counts.errors[model] - (0 if other is None else counts.errors[other])
        guesses = counts.guesses[model] - (0 if other is None else counts.guesses[other])
        truth = errors.sum() / counts.words.sum()
        linear, guess = errors - truth * counts.words, guesses - truth * counts.lengths[model]
        rho = np.corrcoef(linear, guess)[0, 1] if guess.std() > 0 else 0.0
        for n_labels in LABELS:
            if n_labels > len(counts.words) / 2:
                continue
            planned, plain = experiment(counts, model, n_labels, args.labellings, other)
            print(
                f"| {label} | {100 * truth:.1f} % | {n_labels} | {100 * planned.bias:+.2f} | "
                f"{100 * planned.coverage:.1f} % | {50 * planned.width:.1f} | {50 * plain.width:.1f} | "
                f"{100 * plain.coverage:.1f} % | {planned.n_effective:.0f} | "
                f"{50 * plain.width * (1 - rho**2) ** 0.5:.1f} |",
                flush=True,
            )
    print(f"processor time {time.process_time() - started:.0f} s")


if __name__ == "__main__":
    main()
