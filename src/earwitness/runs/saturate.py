"""Runs several workers on one queue of clips, and measures the stretch in which all of them were busy."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from earwitness.records.record import Run
from earwitness.runs.job import Job, supervisor
from earwitness.runs.transcribe import transcribe_clip
from earwitness.types import Clip, Hypothesis
from earwitness.workers.supervisor import GivenUpError, Supervisor

_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class QueuedClip:
    """A clip that one of the workers was given."""

    hypothesis: Hypothesis
    """What came of it."""
    began_s: float
    """When its decoding began, on the parent's clock."""
    ended_s: float
    """When its text, or its failure, was there."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which all workers were at work."""

    heard: tuple[QueuedClip, ...]
    """Every clip, also those that ended after it."""
    audio_s: float
    """Seconds of audio in it; a clip that reaches over its end counts by the share of its time before the end."""
    wall_s: float
    """From the moment that all workers were warm to the moment when the first found nothing left to do."""
    peak_rss_bytes: int | None
    """Sum of the workers' peaks."""
    reason: str | None = None
    """Why it was given up."""


class ClipQueue:
    """Clips in order, from the first again when all were given and the stretch is still too short.

    Args:
        clips: At least one.
        least_s: Seconds after which it may end, once every clip was given.
        most_s: Seconds after which nothing is given out.
        enough: Asked before every clip after that, until it is true: whether it may end.
    """

    def __init__(
        self, clips: Sequence[Clip], least_s: float, most_s: float, enough: Callable[[], bool] = lambda: True
    ) -> None:
        """Wait for ``begin``."""
        self.began_s = self.ended_s = 0.0
        self.reason: str | None = None
        self.open = False
        self._clips, self._least_s, self._most_s, self._enough = clips, least_s, most_s, enough
        self._given = 0
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Start the clock."""
        self.began_s, self.open = time.perf_counter(), True

    def next(self) -> Clip | None:
        """Return the next clip; the first ``None`` ends the stretch."""
        with self._lock:
            now = time.perf_counter()
            elapsed = now - self.began_s
            may_end = self._given >= len(self._clips) and elapsed >= self._least_s
            if elapsed >= self._most_s or (may_end and self._enough()):
                self._close(now)
            if not self.open:
                return None
            self._given += 1
            return self._clips[(self._given - 1) % len(self._clips)]

    def give_up(self, reason: str) -> None:
        """End the stretch with a reason."""
        with self._lock:
            self.reason = self.reason or reason
            self._close(time.perf_counter())

    def _close(self, now: float) -> None:
        if self.open:
            self.open, self.ended_s = False, now


def saturate(
    run: Run,
    job: Job,
    clips: Sequence[Clip],
    *,
    workers: int,
    threads: int,
    least_s: float,
    most_s: float,
    scratch: Path,
) -> Stretch:
    """Transcribe the clips with the given numbers of workers and threads, one clip per worker at a time.

    All are loaded and warm before the clock starts; a clip that fails is a failure, and a worker that dies is replaced,
    as in a run. Ctrl-C ends all of them at once.
    """
    queue, heard, errors = ClipQueue(clips, least_s, most_s), list[QueuedClip](), list[Exception]()
    with ExitStack() as stack:
        crew = [stack.enter_context(_member(run, job, threads, scratch / str(n))) for n in range(workers)]
        try:
            for member in crew:
                member.ready()
        except GivenUpError as error:
            return Stretch((), 0.0, 0.0, None, str(error))
        queue.begin()
        targets = [scratch / str(n) / "clip.f32" for n in range(workers)]
        _run_all(
            [
                threading.Thread(target=_serve, args=(queue, member, run, job, target, heard, errors), daemon=True)
                for member, target in zip(crew, targets, strict=True)
            ],
            queue,
        )
    if errors:
        raise errors[0]
    peaks = [member.peak_rss_bytes for member in crew if member.peak_rss_bytes is not None]
    wall_s = queue.ended_s - queue.began_s
    audio_s = sum(
        share(one.began_s, one.ended_s, queue.ended_s) * one.hypothesis.audio_s for one in heard if one.hypothesis.ok
    )
    return Stretch(tuple(heard), audio_s, wall_s, sum(peaks) if peaks else None, queue.reason)


def _member(run: Run, job: Job, threads: int, scratch: Path) -> Supervisor:
    scratch.mkdir(exist_ok=True)
    return supervisor(run, job, scratch, threads)


def _run_all(threads: Sequence[threading.Thread], queue: ClipQueue) -> None:
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            while thread.is_alive():
                # A join without an end would keep Ctrl-C waiting on some systems.
                thread.join(_LOOK_S)
    except BaseException:
        queue.give_up("interrupted")
        raise


def _serve(
    queue: ClipQueue,
    member: Supervisor,
    run: Run,
    job: Job,
    target: Path,
    clips: list[QueuedClip],
    errors: list[Exception],
) -> None:
    try:
        while (clip := queue.next()) is not None:
            began_s = time.perf_counter()
            hypothesis = transcribe_clip(clip, job.dataset, member, run.settings_asked.language, target)
            clips.append(QueuedClip(hypothesis, began_s, time.perf_counter()))
            if hypothesis.failure is not None:
                member.give_up_if_hopeless(hypothesis.failure)
    except GivenUpError as error:
        queue.give_up(str(error))
    except Exception as error:  # noqa: BLE001 (raised again by the one who waits)
        errors.append(error)
        queue.give_up(str(error))
    finally:
        if queue.reason is not None:
            # The one who waits for us may be gone already, and with it the end of our worker.
            member.__exit__(KeyboardInterrupt)


def share(began_s: float, ended_s: float, end_s: float) -> float:
    """Return the share of a period that lies before an end.

    >>> share(0.0, 4.0, 1.0), share(0.0, 4.0, 5.0), share(2.0, 4.0, 1.0)
    (0.25, 1.0, 0.0)
    """
    return min(1.0, max(0.0, end_s - began_s) / (ended_s - began_s))
