"""Measures of the groups of a slice: the WER of the worst, and the gap between the worst and the best."""

from __future__ import annotations

from collections.abc import Sequence

from earwitness.counts import percentage, quantity
from earwitness.decision.evidence import MeasuredValue, ids, pool
from earwitness.records.select import RunWithClips
from earwitness.scoring.metrics.group_rates import GroupExtreme, GroupRate, group_rates, widest_gap, worst_group
from earwitness.scoring.metrics.slices import UNKNOWN, ScoredClip
from earwitness.scoring.stats.clusters import FEWEST

_NAMES = 5


def worst_rate(runs: Sequence[RunWithClips], by: str | None) -> MeasuredValue:
    """Return the WER of the worst group of a slice, with an interval that holds whichever group it is.

    Args:
        runs: Where from.
        by: The slice; ``None`` when the rule names none.
    """
    return _measured(runs, by, 1)


def gap(runs: Sequence[RunWithClips], by: str | None) -> MeasuredValue:
    """Return the gap between the WER of the worst and the best group of a slice, in the same way."""
    return _measured(runs, by, 2)


def _measured(runs: Sequence[RunWithClips], by: str | None, fewest: int) -> MeasuredValue:
    if by is None:
        return MeasuredValue(None, reason="no slice is named", evidence=ids(runs))
    pairs = [(result.clip, result.score) for result in pool(runs) if result.score.words is not None]
    if not pairs:
        return MeasuredValue(None, reason="no clip has a reference", evidence=ids(runs))
    rates = group_rates(pairs, by)
    if all(group.value == UNKNOWN for group in rates):
        return MeasuredValue(None, reason=f"no clip has the tag or field {by!r}{_there_are(pairs)}", evidence=ids(runs))
    found = worst_group(rates) if fewest == 1 else widest_gap(pairs, by)
    if found is None:
        few = f"it takes at least {quantity(fewest, 'group')} of {FEWEST} recordings, and there is {_sizes(rates)}"
        return MeasuredValue(None, reason=few, evidence=ids(runs), groups=rates)
    reason = _who(found, rates, fewest)
    return MeasuredValue(found.value, found.ci95, reason, ids(runs), groups=rates)


def _there_are(pairs: Sequence[ScoredClip]) -> str:
    tags = sorted({tag for clip, _ in pairs for tag in clip.tags})
    return f"; there are the tags {', '.join(tags)}" if tags else ""


def _who(extreme: GroupExtreme, rates: Sequence[GroupRate], fewest: int) -> str:
    size = {group.value: quantity(group.n_recordings, "recording") for group in rates}
    worst = f"the worst is {extreme.worst!r} ({size[extreme.worst]})"
    return worst if fewest == 1 else f"{worst}, the best {extreme.best!r} ({size[extreme.best]})"


def _sizes(rates: Sequence[GroupRate]) -> str:
    each = [f"{group.value!r} with {group.n_recordings}" for group in rates[:_NAMES]]
    more = len(rates) - _NAMES
    return ", ".join(each) + (f" and {quantity(more, 'more group')}" if more > 0 else "")


def unjudged(groups: Sequence[GroupRate]) -> tuple[GroupRate, ...]:
    """Return the groups that no rule can be judged by, such as those with too few recordings, worst first."""
    return tuple(group for group in groups if group.ci95 is None)


def unjudged_words(by: str, groups: Sequence[GroupRate]) -> str:
    """Return which groups could not be judged, with what is known of them.

    >>> unjudged_words("accent", [GroupRate("north", 3, 2, 0.25, None, "it takes at least 4 recordings")])
    "accent 'north' (2 recordings, WER 25.0 %) is not judged: it takes at least 4 recordings"
    """
    by_reason: dict[str | None, list[GroupRate]] = {}
    for group in unjudged(groups):
        by_reason.setdefault(group.reason, []).append(group)
    return "; ".join(f"{by} {_listed(some)} not judged: {reason}" for reason, some in by_reason.items())


def _listed(groups: Sequence[GroupRate]) -> str:
    each = [f"{one.value!r} ({quantity(one.n_recordings, 'recording')}{_rate(one)})" for one in groups[:_NAMES]]
    more = len(groups) - _NAMES
    each += [quantity(more, "more group")] if more > 0 else []
    return f"{', '.join(each)} {'is' if len(groups) == 1 else 'are'}"


def _rate(group: GroupRate) -> str:
    return "" if group.rate is None else f", WER {percentage(group.rate)}"
