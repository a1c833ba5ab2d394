"""The name of a span of a clip: the clip's id, and where the span lies in the clip."""

from __future__ import annotations

import re
from collections.abc import Collection

_SPAN = re.compile(r"(.+)@(\d+\.\d{2})-(\d+\.\d{2})", re.DOTALL)


def span_id(clip_id: str, start_s: float, end_s: float) -> str:
    """Return the id of a span.

    Args:
        clip_id: Of the clip that it is cut from.
        start_s: From the clip's beginning.
        end_s: From the clip's beginning.

    >>> span_id("call-7", 8.0, 21.347)
    'call-7@8.00-21.35'
    """
    return f"{clip_id}@{start_s:.2f}-{end_s:.2f}"


def parent_id(clip_id: str) -> str | None:
    """Return the id of the clip that a span was cut from; ``None`` for an id that is not a span's.

    >>> parent_id("call-7@8.00-21.35"), parent_id("call-7")
    ('call-7', None)
    """
    match = _SPAN.fullmatch(clip_id)
    return match[1] if match else None


def unit_noun(ids: Collection[str]) -> str:
    """Return what a person labels one at a time, by their ids: clips, spans of long clips, or both.

    >>> unit_noun(["call-7"]), unit_noun(["call-7@8.00-21.35"]), unit_noun(["call-7@8.00-21.35", "prompt"])
    ('clips', 'spans', 'clips and spans')
    """
    n_spans = sum(parent_id(one) is not None for one in ids)
    if not n_spans:
        return "clips"
    return "spans" if n_spans == len(ids) else "clips and spans"


def span_place(clip_id: str) -> tuple[float, float] | None:
    """Return from and to of a span, in seconds from its clip's beginning; ``None`` for an id that is not a span's.

    >>> span_place("call-7@8.00-21.35"), span_place("call-7")
    ((8.0, 21.35), None)
    """
    match = _SPAN.fullmatch(clip_id)
    return (float(match[2]), float(match[3])) if match else None
