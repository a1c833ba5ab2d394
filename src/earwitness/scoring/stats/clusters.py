"""Sums counts of clips over recordings or speakers.

The clips of one recording share a speaker, a microphone and a topic, so their errors rise and fall together. Every
interval and test of this room looks at sums per recording (or per speaker), never at single clips.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from earwitness.types import Clip

Counts = npt.NDArray[np.float64]
Amounts = Sequence[int] | npt.NDArray[np.int64] | Counts
ClusterBy = Literal["recording", "speaker"]
FEWEST = 4
"""With fewer clusters than this, nothing is said about how much they vary."""


def cluster_of(clip: Clip, by: ClusterBy = "recording") -> str:
    """Return the cluster of a clip: its recording or its speaker, or otherwise itself.

    >>> cluster_of(Clip("c1", "", "", 0.0, 1.0, "", speaker="anna", recording="tape"), "speaker")
    'anna'
    >>> cluster_of(Clip("c1", "", "", 0.0, 1.0, ""), "speaker")
    'c1'
    """
    return (clip.speaker if by == "speaker" else None) or clip.recording or clip.id


def sum_by_cluster(clusters: Sequence[Hashable], *columns: Amounts) -> tuple[Counts, ...]:
    """Sum columns of counts over clusters, in the order in which the clusters are first seen.

    >>> [column.tolist() for column in sum_by_cluster(["a", "b", "a"], [1, 2, 3], [10, 20, 30])]
    [[4.0, 2.0], [40.0, 20.0]]
    """
    places: dict[Hashable, int] = {}
    index = np.array([places.setdefault(cluster, len(places)) for cluster in clusters], dtype=np.intp)
    return tuple(np.bincount(index, np.asarray(column, float), len(places)).astype(float) for column in columns)


def draws(n_clusters: int, rounds: int, rng: np.random.Generator) -> Counts:
    """Draw clusters with replacement, as many as there are, and return how often each came: (rounds, n_clusters)."""
    drawn = rng.integers(0, n_clusters, (rounds, n_clusters), np.int64)
    drawn += np.arange(rounds)[:, None] * n_clusters
    return np.bincount(drawn.ravel(), minlength=rounds * n_clusters).reshape(rounds, n_clusters).astype(float)
