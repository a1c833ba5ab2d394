"""How the error rate rises with the severity of a condition, and where each model breaks.

A model is *broken* at a severity when its WER there is higher than on the clean audio by at least ``LIMIT`` (ten
points of WER, 0.10), and the 95 % interval of that increase lies above 0. The increase is paired: both runs heard the
same clips, so the recordings are drawn together (Bisani and Ney, ICASSP 2004) and what makes a recording hard for the
model in any case cancels out.

The *breaking point* is where the curve first reaches the limit, on the straight line between the two severities
around it; its interval is that of the same crossing in every resampled curve.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from earwitness.comparison.dataset_names import dataset_names
from earwitness.errors import ComparisonError
from earwitness.records.record import DatasetInfo, Run
from earwitness.records.select import candidate_key, clean_sha256, labels_of, newest
from earwitness.records.store import read_clips
from earwitness.types import Score

LIMIT = 0.10
_ROUNDS = 10_000
_CELLS = 4_000_000
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Point:
    """A model under one condition."""

    condition: str
    """Canonical name."""
    severity: float | None
    """In the unit of the panel; ``None`` where there is no more or less."""
    record: Path
    """Of the run."""
    wer: Score
    """As it stands in the record."""
    increase: float
    """WER here minus WER on the clean audio; a ratio, so 0.10 is ten points."""
    increase_ci95: tuple[float, float] | None
    """Paired 95 % interval; ``None`` with fewer than two recordings."""
    broken: bool | None
    """Whether the increase reaches the limit and its interval lies above 0; ``None`` without an interval."""


@dataclass(frozen=True, slots=True)
class BreakingPoint:
    """Where a curve first reaches the limit."""

    severity: float | None
    """Interpolated; ``None`` when it is milder than anything tested."""
    ci95: tuple[float | None, float | None]
    """95 % interval, the milder end first; ``None`` for an end that lies outside of what was tested."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A model over the severities of a panel."""

    label: str
    """The model, made longer where one has several runs."""
    clean_record: Path
    """Of the run on the clean audio."""
    clean: Score
    """WER there."""
    points: tuple[Point, ...]
    """From mild to severe."""
    breaks: BreakingPoint | None
    """``None`` when no point is broken, or there is no severity."""


@dataclass(frozen=True, slots=True)
class CurvePanel:
    """Curves that can be laid over each other: one dataset, one kind of condition."""

    name: str
    """What the dataset is called: its name, made longer where another panel has other data of the same name."""
    dataset: DatasetInfo
    """Clean."""
    family: str
    """Such as ``noise:*dB``; empty for conditions without a severity, which stand side by side in one panel."""
    unit: str
    """Of the severities."""
    conditions: tuple[str, ...]
    """Names, from mild to severe."""
    curves: tuple[Curve, ...]
    """The model that breaks last comes first."""


@dataclass(frozen=True, slots=True)
class Robustness:
    """The robustness of some runs, and what was left out."""

    limit: float
    """The increase of WER at which a model counts as broken."""
    panels: tuple[CurvePanel, ...]
    """By dataset and family."""
    left_out: tuple[str, ...]
    """A sentence for each run that is in no curve."""


_Point = tuple[Path, Run]
_Curve = tuple[_Point, list[_Point]]


def robustness(records: Sequence[Path], *, limit: float = LIMIT) -> Robustness:
    """Draw curves through runs.

    Args:
        records: Runs on clean audio and under conditions. Of those that differ in nothing but time, the newest counts.
        limit: The increase of WER at which a model counts as broken; 0.10 is ten points.

    Raises:
        ComparisonError: When no run under a condition has a clean one beside it, or when one condition was made by
            different versions of its code.
        RecordError: For a record that cannot be read.
    """
    left_out: list[str] = []
    groups: dict[tuple[Any, ...], list[_Point]] = defaultdict(list)
    for path, run in newest(records, left_out):
        groups[_identity(run)].append((path, run))
    drawn = _drawn(groups.values(), left_out)
    if not drawn:
        why = f" {left_out[0]}" if left_out else ""
        raise ComparisonError(
            "No run under a condition has a clean run to compare with."
            f"{why} Make some: earwitness run DATA --model M --condition noise:10dB"
        )
    names = dataset_names(clean.dataset for members in drawn.values() for (_, clean), _ in members)
    panels = tuple(_panel(names[clean], family, members, limit) for (clean, family), members in sorted(drawn.items()))
    return Robustness(limit, panels, tuple(left_out))


def _drawn(groups: Iterable[Sequence[_Point]], left_out: list[str]) -> dict[tuple[str, str], list[_Curve]]:
    """Return the runs of each panel: a clean one, and those under its conditions."""
    drawn: dict[tuple[str, str], list[_Curve]] = defaultdict(list)
    for group in groups:
        clean = next((found for found in group if found[1].dataset.condition is None), None)
        altered = [found for found in group if found[1].dataset.condition is not None]
        for found in _with_origin(clean, altered, left_out):
            condition = found[1].dataset.condition
            key = (clean_sha256(found[1]), condition.family if condition and condition.severity is not None else "")
            panel = drawn[key]
            if clean is not None and not any(origin is clean for origin, _ in panel):
                panel.append((clean, []))
            panel[-1][1].append(found)
    return drawn


def _identity(run: Run) -> tuple[Any, ...]:
    return (clean_sha256(run), *candidate_key(run))


def _with_origin(clean: _Point | None, points: Sequence[_Point], left_out: list[str]) -> list[_Point]:
    kept = []
    for path, run in points:
        if clean is None:
            left_out.append(f"{path}: {run.model.id!r} has no run on the same data without a condition.")
        elif _wer(run).signature != _wer(clean[1]).signature:
            left_out.append(f"{path} was scored otherwise than {clean[0]}. Score them alike: earwitness rescore")
        elif _wer(run).value is None or _wer(clean[1]).value is None:
            left_out.append(f"{path} has no WER: {_wer(run).reason}.")
        else:
            kept.append((path, run))
    return kept


def _wer(run: Run) -> Score:
    score = run.score("wer")
    return score or Score("wer", None, "ratio", "", 0, reason="the record has no scores")


def _panel(name: str, family: str, members: Sequence[tuple[_Point, list[_Point]]], limit: float) -> CurvePanel:
    _refuse_versions(run for _, altered in members for _, run in altered)
    labels = labels_of([clean for (_, clean), _ in members])
    pairs = zip(labels, members, strict=True)
    curves = [_curve(label, clean, sorted(altered, key=_order), limit) for label, (clean, altered) in pairs]
    in_order = sorted((found for _, altered in members for found in altered), key=_order)
    conditions = tuple(dict.fromkeys(run.dataset.condition.name for _, run in in_order if run.dataset.condition))
    first = in_order[0][1].dataset.condition
    sign = _sign(in_order[0][1])

    def lasts(curve: Curve) -> tuple[bool, float, str]:
        if curve.breaks is None:
            return False, 0.0, curve.label
        at = curve.breaks.severity
        return True, np.inf if at is None else -sign * at, curve.label

    dataset = members[0][0][1].dataset
    return CurvePanel(
        name, dataset, family, first.unit if first and family else "", conditions, tuple(sorted(curves, key=lasts))
    )


def _refuse_versions(runs: Iterable[Run]) -> None:
    made: dict[str, tuple[str, str]] = {}
    for run in runs:
        condition = run.dataset.condition
        if condition is None:
            continue
        first = made.setdefault(condition.name, (run.dataset.sha256, condition.version))
        if first[0] != run.dataset.sha256:
            raise ComparisonError(
                f"Condition {condition.name!r} was produced in different ways, so its runs are not compared: "
                f"by {first[1]}, and by {condition.version}. Run the models again on one machine."
            )


def _sign(run: Run) -> int:
    return -1 if run.dataset.condition and run.dataset.condition.worse == "less" else 1


def _order(point: _Point) -> tuple[float, str]:
    condition = point[1].dataset.condition
    if condition is None or condition.severity is None:
        return 0.0, condition.name if condition else ""
    return _sign(point[1]) * condition.severity, condition.name


def _curve(label: str, clean: _Point, measured_points: Sequence[_Point], limit: float) -> Curve:
    resampled = _resampled([clean[0], *(path for path, _ in measured_points)])
    points = []
    for place, (path, run) in enumerate(measured_points):
        condition, wer = run.dataset.condition, _wer(run)
        increase = (wer.value or 0.0) - (_wer(clean[1]).value or 0.0)
        ci95 = None if resampled is None else _percentiles(resampled[:, place])
        broken = None if ci95 is None else increase >= limit and ci95[0] > 0
        name, severity = (condition.name, condition.severity) if condition else ("", None)
        points.append(Point(name, severity, path, wer, increase, ci95, broken))
    breaks = None
    if resampled is not None and any(point.broken and point.severity is not None for point in points):
        breaks = _breaking_point(points, measured_points[0][1], resampled, limit)
    return Curve(label, clean[0], _wer(clean[1]), tuple(points), breaks)


def _resampled(records: Sequence[Path]) -> _Floats | None:
    """Return the increases over the first record, a row a resample; ``None`` with fewer than two recordings."""
    counts: list[dict[str, int]] = []
    lengths: dict[str, int] = defaultdict(int)
    for record in records:
        errors: dict[str, int] = defaultdict(int)
        for result in read_clips(record):
            if result.score.words is None:
                continue
            cluster = result.clip.recording or result.clip.id
            errors[cluster] += result.score.words.errors
            lengths[cluster] += result.score.words.length if record is records[0] else 0
        counts.append(errors)
    names = list(lengths)
    if len(names) < 2:
        return None
    columns = np.array([[found[name] for name in names] for found in (*counts, lengths)], np.float64).T
    return _increases(columns)


def _increases(columns: _Floats) -> _Floats:
    rng = np.random.default_rng(0)
    n = len(columns)
    parts = []
    step = max(1, _CELLS // n)
    for start in range(0, _ROUNDS, step):
        drawn = rng.multinomial(n, np.full(n, 1 / n), min(step, _ROUNDS - start))
        sums = drawn @ columns
        sums = sums[sums[:, -1] > 0]
        parts.append((sums[:, 1:-1] - sums[:, :1]) / sums[:, -1:])
    found: _Floats = np.concatenate(parts)
    return found


def _percentiles(values: _Floats) -> tuple[float, float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def _breaking_point(points: Sequence[Point], run: Run, rates: _Floats, limit: float) -> BreakingPoint:
    sign = _sign(run)
    condition = run.dataset.condition
    places = [sign * (point.severity or 0.0) for point in points]
    clean = condition.clean_severity if condition else None
    origin = None if clean is None else sign * clean
    (at,) = crossings(np.array([[point.increase for point in points]]), places, limit, origin)
    low, high = np.percentile(crossings(rates, places, limit, origin), [2.5, 97.5], method="inverted_cdf")

    def inside(place: float) -> float | None:
        return sign * float(place) + 0.0 if np.isfinite(place) else None

    return BreakingPoint(inside(at), (inside(low), inside(high)))


def crossings(
    increases: npt.NDArray[np.float64], places: Sequence[float], limit: float, origin: float | None
) -> npt.NDArray[np.float64]:
    """Return for every curve the place at which it first reaches a limit, by linear interpolation.

    Args:
        increases: Shape (curves, places).
        places: Ascending.
        limit: What is to be reached.
        origin: Where the increase is 0; ``None`` when that is no finite place.

    Returns:
        Shape (curves,): infinity for a curve that does not reach it, minus infinity for one that is there at its first
        place and has no origin before it.

    >>> curves = np.array([[0.0, 0.1, 0.3], [0.3, 0.3, 0.3], [0.0, 0.0, 0.1]])
    >>> crossings(curves, [1.0, 2.0, 3.0], 0.2, None).tolist()
    [2.5, -inf, inf]
    >>> crossings(curves, [1.0, 2.0, 3.0], 0.15, 0.0).tolist()
    [2.25, 0.5, inf]
    """
    found = np.full(len(increases), np.inf)
    before, last = np.zeros(len(increases)), origin
    for place, now in zip(places, increases.T, strict=True):
        here = np.isinf(found) & (found > 0) & (now >= limit)
        if last is None:
            found[here] = -np.inf
        else:
            found[here] = last + (limit - before[here]) / (now[here] - before[here]) * (place - last)
        before, last = now, place
    return found
