"""What the page and the server say to each other, as JSON."""

from __future__ import annotations

from dataclasses import dataclass

from earwitness.files.schema import Strict
from earwitness.labels.label import DraftSource, LabelVerdict


@dataclass(frozen=True, slots=True)
class NextRequest(Strict):
    """A page asks for a clip."""

    author: str
    """Who labels."""
    tab: str
    """A random id of the browser's tab, the same after a reload."""
    unit: str | None = None
    """The clip that the page still has text for."""
    beyond: bool = False
    """Whether to go on after the planned number of labels."""


@dataclass(frozen=True, slots=True)
class Presence(Strict):
    """A page says that it is open."""

    author: str
    """Who labels."""
    tab: str
    """The browser's tab."""
    unit: str | None = None
    """The clip that it shows."""


@dataclass(frozen=True, slots=True)
class LabelMessage(Strict):
    """A page sends a label; sent twice under one id, it counts once."""

    client_id: str
    """A random id of this label."""
    unit: str
    """The clip."""
    author: str
    """Who labels."""
    tab: str
    """The browser's tab."""
    verdict: LabelVerdict
    """``text`` for a plain text."""
    text: str | None
    """What was said; ``None`` for a verdict without a text."""
    seconds: float
    """Seconds of work, without pauses."""
    draft: str | None = None
    """The text that the box started with; ``None`` for an empty box."""
    draft_source: DraftSource = "empty"
    """Where the page was told that the draft is from."""
    second_opinion: bool = False
    """Whether the clip was given for a second opinion."""
    adjudication: bool = False
    """Whether two different texts were shown."""


@dataclass(frozen=True, slots=True)
class UndoRequest(Strict):
    """A page takes the author's last label back."""

    client_id: str
    """A random id of this request: sent twice, it counts once."""
    author: str
    """Whose label."""
    tab: str
    """The browser's tab."""


@dataclass(frozen=True, slots=True)
class Opinion(Strict):
    """One of two labels that differ."""

    verdict: LabelVerdict
    """What it says of the clip."""
    text: str
    """Its text; empty without one."""


@dataclass(frozen=True, slots=True)
class Assignment(Strict):
    """A clip for the page."""

    unit: str
    """A name for the clip in addresses; it says nothing about files."""
    number: int
    """Its place in the plan, from 1."""
    clip_id: str
    """As in the dataset; the page shows it on request, since a name may give the text away."""
    duration_s: float
    """How long the clip is."""
    language: str | None
    """Of the clip."""
    draft: str | None
    """What the box starts with; ``None`` for an empty box."""
    draft_source: DraftSource
    """Where the draft is from; the name of a hidden model is not here."""
    second_opinion: bool = False
    """Whether somebody else labelled the clip before."""
    text: str | None = None
    """What the author wrote before undoing it; ``None`` for a clip that is new to the author."""
    opinions: tuple[Opinion, ...] = ()
    """The labels that differ, for whoever settles it."""


@dataclass(frozen=True, slots=True)
class PageState(Strict):
    """How far the labelling is."""

    n_done: int
    """Clips of the plan with a label, by anybody."""
    n_labels: int
    """Clips of the plan."""
    units: str
    """What the plan has: clips, spans of long clips, or both."""
    n_own: int
    """Labels of the author that count."""
    n_others: int
    """Clips of the plan that others are at work on."""
    left: str
    """How long the rest will take, in words."""
    n_different: int
    """Clips with two labels that differ and that nobody settled."""
    dataset: str
    """Its name."""
    box: str
    """What the box starts with, in words."""
