"""The grade: points of categories, weighted, and the letter that they make.

In each category a value at ``full`` gives 100 points, one at ``zero`` gives 0, and between them points go in a straight
line: in the value itself for rates, in its logarithm for times, speeds and sizes, where halves and doubles count. The
points of the grade are the mean of those that were measured, weighted by the policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log

from earwitness.decision.candidates import Candidate
from earwitness.decision.decision import GradePart
from earwitness.decision.measures import MEASURES
from earwitness.decision.rules import Policy, Weight

LETTERS = (
    (97, "A+"), (93, "A"), (90, "A-"), (87, "B+"), (83, "B"), (80, "B-"), (77, "C+"), (73, "C"), (70, "C-"),
    (67, "D+"), (63, "D"), (60, "D-"), (0, "F"),
)  # fmt: skip
"""The least points of each letter."""
UNGRADED = "-"


def grade_parts(policy: Policy, candidate: Candidate) -> tuple[GradePart, ...]:
    """Return the points of a candidate in each category of a policy."""
    return tuple(_part(weight, candidate) for weight in policy.weights)


def _part(weight: Weight, candidate: Candidate) -> GradePart:
    measure = MEASURES[weight.measure]
    found = candidate.take(weight.measure)
    if not isinstance(found.value, float):
        return GradePart(weight.category, weight.weight, None, f"{measure.words} not measured: {found.reason}")
    given = points(weight, found.value)
    how = " in its logarithm" if weight.scale == "log" else ""
    derivation = (
        f"{measure.words} {measure.show(found.value)} gives {given:.1f}: 100 at {measure.show(weight.full)}, "
        f"0 at {measure.show(weight.zero)}, a straight line{how} between"
    )
    return GradePart(weight.category, weight.weight, given, derivation)


def points(weight: Weight, value: float) -> float:
    """Return the points of a value, 0 to 100.

    >>> rate = Weight("accuracy", 1.0, "wer", 0.05, 0.50, "linear")
    >>> [round(points(rate, wer), 1) for wer in (0.0, 0.05, 0.241, 1.378)]
    [100.0, 100.0, 57.6, 0.0]
    >>> size = Weight("memory", 1.0, "peak_rss_bytes", 1e9, 16e9, "log")
    >>> points(size, 4e9)
    50.0
    """
    full, zero = weight.full, weight.zero
    if weight.scale == "log":
        value = max(value, min(full, zero) / 2)
        value, full, zero = log(value), log(full), log(zero)
    return min(100.0, max(0.0, round(100 * (zero - value) / (zero - full), 9)))


def grade(parts: Sequence[GradePart]) -> tuple[str, float | None]:
    """Return letter and points of some categories.

    There is no grade when accuracy counts and was not measured, or less than half of the weight was.

    >>> grade([GradePart("accuracy", 3.0, 90.0, ""), GradePart("memory", 1.0, 70.0, "")])
    ('B', 85.0)
    >>> grade([GradePart("accuracy", 3.0, None, ""), GradePart("memory", 1.0, 70.0, "")])
    ('-', None)
    """
    known = [(part.weight, part.points) for part in parts if part.points is not None]
    measured, every = sum(weight for weight, _ in known), sum(part.weight for part in parts)
    blind = any(part.category == "accuracy" and part.points is None and part.weight for part in parts)
    if blind or not measured or measured < every / 2:
        return UNGRADED, None
    total = round(sum(weight * given for weight, given in known) / measured, 9)
    return next(letter for least, letter in LETTERS if total >= least), total
