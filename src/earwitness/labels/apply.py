"""Puts labels over a dataset: clips get the references that people wrote; the data itself stays as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from earwitness.counts import quantity
from earwitness.data.clips import fingerprint
from earwitness.data.rows import first_few
from earwitness.errors import DataError
from earwitness.labels.label import Label, text_sha256
from earwitness.labels.overlay import Overlay
from earwitness.labels.settle import same_words, settle
from earwitness.labels.span_id import parent_id
from earwitness.types import Clip, Dataset

OverlayFlaw = Literal[
    "audio changed", "span changed", "other span", "reference changed", "disagreement", "unknown clip"
]
_MEANING: Mapping[OverlayFlaw, str] = {
    "audio changed": "The audio changed after the label was made, and the label is not used",
    "span changed": "The label is of another span of the file, and is not used",
    "other span": "The label is of no span of the plan, and is not used",
    "reference changed": "The dataset's reference changed after the label was made; the label is used",
    "disagreement": "Labels disagree; the first person's label is used until an adjudication settles it",
    "unknown clip": "The dataset has no such clip, and the label is not used",
}
_GRACE_S = 0.05
"""Spans that differ by less are the same: containers and tools round."""


@dataclass(frozen=True, slots=True)
class OverlayProblem:
    """A label that is not used, or that somebody should look at."""

    flaw: OverlayFlaw
    """What is wrong."""
    clip_id: str
    """Of the label."""

    @property
    def message(self) -> str:
        """One sentence without the clip."""
        return f"{_MEANING[self.flaw]}."


@dataclass(frozen=True, slots=True)
class DataWithLabels:
    """A dataset under its labels."""

    dataset: Dataset
    """With references from labels; clips without a label keep theirs."""
    labels: Mapping[str, Label]
    """The label that counts, by clip, and by span for spans of long clips."""
    problems: tuple[OverlayProblem, ...]
    """What to look at, in the order of the labels."""


def apply_labels(dataset: Dataset, labels: Sequence[Label], *, normalizer: str = "auto") -> DataWithLabels:
    """Return a dataset whose references come from labels where there are some.

    A label of a span of a long clip gives no reference to the whole clip; it stands in ``labels`` alone.

    Args:
        dataset: As it was read.
        labels: Of an overlay, in the order of its lines.
        normalizer: By which two people's labels are compared.

    Raises:
        DataError: When not one of the labels is of a clip of the dataset.
    """
    applied = usable_labels(dataset.clips, labels, normalizer=normalizer)
    if labels and not applied.labels and all(problem.flaw == "unknown clip" for problem in applied.problems):
        n_labels = len({label.clip_id for label in labels})
        raise DataError(
            f"The labels are of another dataset than {dataset.name!r}: none of their {n_labels} clips is in it, such "
            f"as {labels[0].clip_id!r}. Name the right file with --overlay."
        )
    clips = tuple(_with_label(clip, applied.labels.get(clip.id)) for clip in dataset.clips)
    changed = replace(dataset, clips=clips, sha256=fingerprint(clips)) if applied.labels else dataset
    return replace(applied, dataset=changed)


def usable_labels(clips: Sequence[Clip], labels: Iterable[Label], *, normalizer: str = "auto") -> DataWithLabels:
    """Return the labels that fit clips, and the problems; the dataset is empty.

    Args:
        clips: Such as those of a record.
        labels: Of an overlay, in the order of its lines.
        normalizer: By which two people's labels are compared.
    """
    known = {clip.id: clip for clip in clips}
    settled = settle(labels, same_words(normalizer, clip_languages(clips)))
    used: dict[str, Label] = {}
    problems: list[OverlayProblem] = []
    for clip_id, label in settled.labels.items():
        flaws = list(_flaws(label, known))
        problems += [OverlayProblem(flaw, clip_id) for flaw in flaws]
        if not flaws or flaws == ["reference changed"]:
            used[clip_id] = label
            if clip_id in settled.disagreements:
                problems.append(OverlayProblem("disagreement", clip_id))
    return DataWithLabels(Dataset("", (), ""), used, tuple(problems))


def clip_languages(clips: Iterable[Clip]) -> Mapping[str, str | None]:
    """Return the language of each clip by id; a span has that of its clip."""
    return _Languages({clip.id: clip.language for clip in clips})


class _Languages(dict[str, str | None]):
    def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]
        return super().get(key, super().get(parent_id(key) or "", default))


def _flaws(label: Label, clips: Mapping[str, Clip]) -> Iterator[OverlayFlaw]:
    whole = clips.get(label.clip_id)
    clip = whole or clips.get(parent_id(label.clip_id) or "")
    if clip is None:
        yield "unknown clip"
        return
    if label.audio_sha256 and clip.audio_sha256 and label.audio_sha256 != clip.audio_sha256:
        yield "audio changed"
    elif not _is_in_place(label, clip, whole=whole is not None):
        yield "span changed"
    elif whole is not None and label.old_text_sha256 != text_sha256(clip.reference):
        yield "reference changed"


def _is_in_place(label: Label, clip: Clip, *, whole: bool) -> bool:
    starts = label.start_s - clip.start_s
    ends = label.start_s + label.duration_s - clip.start_s - clip.duration_s
    if whole:
        return abs(starts) < _GRACE_S and abs(ends) < _GRACE_S
    return starts > -_GRACE_S and ends < _GRACE_S


def _with_label(clip: Clip, label: Label | None) -> Clip:
    return clip if label is None else replace(clip, reference=label.reference)


def sentences(overlay: Overlay, problems: Sequence[OverlayProblem]) -> list[str]:
    """Return what is wrong with an overlay, a sentence for each kind of problem, with the first few clips.

    >>> from pathlib import Path
    >>> flaws = [OverlayProblem("unknown clip", name) for name in ("a", "b")]
    >>> sentences(Overlay(Path("x"), (), ""), flaws)
    ["The dataset has no such clip, and the label is not used: 2 clips: 'a', 'b'."]
    """
    kinds = Counter(problem.flaw for problem in problems)
    lines = list(overlay.remarks)
    for flaw, count in kinds.items():
        clips = [problem.clip_id for problem in problems if problem.flaw == flaw]
        lines.append(f"{_MEANING[flaw]}: {quantity(count, 'clip')}: {first_few(clips)}.")
    return lines
