"""Which label of a clip counts, where several people labelled it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
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
    """Choose the label of each clip.

    The newest adjudication counts before all. Without one, first opinions count before second opinions, and the person
    who was first before the others, so that a clip on which people disagree is not left out: such clips are the hard
    ones, and an error rate without them is too low.

    Args:
        labels: Of an overlay, in the order of its lines.
        same: Whether two labels say the same, such as after normalizing their texts.
    """
    chosen = {}
    disagreements = {}
    for clip_id, opinions in _opinions(labels).items():
        counts = chosen[clip_id] = opinions[0]
        if not counts.adjudication and not all(same(counts, other) for other in opinions[1:]):
            disagreements[clip_id] = tuple(opinions)
    return Settlement(chosen, disagreements)


def label_by_clip(labels: Iterable[Label]) -> dict[str, Label]:
    """Return the label of each clip that counts, by the rule of ``settle``.

    Args:
        labels: Of an overlay, in the order of its lines.

    >>> one = Label("a", "", 0.0, 1.0, "hello", "text", "ana", "2026-11-30T09:00:00Z")
    >>> two = Label("a", "", 0.0, 1.0, "hollow", "text", "ben", "2026-11-30T10:00:00Z")
    >>> label_by_clip([one, two])["a"].author
    'ana'
    """
    return {clip_id: opinions[0] for clip_id, opinions in _opinions(labels).items()}


def _opinions(labels: Iterable[Label]) -> dict[str, list[Label]]:
    """Return each clip's labels, the one that counts first."""
    by_clip: dict[str, list[Label]] = defaultdict(list)
    for (clip_id, _), label in current_labels(labels).items():
        by_clip[clip_id].append(label)
    for opinions in by_clip.values():
        opinions.sort(key=lambda label: label.second_opinion)
        marked = [label for label in opinions if label.adjudication]
        if marked:
            last = max(marked, key=lambda label: moment(label.time))
            opinions.remove(last)
            opinions.insert(0, last)
    return by_clip


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
