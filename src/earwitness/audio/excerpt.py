"""Which part of a file is decoded, and into which format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from earwitness.types import RATE_HZ


class ExcerptOptions(TypedDict, total=False):
    """The fields of an ``Excerpt`` as keyword arguments; each has the default there."""

    start_s: float
    duration_s: float | None
    channel: int | None
    rate_hz: int


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of a file's sound.

    >>> Excerpt(start_s=1.5, duration_s=0.5)
    Excerpt(start_s=1.5, duration_s=0.5, channel=None, rate_hz=16000)
    """

    start_s: float = 0.0
    """Where it begins, in the file's own time."""
    duration_s: float | None = None
    """How long it is; ``None`` for all that follows."""
    channel: int | None = None
    """Which channel, from 0; ``None`` for the mean of all."""
    rate_hz: int = RATE_HZ
    """Samples per second of the result."""
