"""The plan of a labelling: which clips a person transcribes, in which order, and with which probability.

The clips of the pool lie in strata. Within a stratum the order is random, so the first clips of a stratum are a random
sample of it, however many they are; the order of the strata depends on nothing that a label says. A person who stops
early therefore leaves a stratified random sample, and the estimate knows the probability of every clip: labels of the
stratum over clips of the stratum.

Each stratum first gets its floor of labels, in turns. Then the strata share the labels: a part evenly over all clips,
so that no clip weighs much more than others, and the rest after Neyman, by clips times guessed spread. For the
difference of two models the next stratum is drawn with these shares as probabilities, which ``sequence.py`` needs; for
other goals it is the one that has most to catch up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from earwitness.counts import quantity
from earwitness.errors import UsageError
from earwitness.files.schema import Strict
from earwitness.labels.pool import LabelPool
from earwitness.labels.signals import Signals, signals_of
from earwitness.labels.strata import spread, strata_of
from earwitness.scoring.stats.clusters import Counts
from earwitness.scoring.stats.power import student
from earwitness.scoring.stats.tuning import Indices

SCHEMA_VERSION = 1
LabelGoal = Literal["wer", "difference", "gate"]
"""What the labels are for: the WER of each model, the difference of two, or one limit on the WER.

A gate has the plan of ``wer``, and keeps its limit: the distance of a WER to a fixed limit is as sure as the WER."""
GOALS: tuple[LabelGoal, ...] = get_args(LabelGoal)
FLOOR = 3
"""Labels that each stratum gets before they are shared out."""
_NAMED = 3
_EVENLY = 0.3
"""Share of the labels that goes evenly to all clips."""


@dataclass(frozen=True, slots=True)
class Stratum(Strict):
    """Clips of the pool that are alike before anybody labels them."""

    name: str
    """What they have in common, such as ``en, models differ in 1-2 words, 5-9 words``."""
    n_clips: int
    """How many clips of the pool."""
    n_labels: int
    """How many of them the plan labels."""
    weight: float
    """The share of labels after the first ones; 0 where no label is needed."""
    known: bool = False
    """Whether nothing is left to learn in it: the clips have a reference already, or, for a difference, both models
    wrote the same text."""

    @property
    def probability(self) -> float:
        """The probability with which the plan labels a clip of it; 1 where nothing is left to learn."""
        return 1.0 if self.known else self.n_labels / self.n_clips


@dataclass(frozen=True, slots=True)
class LabelPlan(Strict):
    """Which clips to label, in which order."""

    schema_version: int
    """Of this layout."""
    goal: LabelGoal
    """What the labels are for."""
    models: tuple[str, ...]
    """The two models of a difference, or the models whose texts made the strata; empty for a plan without runs."""
    limit: float | None
    """Of the gate: the WER, a ratio; ``None`` for another goal."""
    seed: int
    """The same seed over the same pool gives the same plan."""
    n_labels: int
    """How many labels are planned; the order goes on after them."""
    n_first: int
    """How many of the first labels follow a fixed order of strata, so that each stratum gets its floor."""
    pool_sha256: str
    """Of every clip's id, audio, span and channel; references do not count."""
    strata: tuple[Stratum, ...]
    """All of them, those without labels too."""
    expected_half_width: float | None
    """Half the width of the 95 % interval that the planned labels may give, guessed from how far models are apart; a
    ratio, ``None`` without runs."""
    order: tuple[str, ...]
    """Ids of all clips of the pool in the order of labelling; those with nothing left to learn come last."""
    stratum_of: tuple[int, ...]
    """Beside ``order``: the place of the clip's stratum in ``strata``."""

    @property
    def clips(self) -> tuple[str, ...]:
        """Ids of the clips to label, in order."""
        return self.order[: self.n_labels]


@dataclass(frozen=True, slots=True)
class _Group:
    """A stratum while it is planned."""

    name: str
    places: Indices
    weight: float
    known: bool = False


def plan_labels(
    pool: LabelPool,
    n_labels: int,
    *,
    goal: LabelGoal = "wer",
    models: Sequence[str] = (),
    limit: float | None = None,
    seed: int = 0,
    signals: Signals | None = None,
) -> LabelPlan:
    """Plan which clips of a pool to label.

    Args:
        pool: All clips, with the texts of models if there are any.
        n_labels: Labels to plan; no more than there are clips without a reference.
        goal: What the labels are for.
        models: The two models of a difference; else those whose texts count, or empty for all.
        limit: Of a gate: the WER, a ratio.
        seed: The same seed over the same pool gives the same plan.
        signals: Of the pool for this goal, as ``signals_of`` returns them; ``None`` makes them.

    Raises:
        UsageError: For a model that the pool does not have, a difference without two models, a gate without a limit,
            no label at all, or a pool without anything to label.
    """
    names = _checked(pool, n_labels, goal, tuple(models), limit)
    rng = np.random.default_rng(seed)
    signals = signals or signals_of(pool, names, goal)
    groups = _groups(pool, signals, n_labels, names if goal == "difference" else ())
    open_groups = [n for n, group in enumerate(groups) if not group.known]
    n_labels = min(n_labels, sum(len(groups[n].places) for n in open_groups))
    sizes = np.array([len(group.places) for group in groups])
    weights = np.array([group.weight for group in groups])
    floors = np.where(weights > 0, np.minimum(sizes, FLOOR), 0)
    turns = _turns(sizes, weights, floors, rng if goal == "difference" else None)
    shuffled = [rng.permutation(group.places) for group in groups]
    taken = [0] * len(groups)
    order = []
    for turn in turns:
        order.append(int(shuffled[turn][taken[turn]]))
        taken[turn] += 1
    planned = np.bincount(turns[:n_labels], minlength=len(groups))
    strata = tuple(
        Stratum(group.name, len(group.places), int(planned[n]), group.weight, group.known)
        for n, group in enumerate(groups)
    )
    return LabelPlan(
        schema_version=SCHEMA_VERSION,
        goal=goal,
        models=names,
        limit=limit,
        seed=seed,
        n_labels=n_labels,
        n_first=int(floors.sum()),
        pool_sha256=pool.sha256,
        strata=strata,
        expected_half_width=_expected(signals, groups, planned) if signals.has_runs else None,
        order=tuple(pool.clips[place].id for place in order),
        stratum_of=tuple(int(turn) for turn in turns),
    )


def _checked(
    pool: LabelPool, n_labels: int, goal: LabelGoal, models: tuple[str, ...], limit: float | None
) -> tuple[str, ...]:
    """Return the models that count, or raise an error for what does not go together."""
    if n_labels < 1:
        raise UsageError(f"A plan needs at least 1 label, not {n_labels}.")
    for model in models:
        if model not in pool.labels:
            there = ", ".join(pool.labels) or "none: name records with --runs"
            raise UsageError(f"There is no run of {model!r}. There are: {there}.")
    models = models or pool.labels
    if goal == "difference" and len(set(models)) != 2:
        raise UsageError(f"A difference needs two models, and there are {len(set(models))}. Name two of the runs.")
    if goal == "gate" and not (limit is not None and limit > 0):
        raise UsageError("A gate needs the limit of its WER, such as 0.1.")
    return models


def _groups(pool: LabelPool, signals: Signals, n_labels: int, pair: tuple[str, ...]) -> list[_Group]:
    """Return the strata: those to label with their weights, then those with nothing left to learn."""
    labelled = np.array([clip.reference is not None for clip in pool.clips], bool)
    mute = ~labelled & np.array([clip.id in pool.undecodable for clip in pool.clips], bool)
    same = ~labelled & ~mute & (signals.distance == 0 if pair else np.zeros(len(pool.clips), bool))
    known = {"has a reference": labelled, "both models wrote the same": same, _undecodable(pool): mute}
    left = np.flatnonzero(~labelled & ~mute & ~same)
    if not len(left):
        raise UsageError(f"There is nothing to label: {_why_nothing(labelled, same, mute)}.")
    found = strata_of(signals, left, n_labels)
    value = spread(signals)
    sizes = np.array([len(places) for _, places in found], float)
    needs = sizes * np.sqrt([value[places].mean() for _, places in found])
    weights = _EVENLY * sizes / sizes.sum() + (1 - _EVENLY) * needs / needs.sum()
    groups = [_Group(name, places, float(weight)) for (name, places), weight in zip(found, weights, strict=True)]
    groups += [_Group(name, np.flatnonzero(places), 0.0, known=True) for name, places in known.items() if places.any()]
    return groups


def _undecodable(pool: LabelPool) -> str:
    names = sorted(pool.undecodable)
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"cannot be decoded: {', '.join(names[:_NAMED])}{more}"


def _why_nothing(labelled: npt.NDArray[np.bool_], same: npt.NDArray[np.bool_], mute: npt.NDArray[np.bool_]) -> str:
    reasons = [
        *(["has a reference"] if labelled.any() else []),
        *(["has the same text by both models"] if same.any() else []),
        *(["cannot be decoded"] if mute.any() else []),
    ]
    return f"each of {quantity(len(labelled), 'clip')} {' or '.join(reasons)}"


def _turns(sizes: Indices, weights: Counts, floors: Indices, rng: np.random.Generator | None) -> Indices:
    """Return the stratum of each clip in the order of labelling, shape (N,): the floors, the shares, what is known.

    With a random generator, the next stratum is drawn by the weights of those that have clips left.
    """
    turns = [n for turn in range(int(floors.max())) for n in range(len(sizes)) if turn < floors[n]]
    taken = floors.copy()
    open_strata = weights > 0
    for _ in range(int(sizes[open_strata].sum()) - len(turns)):
        left = np.where(open_strata & (taken < sizes), weights, 0.0)
        if rng is None:
            turn = int((left / (taken + 0.5)).argmax())
        else:
            turn = int(np.searchsorted(np.cumsum(left), rng.random() * left.sum(), side="right"))
        turns.append(turn)
        taken[turn] += 1
    rest = [n for n in range(len(sizes)) if not open_strata[n] for _ in range(int(sizes[n]))]
    return np.array([*turns, *rest], np.int64)


def _expected(signals: Signals, groups: Sequence[_Group], planned: Indices) -> float | None:
    """Return half the width of the interval that the guessed spread leads to; ``None`` where a stratum has too few."""
    value = spread(signals)
    variance = 0.0
    for group, n in zip(groups, planned, strict=True):
        if group.known:
            continue
        if n < 2:
            return None
        size = len(group.places)
        variance += size * (size - n) / n * float(value[group.places].mean())
    degrees = max(1, int(planned.sum()) - int((planned > 0).sum()))
    return float(student(0.975, degrees) * np.sqrt(variance) / max(1.0, float(signals.words.sum())))
