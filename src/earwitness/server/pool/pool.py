"""One model's workers, a thread for each, and the jobs that wait for them.

The event loop makes jobs, waits for them and takes them away; threads do the work. A job that nobody waits for any more
is dropped while it waits, stopped between two segments where the engine streams, and else ended with its worker.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from earwitness.server.config import ServedModel
from earwitness.server.pool.job import GRACE_S, DroppedError, JobFailedError, PoolJob, UnavailableError
from earwitness.server.pool.start import load_budget_s, start_worker
from earwitness.types import Failure
from earwitness.workers.host_memory import oom_kills, peak_rss_bytes
from earwitness.workers.supervisor import AudioFile
from earwitness.workers.worker import Answer, CancelledError, LoadedInfo, Worker, WorkerFailedError

_LOOK_S = 0.5
_MEMORY_LOOK_S = 0.05
_PING_EVERY_S = 10.0
_PONG_S = 15.0
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_TRIES = 2
_PATIENCE = 3
ENDS = ("crash", "out_of_memory", "timeout", "protocol", "cancelled", "idle", "start")
"""Why a worker ends before its time; docs/watching.md says what each means."""


class FullError(Exception):
    """The queue is full; ``retry_after_s`` is when there may be room."""

    def __init__(self, retry_after_s: int) -> None:
        """Keep the time."""
        super().__init__(f"try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class PoolEvents:
    """The listener to events of a pool, called from its threads."""

    started: Callable[[ServedModel, LoadedInfo], None] = lambda *_: None
    """A worker is up and has transcribed the probe."""
    lost: Callable[[ServedModel, str, str], None] = lambda *_: None
    """A worker has ended before its time, for one of ``ENDS``, and how in words."""
    trouble: Callable[[ServedModel, str], None] = lambda *_: None
    """No worker came up, and why."""


class Pool:
    """Workers of one model. Made and closed on the event loop.

    Args:
        served: The model.
        probe: Audio that every new worker transcribes before it is given a job, and its language.
        queue: Jobs that may wait beside those that are worked on.
        events: Who is told.
    """

    def __init__(self, model: ServedModel, probe: tuple[AudioFile, str | None], queue: int, events: PoolEvents) -> None:
        """Start the threads, which start the workers."""
        self.served = model
        self.open = 0
        self.last_used = time.monotonic()
        self.infos: list[LoadedInfo | None] = [None] * model.n_workers
        self.workers: list[Worker | None] = [None] * model.n_workers
        self._loading: list[Worker | None] = [None] * model.n_workers
        self._rss_bytes = self._oom_kills = 0
        self.trouble: str | None = None
        self._probe, self._queue, self._events = probe, queue, events
        self._jobs: deque[PoolJob] = deque()
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._busy = [False] * model.n_workers
        self._mean_s = 1.0
        self._failed_starts = 0
        self._first_start_s: float | None = None
        self._loop = asyncio.get_running_loop()
        self._news, self._idle = asyncio.Event(), asyncio.Event()
        self._idle.set()
        self._threads = [
            threading.Thread(target=self._drive, args=(n,), daemon=True, name=f"{model.id} {n}")
            for n in range(model.n_workers)
        ]
        self._threads.append(threading.Thread(target=self._watch_memory, daemon=True, name=f"{model.id} memory"))
        for thread in self._threads:
            thread.start()

    @property
    def n_ready(self) -> int:
        """Workers that have transcribed the probe and still run."""
        return sum(worker is not None and worker.alive for worker in self.workers)

    @property
    def in_flight(self) -> int:
        """Jobs that are worked on."""
        return sum(self._busy)

    @property
    def waiting(self) -> int:
        """Jobs that wait."""
        return len(self._jobs)

    @property
    def memory_bytes(self) -> int:
        """The peak memory of a worker, whether or not its work was finished, times the workers."""
        return self._rss_bytes * self.served.n_workers

    @property
    def info(self) -> LoadedInfo | None:
        """What the first worker reports about its model."""
        return next((info for info in self.infos if info is not None), None)

    @property
    def retry_after_s(self) -> int:
        """Seconds after which a place may be free."""
        return max(1, min(60, math.ceil(self._mean_s * max(1, self.open) / self.served.n_workers)))

    def require_room(self) -> None:
        """Refuse before an upload what would be refused after it.

        Raises:
            FullError: When as many wait as may.
            UnavailableError: When there is no worker and none is to be had.
        """
        if self._closing.is_set() or (self.trouble and not self.n_ready):
            raise UnavailableError(self.trouble or "the model is being unloaded")
        if self.open >= self.served.n_workers + self._queue:
            raise FullError(self.retry_after_s)

    def reserve(self) -> None:
        """Take a place in the queue, which ``release`` returns; the pool stays open meanwhile.

        Raises:
            FullError: As in ``require_room``.
            UnavailableError: As in ``require_room``.
        """
        self.require_room()
        self.open += 1
        self._idle.clear()

    def release(self) -> None:
        """Return a place."""
        self.open -= 1
        self.last_used = time.monotonic()
        if not self.open:
            self._idle.set()

    def submit(self, job: PoolJob) -> None:
        """Queue a job for which there is a place."""
        job.done.add_done_callback(lambda _: self._left(job))
        with self._changed:
            self._jobs.append(job)
            self._changed.notify()

    async def settle(self) -> bool:
        """Wait until a worker is ready, and return true; false if none could start, for the reason in ``trouble``."""
        while not self.n_ready and not self.trouble:
            self._news.clear()
            await self._news.wait()
        return bool(self.n_ready)

    async def close(self, drain_s: float) -> None:
        """End the workers once the jobs are done; jobs that are not after so many seconds are ended with them."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(drain_s):
                await self._idle.wait()
        self._closing.set()
        with self._changed:
            left = list(self._jobs)
            self._jobs.clear()
            self._changed.notify_all()
        for job in left:
            job.finish(UnavailableError("the server is stopping"))
        doomed = [*self._loading, *(self.workers if self.open else ())]
        await asyncio.gather(*(asyncio.to_thread(worker.kill) for worker in doomed if worker is not None))
        await asyncio.gather(*(asyncio.to_thread(thread.join, 6.0) for thread in self._threads))

    def _left(self, job: PoolJob) -> None:
        with self._changed, contextlib.suppress(ValueError):
            self._jobs.remove(job)
        if job.begun_at is not None:
            self._mean_s += 0.1 * (time.monotonic() - job.begun_at - self._mean_s)

    def _drive(self, number: int) -> None:
        worker, pause_s, ping_at = None, _FIRST_PAUSE_S, 0.0
        while not self._closing.is_set():
            if worker is not None and (not worker.alive or time.monotonic() > ping_at):
                worker = self._living(worker)
                ping_at = time.monotonic() + _PING_EVERY_S
            worker = worker or self._fresh(number)
            if worker is None:
                self._closing.wait(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
                continue
            pause_s = _FIRST_PAUSE_S
            job = self._next()
            if job is not None:
                self._busy[number] = True
                worker = self._work(worker, job)
                self._busy[number] = False
                ping_at = time.monotonic() + _PING_EVERY_S
        self.workers[number] = None
        if worker is not None:
            worker.close()

    def _next(self) -> PoolJob | None:
        with self._changed:
            if not self._jobs and not self._closing.is_set():
                self._changed.wait(_LOOK_S)
            return self._jobs.popleft() if self._jobs else None

    def _living(self, worker: Worker) -> Worker | None:
        """Return an idle worker that responds; ``None`` after ending one that does not."""
        try:
            worker.ping(_PONG_S)
        except WorkerFailedError as error:
            hangs = error.failure.kind == "timeout"
            self._lost(worker, "timeout" if hangs else "idle", error.failure.message)
            return None
        return worker

    def _work(self, worker: Worker, job: PoolJob) -> Worker | None:
        """Do a job; if its worker dies, the job goes back to the head of the queue, once. Return the worker, if any."""
        self._oom_kills = oom_kills()
        failure = self._try(worker, job) if job.take(worker) else None
        if failure is None:
            return worker
        self._lost(worker, job.drop_reason or self._end_of(failure), failure.message)
        if job.drop_reason:
            job.finish(DroppedError())
        elif job.told or job.attempts == _TRIES or failure.kind == "timeout":
            job.finish(JobFailedError(failure))
        elif self._closing.is_set():
            job.finish(UnavailableError("the server is stopping"))
        else:
            with self._changed:
                self._jobs.appendleft(job)
                self._changed.notify()
        return None

    def _end_of(self, failure: Failure) -> str:
        ran_out = failure.kind == "crash" and oom_kills() > self._oom_kills
        return "out_of_memory" if ran_out else failure.kind

    def _try(self, worker: Worker, job: PoolJob) -> Failure | None:
        """Do a job and set its outcome; if the worker died, return how."""
        outcome: Answer | Exception
        try:
            outcome = self._heard(worker, job)
        except CancelledError:
            outcome = DroppedError()
        except WorkerFailedError as error:
            if not error.alive:
                job.leave()
                return error.failure
            outcome = JobFailedError(error.failure)
        job.finish(outcome)
        return None

    def _heard(self, worker: Worker, job: PoolJob) -> Answer:
        return worker.transcribe(
            job.audio.path,
            job.audio.n_samples,
            job.audio.sample_rate_hz,
            job.language,
            # The one who waits ends it in time; this is for when nobody does.
            budget_s=job.left_s + 2 * GRACE_S,
            on_segment=job.hear,
            guide=job.guide,
        )

    def _lost(self, worker: Worker, why: str, how: str) -> None:
        worker.kill()
        self._events.lost(self.served, why, how)

    def _watch_memory(self) -> None:
        # The kernel keeps the peak of a process that runs; what is read here outlives the process.
        while not self._closing.wait(_MEMORY_LOOK_S):
            for worker in (*self.workers, *self._loading):
                if worker is not None:
                    self._look_at_memory(worker)

    def _look_at_memory(self, worker: Worker) -> None:
        self._rss_bytes = max(self._rss_bytes, peak_rss_bytes(worker.pid) or 0)

    def _fresh(self, number: int) -> Worker | None:
        """Return a worker that has transcribed the probe; ``None`` if none is available, or when closing."""
        self.workers[number] = None
        if self._closing.is_set():
            return None

        def spawned(worker: Worker) -> None:
            self._loading[number] = worker
            if self._closing.is_set():
                worker.kill()

        began_at, budget_s = time.monotonic(), load_budget_s(self._first_start_s, self._failed_starts)
        try:
            worker = start_worker(self.served, self._probe, spawned, budget_s)
            # Whether another model fits beside this one is asked as soon as this one is ready.
            self._look_at_memory(worker)
        except Exception as error:  # noqa: BLE001 - whatever it is, the server says so and goes on
            if not self._closing.is_set():
                self._troubled(str(error))
            return None
        finally:
            self._loading[number] = None
        self._first_start_s = self._first_start_s or time.monotonic() - began_at
        self.infos[number], self.workers[number] = worker.info, worker
        self.trouble, self._failed_starts = None, 0
        self._events.started(self.served, worker.info)
        self._tell_news()
        return worker

    def _troubled(self, why: str) -> None:
        self._events.trouble(self.served, why)
        self._failed_starts += 1
        # A worker that was killed while it loaded is no reason to send everybody away; one that never came up is.
        was_up = self.info is not None
        if self.n_ready or (was_up and self._failed_starts < _PATIENCE * self.served.n_workers):
            return
        self.trouble = why
        self._tell_news()
        with self._changed:
            left = list(self._jobs)
            self._jobs.clear()
        for job in left:
            job.finish(UnavailableError(why))

    def _tell_news(self) -> None:
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._news.set)
