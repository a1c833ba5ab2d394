"""Shows where the errors are: error rates by slice, the gap between slices, and the slices behind a difference.

A slice is the clips with the same speaker, language, channel, recording or tag, or in the same band of duration,
speaking rate or signal-to-noise ratio. Everything is resampled over recordings (``clusters.py``), which may have clips
in several slices.

The gap is that between the worst and the best slice *as seen*, and so too large: of slices that are all alike, one is
always the worst. Its interval allows for that: it is one of a family that holds for all pairs of slices at once (the
largest deviation of any pair in the bootstrap, in standard errors, as in Tukey's method: Hochberg and Tamhane 1987), so
it holds for whichever pair was picked. An interval that includes 0 says that the slices cannot be told apart.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from earwitness.errors import ScoringError
from earwitness.scoring.metrics.summary import sum_counts as all_edits
from earwitness.scoring.stats.bootstrap_t import rate_interval, ratio_interval
from earwitness.scoring.stats.clusters import FEWEST, ClusterBy, Counts, cluster_of, draws, sum_by_cluster
from earwitness.scoring.stats.power import student
from earwitness.types import Clip, ClipScore, Edits

ScoredClip = tuple[Clip, ClipScore]
UNKNOWN = "unknown"
OFTEN = ("language", "speaker", "channel")
"""Fields of a clip that are looked at unasked."""
FIELDS = (*OFTEN, "recording")
"""What every clip has a place for, beside bands and tags."""
BANDS: Mapping[str, tuple[tuple[float, ...], str]] = {
    "duration": ((2, 5, 10, 30), "s"),
    "rate": ((1.5, 2.5, 3.5), "words/s"),
    "snr": ((0, 10, 20, 30), "dB"),
}
"""Limits between bands and their unit; a limit belongs to the band above it."""
_ROUNDS = 4000


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the data and its word error rate."""

    value: str
    """What its clips share."""
    n_clips: int
    """Labelled clips."""
    n_clusters: int
    """Recordings (or speakers) among them."""
    audio_s: float
    """Seconds of audio."""
    edits: Edits
    """Summed."""
    wer: float | None
    """``None`` when its references have no words."""
    ci95: tuple[float, float] | None
    """Of the rate; ``None`` with ``reason``."""
    reason: str | None
    """Why something is missing."""


@dataclass(frozen=True, slots=True)
class Gap:
    """The worst slice against the best."""

    worst: str
    """Value of the slice with the highest rate."""
    best: str
    """Value of the slice with the lowest."""
    value: float
    """Difference of their rates; biased upwards, because the two were picked for being extreme."""
    ci95: tuple[float, float] | None
    """Holds for all pairs of slices at once, hence also for this one."""


@dataclass(frozen=True, slots=True)
class Driver:
    """The part of a slice in the difference between two systems."""

    value: str
    """What its clips share."""
    n_clips: int
    """Labelled clips."""
    errors_a: int
    """Of the first system."""
    errors_b: int
    """Of the second."""
    points: float
    """``(errors_a - errors_b)`` over the reference length of *all* slices; points add up to the difference of WER."""
    share: float | None
    """Of the difference in errors; may pass 1 or be negative where slices pull apart; ``None`` when there is none."""
    ci95: tuple[float, float] | None
    """Of ``points``."""


def slices(
    pairs: Sequence[ScoredClip],
    by: str,
    *,
    values: Mapping[str, float] | None = None,
    cluster: ClusterBy = "recording",
) -> tuple[Slice, ...]:
    """Cut labelled clips into slices; bands in their order, other slices worst first.

    Args:
        pairs: Clips with their counts.
        by: ``speaker``, ``language``, ``channel``, ``recording``, ``duration``, ``rate`` (words of the reference per
            second), ``snr``, or a tag.
        values: Signal-to-noise ratio in dB by clip id, for ``snr``; else the clips' tag ``snr_db`` is taken.
        cluster: What is resampled.

    Raises:
        ScoringError: When no clip has such a value.
    """
    found = [_slice(value, group, cluster) for value, group in _grouped(pairs, slicer(by, values), by).items()]
    if by in BANDS:
        order = [*band_names(by), UNKNOWN]
        return tuple(sorted(found, key=lambda part: order.index(part.value)))
    return tuple(sorted(found, key=lambda part: (-(part.wer if part.wer is not None else -1.0), part.value)))


def gap(
    pairs: Sequence[ScoredClip],
    by: str,
    *,
    numbers: Mapping[str, float] | None = None,
    cluster: ClusterBy = "recording",
    seed: int = 0,
) -> Gap | None:
    """Return the gap between the worst and the best slice, or ``None`` with fewer than two that can be resampled.

    Slices of fewer than four recordings, and clips without the value, are left out: a rate of one recording is extreme
    by chance.
    """
    groups = _grouped(pairs, slicer(by, numbers), by)
    groups.pop(UNKNOWN, None)
    kept = {
        value: group
        for value, group in groups.items()
        if len({cluster_of(clip, cluster) for clip, _ in group}) >= FEWEST and _total(group).length
    }
    if len(kept) < 2:
        return None
    values = list(kept)
    errors, lengths = _matrices(kept, cluster)
    rates = errors.sum(axis=0) / lengths.sum(axis=0)
    worst, best = int(rates.argmax()), int(rates.argmin())
    half = _simultaneous(errors, lengths, seed)[worst, best]
    value = float(rates[worst] - rates[best])
    ci95 = (value - float(half), value + float(half)) if np.isfinite(half) else None
    return Gap(values[worst], values[best], value, ci95)


def drivers(
    first: Sequence[ScoredClip],
    second: Sequence[ScoredClip],
    by: str,
    *,
    values: Mapping[str, float] | None = None,
    cluster: ClusterBy = "recording",
) -> tuple[Driver, ...]:
    """Return the part of each slice in the difference between two systems over the same clips, largest first."""
    others = {clip.id: score for clip, score in second if score.words}
    shared = [(clip, score) for clip, score in first if score.words and clip.id in others]
    n_words = sum(_n_words(score) for _, score in shared)
    if not n_words:
        return ()
    total = sum(_errors(score) - _errors(others[clip.id]) for clip, score in shared)
    parts = []
    for value, group in _grouped(shared, slicer(by, values), by).items():
        errors_a, errors_b = sum(_errors(s) for _, s in group), sum(_errors(others[clip.id]) for clip, _ in group)
        parts.append(
            Driver(
                value=value,
                n_clips=len(group),
                errors_a=errors_a,
                errors_b=errors_b,
                points=(errors_a - errors_b) / n_words,
                share=(errors_a - errors_b) / total if total else None,
                ci95=_points_interval(group, shared, others, cluster),
            )
        )
    return tuple(sorted(parts, key=lambda driver: (-abs(driver.points), driver.value)))


def _points_interval(
    group: Sequence[ScoredClip], shared: Sequence[ScoredClip], others: Mapping[str, ClipScore], cluster: ClusterBy
) -> tuple[float, float] | None:
    """Return the interval of a slice's points: clips outside it add words to the rate, and no errors."""
    inside = {clip.id for clip, _ in group}
    keys = [cluster_of(clip, cluster) for clip, _ in shared]
    numerators, denominators = sum_by_cluster(
        keys,
        [_errors(score) - _errors(others[clip.id]) if clip.id in inside else 0 for clip, score in shared],
        [_n_words(score) for _, score in shared],
    )
    return ratio_interval(numerators, denominators, rounds=_ROUNDS) if len(numerators) >= FEWEST else None


def slicer(by: str, values: Mapping[str, float] | None = None) -> Callable[[Clip, ClipScore], str]:
    """Return the function that gives the slice of a clip.

    >>> one = Clip("c", "", "", 0.0, 4.0, "", tags={"snr_db": "12.5", "kind": "speech"})
    >>> counts = ClipScore("c", Edits(hits=12), None, False, 12)
    >>> [slicer(by)(one, counts) for by in ("duration", "rate", "snr", "kind", "speaker")]
    ['2–5 s', '2.5–3.5 words/s', '10–20 dB', 'speech', 'unknown']
    """
    if by in FIELDS:
        return lambda clip, _: _stated(clip, by)
    if by not in BANDS:
        return lambda clip, _: clip.tags.get(by) or UNKNOWN
    (limits, _), names = BANDS[by], band_names(by)

    def band(clip: Clip, score: ClipScore) -> str:
        number = _number(clip, score, by, values or {})
        return UNKNOWN if number is None else names[bisect_right(limits, number)]

    return band


def _stated(clip: Clip, field: str) -> str:
    value = getattr(clip, field)
    if value in (None, ""):
        return UNKNOWN
    return f"channel {value}" if field == "channel" else str(value)


def band_names(by: str) -> list[str]:
    """Return the names of bands in order.

    >>> band_names("duration")
    ['under 2 s', '2–5 s', '5–10 s', '10–30 s', '30 s and more']
    """
    limits, unit = BANDS[by]
    middle = [f"{low:g}–{high:g} {unit}" for low, high in pairwise(limits)]
    return [f"under {limits[0]:g} {unit}", *middle, f"{limits[-1]:g} {unit} and more"]


def _number(clip: Clip, score: ClipScore, by: str, values: Mapping[str, float]) -> float | None:
    if by == "duration":
        return clip.duration_s
    if by == "rate":
        words = _n_words(score)
        return words / clip.duration_s if words and clip.duration_s else None
    if clip.id in values:
        return values[clip.id]
    try:
        return float(clip.tags["snr_db"])
    except (KeyError, ValueError):
        return None


def _grouped(
    pairs: Sequence[ScoredClip], value: Callable[[Clip, ClipScore], str], by: str
) -> dict[str, list[ScoredClip]]:
    groups: dict[str, list[ScoredClip]] = defaultdict(list)
    for clip, score in pairs:
        if score.words is not None:
            groups[value(clip, score)].append((clip, score))
    if not groups:
        raise ScoringError("No clip has a reference, so there is nothing to slice. Label the clips first.")
    if set(groups) == {UNKNOWN}:
        tags = sorted({tag for clip, _ in pairs for tag in clip.tags})
        raise ScoringError(f"No clip has a {by!r}. There are: {', '.join([*_known(pairs), *BANDS, *tags])}.")
    return groups


def _known(pairs: Sequence[ScoredClip]) -> list[str]:
    """Return the fields that any clip has."""
    return [name for name in FIELDS if any(_stated(clip, name) != UNKNOWN for clip, _ in pairs)]


def _slice(value: str, group: Sequence[ScoredClip], cluster: ClusterBy) -> Slice:
    total = _total(group)
    keys = [cluster_of(clip, cluster) for clip, _ in group]
    ci95, reason = None, "the references have no words"
    if total.rate is not None:
        lengths = [_n_words(score) for _, score in group]
        ci95, why = rate_interval([_errors(score) for _, score in group], lengths, keys, rounds=_ROUNDS)
        reason = why or ""
    return Slice(
        value=value,
        n_clips=len(group),
        n_clusters=len(set(keys)),
        audio_s=sum(clip.duration_s for clip, _ in group),
        edits=total,
        wer=total.rate,
        ci95=ci95,
        reason=reason or None,
    )


def _total(group: Sequence[ScoredClip]) -> Edits:
    return all_edits([score.words for _, score in group if score.words is not None])


def _errors(score: ClipScore) -> int:
    return score.words.errors if score.words else 0


def _n_words(score: ClipScore) -> int:
    return score.words.length if score.words else 0


def _matrices(groups: Mapping[str, Sequence[ScoredClip]], cluster: ClusterBy) -> tuple[Counts, Counts]:
    """Errors and lengths, shape (clusters, slices)."""
    keys = [cluster_of(clip, cluster) for group in groups.values() for clip, _ in group]
    columns = []
    for value in groups:
        flat = [(score, value == other) for other, group in groups.items() for _, score in group]
        columns.append(
            sum_by_cluster(
                keys,
                [_errors(score) * inside for score, inside in flat],
                [_n_words(score) * inside for score, inside in flat],
            )
        )
    errors, lengths = (np.stack(side, axis=1) for side in zip(*columns, strict=True))
    return errors, lengths


def _simultaneous(errors: Counts, lengths: Counts, seed: int) -> Counts:
    """Half widths of intervals that hold for every pair of slices at once, shape (slices, slices)."""
    n_clusters, n_slices = errors.shape
    weights = draws(n_clusters, _ROUNDS, np.random.default_rng(seed))
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = (weights @ errors) / (weights @ lengths)
    seen = errors.sum(axis=0) / lengths.sum(axis=0)
    drawn = drawn[np.isfinite(drawn).all(axis=1)]
    half = np.full((n_slices, n_slices), np.inf)
    if len(drawn) < _ROUNDS / 2:
        return half  # slices of so few recordings that most rounds miss one
    places = list(combinations(range(n_slices), 2))
    moved = np.stack([(drawn[:, i] - drawn[:, j]) - (seen[i] - seen[j]) for i, j in places], axis=1)
    spread = moved.std(axis=0, ddof=1)
    usable = np.where(spread > 0, spread, np.inf)
    critical = float(np.quantile(np.max(np.abs(moved) / usable, axis=1), 0.95))
    present = (lengths > 0).sum(axis=0)
    for (i, j), error in zip(places, usable, strict=True):
        # The bootstrap's own spread is that of K - 1 clusters taken for K, and its quantiles are normal, not Student's.
        fewest = int(min(present[i], present[j]))
        stretch = (fewest / (fewest - 1)) ** 0.5 * student(0.975, fewest - 1) / student(0.975, 10**9)
        if np.isfinite(error):
            half[i, j] = half[j, i] = critical * error * stretch
    return half
