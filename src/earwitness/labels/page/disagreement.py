"""Clips on which two people differ."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from hashlib import sha256

from earwitness.labels.label import Label
from earwitness.labels.page.messages import Opinion


def is_settled(labels: Iterable[Label]) -> bool:
    """Return whether one of a clip's labels is an adjudication."""
    return any(label.adjudication for label in labels)


def differing(labels: Collection[Label], language: str | None) -> bool:
    """Return whether a clip's labels differ in a way that is scored, and nobody settled it.

    What the default normalizer undoes, such as case and punctuation, is no difference.

    Args:
        labels: One of each author.
        language: Of the clip.
    """
    from earwitness.scoring.text.normalize import normalizer

    if is_settled(labels):
        return False
    words = normalizer("auto").words
    return len({(label.verdict, tuple(words(label.text or "", language))) for label in labels}) > 1


def opinions(labels: Iterable[Label]) -> tuple[Opinion, ...]:
    """Return what labels say, each thing once, in an order that depends on the texts alone."""
    unique = {(label.verdict, label.text or "") for label in labels}
    ordered = sorted(unique, key=lambda one: sha256("\n".join(one).encode()).digest())
    return tuple(Opinion(verdict, text) for verdict, text in ordered)
