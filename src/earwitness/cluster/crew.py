"""What a dispatcher needs of a cluster: nodes, hands on them that transcribe, and what becomes of the clips.

``ray_crew`` has the real one; tests have one that dies on order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from earwitness.cluster.nodes import NodeInfo
from earwitness.records.record import WorkersInfo
from earwitness.runs.pool import PoolResult, PoolSpec
from earwitness.types import Clip
from earwitness.workers.worker import LoadedInfo

MOST_CRASHES = 2
"""Workers that may die under a clip, before it is a failure."""


@dataclass(frozen=True, slots=True)
class HandReport:
    """What a hand says of its worker processes, once one has loaded the model."""

    info: LoadedInfo
    """Of the first: device, settings in force, versions."""
    workers: WorkersInfo
    """Of all so far."""


@dataclass(frozen=True, slots=True)
class CrewEvent:
    """What happened to a hand."""

    hand: str
    """Whose."""
    kind: Literal["result", "unable", "lost"]
    """``result``: a clip is done; ``unable``: this node cannot run this model; ``lost``: the hand is gone, with all
    that it had been given."""
    result: PoolResult | None = None
    """Of the clip."""
    reason: str = ""
    """Why it is unable or lost."""
    report: HandReport | None = None
    """Of its workers."""


class Crew(Protocol):
    """Nodes, and hands on them: a hand is a process on a node that keeps workers with one model."""

    def nodes(self) -> Sequence[NodeInfo]:
        """Return the nodes that are alive now."""

    def hire(self, node: NodeInfo, spec: PoolSpec, *, whole_node: bool) -> str:
        """Begin a hand on a node, and return its name; loading goes on meanwhile."""

    def give(self, hand: str, clip: Clip) -> None:
        """Give a hand a clip; clips are taken in order."""

    def wait(self, timeout_s: float) -> Sequence[CrewEvent]:
        """Return what happened since; wait for something, but no longer than this."""

    def dismiss(self, hand: str, *, kindly: bool) -> None:
        """End a hand and its workers."""
