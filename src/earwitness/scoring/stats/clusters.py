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
Amounts = Sequence[int] | npt.NDArray[np.integer] | Counts
Clusters = Sequence[Hashable] | npt.NDArray[np.generic]
"""The cluster of each clip, by any name."""
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


def number(clusters: Clusters) -> npt.NDArray[np.intp]:
    """Return the number of each clip's cluster; clusters are numbered in the order in which they are first seen.

    >>> number(["b", "a", "b"]).tolist(), number(np.array([7, 3, 7])).tolist()
    ([0, 1, 0], [0, 1, 0])
    """
    if not isinstance(clusters, np.ndarray):
        places: dict[Hashable, int] = {}
        return np.array([places.setdefault(cluster, len(places)) for cluster in clusters], np.intp)
    _, first, index = np.unique(clusters, return_index=True, return_inverse=True)
    numbers = np.empty(len(first), np.intp)
    numbers[np.argsort(first)] = np.arange(len(first))
    return numbers[index]


def sum_by_cluster(clusters: Clusters, *columns: Amounts) -> tuple[Counts, ...]:
    """Sum columns of counts over clusters, in the order in which the clusters are first seen.

    >>> [column.tolist() for column in sum_by_cluster(["a", "b", "a"], [1, 2, 3], [10, 20, 30])]
    [[4.0, 2.0], [40.0, 20.0]]
    """
    index = number(clusters)
    return tuple(np.bincount(index, np.asarray(column, float)).astype(float) for column in columns)


def draws(n_clusters: int, rounds: int, rng: np.random.Generator) -> Counts:
    """Draw clusters with replacement, as many as there are, and return how often each came: (rounds, n_clusters)."""
    drawn = rng.integers(0, n_clusters, (rounds, n_clusters), np.int64)
    drawn += np.arange(rounds)[:, None] * n_clusters
    return np.bincount(drawn.ravel(), minlength=rounds * n_clusters).reshape(rounds, n_clusters).astype(float)
