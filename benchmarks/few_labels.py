"""Few labels: bias, coverage and width of the estimate, with the references of whole corpora hidden.

    python benchmarks/few_labels.py tests/labels/counts/telephony-en.json [--labellings 500] [--rate cer]
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
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from earwitness.labels.plan import LabelGoal, plan_labels
from earwitness.labels.pool import LabelPool, PoolTexts, Rate, pool_of, proxies
from earwitness.labels.signals import Signals, gaps, signals_of
from earwitness.records.select import RunWithClips, newest_with_clips
from earwitness.records.store import find_records
from earwitness.scoring import ScoringOptions
from earwitness.scoring.stats.clusters import Counts
from earwitness.scoring.stats.survey import SurveyEstimate, SurveyLabels, SurveyPool, estimate_rate
from earwitness.scoring.stats.tuning import Indices
from earwitness.types import Clip, Edits

LABELS = (20, 40, 80, 160)


@dataclass(frozen=True, slots=True)
class CountsFile:
    """Numbers by clip of a corpus with references, of one rate."""

    models: tuple[str, ...]
    words: Counts
    """Words, or letters."""
    errors: Counts
    """Shape (M, N)."""
    guesses: Counts
    """Distance to the witness; shape (M, N)."""
    lengths: Counts
    """Words, or letters, of the witness; shape (M, N)."""
    signals: Signals
    gaps: Counts
    """Edits in words between the texts of every two models; shape (M (M - 1) / 2, N)."""

    @property
    def pool(self) -> LabelPool:
        """Clips without texts."""
        n = len(self.words)
        clips = (Clip(str(place), "", "", 0.0, 1.0, None) for place in range(n))
        models = (PoolTexts(label, label, (), np.zeros(n, bool)) for label in self.models)
        return LabelPool(tuple(clips), tuple(models), ScoringOptions("none"))

    def gap(self, first: int, second: int) -> Counts:
        """Return the edits between the texts of two models; shape (N,)."""
        pairs = list(combinations(range(len(self.models)), 2))
        found: Counts = self.gaps[pairs.index((min(first, second), max(first, second)))]
        return found


def read(path: Path, rate: Rate = "wer") -> CountsFile:
    data = json.loads(path.read_text(encoding="utf-8"))
    of_rate = data[rate]
    columns = {name: np.array(of_rate[name], float) for name in ("length", "errors", "guesses", "lengths")}
    n = len(columns["length"])
    words = np.mean(np.array(data["wer"]["lengths"], float), axis=0)
    signals = Signals(np.array(data["distance"], float), words, ("",) * n, np.array(data["odd"], bool))
    return CountsFile(
        tuple(data["models"]),
        columns["length"],
        columns["errors"],
        columns["guesses"],
        columns["lengths"],
        signals,
        np.array(data["gaps"], float).reshape(-1, n),
    )


def write(runs: Sequence[RunWithClips], path: Path) -> None:
    """Write the numbers of the clips that all runs have."""
    common = set.intersection(*({result.clip.id for result in run.results} for run in runs))
    runs = [replace(run, results=tuple(each for each in run.results if each.clip.id in common)) for run in runs]
    clip_ids = [result.clip.id for result in runs[0].results]
    by_id = [{result.clip.id: result.score for result in run.results} for run in runs]
    pool = pool_of([result.clip for result in runs[0].results], runs)
    signals = signals_of(pool, pool.labels)

    def numbers(rate: Rate, edits: list[list[Edits]]) -> dict[str, object]:
        found = [proxies(pool, n, rate) for n in range(len(runs))]
        return {
            "length": [each.length for each in edits[0]],
            "errors": [[each.errors for each in of_run] for of_run in edits],
            "guesses": [guess.astype(int).tolist() for guess, _ in found],
            "lengths": [length.astype(int).tolist() for _, length in found],
        }

    data = {
        "made": "python benchmarks/few_labels.py --records RECORDS --write FILE",
        "models": list(pool.labels),
        "wer": numbers("wer", [[scores[one].words or Edits() for one in clip_ids] for scores in by_id]),
        "cer": numbers("cer", [[scores[one].chars or Edits() for one in clip_ids] for scores in by_id]),
        "gaps": [gaps(pool, a, b).tolist() for a, b in combinations(range(len(runs)), 2)],
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


def planned_differences(counts: CountsFile, pair: tuple[int, int], n_labels: int, rounds: int) -> list[SurveyEstimate]:
    """Return what labellings by plans for that difference say: one plan for each seed."""
    a, b = pair
    n = len(counts.words)
    signals = replace(counts.signals, distance=counts.gap(a, b), words=(counts.lengths[a] + counts.lengths[b]) / 2)
    names = (counts.models[a], counts.models[b])
    apart, guess = counts.errors[a] - counts.errors[b], counts.guesses[a] - counts.guesses[b]
    found = []
    for seed in range(rounds):
        plan = plan_labels(counts.pool, n_labels, goal="difference", models=names, signals=signals, seed=seed)
        order = np.array([int(clip_id) for clip_id in plan.order])
        strata = np.empty(n, np.int64)
        strata[order] = plan.stratum_of
        known = frozenset(place for place, stratum in enumerate(plan.strata) if stratum.known)
        pool = SurveyPool(strata, guess, counts.lengths[a], np.arange(n), known)
        places = order[: plan.n_labels]
        found.append(estimate_rate(pool, SurveyLabels(places, apart[places], counts.words[places]), seed=seed))
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
    values = np.array([np.nan if one.value is None else one.value for one in found])
    intervals = np.array([one.ci95 if one.ci95 else (np.nan, np.nan) for one in found])
    there = np.isfinite(intervals[:, 0])
    inside = (intervals[there, 0] <= truth) & (truth <= intervals[there, 1])
    effective = np.median([one.n_effective for one in found if one.n_effective])
    return Row(
        float(np.nanmean(values) - truth),
        float(np.nanstd(values)),
        float(inside.mean()),
        float((intervals[there, 1] - intervals[there, 0]).mean()),
        float(effective),
    )


def experiment(
    counts: CountsFile, model: int, n_labels: int, rounds: int, other: int | None = None, *, goal: LabelGoal = "wer"
) -> tuple[Row, Row]:
    """Return the plan's labellings and as many at random, of a model's rate or of a difference of two models."""
    errors, guesses, lowest = counts.errors[model], counts.guesses[model], 0.0
    if other is not None:
        errors, guesses, lowest = errors - counts.errors[other], guesses - counts.guesses[other], -np.inf
    truth = float(errors.sum() / counts.words.sum())
    n = len(counts.words)
    plain = SurveyPool(np.zeros(n, np.int64), np.zeros(n), np.zeros(n), np.arange(n))
    at_random = labellings(plain, errors, counts.words, np.array([n_labels]), rounds, lowest)
    if other is not None and goal == "difference":
        by_plan = planned_differences(counts, (model, other), n_labels, rounds)
    else:
        strata, each = strata_of_plan(counts, n_labels)
        planned = SurveyPool(strata, guesses, counts.lengths[model], np.arange(n))
        by_plan = labellings(planned, errors, counts.words, each, rounds, lowest)
    return summary(by_plan, truth), summary(at_random, truth)


def correlation(counts: CountsFile, model: int, other: int | None) -> float:
    """Return the correlation of proxy and errors over the pool."""
    errors = counts.errors[model] - (0 if other is None else counts.errors[other])
    guesses = counts.guesses[model] - (0 if other is None else counts.guesses[other])
    truth = errors.sum() / counts.words.sum()
    linear, guess = errors - truth * counts.words, guesses - truth * counts.lengths[model]
    return float(np.corrcoef(linear, guess)[0, 1]) if guess.std() > 0 else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("counts", nargs="?", type=Path)
    parser.add_argument("--labellings", type=int, default=500)
    parser.add_argument("--rate", choices=("wer", "cer"), default="wer")
    parser.add_argument("--records", type=Path, nargs="+")
    parser.add_argument("--write", type=Path)
    args = parser.parse_args()
    if args.records and args.write:
        write(newest_with_clips(find_records(args.records)), args.write)
        return
    counts = read(args.counts, args.rate)
    started = time.process_time()
    print(f"{len(counts.words)} clips, {counts.words.sum():.0f} words or letters, {args.labellings} labellings a row")
    print("| rate | truth | labels | bias | coverage | ± planned | ± at random | at random covers | n_eff | ± by rho |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    jobs: list[tuple[str, int, int | None, LabelGoal]] = [(of, n, None, "wer") for n, of in enumerate(counts.models)]
    for other in range(1, len(counts.models)):
        label = f"{counts.models[other]} less {counts.models[0]}"
        jobs += [(label, other, 0, "wer"), (f"{label}, planned for it", other, 0, "difference")]
    for label, model, base, goal in jobs:
        truth = (counts.errors[model] - (0 if base is None else counts.errors[base])).sum() / counts.words.sum()
        rho = correlation(counts, model, base)
        for n_labels in LABELS:
            differ = len(counts.words) if base is None else int((counts.gap(model, base) > 0).sum())
            if n_labels > (differ if goal == "difference" else len(counts.words)) / 2:
                continue
            planned, plain = experiment(counts, model, n_labels, args.labellings, base, goal=goal)
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
