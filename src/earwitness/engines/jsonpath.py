"""Picks text and segments out of JSON by dotted paths: ``results.0.text``, or ``segments.*.text`` for every item."""

from __future__ import annotations

from typing import Any

from earwitness.errors import EngineError
from earwitness.types import Segment


def values_at(data: Any, path: str) -> list[Any]:
    """Return the values at a path: one, or all that a ``*`` matches.

    >>> values_at({"results": [{"text": "a"}, {"text": "b"}]}, "results.*.text")
    ['a', 'b']
    >>> values_at([1, 2], "0")
    [1]

    Raises:
        EngineError: For a key or an index that is not there; what is there is named.
    """
    found = [data]
    for step in path.split("."):
        found = [inner for value in found for inner in _step(value, step, path)]
    return found


def text_at(data: Any, path: str) -> str:
    """Return the text at a path, pieces joined by a space.

    Raises:
        EngineError: When something else than text is there.
    """
    parts = values_at(data, path)
    for part in parts:
        if not isinstance(part, str):
            raise EngineError(f"The answer has {type(part).__name__!r} at {path!r}, where text is needed.")
    return " ".join(part.strip() for part in parts).strip()


def segments_at(data: Any, path: str, keys: list[str], unit_s: float) -> tuple[Segment, ...]:
    """Return the segments in the list at a path.

    Args:
        data: The whole answer.
        path: Of the list.
        keys: Paths of start, end and text inside an item.
        unit_s: Seconds of the unit that times are in.

    Raises:
        EngineError: When the list, or a part of an item, is not what it should be.
    """
    lists = values_at(data, path)
    for found in lists:
        if not isinstance(found, list):
            raise EngineError(f"The answer has {type(found).__name__!r} at {path!r}, where a list is needed.")
    start, end, text = keys
    return tuple(
        Segment(_seconds(row, start, unit_s), _seconds(row, end, unit_s), text_at(row, text))
        for rows in lists
        for row in rows
    )


def _seconds(row: Any, path: str, unit_s: float) -> float:
    value: Any = next(iter(values_at(row, path)), None)
    try:
        return float(value) * unit_s
    except (TypeError, ValueError):
        raise EngineError(f"The answer has {value!r} at {path!r}, where a number is needed.") from None


def _step(value: Any, step: str, path: str) -> list[Any]:
    if step == "*" and isinstance(value, list):
        return value
    if isinstance(value, dict) and step in value:
        return [value[step]]
    if isinstance(value, list) and step.isdigit() and int(step) < len(value):
        return [value[int(step)]]
    there = ", ".join(value) if isinstance(value, dict) else f"{type(value).__name__} of {_size(value)}"
    raise EngineError(f"The answer has no {step!r} on the way to {path!r}; there is: {there or 'nothing'}.")


def _size(value: Any) -> str:
    return f"{len(value)} items" if isinstance(value, list) else repr(value)[:40]
