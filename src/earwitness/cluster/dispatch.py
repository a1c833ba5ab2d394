"""Gives clips to actors on nodes, and takes each clip's result once, whatever dies.

An actor that is lost gives its clips back: the one it was at is tried again, at most three times in all, and is a
failure with the reason after that; those that waited behind it are given out again without blame. A clip whose worker
crashed is tried once more, elsewhere if there is an elsewhere. A node that cannot run a model is left out, with its
reason; one that joins is used. Only when no node is left for some time does a model end.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from earwitness.cluster.backend import MOST_CRASHES, ActorEvent, ActorReport, Backend
from earwitness.cluster.nodes import NodeInfo, needed_bytes, slots, why_unfit
from earwitness.runs.job import clip_budget_s
from earwitness.runs.pool import PoolResult, PoolSpec
from earwitness.types import Clip, Failure, Hypothesis

DEPTH = 2
"""Clips that an actor has at once: one at work, and the next, so that it never waits for the driver."""
MOST_TRIES = 3
MOST_LOSSES = MOST_TRIES + 1
"""Actors in a row that a node may lose before it gets no more of a model."""
_LOOK_S = 2.0
_WAIT_S = 0.5
_MARGIN_S = 60.0


@dataclass(slots=True)
class Work:
    """A model over clips."""

    spec: PoolSpec
    """The model, and how it runs."""
    clips: Iterable[Clip]
    """Taken lazily."""
    name: str
    """For messages."""
    unfit: dict[str, str] = field(default_factory=dict)
    """Nodes that cannot run it, by name, with the reason."""
    reports: dict[str, ActorReport] = field(default_factory=dict)
    """The last report of each node that worked, by the node's name."""
    nodes: dict[str, NodeInfo] = field(default_factory=dict)
    """The nodes that worked, by name."""


@dataclass(frozen=True, slots=True)
class WorkResult:
    """A clip that is done, or a model that is given up."""

    work: Work
    """Which."""
    node: str
    """Name of the node; empty where none was."""
    result: PoolResult | None
    """Of the clip; ``None`` when the model is given up."""
    failure: Failure | None = None
    """Why it is given up."""


@dataclass(slots=True)
class ClipTry:
    """A clip on its way."""

    clip: Clip
    attempt: int = 1
    crashes: int = 0
    not_on: str = ""
    """Node on which it was tried last."""


@dataclass(slots=True)
class Actor:
    """A process on a node, and what it was given."""

    name: str
    node: NodeInfo
    state: WorkState
    open: dict[str, ClipTry] = field(default_factory=dict)
    due_s: float = 0.0


@dataclass(slots=True)
class WorkState:
    """What is left of a work."""

    work: Work
    source: Iterator[Clip]
    again: deque[ClipTry] = field(default_factory=deque)
    losses: dict[str, int] = field(default_factory=dict)
    idle_since_s: float | None = None
    is_left: bool = True
    ended: bool = False

    def next(self, node: str, *, alone: bool) -> ClipTry | None:
        """Return the next clip for a node: one to try again first, but on another node if there is one."""
        for n, each in enumerate(self.again):
            if alone or each.not_on != node:
                del self.again[n]
                return each
        clip = next(self.source, None) if self.is_left else None
        self.is_left = clip is not None
        return None if clip is None else ClipTry(clip)


class Dispatcher:
    """Runs several works over a backend at once.

    Args:
        backend: The cluster.
        works: Each a model over clips.
        version: Of this Earwitness.
        whole_nodes: Whether a node serves one model at a time, so that its clock means something.
        patience_s: How long to wait for a node when there is none.
        note: Called with a sentence for each node that takes no part, or no part any more.
    """

    def __init__(
        self,
        backend: Backend,
        works: Iterable[Work],
        *,
        version: str,
        whole_nodes: bool = False,
        patience_s: float = 60.0,
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Start no actor yet."""
        self._note = note
        self._backend, self._version, self._whole_nodes, self._patience_s = backend, version, whole_nodes, patience_s
        self._states = [WorkState(work, iter(work.clips)) for work in works]
        self._actors: dict[str, Actor] = {}
        self._looked_s = float("-inf")
        self._nodes: list[NodeInfo] = []

    def results(self) -> Iterator[WorkResult]:
        """Yield what comes, each clip once, until every work is done or given up."""
        while any(not state.ended for state in self._states):
            self._look()
            for actor in list(self._actors.values()):
                self._feed(actor)
            yield from self._ended()
            for event in self._backend.wait(_WAIT_S):
                yield from self._take(event)
            yield from self._overdue()

    def close(self, *, kindly: bool) -> None:
        """End all actors."""
        for name in list(self._actors):
            self._backend.stop(name, kindly=kindly)
        self._actors.clear()

    def _look(self) -> None:
        """Start actors on nodes that are free, no more often than every two seconds."""
        now = time.monotonic()
        if now - self._looked_s < _LOOK_S and self._actors:
            return
        self._looked_s = now
        self._nodes = list(self._backend.nodes())
        for node in self._nodes:
            for state in sorted(self._states, key=lambda state: len(self._actors_of(state))):
                while not state.ended and (state.is_left or state.again) and self._has_room(node, state):
                    name = self._backend.start(node, state.work.spec, whole_node=self._whole_nodes)
                    self._actors[name] = Actor(name, node, state, due_s=now + self._load_s(state))

    def _has_room(self, node: NodeInfo, state: WorkState) -> bool:
        here = [actor for actor in self._actors.values() if actor.node.id == node.id]
        work = state.work
        ours = [actor for actor in here if actor.state is state]
        if node.name in work.unfit or len(ours) >= slots(node, work.spec, whole_node=self._whole_nodes):
            return False
        if self._whole_nodes and len(here) > len(ours):
            return False
        reason = why_unfit(node, work.spec, self._version)
        if reason is not None:
            self._leave_out(work, node.name, reason)
            return False
        taken = sum(needed_bytes(actor.state.work.spec) for actor in here)
        return not here or taken + needed_bytes(work.spec) <= node.available_bytes

    def _leave_out(self, work: Work, node: str, reason: str) -> None:
        work.unfit[node] = reason
        self._note(f"{node} takes no part in {work.name}: {reason}")

    def _actors_of(self, state: WorkState) -> list[Actor]:
        return [actor for actor in self._actors.values() if actor.state is state]

    def _feed(self, actor: Actor) -> None:
        state = actor.state
        alone = len(self._actors_of(state)) < 2
        while len(actor.open) < DEPTH:
            each = state.next(actor.node.name, alone=alone)
            if each is None:
                break
            if not actor.open:
                actor.due_s = time.monotonic() + self._load_s(state) + self._budget_s(state, each)
            actor.open[each.clip.id] = each
            self._backend.give(actor.name, each.clip)
        if not actor.open and not state.is_left and not state.again:
            self._backend.stop(actor.name, kindly=True)
            del self._actors[actor.name]
            self._looked_s = float("-inf")

    def _take(self, event: ActorEvent) -> Iterator[WorkResult]:
        actor = self._actors.get(event.actor)
        if actor is None:
            return
        work = actor.state.work
        if event.report is not None:
            reason = _other_than_the_first(work, event.report)
            if reason is not None:
                yield from self._part(actor, reason, unable=True)
                return
            work.reports[actor.node.name], work.nodes[actor.node.name] = event.report, actor.node
        if event.kind != "result" or event.result is None:
            yield from self._part(actor, event.reason, unable=event.kind == "unable")
            return
        each = actor.open.pop(event.result.hypothesis.clip_id, None)
        if each is None:  # it came before, from an actor that was thought lost
            return
        actor.state.losses.pop(actor.node.name, None)
        waiting = next(iter(actor.open.values()), None)
        actor.due_s = time.monotonic() + (
            self._budget_s(actor.state, waiting) if waiting else self._load_s(actor.state)
        )
        if _is_crash(event.result) and each.crashes + 1 < MOST_CRASHES:
            actor.state.again.append(ClipTry(each.clip, each.attempt + 1, each.crashes + 1, actor.node.name))
            return
        hypothesis = replace(event.result.hypothesis, attempt=each.attempt)
        yield WorkResult(work, actor.node.name, replace(event.result, hypothesis=hypothesis))

    def _part(self, actor: Actor, reason: str, *, unable: bool) -> Iterator[WorkResult]:
        """Take an actor's clips back."""
        self._backend.stop(actor.name, kindly=False)
        self._actors.pop(actor.name, None)
        self._looked_s = float("-inf")
        state, node = actor.state, actor.node.name
        losses = state.losses[node] = state.losses.get(node, 0) + 1
        if unable or losses >= MOST_LOSSES:
            self._leave_out(state.work, node, reason)
        else:
            self._note(f"{node} lost its process for {state.work.name}: {reason}. Its clips are given out again.")
        waiting = list(actor.open.values())
        for n, each in reversed(list(enumerate(waiting))):
            if n == 0 and not unable:
                each.attempt, each.not_on = each.attempt + 1, node
            if each.attempt > MOST_TRIES:
                yield WorkResult(state.work, node, PoolResult(_lost(each.clip, reason)))
            else:
                state.again.appendleft(each)

    def _overdue(self) -> Iterator[WorkResult]:
        now = time.monotonic()
        for actor in list(self._actors.values()):
            if actor.open and now > actor.due_s:
                yield from self._part(actor, f"{actor.node.name} did not answer in time", unable=False)

    def _ended(self) -> Iterator[WorkResult]:
        """End works that are done, and those that no node can run."""
        now = time.monotonic()
        for state in self._states:
            if state.ended:
                continue
            if self._actors_of(state):
                state.idle_since_s = None
                continue
            if not state.again and not state.is_left:
                state.ended = True
                continue
            if self._actors:  # other models use the nodes now, and will leave them
                state.idle_since_s = None
                continue
            state.idle_since_s = state.idle_since_s or now
            hopeless = bool(self._nodes) and all(node.name in state.work.unfit for node in self._nodes)
            if hopeless or now - state.idle_since_s > self._patience_s:
                state.ended = True
                yield WorkResult(state.work, "", None, no_node(state.work))

    def _budget_s(self, state: WorkState, each: ClipTry) -> float:
        return clip_budget_s(state.work.spec.limits, each.clip.duration_s) + _MARGIN_S

    def _load_s(self, state: WorkState) -> float:
        limits = state.work.spec.limits
        return limits.load_timeout_s + limits.timeout_floor_s * limits.warmup


def no_node(work: Work) -> Failure:
    """Return why a model ran nowhere, or nowhere any more."""
    each = "; ".join(f"{node}: {reason.rstrip('.')}" for node, reason in work.unfit.items())
    return Failure("spawn", "error", f"No node is left for {work.name}. {each or 'There is none in the cluster'}.")


def _is_crash(result: PoolResult) -> bool:
    failure = result.hypothesis.failure
    return failure is not None and failure.stage == "transcribe" and failure.kind == "crash"


def _lost(clip: Clip, reason: str) -> Hypothesis:
    message = f"Its process was lost {MOST_TRIES} times under this clip; the last: {reason}"
    return Hypothesis(
        clip.id, None, Failure("transcribe", "crash", message), audio_s=clip.duration_s, attempt=MOST_TRIES
    )


def _other_than_the_first(work: Work, report: ActorReport) -> str | None:
    """Return how a worker differs from the first one of the same record; ``None`` if in nothing that changes texts."""
    first = next(iter(work.reports.values()), None)
    if first is None:
        return None
    for what, theirs, ours in (
        ("device", report.info.device.partition(":")[0], first.info.device.partition(":")[0]),
        ("engine packages", dict(report.info.packages), dict(first.info.packages)),
        ("settings in force", _but_threads(report), _but_threads(first)),
    ):
        if theirs != ours:
            return f"its {what} differ from the first node's: {theirs} and {ours}"
    return None


def _but_threads(report: ActorReport) -> dict[str, object]:
    return {name: value for name, value in report.info.in_force.items() if name != "threads"}
