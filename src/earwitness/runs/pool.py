"""A pool of workers that transcribes clips in any order: what it is given, what it gives back, and how it ends.

``local_pool`` has the pool of this machine. One of many machines is used in the same way, so that whoever gives out
clips and writes what comes back need not know where they are transcribed::

    with open_pool(spec) as pool:
        for result in pool.transcribe(clips):
            write(result)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from earwitness.audio.speech import SpeechSpan
from earwitness.engines.catalog import Model
from earwitness.records.record import RunLimits
from earwitness.runs.job import clip_budget_s
from earwitness.runs.speech import SpeechModel
from earwitness.types import Clip, Dataset, Hypothesis, Settings
from earwitness.workers.supervisor import AudioFile, Supervisor
from earwitness.workers.worker import LoadedInfo, Worker

NO_DATASET = Dataset("", (), "")
"""For clips that come from nowhere but a stream: nothing to warm up with, and no condition."""


@dataclass(frozen=True, slots=True)
class PoolSpec:
    """What every worker of a pool is; enough for another machine to start the same."""

    model: Model
    """The catalog row."""
    folder: Path | None
    """Its checked files on this machine; ``None`` for a model that has none."""
    weights_sha256: str | None
    """Of those files: another machine looks for its own copy by it."""
    device: str = "auto"
    """As asked for."""
    settings: Settings = Settings()
    """How to decode; ``threads`` is that of each worker, and a number."""
    limits: RunLimits = RunLimits(warmup=0)
    """What to put up with. With ``warmup``, every worker first transcribes the first clip of ``dataset``."""
    dataset: Dataset = NO_DATASET
    """What the clips are of, where they are of a dataset: its condition is applied to their audio."""
    speech: SpeechModel = SpeechModel()
    """What looks for speech; without a model, nothing does."""
    batch: int = 1
    """How many clips a worker may decode together, where its engine can and gives the same texts."""


@dataclass(frozen=True, slots=True)
class PoolResult:
    """The result of one clip."""

    hypothesis: Hypothesis
    """The text, or the failure."""
    speech: tuple[SpeechSpan, ...] | None = None
    """Where somebody speaks; ``None`` when it was not looked for."""


class ClipPool(ABC):
    """Workers with one model. A context manager: leaving it after an exception ends them at once.

    A pool is used by one thread. Clips are taken from the iterable by that thread, a bounded number ahead of the
    results, so that there may be any number of them. Every clip that was taken gives exactly one result, in the order
    in which they finish, unless the pool is closed or raises; a clip without a result was not transcribed, and may be
    given to another pool. The address of audio (``s3://bucket/a.wav``) may stand in place of a path.
    """

    @abstractmethod
    def transcribe(self, clips: Iterable[Clip]) -> Iterator[PoolResult]:
        """Yield a result for each clip. Call it again for more once it has ended.

        Raises:
            GivenUpError: When no worker comes up, or too many died one after the other.
        """

    @property
    @abstractmethod
    def info(self) -> LoadedInfo | None:
        """The report of the first worker that was loaded: device, settings in force; ``None`` before there was one."""

    def close(self) -> None:
        """End all workers, politely; again does nothing."""
        self._end(kindly=True)

    def __enter__(self) -> Self:
        """Return the pool."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all workers: politely after success, at once after an exception."""
        self._end(kindly=kind is None)

    @abstractmethod
    def _end(self, *, kindly: bool) -> None:
        """End all workers, politely or at once; again does nothing."""


def supervisor_of(
    spec: PoolSpec, folder: Path | None, warm_up: tuple[AudioFile, str | None] | None, max_deaths: int
) -> Supervisor:
    """Return the supervisor of one worker of a pool.

    Args:
        spec: What the worker is.
        folder: The checked files of its model on this machine; ``None`` for a model that has none.
        warm_up: Audio and language of the warm-up; ``None`` for none.
        max_deaths: How many workers may die one after the other.
    """

    def start() -> Worker:
        return Worker(
            spec.model.engine,
            spec.model.id,
            folder,
            spec.device,
            spec.settings,
            options=spec.model.options,
            budget_s=spec.limits.load_timeout_s,
        )

    return Supervisor(
        start,
        lambda audio_s: clip_budget_s(spec.limits, audio_s),
        warm_up=warm_up,
        warm_up_times=spec.limits.warmup,
        max_deaths=max_deaths,
    )
