"""What decoders report besides the text, in one form for all libraries: values of segments, and times of tokens."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from earwitness.types import DecodedSegment

_LONGEST_TOKEN_S = 0.3


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


def words_of(
    tokens: Sequence[str], starts_s: Sequence[float], logprobs: Sequence[float] | None, duration_s: float
) -> tuple[DecodedSegment, ...]:
    """Return words of tokens that have times; a word begins with a token that begins with a space.

    A token has one time, that of its first frame. So a word ends where the next one begins, at most 0.3 s after its
    last token, and its log probability is the mean of those of its tokens.

    Args:
        tokens: Their texts.
        starts_s: When each begins, in seconds.
        logprobs: Of each; ``None`` if unknown.
        duration_s: Of the sound: no word ends after it.

    >>> for word in words_of([" he", "llo", " you"], [0.0, 0.25, 0.5], [-0.25, -0.75, -0.125], 0.75):
    ...     print(word.text, word.start_s, word.end_s, word.avg_logprob)
     hello 0.0 0.5 -0.5
     you 0.5 0.75 -0.125
    """
    first = [n for n, token in enumerate(tokens) if n == 0 or token.startswith(" ")]
    words = []
    for start, end in itertools.pairwise([*first, len(tokens)]):
        text = "".join(tokens[start:end])
        if text.strip():
            following = starts_s[end] if end < len(tokens) else duration_s
            last = starts_s[end - 1]
            end_s = max(last, min(following, last + _LONGEST_TOKEN_S))
            words.append(DecodedSegment(starts_s[start], end_s, text, mean(logprobs[start:end] if logprobs else None)))
    return tuple(words)


def mean(values: Sequence[float] | None) -> float | None:
    """Return the mean of log probabilities; ``None`` for none."""
    return sum(values) / len(values) if values else None


def _number(value: Any) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
