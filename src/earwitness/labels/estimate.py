"""WER of each model, and the differences between models, from the labels of a plan.

A label counts if all clips before it in its stratum's order have one too: then the labels of a stratum are a random
sample of its clips. Labels behind a gap wait until the gap is closed, and so do clips that a person skipped, because
people skip the hard ones. A clip that a person could not transcribe (unintelligible, wrong audio) is labelled but out
of scope: it adds no errors and no words, as a clip outside the *domain* of the rate does (Cochran, *Sampling
Techniques*, 1977, section 2.13), and the share of such clips is reported. A clip in which nobody speaks has an empty
reference, so that words on it are errors, as in every other WER.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from earwitness.labels.label import Label
from earwitness.labels.plan import LabelPlan
from earwitness.labels.plan_file import refuse_other_pool
from earwitness.labels.pool import LabelPool, Rate, distance, length, pool_of, proxies
from earwitness.labels.settle import label_by_clip
from earwitness.labels.spans import in_spans
from earwitness.records.select import RunWithClips
from earwitness.scoring.metrics.clip import reference_words
from earwitness.scoring.stats.clusters import Counts, cluster_of
from earwitness.scoring.stats.survey import SurveyEstimate, SurveyLabels, SurveyPool, estimate_rate
from earwitness.scoring.stats.survey_interval import clean_limit
from earwitness.scoring.stats.tuning import Indices
from earwitness.types import Target


@dataclass(frozen=True, slots=True)
class CleanStratum:
    """A stratum whose labels show no error of a model, which does not mean that it has none."""

    name: str
    """Of the stratum."""
    n_clips: int
    """Its clips."""
    n_labels: int
    """Labels in it, all without an error."""
    share_high: float
    """Up to this share of its clips may have an error all the same, at 95 %."""


@dataclass(frozen=True, slots=True)
class ModelEstimate:
    """The error rate of one model."""

    label: str
    """Of the run."""
    estimate: SurveyEstimate
    """The rate."""
    clean: tuple[CleanStratum, ...]
    """Strata whose labels show no error of it."""


@dataclass(frozen=True, slots=True)
class DifferenceEstimate:
    """How much the error rate of the first model is above that of the second."""

    first: str
    """Label of a run."""
    second: str
    """Label of another."""
    estimate: SurveyEstimate
    """Rate of the first less rate of the second, from the same labels. It is estimated by itself, with a guess of the
    difference and a slope of its own, so it is not exactly the difference of the two models' estimates."""


@dataclass(frozen=True, slots=True)
class LabelEstimates:
    """What the labels of a plan say of the models."""

    rate: Rate
    """``wer`` or ``cer``."""
    target: Target
    """What the numbers are about."""
    models: tuple[ModelEstimate, ...]
    """In the order of the runs."""
    differences: tuple[DifferenceEstimate, ...]
    """Every two of them."""
    n_pool: int
    """Clips of the pool."""
    n_labels: int
    """Labels that count, those out of scope included."""
    n_out_of_scope: int
    """Labels of clips that cannot be scored."""
    share_out_of_scope: float | None
    """The share of such clips in the pool, estimated; ``None`` without labels in every stratum."""
    waiting: tuple[str, ...]
    """Clips to label before the labels behind them count, in the plan's order."""
    n_waiting: int
    """Labels that wait for these."""


def estimate_labels(
    plan: LabelPlan,
    labels: Iterable[Label],
    runs: Sequence[RunWithClips],
    *,
    rate: Rate = "wer",
    target: Target = "this pool",
    seed: int = 0,
) -> LabelEstimates:
    """Estimate the error rate of each run, and the difference of every two, from the labels of a plan.

    The proxy of a model is its distance to what other families of weights wrote (``pool.witnesses``). Labels are scored
    as the runs are: same normalizer, same alignment.

    Args:
        plan: As ``plan_labels`` made it.
        labels: As ``read_labels`` reads them; ``settle.py`` says which of several for a clip counts.
        runs: Over the clips of the plan, scored alike, as ``newest_with_clips`` returns them; they need not be those
            that the plan was made from. Long clips are whole in them, and are cut here as the plan says.
        rate: ``wer`` or ``cer``.
        target: ``this pool`` or ``recordings like these``.
        seed: Of folds and rounds.

    Raises:
        UsageError: When the runs are over other clips than the plan, or for another target.
        ComparisonError: When the runs are over different clips.
    """
    by_clip = label_by_clip(labels)
    pool = plan_pool(plan, runs)
    # Proxies know no label; the errors of a label are counted in the words that are nearest to it.
    texts = pool if pool.is_whole else _pool(in_spans(runs, plan.order, by_clip))
    state = _state(plan, pool, by_clip)
    counts = [_counts(texts, model, state, rate) for model in range(len(pool.models))]
    guesses = [proxies(pool, model, rate) for model in range(len(pool.models))]
    models = tuple(
        ModelEstimate(label, _rate(plan, state, counts[n], guesses[n], target, seed), _clean(plan, state, counts[n][0]))
        for n, label in enumerate(pool.labels)
    )
    differences = []
    for a, b in combinations(range(len(pool.models)), 2):
        pair = (pool.labels[a], pool.labels[b])
        apart = (counts[a][0] - counts[b][0], counts[a][1])
        guess = (guesses[a][0] - guesses[b][0], guesses[a][1])
        differences.append(DifferenceEstimate(*pair, _rate(plan, state, apart, guess, target, seed, pair)))
    return LabelEstimates(
        rate,
        target,
        models,
        tuple(differences),
        n_pool=len(pool.clips),
        n_labels=len(state.places),
        n_out_of_scope=sum(text is None for text in state.references),
        share_out_of_scope=_share_out(plan, state),
        waiting=state.waiting,
        n_waiting=state.n_waiting,
    )


@dataclass(frozen=True, slots=True)
class _State:
    """Which labels count."""

    strata: Indices
    """Stratum of each clip of the pool."""
    recordings: Indices
    """Recording of each clip of the pool."""
    places: Indices
    """Indices of the labelled clips that count."""
    references: tuple[str | None, ...]
    """Of these; ``None`` for out of scope."""
    waiting: tuple[str, ...]
    n_waiting: int


def plan_pool(plan: LabelPlan, runs: Sequence[RunWithClips]) -> LabelPool:
    """Return the pool of a plan with the texts of runs, in the plan's spans of long clips.

    Raises:
        UsageError: When the runs are over other clips than the plan.
        ComparisonError: When the runs are over different clips.
    """
    pool = _pool(in_spans(runs, plan.order))
    refuse_other_pool(plan, pool)
    return pool


def _pool(runs: Sequence[RunWithClips]) -> LabelPool:
    return pool_of([result.clip for result in runs[0].results], runs)


def _state(plan: LabelPlan, pool: LabelPool, labels: Mapping[str, Label]) -> _State:
    place_of = {clip.id: place for place, clip in enumerate(pool.clips)}
    strata = np.zeros(len(pool.clips), np.int64)
    members: dict[int, list[str]] = defaultdict(list)
    for clip_id, stratum in zip(plan.order, plan.stratum_of, strict=True):
        strata[place_of[clip_id]] = stratum
        members[stratum].append(clip_id)
    references: dict[str, str | None] = {}
    waiting: set[str] = set()
    n_waiting = 0
    for stratum, clip_ids in members.items():
        if plan.strata[stratum].known:
            references |= _known(pool, [place_of[clip_id] for clip_id in clip_ids])
            continue
        n_first = _n_first(clip_ids, labels)
        references |= {clip_id: labels[clip_id].reference for clip_id in clip_ids[:n_first]}
        behind = [n for n, clip_id in enumerate(clip_ids) if n > n_first and clip_id in labels]
        n_waiting += len(behind)
        gap = clip_ids[n_first : behind[-1]] if behind else []
        waiting |= set(gap) - labels.keys()
    names = [cluster_of(clip) for clip in pool.clips]
    return _State(
        strata,
        np.unique(names, return_inverse=True)[1].astype(np.int64),
        np.array([place_of[clip_id] for clip_id in references], np.int64),
        tuple(references.values()),
        tuple(clip_id for clip_id in plan.order if clip_id in waiting),
        n_waiting,
    )


def _n_first(clip_ids: Sequence[str], labels: Mapping[str, Label]) -> int:
    """Return how many of the clips have a label before the first one that has none."""
    return next((n for n, clip_id in enumerate(clip_ids) if clip_id not in labels), len(clip_ids))


def _known(pool: LabelPool, places: Sequence[int]) -> dict[str, str | None]:
    """Return the references that were there before the plan; none for clips on which two models wrote the same."""
    clips = [pool.clips[place] for place in places]
    return {clip.id: clip.reference for clip in clips if clip.reference is not None}


def _counts(pool: LabelPool, model: int, state: _State, rate: Rate) -> tuple[Counts, Counts]:
    """Return errors of a model and the reference's length by label; 0 for both out of scope."""
    count = distance(pool, rate)
    errors, lengths = np.zeros(len(state.places)), np.zeros(len(state.places))
    for n, (place, reference) in enumerate(zip(state.places.tolist(), state.references, strict=True)):
        if reference is None:
            continue
        text = pool.models[model].words[place]
        words = reference_words(reference, text, pool.clips[place].language, pool.scoring)
        errors[n], lengths[n] = count(place, words, text), length(pool, place, words, rate)
    return errors, lengths


def _rate(
    plan: LabelPlan,
    state: _State,
    counts: tuple[Counts, Counts],
    guesses: tuple[Counts, Counts],
    target: Target,
    seed: int,
    pair: tuple[str, ...] = (),
) -> SurveyEstimate:
    reached = np.isin(np.arange(len(plan.strata)), state.strata[state.places])
    certain = frozenset(n for n, stratum in enumerate(plan.strata) if stratum.known and not reached[n])
    if plan.goal == "difference" and set(pair) != set(plan.models):
        reason = f"the plan labels for the difference of {' and '.join(plan.models)} alone"
        return SurveyEstimate(None, None, reason, target, len(state.strata), len(state.places))
    pool = SurveyPool(state.strata, guesses[0], guesses[1], state.recordings, certain)
    labels = SurveyLabels(state.places, counts[0], counts[1])
    return estimate_rate(pool, labels, target=target, lowest=-np.inf if pair else 0.0, seed=seed)


def _clean(plan: LabelPlan, state: _State, errors: Counts) -> tuple[CleanStratum, ...]:
    of_labels = state.strata[state.places]
    found = []
    for n, stratum in enumerate(plan.strata):
        here = of_labels == n
        if here.any() and not stratum.known and not errors[here].any():
            n_labels = int(here.sum())
            found.append(CleanStratum(stratum.name, stratum.n_clips, n_labels, clean_limit(n_labels)))
    return tuple(found)


def _share_out(plan: LabelPlan, state: _State) -> float | None:
    of_labels = state.strata[state.places]
    out = np.array([reference is None for reference in state.references], bool)
    clips = 0.0
    for n, stratum in enumerate(plan.strata):
        here = of_labels == n
        if not here.any():
            if not stratum.known:
                return None
            continue
        clips += stratum.n_clips * float(out[here].mean())
    return clips / len(state.strata)
