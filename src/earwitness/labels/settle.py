"""Which label of a clip counts, where several people labelled it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from earwitness.labels.label import Label, current_labels, moment

SameText = Callable[[Label, Label], bool]
"""Whether two labels say the same."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """One label for each clip."""

    labels: Mapping[str, Label]
    """By clip: the newest adjudication; without one, the first person's label."""
    disagreements: Mapping[str, tuple[Label, ...]]
    """By clip: labels that differ and that nobody adjudicated. The first of them is the one that counts until then."""


def settle(labels: Iterable[Label], same: SameText) -> Settlement:
    """Choose the label of each clip, and list the disagreements.

    Args:
        labels: Of an overlay, in the order of its lines.
        same: Whether two labels say the same, such as after normalizing their texts.
    """
    by_clip = opinions_by_clip(labels)
    return Settlement(
        {clip_id: opinions[0] for clip_id, opinions in by_clip.items()},
        {clip_id: tuple(opinions) for clip_id, opinions in by_clip.items() if is_open(opinions, same)},
    )


def label_by_clip(labels: Iterable[Label]) -> dict[str, Label]:
    """Return the label of each clip that counts, by the rule of ``opinions_by_clip``.

    Args:
        labels: Of an overlay, in the order of its lines.

    >>> one = Label("a", "", 0.0, 1.0, "hello", "text", "ana", "2026-11-30T09:00:00Z")
    >>> two = Label("a", "", 0.0, 1.0, "hollow", "text", "ben", "2026-11-30T10:00:00Z")
    >>> label_by_clip([one, two])["a"].author
    'ana'
    """
    return {clip_id: opinions[0] for clip_id, opinions in opinions_by_clip(labels).items()}


def opinions_by_clip(labels: Iterable[Label]) -> dict[str, list[Label]]:
    """Return the current labels of each clip; the one that counts is the first.

    The newest adjudication counts before all. Without one, first opinions count before second opinions, and the person
    who was first before the others, so that a clip on which people disagree is not left out: such clips are the hard
    ones, and an error rate without them is too low.

    Args:
        labels: Of an overlay, in the order of its lines.
    """
    found: dict[str, list[Label]] = defaultdict(list)
    for label in current_labels(labels).values():
        found[label.clip_id].append(label)
    return {clip_id: sorted(opinions, key=_place) for clip_id, opinions in found.items()}


def _place(label: Label) -> tuple[bool, float, bool]:
    newest_first = -moment(label.time).timestamp() if label.adjudication else 0.0
    return not label.adjudication, newest_first, label.second_opinion


def is_open(opinions: Sequence[Label], same: SameText) -> bool:
    """Return whether labels of one clip differ and nobody adjudicated.

    Args:
        opinions: As ``opinions_by_clip`` orders them.
        same: Whether two labels say the same.
    """
    return not opinions[0].adjudication and not all(same(opinions[0], other) for other in opinions[1:])


def same_words(normalizer: str = "auto", languages: Mapping[str, str | None] | None = None) -> SameText:
    """Return a function that compares labels by verdict and by words after normalizing.

    Args:
        normalizer: As for scores.
        languages: By clip; ``None`` where unknown.

    >>> one = Label("a", "", 0.0, 1.0, "Hello!", "text", "ana", "2026-11-30T09:00:00Z")
    >>> two = Label("a", "", 0.0, 1.0, "hello", "text", "ben", "2026-11-30T09:00:00Z")
    >>> same_words()(one, two)
    True
    """
    from earwitness.scoring.text import normalizer as rules

    words = rules(normalizer).words
    known = languages or {}

    def same(one: Label, two: Label) -> bool:
        if one.reference is None or two.reference is None:
            return one.verdict == two.verdict and one.reference == two.reference
        language = known.get(one.clip_id)
        return words(one.reference, language) == words(two.reference, language)

    return same
