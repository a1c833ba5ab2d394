"""Predicts how long a cluster takes, by giving out the clips in thought as the dispatcher does."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

from earwitness.cluster.nodes import NodeInfo
from earwitness.errors import UsageError
from earwitness.records.record import ClipResult, Run

CLIP_OVERHEAD_S = 0.005
"""Of the driver and the way to a node, for every clip; the most that was allowed when it was measured."""


@dataclass(frozen=True, slots=True)
class ClipCost:
    """Seconds that a model takes on a node."""

    start_s: float
    """Until its worker has loaded the model."""
    clip_s: float
    """For every clip, however short."""
    audio_factor: float
    """Seconds for a second of audio, beside that."""
    source: str
    """The record that it comes from."""
    machine: str
    """The processor on which it was measured."""

    def of(self, audio_s: float) -> float:
        """Return the seconds for a clip.

        >>> round(ClipCost(1.0, 0.1, 0.5, "", "").of(10.0), 3)
        5.105
        """
        return self.clip_s + self.audio_factor * audio_s + CLIP_OVERHEAD_S


@dataclass(frozen=True, slots=True)
class ForecastWork:
    """A model over clips, on the nodes that can run it."""

    name: str
    """Model and dataset."""
    durations_s: tuple[float, ...]
    """Of the clips, in order."""
    cost: ClipCost
    """What a clip takes."""
    nodes: tuple[str, ...]
    """Names of the nodes that can run it."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run over a cluster will take."""

    makespan_s: float
    """From the first worker's start to the last result."""
    work_s: float
    """The same on one node, one model after the other."""
    end_s: tuple[float, ...]
    """When each model ends, in order."""
    busy: float
    """Share of the nodes' time that is work."""


def forecast(works: Sequence[ForecastWork], *, whole_nodes: bool) -> Forecast:
    """Give out the clips in order, each to the node that is free first.

    Args:
        works: Models over clips. Each has at least one node.
        whole_nodes: Whether a node serves one model at a time. Otherwise models share nodes, and are taken not to slow
            each other down: a lower bound where they want the same cores.

    Raises:
        UsageError: For a model that no node can run.

    >>> cost = ClipCost(1.0, 1.0 - CLIP_OVERHEAD_S, 0.0, "", "")
    >>> forecast([ForecastWork("m", (5.0,) * 8, cost, ("node 1", "node 2"))], whole_nodes=False).makespan_s
    5.0
    """
    for work in works:
        if not work.nodes:
            raise UsageError(f"No node can run {work.name}. See why: earwitness cluster --model M")
    left = [list(reversed(work.durations_s)) for work in works]
    names = list(dict.fromkeys(name for work in works for name in work.nodes))
    # The actors that are free, by time: a node has one, or one for each model.
    free: list[tuple[float, int, int]] = []
    actors = [0] * len(works)
    if whole_nodes:
        for place in range(len(names)):
            _take_work(free, 0.0, place, works, left, actors, names)
    else:
        for number, work in enumerate(works):
            free += [(work.cost.start_s, names.index(name), number) for name in work.nodes]
    heapq.heapify(free)
    ends, busy_s = [0.0] * len(works), 0.0
    while free:
        now, place, number = heapq.heappop(free)
        if left[number]:
            took_s = works[number].cost.of(left[number].pop())
            busy_s += took_s
            ends[number] = max(ends[number], now + took_s)
            heapq.heappush(free, (now + took_s, place, number))
        elif whole_nodes:
            actors[number] -= 1
            _take_work(free, now, place, works, left, actors, names)
    alone_s = sum(work.cost.start_s + sum(map(work.cost.of, work.durations_s)) for work in works)
    makespan_s = max(ends, default=0.0)
    return Forecast(makespan_s, alone_s, tuple(ends), busy_s / (makespan_s * len(names)) if makespan_s else 0.0)


def _take_work(
    free: list[tuple[float, int, int]],
    now: float,
    place: int,
    works: Sequence[ForecastWork],
    left: Sequence[list[float]],
    actors: list[int],
    names: Sequence[str],
) -> None:
    """Give a node the model that has the fewest actors, of those with clips left that it can run."""
    fit = [n for n, work in enumerate(works) if left[n] and names[place] in work.nodes]
    if fit:
        number = min(fit, key=lambda n: actors[n])
        actors[number] += 1
        heapq.heappush(free, (now + works[number].cost.start_s, place, number))


def cost_of(run: Run, results: Sequence[ClipResult], source: str) -> ClipCost | None:
    """Return what a clip takes, as a line through the times of a record; ``None`` if it has none.

    Args:
        run: A record of the model.
        results: Its clips.
        source: Its path.
    """
    import numpy as np

    done = [result.hypothesis for result in results if result.hypothesis.ok and result.hypothesis.wall_s is not None]
    if not done:
        return None
    audio = np.array([each.audio_s for each in done])
    wall = np.array([(each.wall_s or 0.0) + (each.decode_s or 0.0) for each in done])
    slope = float(np.polyfit(audio, wall, 1)[0]) if len(set(audio.tolist())) > 1 else 0.0
    slope = max(0.0, min(slope, float(wall.sum() / audio.sum()) if audio.sum() else 0.0))
    workers = run.workers
    start_s = workers.spawn_s + workers.load_s if workers else 0.0
    cpu = run.environment.cpu
    return ClipCost(start_s, max(0.0, float(wall.mean() - slope * audio.mean())), slope, source, cpu)


def machines_differ(cost: ClipCost, nodes: Sequence[NodeInfo]) -> bool:
    """Return whether a cost was measured on another processor than that of a node."""
    return any(node.environment.cpu != cost.machine for node in nodes)
