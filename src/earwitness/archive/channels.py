"""Which channels of a recording are transcribed: the mean, one of them, or each, unless all hold the same sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from earwitness.audio import decode_file, probe
from earwitness.errors import AudioError

SAME_SOUND = "All channels hold the same sound; it was transcribed once."
_EXCERPT_S = 60.0
_ALIKE = 0.98
"""Correlation of channels that hold the same sound, which a codec may have altered a little."""
_QUIET = 1e-8
"""Power below which a channel is silent: a level of -80 dB of full scale."""


def channels_of(path: str, scratch: Path) -> tuple[tuple[int | None, ...], str]:
    """Return the channels to transcribe one by one, and a note.

    One channel, or several with the same sound (dual mono), give ``(None,)``. Compared are a minute at the beginning,
    in the middle and at the end.

    Args:
        path: Of a local file. One that cannot be read gives ``(None,)``: transcribing it says why.
        scratch: Folder for decoded excerpts.
    """
    try:
        info = probe(path)
        if info.channels < 2:
            return (None,), ""
        if all(_is_same(path, start_s, info.channels, scratch) for start_s in _places(info.duration_s)):
            return (None,), SAME_SOUND
    except AudioError:
        return (None,), ""
    return tuple(range(info.channels)), ""


def _places(duration_s: float | None) -> list[float]:
    if duration_s is None or duration_s <= 3 * _EXCERPT_S:
        return [0.0] if duration_s is None or duration_s <= _EXCERPT_S else [0.0, max(0.0, duration_s - _EXCERPT_S)]
    return [0.0, duration_s / 2, duration_s - _EXCERPT_S]


def _is_same(path: str, start_s: float, n_channels: int, scratch: Path) -> bool:
    target = scratch / "channels.f32"
    found = []
    for channel in range(n_channels):
        try:
            decode_file(path, target, start_s=start_s, duration_s=_EXCERPT_S, channel=channel)
        except AudioError:
            # The last seconds may be fewer than a minute: what was decoded is compared.
            if not target.exists():
                raise
        found.append(np.fromfile(target, "<f4").astype(np.float64))
        target.unlink(missing_ok=True)
    first = found[0]
    return all(len(first) == len(other) and _alike(first, other) for other in found[1:])


def _alike(
    one: np.ndarray[tuple[int], np.dtype[np.float64]], other: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> bool:
    powers = [float(np.mean(each**2)) if len(each) else 0.0 for each in (one, other)]
    if max(powers) < _QUIET:
        return True
    if min(powers) < _QUIET:
        return False
    return float(np.mean(one * other)) > _ALIKE * float(np.sqrt(powers[0] * powers[1]))
