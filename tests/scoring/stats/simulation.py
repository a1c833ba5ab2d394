"""Made-up corpora in which the truth is known: recordings with an error rate of their own, and clips in them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


class Corpus(NamedTuple):
    """Counts by clip."""

    errors_a: Ints
    errors_b: Ints
    lengths: Ints
    recordings: Ints


def corpus(
    rng: np.random.Generator, n_recordings: int, rate: float = 0.1, spread: float = 20, gain: float = 0
) -> Corpus:
    """3 to 14 clips a recording, 5 to 24 words a clip; the recording's rate is Beta(rate * spread, ...).

    Both systems find the same recordings hard, each to a degree of its own; with ``gain`` the second has, on average,
    that share fewer errors, and with 0 the two are drawn alike.
    """
    clips = rng.integers(3, 15, n_recordings)
    recordings = np.repeat(np.arange(n_recordings), clips)
    lengths = rng.integers(5, 25, len(recordings))
    hard = rng.beta(rate * spread, (1 - rate) * spread, n_recordings)
    own = [hard * rng.uniform(0.6, 1.4, n_recordings) for _ in range(2)]
    a, b = (rng.binomial(lengths, np.clip(h, 0, 1)[recordings]) for h in (own[0], own[1] * (1 - gain)))
    return Corpus(a, b, lengths, recordings)
