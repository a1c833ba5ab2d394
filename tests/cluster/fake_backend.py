"""A backend in this process that dies on order: no Ray, no engine, no clock."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence

from earwitness.cluster.backend import ActorEvent, ActorReport
from earwitness.cluster.nodes import NodeInfo
from earwitness.records.environment import environment
from earwitness.records.record import WorkersInfo
from earwitness.runs.pool import PoolResult, PoolSpec
from earwitness.types import Clip, Failure, Hypothesis, Transcript
from earwitness.workers.worker import LoadedInfo

CRASH = Failure("transcribe", "crash", "The worker was killed by signal SIGKILL.")
WORKERS = WorkersInfo(spawn_s=0.1, load_s=0.1, n_warmup=0, n_started=1, peak_rss_bytes=None)


def node(number: int, **more: object) -> NodeInfo:
    """A node that has the fake engine."""
    values: dict[str, object] = {
        "id": f"id{number}", "name": f"node {number}", "host": "127.0.0.1", "environment": environment(),
        "packages": {"fake": {}}, "devices": {"cpu": 1}, "available_bytes": 10**12, "missing": {},
    }  # fmt: skip
    return NodeInfo(**(values | more))  # type: ignore[arg-type]


def report(device: str = "cpu", **in_force: object) -> ActorReport:
    """What a worker says of itself."""
    return ActorReport(LoadedInfo(0.1, 0.1, device, in_force, {}, "3.11", None), WORKERS)


class FakeBackend:
    """Nodes whose actors answer one clip after the other, or die, as a seed has it.

    Args:
        nodes: There from the beginning.
        chance: Of a death, at every answer: of a worker, an actor or a node.
        says: What becomes of a clip; ``None`` for an echo of its id.
    """

    def __init__(
        self,
        nodes: Sequence[NodeInfo],
        *,
        seed: int = 0,
        chance: float = 0.0,
        says: Callable[[NodeInfo, Clip], ActorEvent | None] = lambda *_: None,
    ) -> None:
        self.alive = list(nodes)
        self.started: list[str] = []
        self.given: list[str] = []
        self._random = random.Random(seed)
        self._chance, self._says = chance, says
        self._actors: dict[str, tuple[NodeInfo, deque[Clip]]] = {}

    def nodes(self) -> Sequence[NodeInfo]:
        return list(self.alive)

    def start(self, node: NodeInfo, spec: PoolSpec, *, whole_node: bool) -> str:
        name = f"{spec.model.id} on {node.name} #{len(self.started)}"
        self.started.append(name)
        self._actors[name] = (node, deque())
        return name

    def give(self, actor: str, clip: Clip) -> None:
        self.given.append(clip.id)
        self._actors[actor][1].append(clip)

    def stop(self, actor: str, *, kindly: bool) -> None:
        self._actors.pop(actor, None)

    def wait(self, timeout_s: float) -> Sequence[ActorEvent]:
        busy = [name for name, (_, clips) in self._actors.items() if clips]
        if not busy:
            return []
        name = self._random.choice(busy)
        place, clips = self._actors[name]
        if self._random.random() < self._chance:
            return self._death(name, place, clips)
        clip = clips.popleft()
        said = self._says(place, clip)
        if said is not None:
            return [ActorEvent(name, said.kind, said.result, said.reason, said.report or report())]
        hypothesis = Hypothesis(clip.id, Transcript(clip.id), None, audio_s=clip.duration_s, wall_s=0.1, decode_s=0.1)
        event = ActorEvent(name, "result", PoolResult(hypothesis), report=report())
        # An answer that comes twice, as from an actor that was thought lost.
        return [event, event] if self._random.random() < self._chance else [event]

    def _death(self, name: str, place: NodeInfo, clips: deque[Clip]) -> list[ActorEvent]:
        what = self._random.choice(["worker", "actor", "node"])
        if what == "worker":
            clip = clips.popleft()
            failure = PoolResult(Hypothesis(clip.id, None, CRASH, audio_s=clip.duration_s))
            return [ActorEvent(name, "result", failure, report=report())]
        if what == "actor" or len(self.alive) < 2:
            return [ActorEvent(name, "lost", reason="killed")]
        self.alive.remove(place)
        return [ActorEvent(each, "lost", reason="node died") for each, (on, _) in self._actors.items() if on is place]
