"""A crew in this process that dies on order: no Ray, no engine, no clock."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence

from earwitness.cluster.crew import CrewEvent, HandReport
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


def report(device: str = "cpu", **in_force: object) -> HandReport:
    """What a worker says of itself."""
    return HandReport(LoadedInfo(0.1, 0.1, device, in_force, {}, "3.11", None), WORKERS)


class FakeCrew:
    """Nodes whose hands answer one clip after the other, or die, as a seed has it.

    Args:
        nodes: There from the beginning.
        chance: Of a death, at every answer: of a worker, a hand or a node.
        says: What becomes of a clip; ``None`` for an echo of its id.
    """

    def __init__(
        self,
        nodes: Sequence[NodeInfo],
        *,
        seed: int = 0,
        chance: float = 0.0,
        says: Callable[[NodeInfo, Clip], CrewEvent | None] = lambda *_: None,
    ) -> None:
        self.alive = list(nodes)
        self.hired: list[str] = []
        self.given: list[str] = []
        self._random = random.Random(seed)
        self._chance, self._says = chance, says
        self._hands: dict[str, tuple[NodeInfo, deque[Clip]]] = {}

    def nodes(self) -> Sequence[NodeInfo]:
        return list(self.alive)

    def hire(self, node: NodeInfo, spec: PoolSpec, *, whole_node: bool) -> str:
        name = f"{spec.model.id} on {node.name} #{len(self.hired)}"
        self.hired.append(name)
        self._hands[name] = (node, deque())
        return name

    def give(self, hand: str, clip: Clip) -> None:
        self.given.append(clip.id)
        self._hands[hand][1].append(clip)

    def dismiss(self, hand: str, *, kindly: bool) -> None:
        self._hands.pop(hand, None)

    def wait(self, timeout_s: float) -> Sequence[CrewEvent]:
        busy = [name for name, (_, clips) in self._hands.items() if clips]
        if not busy:
            return []
        name = self._random.choice(busy)
        place, clips = self._hands[name]
        if self._random.random() < self._chance:
            return self._death(name, place, clips)
        clip = clips.popleft()
        said = self._says(place, clip)
        if said is not None:
            return [CrewEvent(name, said.kind, said.result, said.reason, said.report or report())]
        hypothesis = Hypothesis(clip.id, Transcript(clip.id), None, audio_s=clip.duration_s, wall_s=0.1, decode_s=0.1)
        event = CrewEvent(name, "result", PoolResult(hypothesis), report=report())
        # An answer that comes twice, as from a hand that was thought lost.
        return [event, event] if self._random.random() < self._chance else [event]

    def _death(self, name: str, place: NodeInfo, clips: deque[Clip]) -> list[CrewEvent]:
        what = self._random.choice(["worker", "hand", "node"])
        if what == "worker":
            clip = clips.popleft()
            failure = PoolResult(Hypothesis(clip.id, None, CRASH, audio_s=clip.duration_s))
            return [CrewEvent(name, "result", failure, report=report())]
        if what == "hand" or len(self.alive) < 2:
            return [CrewEvent(name, "lost", reason="killed")]
        self.alive.remove(place)
        return [CrewEvent(each, "lost", reason="node died") for each, (on, _) in self._hands.items() if on is place]
