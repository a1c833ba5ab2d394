"""Keeps one worker alive for a run: starts it late, warms it up, replaces it when it dies, and gives up in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from earwitness.errors import WorkerError
from earwitness.types import Failure
from earwitness.workers.worker import Answer, LoadedInfo, Worker, WorkerFailedError


class GivenUpError(WorkerError):
    """No worker could start for this model, or too many died one after the other."""

    def __init__(self, failure: Failure) -> None:
        """Keep the last failure beside its message."""
        super().__init__(failure.message)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class AudioFile:
    """Decoded audio on disk: little-endian float32, mono."""

    path: Path
    """The file."""
    n_samples: int
    """Its length."""
    sample_rate_hz: int
    """Samples per second."""
    remarks: tuple[str, ...] = ()
    """What was noticed while it was decoded."""
    start: int = 0
    """The first sample in the file, for a piece of a recording."""

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sample_rate_hz


class Supervisor:
    """A worker that is replaced when it dies. A context manager: leaving it ends the worker.

    Args:
        start: Starts a worker with its model loaded; raises WorkerFailedError.
        budget: Seconds that a clip may take, from its seconds of audio.
        warm_up: Audio that every new worker transcribes before it is measured; ``None`` for none.
        warm_up_times: How often.
        max_deaths: Deaths in a row after which GivenUpError is raised.
    """

    def __init__(
        self,
        start: Callable[[], Worker],
        budget: Callable[[float], float],
        *,
        warm_up: tuple[AudioFile, str | None] | None,
        warm_up_times: int,
        max_deaths: int,
    ) -> None:
        """Remember how; the first worker is started by the first clip."""
        self.first: LoadedInfo | None = None
        self.n_workers = 0
        self.n_warmup = 0
        self.peak_rss_bytes: int | None = None
        self.peak_device_bytes: int | None = None
        self._start, self._budget = start, budget
        self._warm_up, self._warm_up_times = warm_up, warm_up_times
        self._max_deaths, self._deaths = max_deaths, 0
        self._worker: Worker | None = None

    @property
    def batches(self) -> bool:
        """Whether the model transcribes several clips together; false before a worker has said so."""
        return self.first is not None and self.first.batches

    def transcribe(self, audio: AudioFile, language: str | None) -> Answer | Failure:
        """Return the answer, or the failure of this clip.

        Raises:
            GivenUpError: When no worker comes up.
        """
        worker = self._worker or self._fresh()
        try:
            answer = self._ask(worker, audio, language)
        except WorkerFailedError as error:
            if not error.alive:
                self._worker = None
                self._deaths += 1
            return error.failure
        self._deaths = 0
        return answer

    def transcribe_batch(self, clips: Sequence[tuple[AudioFile, str | None]]) -> list[Answer | Failure] | None:
        """Return the answer or the failure of each clip, transcribed together.

        ``None`` when the worker failed, with the reason that is one clip's. Each is then to be transcribed by itself,
        so that a clip that ends its worker ends one of its own.

        Args:
            clips: For a model that ``batches``.

        Raises:
            GivenUpError: When no worker comes up.
        """
        worker = self._worker or self._fresh()
        requests = [(a.path, a.start, a.n_samples, a.sample_rate_hz, language) for a, language in clips]
        try:
            answers = worker.transcribe_batch(requests, budget_s=sum(self._budget(a.duration_s) for a, _ in clips))
        except WorkerFailedError as error:
            self._worker = worker if error.alive else None
            return None
        for answer in answers:
            if isinstance(answer, Answer):
                self._saw_memory(answer)
        self._deaths = 0
        return answers

    def ready(self) -> None:
        """Start and warm up the worker before there is a clip for it.

        Raises:
            GivenUpError: When no worker comes up.
        """
        if self._worker is None:
            self._fresh()

    def rest(self) -> None:
        """End the worker with a close request; the next clip starts another."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()

    def give_up_if_hopeless(self, last: Failure) -> None:
        """Raise GivenUpError when workers have died too often in a row.

        Apart from ``transcribe`` so that the last clip's failure is written down first.
        """
        if self._deaths >= self._max_deaths:
            message = f"{self._deaths} workers died one after the other; the last: {last.message}"
            raise GivenUpError(Failure(last.stage, last.kind, message, last.detail))

    def _ask(self, worker: Worker, audio: AudioFile, language: str | None) -> Answer:
        budget_s = self._budget(audio.duration_s)
        answer = worker.transcribe(
            audio.path, audio.n_samples, audio.sample_rate_hz, language, budget_s=budget_s, start=audio.start
        )
        self._saw_memory(answer)
        return answer

    def _fresh(self) -> Worker:
        self._worker = worker = self._started()
        if self._warm_up is None:
            return worker
        try:
            for _ in range(self._warm_up_times):
                self._ask(worker, *self._warm_up)
                self.n_warmup += 1
        except WorkerFailedError as error:
            # Audio that kills the model belongs to its clip, which is still to come; from here on, start cold.
            self._warm_up = None
            if not error.alive:
                self._worker = worker = self._started()
        return worker

    def _started(self) -> Worker:
        try:
            worker = self._start()
        except WorkerFailedError as error:
            raise GivenUpError(error.failure) from error
        self.n_workers += 1
        self.first = self.first or worker.info
        self._saw_memory(worker.info)
        return worker

    def _saw_memory(self, answer: Answer | LoadedInfo) -> None:
        if answer.peak_rss_bytes is not None:
            self.peak_rss_bytes = max(self.peak_rss_bytes or 0, answer.peak_rss_bytes)
        if answer.peak_device_bytes is not None:
            self.peak_device_bytes = max(self.peak_device_bytes or 0, answer.peak_device_bytes)

    def __enter__(self) -> Supervisor:
        """Return the supervisor."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End the worker: politely after success, at once after an exception."""
        if kind is None:
            self.rest()
            return
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.kill()
