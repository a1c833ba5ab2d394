"""What the box holds when a clip is opened: nothing, or the text of a model, or the dataset's own reference.

A draft anchors the label: people leave in it what they would not have written. So the box is empty by default, and a
draft must not come from a model that the labels will judge, unless its name is hidden and chosen at random.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from earwitness.errors import UsageError
from earwitness.labels.label import DraftSource
from earwitness.types import Clip

_SENTENCES: Mapping[DraftSource, str] = {
    "empty": "The box starts empty.",
    "other model": "The box starts with the text of {model}, which is not among the candidates.",
    "hidden family": "The box starts with the text of a model at random; its name is hidden.",
    "reference": "The box starts with the reference of the dataset.",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """The text that a clip's box starts with."""

    text: str
    """As the model, or the dataset, has it."""
    source: DraftSource
    """Where it is from."""
    model: str | None = None
    """The model that wrote it."""


@dataclass(frozen=True, slots=True)
class DraftPolicy:
    """Which draft each clip gets."""

    source: DraftSource = "empty"
    """Where drafts are from."""
    model: str | None = None
    """The model of ``other model``."""
    of_clip: Callable[[Clip], Draft | None] = lambda _: None
    """The draft of a clip; ``None`` for an empty box."""

    @property
    def sentence(self) -> str:
        """What the page says about it."""
        return _SENTENCES[self.source].format(model=self.model)


def empty_box() -> DraftPolicy:
    """Return the policy without drafts."""
    return DraftPolicy()


def drafts_of_model(model: str, texts: Mapping[str, str], families: frozenset[str], family: str) -> DraftPolicy:
    """Return the drafts of one model that is no candidate.

    Args:
        model: Its name.
        texts: Its texts by clip id; a clip without one gets an empty box.
        families: Weights of the candidates.
        family: Weights of the model.

    Raises:
        UsageError: When the model has the weights of a candidate.
    """
    if family in families:
        raise UsageError(
            f"{model} has the weights of a candidate ({family}), and its draft would favour it. "
            "Use --draft hidden, or a model that is not among the runs."
        )

    def draft(clip: Clip) -> Draft | None:
        text = texts.get(clip.id)
        return None if text is None else Draft(text, "other model", model)

    return DraftPolicy("other model", model, draft)


def hidden_drafts(families: Mapping[str, tuple[str, Mapping[str, str]]], seed: int = 0) -> DraftPolicy:
    """Return drafts of a family at random for each clip, the same one whenever the clip is opened.

    Args:
        families: By weights, the name of one model that has them, and its texts by clip id.
        seed: Another seed, other families.

    Raises:
        UsageError: Without any family.
    """
    if not families:
        raise UsageError("--draft hidden takes its drafts from runs, and there are none. Name them with --runs.")
    names = sorted(families)

    def draft(clip: Clip) -> Draft | None:
        number = int.from_bytes(sha256(f"{seed}\n{clip.id}".encode()).digest()[:8], "big")
        model, texts = families[names[number % len(names)]]
        text = texts.get(clip.id)
        return None if text is None else Draft(text, "hidden family", model)

    return DraftPolicy("hidden family", None, draft)


def reference_drafts() -> DraftPolicy:
    """Return the dataset's own references, for an audit of them."""

    def draft(clip: Clip) -> Draft | None:
        return None if clip.reference is None else Draft(clip.reference, "reference")

    return DraftPolicy("reference", None, draft)
