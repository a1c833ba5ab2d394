"""Places names beside points without overlap. Pixels only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

_LETTER = 6.1
_LINE = 12
_DOT = 7
_WAYS: tuple[tuple[str, int, int], ...] = (
    ("left", 9, 0), ("right", -9, 0), ("left", 7, -11), ("left", 7, 11), ("right", -7, -11), ("right", -7, 11),
    ("center", 0, -15), ("center", 0, 15), ("left", 9, -22), ("left", 9, 22), ("right", -9, -22), ("right", -9, 22),
)  # fmt: skip


class _Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: _Box) -> float:
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, wide) * max(0.0, high)


def beside(
    points: Sequence[tuple[float, float]],
    names: Sequence[str],
    size: tuple[int, int],
    path: Sequence[tuple[float, float]] = (),
) -> list[dict[str, Any]]:
    """Return for each point how its name is set: alignment and offset, in the terms of a Vega-Lite text mark.

    The first way that touches no other point, no name before it, no line and no edge is taken; else that which touches
    least.

    Args:
        points: Places in pixels, from the upper left corner.
        names: Of the points.
        size: Width and height of the plot.
        path: Points that a stepped line goes through, from left to right.

    >>> [place["align"] for place in beside([(10, 50), (190, 50)], ["one", "two"], (200, 100))]
    ['left', 'right']
    """
    dots = [_Box(x - _DOT, y - _DOT, x + _DOT, y + _DOT) for x, y in points]
    taken = [box for start, end in pairwise(path) for box in _step(start, end)]
    chosen = []
    for number, ((x, y), name) in enumerate(zip(points, names, strict=True)):
        others = [*taken, *dots[:number], *dots[number + 1 :]]
        boxes = [_box(x, y, len(name) * _LETTER, way) for way in _WAYS]
        costs = [sum(map(box.overlap, others)) + _outside(box, size) for box in boxes]
        best = costs.index(min(costs))
        taken.append(boxes[best])
        align, dx, dy = _WAYS[best]
        chosen.append({"align": align, "baseline": "middle", "dx": dx, "dy": dy})
    return chosen


def _step(start: tuple[float, float], end: tuple[float, float]) -> Iterator[_Box]:
    """Up or down at the start, then level to the end."""
    top, bottom = sorted((start[1], end[1]))
    yield _Box(start[0] - 1, top, start[0] + 1, bottom)
    yield _Box(start[0], end[1] - 1, end[0], end[1] + 1)


def _box(x: float, y: float, width: float, way: tuple[str, int, int]) -> _Box:
    align, dx, dy = way
    left = x + dx - {"left": 0.0, "right": width, "center": width / 2}[align]
    return _Box(left, y + dy - _LINE / 2, left + width, y + dy + _LINE / 2)


def _outside(box: _Box, size: tuple[int, int]) -> float:
    beyond = max(0.0, -box.left) + max(0.0, box.right - size[0]) + max(0.0, -box.top) + max(0.0, box.bottom - size[1])
    return 100 * beyond
