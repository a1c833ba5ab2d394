"""What a dispatcher needs of a cluster: nodes, actors on them that transcribe, and results.

``ray_backend`` has the real one; tests have one that dies on order.
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
class ActorReport:
    """What an actor says of its worker processes, once one has loaded the model."""

    info: LoadedInfo
    """Of the first: device, settings in force, versions."""
    workers: WorkersInfo
    """Of all so far."""


@dataclass(frozen=True, slots=True)
class ActorEvent:
    """What happened to an actor."""

    actor: str
    """Whose."""
    kind: Literal["result", "unable", "lost"]
    """``result``: a clip is done; ``unable``: this node cannot run this model; ``lost``: the actor is gone, with all
    that it had been given."""
    result: PoolResult | None = None
    """Of the clip."""
    reason: str = ""
    """Why it is unable or lost."""
    report: ActorReport | None = None
    """Of its workers."""


class Backend(Protocol):
    """Nodes, and actors on them: an actor is a process on a node that keeps workers with one model."""

    def nodes(self) -> Sequence[NodeInfo]:
        """Return the nodes that are alive now."""

    def start(self, node: NodeInfo, spec: PoolSpec, *, whole_node: bool) -> str:
        """Start an actor on a node and return its name, before the model is loaded."""

    def give(self, actor: str, clip: Clip) -> None:
        """Give an actor a clip; clips are taken in order."""

    def wait(self, timeout_s: float) -> Sequence[ActorEvent]:
        """Return what happened since; wait for something, but no longer than this."""

    def stop(self, actor: str, *, kindly: bool) -> None:
        """End an actor and its workers."""
