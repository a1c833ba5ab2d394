"""When one may stop labelling for the difference of two models, with a look after every label.

For any reference, the errors of two models differ by no more than the edits between their texts, because edits are a
metric. So before a label the difference of a clip is known to lie in ``[-edits, +edits]``, and clips with equal texts
add nothing. The plan of a difference draws the next stratum with known chances and a clip of it at random, so every
clip that is left has a known chance: what ``betting.py`` needs. Its first labels, the floors, are taken as known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from earwitness.errors import UsageError
from earwitness.labels.estimate import plan_pool
from earwitness.labels.label import Label
from earwitness.labels.plan import LabelPlan
from earwitness.labels.pool import LabelPool, distance
from earwitness.labels.settle import label_by_clip
from earwitness.labels.signals import gaps
from earwitness.labels.spans import require_word_times
from earwitness.records.select import RunWithClips
from earwitness.scoring.metrics.clip import reference_words
from earwitness.scoring.stats.betting import Draws, total_sequence
from earwitness.scoring.stats.clusters import Counts


@dataclass(frozen=True, slots=True)
class StopAdvice:
    """Whether the labels so far settle which of two models makes fewer errors on this pool."""

    first: str
    """Label of a run."""
    second: str
    """Label of the other."""
    n_labels: int
    """Labels in the plan's order before the first clip without one; others do not count."""
    low: float
    """Errors of the first model less those of the second, over the pool: at least this, at 95 % over all looks."""
    high: float
    """At most this."""
    stop_after: int | None
    """After how many labels it was settled; ``None`` while it is open."""

    @property
    def better(self) -> str | None:
        """The model with fewer errors; ``None`` while it is open."""
        if self.stop_after is None:
            return None
        return self.first if self.high < 0 else self.second


def stop_advice(plan: LabelPlan, labels: Iterable[Label], runs: Sequence[RunWithClips]) -> StopAdvice:
    """Return whether one may stop labelling, for a plan whose goal is a difference.

    Args:
        plan: As ``plan_labels`` made it from these runs.
        labels: As ``read_labels`` reads them.
        runs: Over the clips of the plan; those of its two models count.

    Raises:
        UsageError: For a plan with another goal, runs over other clips, a run that is not there, or a scoring under
            which errors are no metric: sclite's costs, compounds or alternatives; for spans of long clips, runs whose
            words have no times.
    """
    if plan.goal != "difference":
        raise UsageError(f"The plan is for {plan.goal}. Stopping early takes a plan with the goal difference.")
    pair = [run for label in plan.models for run in runs if run.label == label]
    if len(pair) != 2:
        raise UsageError(f"There are no runs of both {plan.models[0]!r} and {plan.models[1]!r}. Name their records.")
    pool = plan_pool(plan, pair)
    require_word_times(pair, plan.order)
    if pool.scoring.compounds or pool.scoring.alternatives or pool.scoring.method != "levenshtein":
        raise UsageError("Stopping early takes plain edits. Score without compounds, alternatives and sclite's costs.")
    values = _differences(plan, labels, pool)
    return stop_of(plan, values, _bounds(plan, pool))


def stop_of(plan: LabelPlan, values: Counts, bounds: Counts) -> StopAdvice:
    """Return the advice from counts.

    Args:
        plan: Of a difference.
        values: Errors of the first model less those of the second, of the first clips in the plan's order; shape (T,).
        bounds: Edits between the texts, of all clips in the plan's order; shape (N,).
    """
    first, second = plan.models
    values = values[: int((np.array([s.weight for s in plan.strata])[list(plan.stratum_of)] > 0).sum())]
    n_known = min(plan.n_first, len(values))
    start = float(values[:n_known].sum())
    left = float(bounds[n_known:].sum())
    if len(values) <= n_known:
        return StopAdvice(first, second, len(values), start - left, start + left, None)
    chances, largest = draw_chances(plan, bounds, n_known, len(values))
    after = left - np.cumsum(bounds[n_known : len(values)])
    found = total_sequence(
        Draws(values[n_known:], chances, largest, after), start=start, left=left, horizon=plan.n_labels - n_known
    )
    stop = None if found.stop is None else n_known + found.stop
    return StopAdvice(first, second, len(values), float(found.low[-1]), float(found.high[-1]), stop)


def draw_chances(plan: LabelPlan, bounds: Counts, start: int, end: int) -> tuple[Counts, Counts]:
    """Return the chance of each drawn clip, and the largest ``bound / chance`` that a clip could have had.

    Args:
        plan: Of a difference: a stratum is drawn by the weights of those that have clips left.
        bounds: Of all clips in the plan's order; shape (N,).
        start: The first draw.
        end: Behind the last one.
    """
    strata = np.array(plan.stratum_of, np.int64)
    weights = np.array([stratum.weight for stratum in plan.strata])
    left = np.bincount(strata[start:], minlength=len(weights)).astype(float)
    # The largest bound among all clips of a stratum: no look at which of them are left.
    most = np.array([bounds[strata == n].max(initial=0.0) for n in range(len(weights))])
    chances, largest = np.empty(end - start), np.empty(end - start)
    for n, stratum in enumerate(strata[start:end].tolist()):
        share = np.where(left > 0, weights, 0.0)
        share = share / share.sum()
        each = np.divide(share, left, out=np.zeros(len(left)), where=left > 0)
        chances[n] = each[stratum]
        some = each > 0
        largest[n] = float((most[some] / each[some]).max())
        left[stratum] -= 1
    return chances, largest


def _bounds(plan: LabelPlan, pool: LabelPool) -> Counts:
    place_of = {clip.id: place for place, clip in enumerate(pool.clips)}
    apart = gaps(pool, 0, 1).astype(float)
    return apart[[place_of[clip_id] for clip_id in plan.order]]


def _differences(plan: LabelPlan, labels: Iterable[Label], pool: LabelPool) -> Counts:
    """Return the differences of the first clips in the plan's order, up to the first one without a label."""
    by_clip = label_by_clip(labels)
    place_of: dict[str, int] = {clip.id: place for place, clip in enumerate(pool.clips)}
    count = distance(pool)
    values: list[float] = []
    for clip_id in plan.order:
        if clip_id not in by_clip:
            break
        place, reference = place_of[clip_id], by_clip[clip_id].reference
        texts = [model.words[place] for model in pool.models]
        words = (
            [] if reference is None else reference_words(reference, texts[0], pool.clips[place].language, pool.scoring)
        )
        values.append(
            0.0 if reference is None else float(count(place, words, texts[0]) - count(place, words, texts[1]))
        )
    return np.array(values, float)
