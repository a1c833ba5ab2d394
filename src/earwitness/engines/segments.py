"""What Whisper's decoders report about a segment besides its text, in one form for all libraries."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from earwitness.types import DecodedSegment


def segment_of(start_s: float, end_s: float, text: str, row: Mapping[str, Any]) -> DecodedSegment:
    """Return a segment with the values of a library's row.

    Args:
        start_s: Where it begins.
        end_s: Where it ends.
        text: Of the segment.
        row: The library's values under the names of ``DecodedSegment``. One that is absent, or no finite number, is
            unknown.

    >>> segment_of(0, 1.5, "hello", {"avg_logprob": -0.25, "temperature": float("nan"), "tokens": [7, 8]})
    DecodedSegment(start_s=0.0, end_s=1.5, text='hello', avg_logprob=-0.25, compression_ratio=None, \
no_speech_prob=None, seek=None, temperature=None, tokens=(7, 8))
    """
    seek, tokens = _number(row.get("seek")), row.get("tokens")
    return DecodedSegment(
        float(start_s),
        float(end_s),
        text,
        avg_logprob=_number(row.get("avg_logprob")),
        compression_ratio=_number(row.get("compression_ratio")),
        no_speech_prob=_number(row.get("no_speech_prob")),
        seek=None if seek is None else int(seek),
        temperature=_number(row.get("temperature")),
        tokens=None if tokens is None else tuple(int(token) for token in tokens),
    )


def _number(value: Any) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
