"""What is known of two models without references: proofs from distances, and a test with independent witnesses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from earwitness.comparison.listening import LabelNeed, label_need
from earwitness.comparison.texts import ModelTexts, SharedTexts
from earwitness.scoring.metrics.disagreement import DistanceBound, clip_distances, distance_bound, most_errors
from earwitness.scoring.stats.clusters import cluster_of
from earwitness.scoring.stats.ranks import rank_label
from earwitness.scoring.stats.significance import Difference, difference, holm

_ROUNDS = 4000


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Two runs; the first is nearer to the others, or as near."""

    first: str
    """Label of one."""
    second: str
    """Label of the other."""
    distance: int
    """Edits between their texts."""
    rate: float | None
    """The distance, divided by the words of the consensus: about the most by which the two WERs can differ."""
    n_clips: int
    """Clips with unequal texts."""
    bound: DistanceBound | None
    """What the distance proves; ``None`` where costs are not units."""
    same_family: bool
    """Whether both have the same weights, so that their agreement says nothing of the truth."""
    witnesses: tuple[str, ...]
    """Families of other lineages than both."""
    difference: Difference | None
    """Distance of the second to the witnesses less that of the first, divided by the words; ``None`` without one."""
    p: float | None
    """Of the permutation, corrected by Holm for the number of pairs."""
    order: Literal["proven", "tested"] | None
    """``proven``, ``tested``, or ``None`` where the order is open."""
    labels: LabelNeed
    """How many labelled clips would settle who makes fewer errors on this pool."""


def pair_agreements(
    shared: SharedTexts,
    order: Sequence[ModelTexts],
    lengths: Sequence[int],
    premises: Mapping[str, float],
    *,
    bounded: bool,
) -> tuple[PairAgreement, ...]:
    """Return what is known of every two models.

    Args:
        shared: The texts of all models.
        order: The models in the order of the pairs.
        lengths: Words of the consensus, clip by clip.
        premises: A WER that a model does not exceed, by label.
        bounded: Whether costs are units, so that distances bound.
    """
    couples = list(combinations(order, 2))
    tests = [_test(shared, first, second, lengths) for first, second in couples]
    corrected = holm([None if test is None else test[1].p for test in tests])
    return tuple(
        _pair(shared, couple, test, p, lengths, premises, bounded=bounded)
        for couple, test, p in zip(couples, tests, corrected, strict=True)
    )


_Test = tuple[list[int], Difference]


def _witnesses(shared: SharedTexts, first: ModelTexts, second: ModelTexts) -> list[ModelTexts]:
    return [model for model in shared.models if model.lineage not in (first.lineage, second.lineage)]


def _test(shared: SharedTexts, first: ModelTexts, second: ModelTexts, lengths: Sequence[int]) -> _Test | None:
    witnesses = _witnesses(shared, first, second)
    if not witnesses:
        return None
    a, b = shared.distances(witnesses, first, second)
    told = difference(b, a, lengths, list(map(cluster_of, shared.clips)), rounds=_ROUNDS)
    return [y - x for x, y in zip(a, b, strict=True)], told


def _pair(
    shared: SharedTexts,
    couple: tuple[ModelTexts, ModelTexts],
    test: _Test | None,
    p: float | None,
    lengths: Sequence[int],
    premises: Mapping[str, float],
    *,
    bounded: bool,
) -> PairAgreement:
    proofs = [bounded and _proves(shared, one, other, premises) for one, other in (couple, couple[::-1])]
    is_tested = test is not None and rank_label(test[1].value, p)
    first, second = couple
    if proofs[1] or (is_tested and not proofs[0] and _is_second_nearer(test)):
        first, second = second, first
        test = _test(shared, first, second, lengths)
    bound = distance_bound(first.texts, second.texts)
    return PairAgreement(
        first=first.label,
        second=second.label,
        distance=bound.errors,
        rate=bound.errors / sum(lengths) if sum(lengths) else None,
        n_clips=bound.n_clips,
        bound=bound if bounded else None,
        same_family=first.family == second.family,
        witnesses=tuple(dict.fromkeys(model.family for model in _witnesses(shared, first, second))),
        difference=test[1] if test else None,
        p=p,
        order="proven" if any(proofs) else "tested" if is_tested else None,
        labels=label_need(clip_distances(first.texts, second.texts), test[0] if test else None),
    )


def _is_second_nearer(test: _Test | None) -> bool:
    return test is not None and (test[1].value or 0.0) < 0


def _proves(shared: SharedTexts, first: ModelTexts, second: ModelTexts, premises: Mapping[str, float]) -> bool:
    """Return whether the second is certain to make more errors than the first, if the premises hold.

    With ``E_A`` the errors of a model of which a WER is known, ``E_second >= D(A, second) - E_A`` and ``E_first <=
    D(A, first) + E_A``; the known model may be the first itself.
    """
    known = [model for model in shared.models if model.label in premises]
    return any(
        distance_bound(model.texts, second.texts).errors - distance_bound(model.texts, first.texts).errors
        > 2 * most_errors(premises[model.label], sum(map(len, model.texts)))
        for model in known
    )
