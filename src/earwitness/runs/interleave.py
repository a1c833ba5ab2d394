"""Interleaves several runs, one block of clips each in turn, if there is memory for all models."""

from __future__ import annotations

import math
from collections.abc import Sequence

from earwitness.records.speed import Order
from earwitness.runs.drift import Calibration
from earwitness.runs.session import Session

_BLOCKS = 20
_KEPT_FREE = 0.1
WITHOUT_WEIGHTS_BYTES = 256_000_000
"""What a worker is taken to need beside twice its weights, before it has been at work."""


def take_turns(sessions: Sequence[Session]) -> None:
    """Finish all sessions in turns, and close each when it is done.

    A block is a twentieth of the clips, so that every model is at work in every part of the time. In turn means clip
    block by clip block and, with ``--measure latency``, pass by pass.
    """
    active = list(sessions)
    block = max((math.ceil(len(session.job.dataset.clips) / _BLOCKS) for session in active), default=1)
    calibration = Calibration()
    room_bytes = _available_bytes()
    reason = _no_room(active, room_bytes)
    for session in active:
        session.calibration = calibration
        session.order = _order(session, active, block, reason)
    while active:
        for session in list(active) if reason is None else active[:1]:
            if session.work(block):
                calibration.again()
            else:
                session.close()
                active.remove(session)
            if reason is None and (reason := _no_room(active, room_bytes)) is not None:
                for other in active:
                    other.workers.rest()
                    other.order = _order(other, sessions, block, reason)
                break


def _order(session: Session, sessions: Sequence[Session], block: int, reason: str | None) -> Order:
    beside = tuple(other.job.model.id for other in sessions if other is not session)
    if not beside:
        return Order("alone")
    if reason is not None:
        return Order("one after the other", beside, reason=reason)
    return Order("interleaved", beside, block)


def _no_room(sessions: Sequence[Session], room_bytes: int) -> str | None:
    """Return why the models do not fit into memory together; ``None`` if they do, or for a single model."""
    if len(sessions) < 2:
        return None
    for session in sessions:
        info = session.workers.first
        if info is not None and info.device != "cpu":
            return f"whether the memory of {info.device} holds several models is not known"
    needed = sum(map(_needed_bytes, sessions))
    if needed <= room_bytes * (1 - _KEPT_FREE):
        return None
    return f"together the models need about {needed / 1e9:.1f} GB, and {room_bytes / 1e9:.1f} GB were available"


def _needed_bytes(session: Session) -> int:
    """Return the peak of the session's worker or, before it has been at work, twice the size of the weights."""
    peak, folder = session.workers.peak_rss_bytes, session.job.folder
    if peak is not None:
        return peak
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder is not None else 0
    return 2 * size + WITHOUT_WEIGHTS_BYTES


def _available_bytes() -> int:
    import psutil

    return int(psutil.virtual_memory().available)
