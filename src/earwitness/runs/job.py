"""The inputs of a run, and starting its workers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from earwitness.engines.catalog import Model
from earwitness.records.record import ClipResult, Run, RunLimits, Selection
from earwitness.records.speed import SpeedProtocols
from earwitness.runs.speech import SpeechModel
from earwitness.runs.transcribe import warm_up_audio
from earwitness.scoring import ScoringInfo
from earwitness.types import Dataset, Settings
from earwitness.workers.supervisor import Supervisor
from earwitness.workers.worker import Worker

ClipCallback = Callable[[int, int, ClipResult], None]


@dataclass(frozen=True, slots=True)
class Job:
    """All inputs of a run."""

    model: Model
    """The catalog row."""
    folder: Path | None
    """Its checked files."""
    weights_sha256: str | None
    """Of those files."""
    dataset: Dataset
    """What to transcribe."""
    selection: Selection
    """How the dataset was asked for."""
    device: str = "auto"
    """As asked for."""
    settings: Settings = Settings()
    """How to decode."""
    preset: str = "matched"
    """What the settings began from."""
    limits: RunLimits = RunLimits()
    """What to put up with."""
    scoring: ScoringInfo = ScoringInfo()
    """How to score."""
    measure: SpeedProtocols = SpeedProtocols()
    """Which protocols of speed follow."""
    command: tuple[str, ...] = ()
    """The arguments that asked for it."""
    ear: SpeechModel = SpeechModel()
    """What looks for speech."""


def start_worker(run: Run, job: Job, threads: int | None = None) -> Worker:
    """Start a worker with the run's model, device and settings, and optionally another number of threads.

    Raises:
        WorkerFailedError: When it does not come up.
    """
    settings = run.settings_asked if threads is None else replace(run.settings_asked, threads=threads)
    return Worker(
        job.model.engine,
        job.model.id,
        job.folder,
        run.device_asked,
        settings,
        options=job.model.options,
        budget_s=run.limits.load_timeout_s,
    )


def clip_budget_s(limits: RunLimits, audio_s: float) -> float:
    """Return how long a clip may take.

    >>> clip_budget_s(RunLimits(), 5.0), clip_budget_s(RunLimits(), 60.0)
    (120.0, 600.0)
    """
    return max(limits.timeout_floor_s, limits.timeout_factor * audio_s)


def supervisor(run: Run, job: Job, scratch: Path, threads: int | None = None) -> Supervisor:
    """Return the supervisor of one worker of this run, with the warm-up of the run's limits."""
    limits = run.limits
    return Supervisor(
        lambda: start_worker(run, job, threads),
        lambda audio_s: clip_budget_s(limits, audio_s),
        warm_up=warm_up_audio(job.dataset, run.settings_asked.language, scratch) if limits.warmup else None,
        warm_up_times=limits.warmup,
        max_deaths=limits.max_deaths,
    )
