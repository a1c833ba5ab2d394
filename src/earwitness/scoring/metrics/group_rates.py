"""Error rates of the groups of a slice with intervals that all hold at once: the worst group, and the widest gap.

*Why at once.* Of groups that are all alike, one is the worst, by chance. An interval that is made for one group holds
its true rate in 95 % of cases; that *every* one of ten such intervals holds is far less likely. The intervals here are
simultaneous: in 95 % of cases all of them hold, and so does what is read off them, whichever group turns out the worst.

*Rates.* Bonferroni's inequality (Dunn, Journal of the American Statistical Association 1961): each of G groups gets an
interval that leaves out 2.5 % / G on each side. That holds whatever the groups have in common, such as recordings with
clips in several of them. Each is a bootstrap-t over the group's recordings (``bootstrap_t.py``). Where the recordings
do not bound the rate so far out, as when few of them have an error, it is that of a share in as many trials as the
recordings are worth (Clopper and Pearson, ``exact_intervals.py``), which is wide and safe.

The worst true rate lies between the highest lower end and the highest upper end.

*Gaps.* The interval of the difference of two groups is made of their intervals (Newcombe, Statistics in Medicine 1998,
method 10; for any rate Zou and Donner, Statistics in Medicine 2008), each of which leaves out 2.5 % / (G(G-1)/2). The
widest true gap lies between the highest lower end and the highest upper end of all pairs. This takes two groups as
independent; what recordings with clips in both have in common makes it wider than it need be.

Coverage is held by a simulation in ``tests/scoring/metrics/test_group_rates.py``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from math import ceil

import numpy as np

from earwitness.files.schema import Strict
from earwitness.scoring.metrics.slices import UNKNOWN, ScoredClip, slicer
from earwitness.scoring.stats.bootstrap_t import TAIL, ratio_interval
from earwitness.scoring.stats.clusters import FEWEST, ClusterBy, Counts, cluster_of, sum_by_cluster
from earwitness.scoring.stats.exact_intervals import independent, share_interval

_ROUNDS = 4000
_MOST_ROUNDS = 200_000
_BEYOND = 12
"""Rounds that should lie beyond each end of an interval."""
_End = tuple[float, float]


@dataclass(frozen=True, slots=True)
class GroupRate(Strict):
    """The word error rate of a group of clips."""

    value: str
    """What its clips have in common; ``unknown`` for clips that do not say."""
    n_clips: int
    """Labelled clips."""
    n_recordings: int
    """Recordings (or speakers) among them."""
    rate: float | None
    """Summed errors over summed words; ``None`` when its references have no words."""
    ci95: tuple[float, float] | None
    """Holds together with those of all other groups; ``None`` with ``reason``."""
    reason: str | None
    """Why there is no interval, so that no rule can be judged by this group."""


@dataclass(frozen=True, slots=True)
class GroupExtreme:
    """The worst group, or the widest gap."""

    value: float
    """As measured; biased upwards, because the groups were picked for being extreme."""
    ci95: tuple[float, float]
    """Of the worst true rate, or of the widest true gap, whichever groups these belong to."""
    worst: str
    """The group with the highest rate."""
    best: str
    """The group with the lowest."""


def group_rates(
    pairs: Sequence[ScoredClip], by: str, *, cluster: ClusterBy = "recording", seed: int = 0
) -> tuple[GroupRate, ...]:
    """Return every group of a slice, worst first, with intervals that hold at once for all groups that have one.

    Groups of fewer than four recordings, and the clips that do not say to which group they belong, have no interval
    and a reason; they are never left out.

    Args:
        pairs: Clips with their counts; unlabelled ones are passed over.
        by: As for ``slices.slices``: ``speaker``, ``language``, a tag and so on.
        cluster: What is resampled.
        seed: The same seed gives the same intervals.
    """
    groups = _grouped(pairs, by)
    sums = {value: _sums(group, cluster) for value, group in groups.items()}
    reasons = {value: _too_little(value, *sums[value]) for value in groups}
    n_judged = sum(reason is None for reason in reasons.values())
    found = []
    for value, group in groups.items():
        errors, words = sums[value]
        rate = float(errors.sum() / words.sum()) if words.sum() else None
        reason = reasons[value]
        ci95 = None if reason else _interval(errors, words, TAIL / n_judged, seed)
        if ci95 is None and reason is None:
            reason = "its recordings do not say how high its rate may be"
        found.append(GroupRate(value, len(group), len(errors), rate, ci95, reason))
    return tuple(sorted(found, key=lambda group: (-(group.rate if group.rate is not None else -1.0), group.value)))


def worst_group(rates: Sequence[GroupRate]) -> GroupExtreme | None:
    """Return the worst of the groups that have an interval; ``None`` when none has.

    >>> north = GroupRate("north", 9, 9, 0.2, (0.1, 0.3), None)
    >>> south = GroupRate("south", 9, 9, 0.1, (0.0, 0.4), None)
    >>> worst_group([north, south])
    GroupExtreme(value=0.2, ci95=(0.1, 0.4), worst='north', best='south')
    """
    judged = [(group.rate, group.ci95, group.value) for group in rates if group.rate is not None and group.ci95]
    if not judged:
        return None
    ends = (max(ci95[0] for _, ci95, _ in judged), max(ci95[1] for _, ci95, _ in judged))
    value, _, worst = max(judged, key=lambda group: group[0])
    _, _, best = min(judged, key=lambda group: group[0])
    return GroupExtreme(value, ends, worst, best)


def widest_gap(
    pairs: Sequence[ScoredClip], by: str, *, cluster: ClusterBy = "recording", seed: int = 0
) -> GroupExtreme | None:
    """Return the gap between the worst and the best group; ``None`` with fewer than two that have an interval.

    Args: As for ``group_rates``.
    """
    sums = {value: _sums(group, cluster) for value, group in _grouped(pairs, by).items()}
    judged = {value: both for value, both in sums.items() if _too_little(value, *both) is None}
    if len(judged) < 2:
        return None
    tail = TAIL / (len(judged) * (len(judged) - 1) / 2)
    found = {value: _interval(*both, tail, seed) for value, both in judged.items()}
    ends = {value: end for value, end in found.items() if end is not None}
    rates = {value: float(judged[value][0].sum() / judged[value][1].sum()) for value in ends}
    if len(ends) < 2:
        return None
    differences = [_difference(rates[a], ends[a], rates[b], ends[b]) for a, b in permutations(ends, 2)]
    worst, best = max(rates, key=lambda value: rates[value]), min(rates, key=lambda value: rates[value])
    low, high = max(low for low, _ in differences), max(high for _, high in differences)
    return GroupExtreme(rates[worst] - rates[best], (max(0.0, low), high), worst, best)


def _grouped(pairs: Sequence[ScoredClip], by: str) -> dict[str, list[ScoredClip]]:
    value_of = slicer(by)
    groups: dict[str, list[ScoredClip]] = defaultdict(list)
    for clip, score in pairs:
        if score.words is not None:
            groups[value_of(clip, score)].append((clip, score))
    return groups


def _sums(group: Sequence[ScoredClip], cluster: ClusterBy) -> tuple[Counts, Counts]:
    """Return errors and words by recording."""
    edits = [score.words for _, score in group if score.words is not None]
    keys = [cluster_of(clip, cluster) for clip, _ in group]
    errors, words = sum_by_cluster(keys, [each.errors for each in edits], [each.length for each in edits])
    return errors, words


def _too_little(value: str, errors: Counts, words: Counts) -> str | None:
    if not words.sum():
        return "its references have no words"
    if value == UNKNOWN:
        return "its clips do not say to which group they belong"
    if len(errors) < FEWEST:
        return f"it takes at least {FEWEST} recordings to judge a group"
    return None


def _interval(errors: Counts, words: Counts, tail: float, seed: int) -> _End | None:
    rounds = min(_MOST_ROUNDS, max(_ROUNDS, ceil(_BEYOND / tail)))
    found = ratio_interval(errors, words, rounds=rounds, seed=seed, tail=tail)
    if found is not None:
        return max(0.0, found[0]), found[1]
    rate = float(errors.sum() / words.sum())
    if rate > 1:
        return None
    return share_interval(rate, max(1.0, independent([int(n) for n in words])), tail)


def _difference(a: float, of_a: _End, b: float, of_b: _End) -> _End:
    low = a - b - float(np.hypot(a - of_a[0], of_b[1] - b))
    high = a - b + float(np.hypot(of_a[1] - a, b - of_b[0]))
    return low, high
