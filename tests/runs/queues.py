"""Servers that take one request at a time, simulated: the truth about what requests wait is known."""

from __future__ import annotations

import numpy as np

from earwitness.runs.load_client import LoadRequest

SPREAD = 0.7
"""Of the logarithm of how long a request takes: some three times as long as another is nothing special."""


def shot(due_s: float, ended_s: float) -> LoadRequest:
    """A request that was answered."""
    return LoadRequest("a", 1.0, due_s, due_s, ended_s, "hello", None)


def latencies(shots: list[LoadRequest]) -> list[float]:
    """What each waited."""
    return [one.ended_s - one.due_s for one in shots]


def closed_loop(clients: int, n: int, draw: np.random.Generator) -> list[LoadRequest]:
    """Clients that ask again when they are answered: each waits for a request of every client, its own among them."""
    ends = np.cumsum(draw.lognormal(0.0, SPREAD, n + clients))
    return [shot(0.0, waited_s) for waited_s in (ends[clients:] - ends[:-clients]).tolist()]


def open_loop(busy: float, n: int, draw: np.random.Generator) -> list[LoadRequest]:
    """Requests at random, as many as keep the server busy for a share of the time."""
    takes = draw.lognormal(0.0, SPREAD, n).tolist()
    dues = np.cumsum(draw.exponential(np.exp(SPREAD**2 / 2) / busy, n)).tolist()
    shots, free_s = [], 0.0
    for due_s, takes_s in zip(dues, takes, strict=True):
        free_s = max(free_s, due_s) + takes_s
        shots.append(shot(due_s, free_s))
    return shots
