"""Times of clips by length, so that other clips can be compared with similar ones.

A transcription costs something for each clip and something for each second, so short clips have the larger RTF and the
smaller latency: speeds of clips of other lengths say nothing of a change. Lengths within a band differ by ``WIDTH`` at
most. Where the cost grows with the length, and not faster than it, latency and RTF differ by no more: what does has
another cause than length.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from earwitness.files.schema import Strict
from earwitness.types import Hypothesis

WIDTH = 1.4
"""The longest audio of a band over its shortest."""
FEWEST = 5
"""Clips of which the speed of a band may be told."""


@dataclass(frozen=True, slots=True)
class LengthBand(Strict):
    """Times of clips of nearly one length, one at a time, with the names and formulas of the overall measures."""

    from_s: float
    """Shortest audio."""
    to_s: float
    """Longest audio."""
    n_clips: int
    """That were measured; at least five."""
    rtf: float
    """Seconds of work per second of audio: a ratio of sums."""
    latency_p50_s: float
    """Half of the clips took less."""
    latency_p95_s: float
    """95 % of the clips took less; linear interpolation between clips, as for the next."""
    latency_p99_s: float
    """99 % of the clips took less."""
    first_text_s: float | None
    """95 % of the clips had their first text before; ``None`` for an engine that gives its text at the end."""


def length_bands(hypotheses: Iterable[Hypothesis]) -> tuple[LengthBand, ...]:
    """Return the bands in which there are enough clips, the shortest first; they do not overlap.

    >>> from earwitness.types import Transcript
    >>> lengths = [1.0, 2.0, 2.1, 2.2, 2.3, 2.4, 9.0]
    >>> clips = [Hypothesis(str(s), Transcript(""), None, audio_s=s, wall_s=0.5 + 0.1 * s) for s in lengths]
    >>> [(band.from_s, round(band.to_s, 9), band.n_clips, round(band.rtf, 3)) for band in length_bands(clips)]
    [(2.0, 2.8, 5, 0.327)]
    """
    timed = sorted((one for one in hypotheses if one.wall_s and one.audio_s > 0), key=lambda one: one.audio_s)
    found, start = [], 0
    while start < len(timed):
        to_s = WIDTH * timed[start].audio_s
        end = next((n for n in range(start, len(timed)) if timed[n].audio_s > to_s), len(timed))
        enough = end - start >= FEWEST
        if enough:
            found.append(_band(timed[start:end], to_s))
        start = end if enough else start + 1
    return tuple(found)


def band_of(bands: Sequence[LengthBand], audio_s: float) -> LengthBand | None:
    """Return the band that some audio belongs to; ``None`` if this length was not measured."""
    return next((band for band in bands if band.from_s <= audio_s <= band.to_s), None)


def _band(clips: Sequence[Hypothesis], to_s: float) -> LengthBand:
    walls = [one.wall_s for one in clips if one.wall_s is not None]
    firsts = [one.first_text_s for one in clips if one.first_text_s is not None]
    p50, p95, p99 = np.percentile(walls, [50, 95, 99]).tolist()
    return LengthBand(
        from_s=clips[0].audio_s,
        to_s=to_s,
        n_clips=len(clips),
        rtf=sum(walls) / sum(one.audio_s for one in clips),
        latency_p50_s=p50,
        latency_p95_s=p95,
        latency_p99_s=p99,
        first_text_s=float(np.percentile(firsts, 95)) if firsts else None,
    )
