"""A label: what one person said of one clip at one time. It is never changed; a newer one takes its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Literal

from earwitness.files.schema import Strict

LABEL_SCHEMA_VERSION = 1
LabelVerdict = Literal["text", "unintelligible", "not speech", "wrong audio", "several speakers", "withdrawn"]
DraftSource = Literal["empty", "other model", "hidden family", "reference"]
LabelKey = tuple[str, str, bool]
"""Clip, author, and whether it is an adjudication: who settles a disagreement keeps an opinion of their own."""


@dataclass(frozen=True, slots=True)
class Label(Strict):
    """What one person said of one clip at one time: a line of an overlay."""

    clip_id: str
    """As in the dataset; a span of a long clip has an id of its own, as ``labels/spans.py`` makes it."""
    audio_sha256: str
    """Of the whole file's bytes, in hex, when the label was made; empty where nobody knew it."""
    start_s: float
    """Where the labelled span begins in the file."""
    duration_s: float
    """How long the labelled span is."""
    text: str | None
    """What was said, raw; for the verdicts ``text`` and, where it could be written, ``several speakers``."""
    verdict: LabelVerdict
    """``withdrawn`` takes back the author's label of this clip; ``not speech`` means that nobody speaks."""
    author: str
    """Who made it."""
    time: str
    """When, in ISO 8601 with the offset, in UTC where Earwitness wrote it."""
    seconds_spent: float | None = None
    """Seconds of work on the clip; ``None`` where nobody measured them."""
    draft: str | None = None
    """The text that was shown first; ``None`` for an empty box."""
    draft_source: DraftSource = "empty"
    """``other model``: of a model that is no candidate; ``hidden family``: of a candidate whose name was hidden;
    ``reference``: the dataset's own text, in an audit."""
    draft_model: str | None = None
    """The model that wrote the draft."""
    old_text_sha256: str | None = None
    """Of the dataset's own reference at that time, in UTF-8; ``None`` for a clip without one."""
    second_opinion: bool = False
    """Whether the clip was given to a second person on purpose, without the first one's text."""
    adjudication: bool = False
    """Whether the author settled a disagreement of others: the newest adjudication of a clip counts before all."""
    note: str = ""
    """Anything else."""
    client_id: str = ""
    """A random id that the labelling page gave, so that a label that is sent twice is there once; empty elsewhere."""
    schema_version: int = LABEL_SCHEMA_VERSION
    """Of this layout."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense.

        Raises:
            ValueError: For a verdict that needs a text and has none, or has one and allows none; for a draft without a
                source; for a time that is not ISO 8601 with its offset.
        """
        if self.verdict == "text" and self.text is None:
            raise ValueError("the verdict 'text' needs a text")
        if self.verdict not in ("text", "several speakers") and self.text is not None:
            raise ValueError(f"the verdict {self.verdict!r} has no text")
        if (self.draft is None) != (self.draft_source == "empty"):
            raise ValueError("a draft needs its source, and a source its draft")
        if moment(self.time).tzinfo is None:
            raise ValueError(f"the time {self.time!r} needs an offset, such as Z")

    @property
    def reference(self) -> str | None:
        """The reference that the clip gets: empty where nobody speaks, ``None`` where it cannot be scored.

        >>> Label("a", "", 0.0, 1.0, "hello", "text", "ana", "2026-11-30T09:00:00Z").reference
        'hello'
        >>> Label("a", "", 0.0, 1.0, None, "not speech", "ana", "2026-11-30T09:00:00Z").reference
        ''
        >>> Label("a", "", 0.0, 1.0, None, "unintelligible", "ana", "2026-11-30T09:00:00Z").reference is None
        True
        """
        return "" if self.verdict == "not speech" else self.text


def current_labels(labels: Iterable[Label]) -> Mapping[LabelKey, Label]:
    """Return the newest label of each clip and author, in the order of the clips' first labels.

    An adjudication stands beside its author's own label. A withdrawn label takes the ones before it along: a withdrawn
    adjudication those that settle, any other the author's own. Of equal times, the later one in the sequence is the
    newer.

    >>> first = Label("a", "", 0.0, 1.0, "hello", "text", "ana", "2026-11-30T09:00:00Z")
    >>> undo = Label("a", "", 0.0, 1.0, None, "withdrawn", "ana", "2026-11-30T09:01:00Z")
    >>> list(current_labels([first])), list(current_labels([first, undo]))
    ([('a', 'ana', False)], [])
    """
    newest: dict[LabelKey, Label] = {}
    for label in labels:
        key = (label.clip_id, label.author, label.adjudication)
        before = newest.get(key)
        if before is None or moment(label.time) >= moment(before.time):
            newest[key] = label
    return {key: label for key, label in newest.items() if label.verdict != "withdrawn"}


def text_sha256(reference: str | None) -> str | None:
    """Return the hash of a reference for ``old_text_sha256``; ``None`` for a clip without one."""
    return None if reference is None else sha256(reference.encode()).hexdigest()


def now() -> str:
    """Return the time of a label that is made now: UTC, to the microsecond."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment(time: str) -> datetime:
    """Return a label's time as a value that can be compared.

    Raises:
        ValueError: For a text that is not ISO 8601.
    """
    return datetime.fromisoformat(time)
