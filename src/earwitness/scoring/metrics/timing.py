"""Speed from the times of single clips: ratios of sums, and percentiles.

RTF is the processing time per second of audio, ``sum(wall_s) / sum(audio_s)``; RTFx is its inverse. A mean of the
clips' own ratios would weigh a one-second clip like an hour. Clips without a transcript have no time and are left out
of both sums, so a crash is not fast.
"""

from __future__ import annotations

from array import array
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


class ClipTimes:
    """The times of clips, taken one after the other: at most 32 bytes a clip; without a transcript, none."""

    def __init__(self) -> None:
        """Begin without a clip."""
        self._audio_s, self._wall_s, self._decode_s, self._network_s = (array("d") for _ in range(4))

    def add(self, hypothesis: Hypothesis) -> None:
        """Take the times of a clip."""
        transcript, wall_s = hypothesis.transcript, hypothesis.wall_s
        if transcript is None or wall_s is None:
            return
        self._audio_s.append(hypothesis.audio_s)
        self._wall_s.append(wall_s)
        self._decode_s.append(hypothesis.decode_s or 0.0)
        if transcript.network_s is not None:
            self._network_s.append(transcript.network_s)

    def speed(self) -> Speed:
        """Return the summary of the clips so far."""
        walls = self._wall_s
        audio_s, wall_s = sum(self._audio_s), sum(walls)
        p50, p90, p95, p99 = np.percentile(walls, [50, 90, 95, 99]).tolist() if walls else [None] * 4
        return Speed(
            audio_s=audio_s,
            wall_s=wall_s,
            decode_s=sum(self._decode_s),
            rtf=_ratio(wall_s, audio_s),
            rtfx=_ratio(audio_s, wall_s),
            latency_p50_s=p50,
            latency_p90_s=p90,
            latency_p95_s=p95,
            latency_p99_s=p99,
            n_timed=len(walls),
            network_s=sum(self._network_s) if self._network_s else None,
        )


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
    times = ClipTimes()
    for hypothesis in hypotheses:
        times.add(hypothesis)
    return times.speed()


def _ratio(above: float, below: float) -> float | None:
    return above / below if below else None
