"""The work of a labelling: who gets which clip next, what is saved, and how far it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from earwitness.counts import duration
from earwitness.errors import RecordError, UsageError
from earwitness.labels.agreement import wants_second_opinion
from earwitness.labels.label import Label, now, text_sha256
from earwitness.labels.page.claims import Claims, ClaimTable
from earwitness.labels.page.drafts import DraftPolicy, empty_box
from earwitness.labels.page.ledger import Ledger
from earwitness.labels.page.messages import (
    Assignment,
    LabelMessage,
    NextRequest,
    Opinion,
    PageState,
    Presence,
    UndoRequest,
)
from earwitness.labels.page.wording import clean_text, require_author
from earwitness.labels.settle import is_open, same_words
from earwitness.labels.span_id import unit_noun
from earwitness.types import Clip

_FEW = 3
"""Labels before a time left is shown."""
_LONGEST_WORK_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class LabelTask:
    """What is to be labelled, and how."""

    dataset: str
    """Its name, for people."""
    units: Sequence[Clip]
    """Clips, or spans of long ones with ids of their own, in the plan's order; those after ``n_labels`` are spare."""
    n_labels: int
    """How many of them are planned."""
    overlay: Path
    """Where labels go."""
    author: str
    """Who labels, unless the page says another name."""
    drafts: DraftPolicy = field(default_factory=empty_box)
    """What the box starts with."""
    second_opinion: float = 0.0
    """The share of clips that a second person labels without seeing the first one's text."""
    seed: int = 0
    """Which clips get a second opinion."""
    estimate: Callable[[Sequence[Label]], Sequence[str]] | None = None
    """Returns the estimate so far as lines of text, from all lines of the overlay; ``None`` without one."""

    def __post_init__(self) -> None:
        """Refuse a share that is none."""
        if not 0 <= self.second_opinion <= 1:
            raise UsageError(f"A share of second opinions is from 0 to 1, not {self.second_opinion:g}.")


class LabelSession:
    """Answers pages. Several threads may ask; other servers may work on the same overlay.

    Args:
        task: What is to be labelled.
        clock: Seconds since 1970, for claims.
    """

    def __init__(self, task: LabelTask, clock: Callable[[], float] = time.time) -> None:
        """Read the overlay."""
        self.task = task
        self._units = {unit_name(clip.id): clip for clip in task.units}
        self._names = {clip.id: name for name, clip in self._units.items()}
        self._numbers = {clip.id: number for number, clip in enumerate(task.units, start=1)}
        self._planned = task.units[: task.n_labels]
        self._ledger = Ledger(task.overlay)
        self._claims = Claims(task.overlay, clock)
        self._same = same_words(languages={clip.id: clip.language for clip in task.units})
        self._lock, self._estimating = threading.Lock(), threading.Lock()
        self._estimate: tuple[int, tuple[str, ...]] = (-1, ())
        self._ledger.refresh()

    @property
    def units(self) -> str:
        """What is to be labelled: clips, spans of long clips, or both."""
        return unit_noun([clip.id for clip in self.task.units])

    def clip(self, unit: str) -> Clip:
        """Return the clip of a name.

        Raises:
            RecordError: When there is none.
        """
        clip = self._units.get(unit)
        if clip is None:
            raise RecordError("There is no such clip in this labelling. Load the page again.")
        return clip

    def labels(self) -> tuple[Label, ...]:
        """Return all lines of the overlay."""
        with self._lock:
            self._ledger.refresh()
            return tuple(self._ledger.labels)

    def estimate(self) -> tuple[str, ...]:
        """Return the estimate so far as lines of text; while one is under way, the one before it."""
        if self.task.estimate is None or not self._estimating.acquire(blocking=False):
            return self._estimate[1]
        try:
            labels = self.labels()
            if len(labels) != self._estimate[0]:
                self._estimate = (len(labels), tuple(self.task.estimate(labels)))
        finally:
            self._estimating.release()
        return self._estimate[1]

    def assign(self, request: NextRequest) -> Assignment | None:
        """Give a page its next clip; ``None`` when nothing of the plan is left for it.

        A page keeps the clip that it has until its label is there.
        """
        require_author(request.author)
        holder = _holder(request.author, request.tab)
        with self._lock, self._claims.locked() as table:
            self._ledger.refresh()
            clip = self._own_clip(request, holder, table) or self._next_clip(request, holder, table)
            if clip is None:
                return None
            table.take(clip.id, holder)
            return self._assignment(clip, request.author)

    def save(self, message: LabelMessage) -> PageState:
        """Append a label, unless it is there under the same id.

        Raises:
            UsageError: For a text or a name that cannot be taken; the page shows the sentence.
            RecordError: For a clip that is not of this labelling.
            FileError: When the label cannot be written; the page keeps it and tries again.
        """
        clip = self.clip(message.unit)
        label = self._label(clip, message)
        with self._lock, self._claims.locked() as table:
            self._ledger.refresh()
            if self._ledger.by_client_id(message.client_id) is None:
                self._ledger.append(label)
            if table.holder(clip.id) == _holder(message.author, message.tab):
                table.release(clip.id)
            return self._state(message.author, message.tab, table)

    def undo(self, request: UndoRequest) -> Assignment:
        """Withdraw the author's last label and give its clip again, with its text.

        Raises:
            UsageError: When the author has no label to take back.
        """
        with self._lock, self._claims.locked() as table:
            self._ledger.refresh()
            withdrawn = self._ledger.by_client_id(request.client_id)
            if withdrawn is None:
                last = self._last_of(request.author)
                withdrawn = replace(
                    last, text=None, verdict="withdrawn", time=now(), seconds_spent=None, draft=None,
                    draft_source="empty", draft_model=None, client_id=request.client_id,
                )  # fmt: skip
                self._ledger.append(withdrawn)
            clip = self.clip(self._names.get(withdrawn.clip_id, ""))
            if not withdrawn.adjudication:
                table.take(clip.id, _holder(request.author, request.tab))
            text = next((one.text for one in reversed(self._ledger.labels) if _is_before(one, withdrawn)), None)
            again = self._to_settle(clip) if withdrawn.adjudication else self._assignment(clip, request.author)
            return replace(again, text=text or "")

    def disagreements(self) -> list[Assignment]:
        """Return the clips whose labels differ, with the labels in an order that says nothing of their authors."""
        with self._lock:
            self._ledger.refresh()
            return [self._to_settle(clip) for clip in self.task.units if self._differs(clip)]

    def _to_settle(self, clip: Clip) -> Assignment:
        shown = opinions(self._ledger.current.get(clip.id, ()))
        return replace(
            self._assignment(clip, ""), draft=None, draft_source="empty", second_opinion=False, opinions=shown
        )

    def state(self, presence: Presence) -> PageState:
        """Return how far the labelling is, and extend the claim of the page that asks."""
        holder = _holder(presence.author, presence.tab)
        with self._lock, self._claims.locked() as table:
            self._ledger.refresh()
            clip = self._units.get(presence.unit or "")
            if clip is not None and table.holder(clip.id) in (None, holder):
                table.take(clip.id, holder)
            return self._state(presence.author, presence.tab, table)

    def _own_clip(self, request: NextRequest, holder: str, table: ClaimTable) -> Clip | None:
        """The clip that the page has text for, or the one that it had before it was loaded again."""
        kept = [self._names.get(clip_id, "") for clip_id in table.clips_of(holder)]
        for unit in (request.unit, *kept):
            clip = self._units.get(unit or "")
            if clip is not None and request.author not in self._authors(clip):
                return clip
        return None

    def _next_clip(self, request: NextRequest, holder: str, table: ClaimTable) -> Clip | None:
        for clip in self.task.units if request.beyond else self._planned:
            if table.holder(clip.id) in (None, holder) and self._is_open(clip, request.author):
                return clip
        return None

    def _is_open(self, clip: Clip, author: str) -> bool:
        labels = self._ledger.current.get(clip.id)
        if not labels:
            return True
        if len(labels) > 1 or labels[0].adjudication or labels[0].author == author:
            return False
        return wants_second_opinion(clip.id, self.task.second_opinion, self.task.seed)

    def _authors(self, clip: Clip) -> set[str]:
        """Who has an opinion on a clip."""
        return {label.author for label in self._ledger.current.get(clip.id, ()) if not label.adjudication}

    def _differs(self, clip: Clip) -> bool:
        labels = self._ledger.current.get(clip.id)
        return labels is not None and is_open(labels, self._same)

    def _assignment(self, clip: Clip, author: str) -> Assignment:
        draft = self.task.drafts.of_clip(clip)
        others = self._authors(clip) - {author}
        return Assignment(
            unit=self._names[clip.id],
            number=self._numbers[clip.id],
            clip_id=clip.id,
            duration_s=clip.duration_s,
            language=clip.language,
            draft=None if draft is None else draft.text,
            draft_source="empty" if draft is None else draft.source,
            second_opinion=bool(others),
        )

    def _label(self, clip: Clip, message: LabelMessage) -> Label:
        require_author(message.author)
        if message.verdict == "withdrawn" or not message.client_id:
            raise UsageError("A label needs a verdict and an id of its own.")
        draft = self.task.drafts.of_clip(clip)
        # A page may be older than the server that it sends to: what counts is what it showed.
        same = draft is not None and (draft.text, draft.source) == (message.draft, message.draft_source)
        return Label(
            clip_id=clip.id,
            audio_sha256=clip.audio_sha256,
            start_s=clip.start_s,
            duration_s=clip.duration_s,
            text=clean_text(message.text, message.verdict),
            verdict=message.verdict,
            author=message.author.strip(),
            time=now(),
            seconds_spent=round(min(max(message.seconds, 0.0), _LONGEST_WORK_S), 1),
            draft=message.draft,
            draft_source="empty" if message.draft is None else message.draft_source,
            draft_model=draft.model if draft is not None and same else None,
            old_text_sha256=text_sha256(clip.reference),
            second_opinion=message.second_opinion,
            adjudication=message.adjudication,
            client_id=message.client_id,
        )

    def _last_of(self, author: str) -> Label:
        for label in reversed(self._ledger.labels):
            if (
                label.author == author
                and any(one is label for one in self._ledger.current.get(label.clip_id, ()))
                and label.clip_id in self._names
            ):
                return label
        raise UsageError(f"There is no label of {author!r} to take back.")

    def _state(self, author: str, tab: str, table: ClaimTable) -> PageState:
        current, holder = self._ledger.current, _holder(author, tab)
        left = [clip for clip in self._planned if clip.id not in current]
        return PageState(
            n_done=len(self._planned) - len(left),
            n_labels=len(self._planned),
            units=self.units,
            n_own=sum(any(one.author == author for one in labels) for labels in current.values()),
            n_others=sum(table.holder(clip.id) not in (None, holder) for clip in left),
            left=self._time_left(author, left),
            n_different=sum(
                clip_id in self._names and self._differs(self._units[self._names[clip_id]]) for clip_id in current
            ),
            dataset=self.task.dataset,
            box=self.task.drafts.sentence,
        )

    def _time_left(self, author: str, left: Sequence[Clip]) -> str:
        own = [
            one
            for labels in self._ledger.current.values()
            for one in labels
            if one.author == author and not one.adjudication
        ]
        timed = [(one.seconds_spent, one.duration_s) for one in own if one.seconds_spent and one.duration_s]
        if not left:
            return ""
        if len(timed) < _FEW:
            return f"the time left is known after {_FEW} clips"
        pace = sum(spent_s for spent_s, _ in timed) / sum(audio_s for _, audio_s in timed)
        return f"about {duration(pace * sum(clip.duration_s for clip in left))} left"


def unit_name(clip_id: str) -> str:
    """Return a clip's name in addresses: it is the same whenever the server starts, and says nothing about files."""
    return sha256(clip_id.encode()).hexdigest()[:20]


def _holder(author: str, tab: str) -> str:
    return f"{author.strip()}\n{tab}"


def opinions(labels: Iterable[Label]) -> tuple[Opinion, ...]:
    """Return what labels say, each thing once, without adjudications, in an order that depends on the texts alone."""
    unique = {(label.verdict, label.text or "") for label in labels if not label.adjudication}
    ordered = sorted(unique, key=lambda one: sha256("\n".join(one).encode()).digest())
    return tuple(Opinion(verdict, text) for verdict, text in ordered)


def _is_before(label: Label, withdrawn: Label) -> bool:
    same = label.clip_id == withdrawn.clip_id and label.author == withdrawn.author
    return same and label.adjudication == withdrawn.adjudication and label.verdict != "withdrawn"
