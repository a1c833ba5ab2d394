"""Which clips a person should hear first, and how many labels would settle who makes fewer errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from earwitness.comparison.texts import SharedTexts
from earwitness.scoring.metrics.disagreement import clip_distances


@dataclass(frozen=True, slots=True)
class DisputedClip:
    """A clip about which models disagree."""

    clip_id: str
    """The clip."""
    recording: str
    """Its recording."""
    audio_s: float
    """How long it is."""
    disagreement: int
    """Edits between the texts of each pair whose order is open, summed; of every pair, when no order is."""
    texts: Mapping[str, str]
    """Normalized texts by label."""


@dataclass(frozen=True, slots=True)
class LabelNeed:
    """How many labelled clips settle which of two models makes fewer errors on this pool."""

    least: int
    """Clips, those with the largest distance first, after which the rest cannot reverse the order if every label is for
    the same model. With fewer, none is certain."""
    certain: int
    """Clips with unequal texts: with labels for these, the difference is known exactly. Others contribute 0."""
    expected: int | None
    """The same, if the witnesses are right about every clip; ``None`` without witnesses, or if they are for neither."""


def label_need(distances: Sequence[int], gaps: Sequence[int] | None) -> LabelNeed:
    """Return how many labels settle the order of two models on this pool.

    A clip's difference in errors lies between minus and plus the distance of its two texts. So once the labelled
    clips differ by more than the distances of all others together, no label can reverse the order.

    Args:
        distances: Of the two models' texts, clip by clip.
        gaps: What the second is expected to make more than the first, clip by clip.

    >>> label_need([3, 0, 1, 1], [3, 0, 0, 0]), label_need([1, 1, 1, 1], None)
    (LabelNeed(least=1, certain=3, expected=1), LabelNeed(least=3, certain=4, expected=None))
    """
    certain = sum(distance > 0 for distance in distances)
    size = np.array(distances)
    order = np.argsort(-size, kind="stable")
    left = size.sum() - np.cumsum(size[order])
    least = _first(np.cumsum(size[order]) > left, certain)
    if gaps is None or not sum(gaps):
        return LabelNeed(least, certain, None)
    return LabelNeed(least, certain, _first(np.abs(np.cumsum(np.array(gaps)[order])) > left, certain))


def _first(enough: npt.NDArray[np.bool_], certain: int) -> int:
    return int(np.argmax(enough)) + 1 if enough.any() else certain


def clips_to_hear(shared: SharedTexts, open_pairs: Sequence[tuple[str, str]], most: int) -> tuple[DisputedClip, ...]:
    """Return the clips about which the models disagree most, where labels can change the ranking.

    Args:
        shared: The texts.
        open_pairs: Labels of the pairs whose order is open; when there is none, all pairs count.
        most: How many clips to return, at most.
    """
    texts = {model.label: model.texts for model in shared.models}
    pairs = open_pairs or list(combinations(texts, 2))
    total = np.zeros(len(shared.clips), np.int64)
    for first, second in pairs:
        total += np.array(clip_distances(texts[first], texts[second]), np.int64)
    order = np.argsort(-total, kind="stable")[:most]
    return tuple(
        DisputedClip(
            clip_id=shared.clips[n].id,
            recording=shared.clips[n].recording,
            audio_s=shared.clips[n].duration_s,
            disagreement=int(total[n]),
            texts={label: " ".join(found[n]) for label, found in texts.items()},
        )
        for n in order
        if total[n]
    )
