"""Reads transcripts from the pipe of a worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from earwitness.types import DecodedSegment, Segment, Transcript


def read_transcript(data: Mapping[str, Any]) -> Transcript:
    """Build a Transcript from its JSON form, as it crosses the pipe."""

    def segments(rows: Any) -> tuple[Segment, ...]:
        return tuple(read_segment(row) for row in rows)

    words = data.get("words")
    return Transcript(
        text=_whole(data["text"]),
        segments=segments(data.get("segments") or ()),
        words=None if words is None else segments(words),
        language=data.get("language"),
        covered_s=data.get("covered_s"),
        remarks=tuple(data.get("remarks") or ()),
        network_s=data.get("network_s"),
    )


def read_segment(row: Mapping[str, Any]) -> Segment:
    """Build a Segment from its JSON form."""
    row = {**row, "text": _whole(row["text"])}
    if "tokens" not in row:
        return Segment(**row)
    tokens = row["tokens"]
    return DecodedSegment(**{**row, "tokens": None if tokens is None else tuple(tokens)})


def _whole(text: str) -> str:
    """Replace halves of characters, which no file can hold, by the mark for an unknown character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
