"""Speed from the times of single clips: ratios of sums, and percentiles.

RTF is the processing time per second of audio, ``sum(wall_s) / sum(audio_s)``; RTFx is its inverse. A mean of the
clips' own ratios would weigh a one-second clip like an hour. Clips without a transcript have no time and are left out
of both sums, so a crash is not fast.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from earwitness.files.schema import Strict
from earwitness.types import Hypothesis


@dataclass(frozen=True, slots=True)
class Speed(Strict):
    """Sums, ratios and percentiles of the clips that have a transcript; ``None`` where there is none."""

    audio_s: float
    """Seconds of audio."""
    wall_s: float
    """Seconds of transcription."""
    decode_s: float
    """Seconds of decoding and resampling, not in ``wall_s``."""
    rtf: float | None
    """``wall_s / audio_s``."""
    rtfx: float | None
    """``audio_s / wall_s``."""
    latency_p50_s: float | None
    """Median ``wall_s`` of a clip."""
    latency_p90_s: float | None
    """90th percentile, linear interpolation between clips."""
    latency_p95_s: float | None
    """95th percentile."""
    latency_p99_s: float | None
    """99th percentile."""
    n_timed: int
    """Clips behind it."""
    network_s: float | None = None
    """Seconds of ``wall_s`` that a network took; ``None`` for an engine without one. See ``Transcript.network_s``."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """How long clips took: the least, the most, and percentiles between (linear interpolation between clips)."""

    n: int
    """Clips that have a transcript and a time."""
    min_s: float
    """The quickest."""
    p5_s: float
    """5th percentile."""
    p25_s: float
    """25th percentile."""
    p50_s: float
    """Median."""
    p75_s: float
    """75th percentile."""
    p95_s: float
    """95th percentile."""
    p99_s: float
    """99th percentile."""
    max_s: float
    """The slowest."""


def distribution(hypotheses: Iterable[Hypothesis]) -> Distribution | None:
    """Return the distribution of the times of clips; ``None`` if no clip has one.

    >>> from earwitness.types import Transcript
    >>> clips = [Hypothesis(str(n), Transcript(""), None, audio_s=10.0, wall_s=n) for n in (1.0, 2.0, 3.0)]
    >>> found = distribution(clips)
    >>> found.n, found.min_s, found.p25_s, found.p50_s, found.max_s
    (3, 1.0, 1.5, 2.0, 3.0)
    >>> distribution([]) is None
    True
    """
    walls = [h.wall_s for h in hypotheses if h.ok and h.wall_s is not None]
    if not walls:
        return None
    return Distribution(len(walls), *np.percentile(walls, [0, 5, 25, 50, 75, 95, 99, 100]).tolist())


def speed(hypotheses: Iterable[Hypothesis]) -> Speed:
    """Summarize the times of many clips.

    >>> from earwitness.types import Transcript
    >>> clips = [Hypothesis(str(n), Transcript(""), None, audio_s=10.0, decode_s=0.1, wall_s=n) for n in (1.0, 3.0)]
    >>> found = speed(clips)
    >>> found.rtf, found.rtfx, found.latency_p50_s, found.n_timed
    (0.2, 5.0, 2.0, 2)
    >>> speed([]).rtf is None
    True
    """
    timed = [(h, h.wall_s) for h in hypotheses if h.ok and h.wall_s is not None]
    walls = [wall_s for _, wall_s in timed]
    audio_s, wall_s = sum(h.audio_s for h, _ in timed), sum(walls)
    p50, p90, p95, p99 = np.percentile(walls, [50, 90, 95, 99]).tolist() if walls else [None] * 4
    return Speed(
        audio_s=audio_s,
        wall_s=wall_s,
        decode_s=sum(h.decode_s or 0.0 for h, _ in timed),
        rtf=_ratio(wall_s, audio_s),
        rtfx=_ratio(audio_s, wall_s),
        latency_p50_s=p50,
        latency_p90_s=p90,
        latency_p95_s=p95,
        latency_p99_s=p99,
        n_timed=len(timed),
        network_s=_network_s(h for h, _ in timed),
    )


def _ratio(above: float, below: float) -> float | None:
    return above / below if below else None


def _network_s(hypotheses: Iterable[Hypothesis]) -> float | None:
    shares = [h.transcript.network_s for h in hypotheses if h.transcript and h.transcript.network_s is not None]
    return sum(shares) if shares else None
