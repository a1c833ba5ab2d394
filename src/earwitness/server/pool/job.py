"""A job in a pool: awaited on the event loop, done by a thread, cancelled at any time."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from typing import Literal

from earwitness.types import Failure, Guide, Segment
from earwitness.workers.supervisor import AudioFile
from earwitness.workers.worker import Answer, Worker

Reason = Literal["cancelled", "timeout"]
GRACE_S = 2.0
"""That an engine gets to come to the end of a segment before it is ended with its work."""


class UnavailableError(Exception):
    """No worker is available for now."""


class DroppedError(Exception):
    """The job was cancelled."""


class JobFailedError(Exception):
    """The worker failed or died on the job."""

    def __init__(self, failure: Failure) -> None:
        """Keep the failure."""
        super().__init__(failure.message)
        self.failure = failure


class PoolJob:
    """A job in a pool. Made and ended on the event loop, which ``done`` and ``segments`` belong to.

    Args:
        audio: The file.
        language: What the engine is told.
        budget_s: Seconds from now in which it should be done.
        listened: Whether somebody passes the segments on as they come.
        guide: What else the engine is told; ``None`` for nothing.
    """

    def __init__(
        self,
        audio: AudioFile,
        language: str | None,
        budget_s: float,
        *,
        wants_segments: bool = False,
        guide: Guide | None = None,
    ) -> None:
        """Take the audio; nothing happens yet."""
        self.audio, self.language, self.guide = audio, language, guide
        self.made_at = time.monotonic()
        self.begun_at: float | None = None
        self.ended_at: float | None = None
        self.first_text_at: float | None = None
        self.attempts = 0
        self.told = False
        """Whether a segment has been passed on to who listens, so that it is too late to begin again."""
        self.segments: asyncio.Queue[Segment | None] = asyncio.Queue()
        self.done: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        # That nobody fetched the reason of a failure is no news: a client that is gone does not.
        self.done.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._loop = asyncio.get_running_loop()
        self._listened = wants_segments
        self._ends_at = self.made_at + budget_s
        self._lock = threading.Lock()
        self._worker: Worker | None = None
        self._dropped: Reason | None = None

    @property
    def left_s(self) -> float:
        """Seconds of its budget that are left."""
        return max(0.0, self._ends_at - time.monotonic())

    @property
    def drop_reason(self) -> Reason | None:
        """Why no client waits for it any more; ``None`` while one does."""
        return self._dropped

    @property
    def parts(self) -> dict[str, tuple[float, float]]:
        """The steps done for it, with start and end on the monotonic clock; up to now for unfinished ones."""
        ended_at = self.ended_at or time.monotonic()
        waited = {"queue": (self.made_at, self.begun_at or ended_at)}
        return waited | ({"transcribe": (self.begun_at, ended_at)} if self.begun_at else {})

    async def end(self, reason: Reason = "cancelled") -> None:
        """Cancel the work, wherever it is, and return once it has ended; a finished job is unaffected.

        Args:
            reason: Whether its client is gone or its time is up. A worker that does not stop by itself ends for it.
        """
        with self._lock:
            self._dropped = self._dropped or reason
            worker = self._worker
            if worker is not None and worker.info.streams:
                worker.cancel()
        if worker is None:
            self._settle(DroppedError())
        elif not self.done.done():
            await self._ended(worker)

    async def _ended(self, worker: Worker) -> None:
        if worker.info.streams and (await asyncio.wait({self.done}, timeout=GRACE_S))[0]:
            return

        def kill() -> None:
            # With the lock, under which the thread lets go of the worker: it may be at somebody else's job by now.
            with self._lock:
                if self._worker is worker:
                    worker.kill()

        await asyncio.to_thread(kill)
        await asyncio.wait({self.done})

    def take(self, worker: Worker) -> bool:
        """Begin the job with a worker; false if no client waits for it any more. Called by the pool's threads."""
        with self._lock:
            if self._dropped:
                return False
            self._worker = worker
        self.attempts += 1
        self.begun_at = self.begun_at or time.monotonic()
        return True

    def leave(self) -> None:
        """Release a worker that has ended. Called by the pool's threads."""
        with self._lock:
            self._worker = None

    def hear(self, segment: Segment) -> None:
        """Pass a segment on. Called by the pool's threads."""
        if self.first_text_at is None and segment.text.strip():
            self.first_text_at = time.monotonic()
        self.told = self._listened
        self._tell(lambda: self.segments.put_nowait(segment))

    def finish(self, outcome: Answer | Exception) -> None:
        """Give the answer, or the reason why there is none. Called by the pool's threads."""
        self.leave()
        self._tell(lambda: self._settle(outcome))

    def _settle(self, outcome: Answer | Exception) -> None:
        if self.done.done():
            return
        self.ended_at = time.monotonic()
        if isinstance(outcome, Exception):
            self.done.set_exception(outcome)
        else:
            self.done.set_result(outcome)
        self.segments.put_nowait(None)

    def _tell(self, what: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is gone, and with it whoever waited
            self._loop.call_soon_threadsafe(what)
