"""The slices of a dataset by the fields and tags of its clips, for every run of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from earwitness.records.record import ClipResult
from earwitness.scoring.metrics.slices import BANDS, OFTEN, UNKNOWN, ScoredClip, Slice, slicer, slices

_MOST = 24
"""A tag with more values than this names clips rather than kinds of clips."""


@dataclass(frozen=True, slots=True)
class SliceSet:
    """One way to cut a dataset, and the error rates of each part."""

    by: str
    """As for ``scoring.slices``: ``language``, ``duration``, a tag."""
    values: tuple[str, ...]
    """What the clips of each part share: bands in order, other parts as in the first run, worst first."""
    slices: Mapping[str, Mapping[str, Slice]]
    """By label of the run, by value."""


def parts(results: Mapping[str, Sequence[ClipResult]]) -> tuple[SliceSet, ...]:
    """Return every cut that leaves two parts or more: language, speaker, channel, bands, and tags.

    Args:
        results: Clip results by label of the run, over the same clips.
    """
    first = next(iter(results.values()), ())
    labelled = [result for result in first if result.score.words is not None]
    tags = dict.fromkeys(tag for result in labelled for tag in result.clip.tags)
    candidates = dict.fromkeys([*OFTEN, *BANDS, *(tag for tag in tags if tag != "snr_db")])
    pairs = {label: [(result.clip, result.score) for result in rows] for label, rows in results.items()}
    cuts = (_cut(by, pairs) for by in candidates if _divides(by, labelled))
    return tuple(cut for cut in cuts if _rated(cut) > 1)


def _divides(by: str, results: Sequence[ClipResult]) -> bool:
    value = slicer(by)
    found: set[str] = set()
    for result in results:
        found.add(value(result.clip, result.score))
        if len(found) > _MOST:
            return False
    return len(found - {UNKNOWN}) > 1


def _rated(cut: SliceSet) -> int:
    """Return how many parts have an error rate; a silent part has none."""
    first = next(iter(cut.slices.values()))
    return sum(part.wer is not None for part in first.values())


def _cut(by: str, pairs: Mapping[str, Sequence[ScoredClip]]) -> SliceSet:
    found = {label: {part.value: part for part in slices(rows, by)} for label, rows in pairs.items()}
    values = dict.fromkeys(value for by_value in found.values() for value in by_value)
    return SliceSet(by, tuple(values), found)
