"""Compares the channels of a file before they are mixed: do they differ, or cancel each other out?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

CANCEL = "channels_cancel"
"""The mean of the channels is next to silence, since they are in opposite phase."""
DIFFER = "channels_differ"
"""The channels hold different sound, such as two speakers."""
_QUIET = 1e-8
"""Power below which a channel is silent: a level of -80 dB of full scale."""
_LOST = 1e-3
"""The mean has less than this share of the channels' power, 30 dB below them."""
_HEARD = 1e-3
"""A channel with less than this share of the loudest one's power holds noise or crosstalk."""
_ALIKE = 0.5
"""Correlation of two channels that hold the same sound, as by two microphones at one place."""


class Channels:
    """Observes blocks of sound, and keeps only sums.

    >>> wave = np.sin(np.arange(8000, dtype=np.float32))
    >>> opposite, other = Channels(), Channels()
    >>> opposite.add(np.stack([wave, -wave], axis=1)); opposite.remarks()
    ('channels_cancel',)
    >>> other.add(np.stack([wave, np.sin(np.arange(8000, dtype=np.float32) * 0.7)], axis=1)); other.remarks()
    ('channels_differ',)
    """

    def __init__(self) -> None:
        """Begin without any sound."""
        self._products: npt.NDArray[np.float64] | None = None
        self._n_frames = 0

    def add(self, block: npt.NDArray[np.float32]) -> None:
        """Observe a block of shape (n, channels)."""
        products = (block.T @ block).astype(np.float64)
        self._products = products if self._products is None else self._products + products
        self._n_frames += len(block)

    def remarks(self) -> tuple[str, ...]:
        """Return ``CANCEL`` or ``DIFFER``; nothing for one channel, for silence, or for the same sound in all."""
        if self._products is None or not self._n_frames or not np.all(np.isfinite(self._products)):
            return ()
        shared = self._products / self._n_frames
        power = np.diag(shared)
        if len(power) < 2 or power.max() < _QUIET:
            return ()
        if shared.mean() < _LOST * power.mean():
            return (CANCEL,)
        loud = np.flatnonzero(power > _HEARD * power.max())
        scale = np.sqrt(np.outer(power[loud], power[loud]))
        return (DIFFER,) if np.any(np.abs(shared[np.ix_(loud, loud)]) < _ALIKE * scale) else ()
