"""Computes a number from the clips of some runs: its value, its 95 % interval, and what would decide a limit.

Several datasets are heard as one: their clips are put together, a clip that is in two of them counts once, and clips
are summed over recordings, whose names hold across datasets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from earwitness.counts import are
from earwitness.records.record import ClipResult
from earwitness.records.select import RunWithClips
from earwitness.scoring.metrics.group_rates import GroupRate
from earwitness.scoring.metrics.summary import sum_counts
from earwitness.scoring.metrics.text_blocks import TextUnit, fewest, text_blocks, why_no_blocks
from earwitness.scoring.stats.bootstrap_t import rate_interval, ratio_interval, standard_error
from earwitness.scoring.stats.clusters import FEWEST, Amounts, cluster_of, sum_by_cluster
from earwitness.scoring.stats.exact_intervals import quantile_interval, quantile_needs, share_interval, share_needs
from earwitness.scoring.stats.power import narrow
from earwitness.scoring.stats.within_recording import rate_within, too_short
from earwitness.types import ClipScore, Edits, Target


def _never(_: float) -> float | None:
    return None


@dataclass(frozen=True, slots=True)
class MeasuredValue:
    """A measured value."""

    value: float | str | None
    """In the measure's unit; ``None`` with ``reason``."""
    ci95: tuple[float, float] | None = None
    """Its 95 % interval; ``None`` where there is none, with ``reason`` if there could be one."""
    reason: str | None = None
    """Why something is missing."""
    evidence: tuple[str, ...] = ()
    """Ids of the runs that it was taken from."""
    minutes_to: Callable[[float], float | None] = _never
    """Minutes of audio to be added until the interval lies on one side of a limit; ``None`` when no amount would do,
    or it cannot be told."""
    groups: tuple[GroupRate, ...] = ()
    """Every group of the slice, of a measure of groups."""
    target: Target | None = None
    """What an error rate is of."""


def ids(runs: Sequence[RunWithClips]) -> tuple[str, ...]:
    """Return the ids of runs."""
    return tuple(heard.run.id for heard in runs)


def pool(runs: Sequence[RunWithClips]) -> list[ClipResult]:
    """Return the lines of runs over different datasets as those of one; the same span of the same audio counts once.

    Ids are made longer by the dataset's hash where there are several, so that they stay unique.
    """
    if len(runs) == 1:
        return list(runs[0].results)
    found: dict[tuple[object, ...], ClipResult] = {}
    for heard in sorted(runs, key=lambda heard: heard.run.dataset.sha256):
        data = heard.run.dataset.sha256
        condition = heard.run.dataset.condition
        for result in heard.results:
            clip = result.clip
            span = (clip.audio_sha256 or f"{data}/{clip.id}", clip.start_s, clip.duration_s, clip.channel)
            renamed = replace(clip, id=f"{data[:12]}/{clip.id}", recording=clip.recording or f"{data[:12]}/{clip.id}")
            key = (*span, condition.name if condition else "")
            found.setdefault(key, replace(result, clip=renamed))
    return list(found.values())


def rate(
    runs: Sequence[RunWithClips],
    edits_of: Callable[[ClipScore], Edits | None],
    *,
    unit: TextUnit = "words",
    target: Target | None = None,
) -> MeasuredValue:
    """Return an error rate: a ratio of summed counts, its interval by the bootstrap over recordings.

    Args:
        runs: Where from.
        edits_of: The counts of a clip.
        unit: What is counted.
        target: What it is of; ``None`` for recordings like these with four or more, and else for these recordings, with
            an interval by blocks within them.

    Without any error the bootstrap says nothing. Of rates between 0 and 1 with a mean of m, all K are 0 with a chance
    of at most (1 - m)^K, whatever their distribution; so the upper end is that of a share of recordings, 0 of K.
    """
    lines = [(result, edits) for result in pool(runs) if (edits := edits_of(result.score)) is not None]
    errors, lengths = [edits.errors for _, edits in lines], [edits.length for _, edits in lines]
    if not sum(lengths):
        reason = "the references have no words" if lines else "no clip has a reference"
        return MeasuredValue(None, reason=reason, evidence=ids(runs))
    results = [result for result, _ in lines]
    clusters = [cluster_of(result.clip) for result in results]
    n_recordings = len(set(clusters))
    if target == "these recordings" or (target is None and n_recordings < FEWEST):
        return _rate_within(runs, results, unit)
    if not any(errors) and n_recordings >= FEWEST:
        minutes_to = _by_share(results, 0.0, n_recordings)
        of = target or "recordings like these"
        return MeasuredValue(0.0, share_interval(0.0, n_recordings), None, ids(runs), minutes_to, target=of)
    interval = rate_interval(errors, lengths, clusters)
    value = sum(errors) / sum(lengths)
    minutes_to = _by_width(results, errors, lengths, value)
    return MeasuredValue(value, interval.ci95, interval.reason, ids(runs), minutes_to, target="recordings like these")


def _rate_within(runs: Sequence[RunWithClips], results: Sequence[ClipResult], unit: TextUnit) -> MeasuredValue:
    scoring = runs[0].run.scoring
    counted = [result.score.words if unit == "words" else result.score.chars for result in results]
    edits = sum_counts([one for one in counted if one is not None])
    value = edits.errors / edits.length
    refused = why_no_blocks(scoring)
    if refused is not None:
        return MeasuredValue(value, None, f"no interval: {refused}", ids(runs), target="these recordings")
    blocks = text_blocks([[(result.clip, result.hypothesis) for result in results]], scoring, unit=unit)
    audio_s = sum(result.clip.duration_s for result in results)
    short = too_short(blocks, audio_s, fewest(unit))
    if short is None and not edits.errors:
        ci95 = share_interval(0.0, len(blocks.lengths))
        return MeasuredValue(0.0, ci95, None, ids(runs), target="these recordings")
    found = rate_within(blocks, audio_s=audio_s, fewest=fewest(unit))

    def minutes_to(limit: float) -> float | None:
        width = 2 * abs(limit - value)
        parts = range(len(blocks.lengths))
        plan = narrow(blocks.errors[0], blocks.lengths, parts, audio_s=audio_s, width=width) if width else None
        return plan.minutes_more if plan else None

    return MeasuredValue(value, found.ci95, found.reason, ids(runs), minutes_to, target="these recordings")


def ratio(
    runs: Sequence[RunWithClips],
    parts_of: Callable[[ClipResult], tuple[float, float] | None],
    nothing: str,
) -> MeasuredValue:
    """Return a ratio of sums with its bootstrap-t interval over recordings.

    Args:
        runs: Where from.
        parts_of: Numerator and denominator of a line; ``None`` for one that is passed over.
        nothing: Why there is none, when no line is left.
    """
    lines = [(result, parts) for result in pool(runs) if (parts := parts_of(result)) is not None]
    above = np.array([parts[0] for _, parts in lines], float)
    below = np.array([parts[1] for _, parts in lines], float)
    if not below.sum():
        return MeasuredValue(None, reason=nothing, evidence=ids(runs))
    results = [result for result, _ in lines]
    a, b = sum_by_cluster([cluster_of(result.clip) for result in results], above, below)
    value = float(above.sum() / below.sum())
    ci95, reason = None, None
    if len(a) < FEWEST:
        reason = f"no interval: it takes at least {FEWEST} recordings, and there {are(len(a))}"
    elif not standard_error(a, b)[1] > 0:
        reason = f"no interval: all {len(a)} recordings have the same ratio"
    else:
        ci95 = ratio_interval(a, b)
        reason = None if ci95 else f"no interval: too few of the {len(a)} recordings differ"
    if ci95 is not None:
        ci95 = (max(0.0, ci95[0]), ci95[1])
    return MeasuredValue(value, ci95, reason, ids(runs), _by_width(results, above, below, value))


def share(
    runs: Sequence[RunWithClips],
    counts: Callable[[ClipResult], bool],
    is_counted: Callable[[ClipResult], bool],
    nothing: str,
) -> MeasuredValue:
    """Return a share of clips with its exact interval.

    Args:
        runs: Where from.
        counts: Whether a clip is among those that the share is of.
        is_counted: Whether it is among those that are counted.
        nothing: Why there is none, when no clip counts.
    """
    return part_of(runs, lambda result: (float(is_counted(result)), 1.0) if counts(result) else None, nothing)


def part_of(
    runs: Sequence[RunWithClips], parts_of: Callable[[ClipResult], tuple[float, float] | None], nothing: str
) -> MeasuredValue:
    """Return a part of a whole, with the exact interval of as many trials as recordings (``exact_intervals.py``).

    Of all values between 0 and 1 with the same mean, 0 and 1 vary most: where only some of a recording counts, the
    interval is wider than it need be.

    Args:
        runs: Where from.
        parts_of: Part and whole of a line, the part at most the whole; ``None`` for one that is passed over.
        nothing: Why there is none, when no line is left.
    """
    kept = [(result, parts) for result in pool(runs) if (parts := parts_of(result)) is not None]
    whole = sum(parts[1] for _, parts in kept)
    if not whole:
        return MeasuredValue(None, reason=nothing, evidence=ids(runs))
    results = [result for result, _ in kept]
    n_recordings = len({cluster_of(result.clip) for result in results})
    value = sum(parts[0] for _, parts in kept) / whole
    minutes_to = _by_share(results, value, n_recordings)
    return MeasuredValue(value, share_interval(value, n_recordings), None, ids(runs), minutes_to)


def quantile(
    runs: Sequence[RunWithClips], q: float, seconds_of: Callable[[ClipResult], float | None], nothing: str
) -> MeasuredValue:
    """Return a percentile of clips' times, interpolated as in the records, with its exact interval.

    Args:
        runs: Where from.
        q: From 0 to 1.
        seconds_of: The time of a clip; ``None`` for one that has none.
        nothing: Why there is none, when no clip has one.
    """
    timed = [(result, seconds) for result in pool(runs) if (seconds := seconds_of(result)) is not None]
    values = [seconds for _, seconds in timed]
    if not values:
        return MeasuredValue(None, reason=nothing, evidence=ids(runs))
    ci95 = quantile_interval(values, q)
    needs = quantile_needs(q)
    reason = None if ci95 else f"no interval: it takes at least {needs} clips, and there {are(len(values))}"
    each = sum(result.clip.duration_s for result, _ in timed) / 60 / len(values)

    def minutes_to(limit: float) -> float | None:
        # The share of clips over the limit has to lie on one side of 1 - q.
        over = sum(seconds > limit for seconds in values) / len(values)
        needed = share_needs(over, 1 - q)
        return None if needed is None else max(0, needed - len(values)) * each

    return MeasuredValue(float(np.quantile(values, q)), ci95, reason, ids(runs), minutes_to)


def _by_share(results: Sequence[ClipResult], value: float, n_recordings: int) -> Callable[[float], float | None]:
    each = sum(result.clip.duration_s for result in results) / 60 / n_recordings

    def minutes_to(limit: float) -> float | None:
        needed = share_needs(value, limit)
        return None if needed is None else max(0, needed - n_recordings) * each

    return minutes_to


def _by_width(
    results: Sequence[ClipResult], above: Amounts, below: Amounts, value: float
) -> Callable[[float], float | None]:
    clusters = [cluster_of(result.clip) for result in results]
    audio_s = sum(result.clip.duration_s for result in results)

    def minutes_to(limit: float) -> float | None:
        width = 2 * abs(limit - value)
        return narrow(above, below, clusters, audio_s=audio_s, width=width).minutes_more if width else None

    return minutes_to
