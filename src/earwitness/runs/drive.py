"""Drives one model over one dataset: every clip gets a result, whatever happens to it, and every result is kept."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from earwitness.engines.catalog import Model
from earwitness.errors import AudioError, RecordError
from earwitness.runs import store
from earwitness.runs.conditions import put_under
from earwitness.runs.environment import environment, is_running, this_process, usable_cores
from earwitness.runs.record import (
    SCHEMA_VERSION,
    ClipResult,
    ClipsFile,
    DatasetInfo,
    EngineInfo,
    Limits,
    ModelInfo,
    Process,
    Run,
    ScoringInfo,
    Selection,
    SpeechInfo,
    Status,
    WorkersInfo,
)
from earwitness.runs.rescore import score_result, scored
from earwitness.runs.speech import Ear, Listener
from earwitness.scoring.timing import speed
from earwitness.types import Clip, Dataset, Failure, Hypothesis, Settings
from earwitness.workers.supervisor import AudioFile, GivenUpError, Supervisor
from earwitness.workers.worker import Worker

SAMPLE_RATE_HZ = 16_000
_WARM_UP_S = 10.0
_SCRATCH = "earwitness-"
_CLIP = "clip.f32"

Report = Callable[[int, int, ClipResult], None]


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that a run needs."""

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
    limits: Limits = Limits()
    """What to put up with."""
    scoring: ScoringInfo = ScoringInfo()
    """How to score."""
    command: tuple[str, ...] = ()
    """The arguments that asked for it."""
    ear: Ear = Ear()
    """What looks for speech."""


def start(job: Job, out: Path, report: Report) -> Path:
    """Run a job into a new record under ``out`` and return the record's path.

    A clip that fails is a result like any other. The run ends early, as ``failed``, when no worker can be had, and as
    ``interrupted`` on KeyboardInterrupt, which is raised again.

    Raises:
        RecordError: When the record cannot be written; what was written before stays and can be resumed.
    """
    path = store.new_record_path(store.record_folder(out, job.model.id))
    settings = job.settings if job.settings.threads else replace(job.settings, threads=usable_cores())
    dataset = job.dataset
    run = Run(
        schema_version=SCHEMA_VERSION,
        id=store.new_run_id(job.model.id),
        status="running",
        created_at=store.now(),
        finished_at=None,
        command=job.command,
        model=ModelInfo(
            id=job.model.id,
            weights_id=job.model.weights_id,
            weights_sha256=job.weights_sha256,
            license=job.model.license,
            parameters=job.model.parameters,
            options=job.model.options,
        ),
        engine=EngineInfo(job.model.engine),
        device_asked=job.device,
        device_used=None,
        settings_asked=settings,
        preset=job.preset,
        settings_in_force={},
        dataset=DatasetInfo(
            name=dataset.name,
            sha256=dataset.sha256,
            n_clips=len(dataset.clips),
            audio_s=dataset.audio_s,
            license=dataset.license,
            synthetic=dataset.synthetic,
            selection=job.selection,
            condition=dataset.condition,
        ),
        limits=job.limits,
        environment=environment(),
        scoring=job.scoring,
        clips_file=ClipsFile(store.clips_path(path).name),
        process=this_process(),
        speech=SpeechInfo(job.ear.name, job.ear.reason),
    )
    store.write_run(path, run)
    _go(path, run, job, report)
    return path


def resume(path: Path, job: Job, report: Report) -> None:
    """Go on with a record that was interrupted, killed or given up; a complete one is left as it is.

    Clips that have a result, a failure included, are not run again.

    Args:
        path: The record.
        job: The same job, its dataset and weights loaded anew.
        report: Called after every clip.

    Raises:
        RecordError: When the record's process is still at work, or the data or the weights have changed since.
    """
    run = store.read_run(path)
    if run.status == "complete":
        return
    if is_running(run.process):
        pid = run.process.pid if run.process else 0
        raise RecordError(f"{str(path)!r} is being written by process {pid}. Wait for it, or end it.")
    for what, then, here in (
        ("data", run.dataset.sha256, job.dataset.sha256),
        ("weights", run.model.weights_sha256, job.weights_sha256),
        ("model's options", run.model.options, job.model.options),
    ):
        if then != here:
            raise RecordError(f"{str(path)!r} cannot be resumed: the {what} changed since. Start a new run.")
    store.cut_unfinished_line(store.clips_path(path))
    run = replace(run, status="running", failure=None, process=this_process(), resumed=run.resumed + 1)
    store.write_run(path, run)
    _go(path, run, job, report)


def _go(path: Path, run: Run, job: Job, report: Report) -> None:
    results = {result.clip.id: result for result in store.read_clips(path)}
    with scratch_folder() as scratch, _supervisor(run, job, scratch) as workers:
        status: Status = "complete"
        failure: Failure | None = None
        clips = store.clips_path(path)
        listener = Listener(job.ear, scratch / _CLIP)
        try:
            with store.writing(clips), clips.open("ab") as lines:
                for clip in job.dataset.clips:
                    if clip.id in results:
                        continue
                    hypothesis = _hear(clip, job.dataset, workers, run.settings_asked.language, scratch)
                    result = score_result(clip, hypothesis, run.scoring, listener.hear(clip, job.dataset, hypothesis))
                    store.append(lines, result)
                    results[clip.id] = result
                    report(len(results), len(job.dataset.clips), result)
                    if hypothesis.failure is not None:
                        workers.give_up_if_hopeless(hypothesis.failure)
        except GivenUpError as error:
            status, failure = "failed", error.failure
        except KeyboardInterrupt:
            status = "interrupted"
            raise
        except BaseException as error:
            status, failure = "failed", Failure("transcribe", "error", f"{type(error).__name__}: {error}")
            raise
        finally:
            speech = replace(run.speech, wall_s=run.speech.wall_s + listener.wall_s)
            ended = replace(run, status=status, failure=failure, finished_at=store.now(), process=None, speech=speech)
            _finish(path, ended, workers, list(results.values()))


def _finish(path: Path, run: Run, workers: Supervisor, results: Sequence[ClipResult]) -> None:
    info = workers.first
    if info is not None:
        before = run.workers
        run = replace(
            run,
            engine=EngineInfo(run.engine.name, dict(info.packages), info.python),
            device_used=info.device,
            settings_in_force=dict(info.in_force),
            workers=WorkersInfo(
                spawn_s=before.spawn_s if before else info.spawn_s,
                load_s=before.load_s if before else info.load_s,
                n_warmup=workers.n_warmup + (before.n_warmup if before else 0),
                n_started=workers.n_workers + (before.n_started if before else 0),
                peak_rss_bytes=_most(workers.peak_rss_bytes, before.peak_rss_bytes if before else None),
                peak_device_bytes=_most(workers.peak_device_bytes, before.peak_device_bytes if before else None),
            ),
        )
    run = replace(run, speed=speed(result.hypothesis for result in results), scores=scored(results, run.scoring))
    store.write_run(path, store.sealed(path, run))


def _most(*values: int | None) -> int | None:
    return max((value for value in values if value is not None), default=None)


def _supervisor(run: Run, job: Job, scratch: Path) -> Supervisor:
    limits = run.limits

    def start_worker() -> Worker:
        model = job.model
        return Worker(
            model.engine,
            model.id,
            job.folder,
            run.device_asked,
            run.settings_asked,
            options=model.options,
            budget_s=limits.load_timeout_s,
        )

    return Supervisor(
        start_worker,
        lambda audio_s: max(limits.timeout_floor_s, limits.timeout_factor * audio_s),
        warm_up=_warm_up_audio(job.dataset, run.settings_asked.language, scratch) if limits.warmup else None,
        warm_up_times=limits.warmup,
        max_deaths=limits.max_deaths,
    )


def _warm_up_audio(dataset: Dataset, language: str, scratch: Path) -> tuple[AudioFile, str | None] | None:
    # Speech warms up more of a model than silence does, so labelled silence comes last.
    for clip in sorted(dataset.clips, key=lambda clip: clip.reference == ""):
        short = replace(clip, duration_s=min(clip.duration_s, _WARM_UP_S))
        try:
            audio = _decode(short, dataset, scratch / "warm-up.f32")
        except AudioError:
            continue
        return audio, spoken_language(clip, language)
    return None


def _hear(clip: Clip, dataset: Dataset, workers: Supervisor, language: str, scratch: Path) -> Hypothesis:
    started = time.perf_counter()
    try:
        audio = _decode(clip, dataset, scratch / _CLIP)
    except AudioError as error:
        failure = Failure("audio", "error", str(error))
        return Hypothesis(clip.id, None, failure, audio_s=clip.duration_s)
    decode_s = time.perf_counter() - started
    answer = workers.transcribe(audio, spoken_language(clip, language))
    if isinstance(answer, Failure):
        return Hypothesis(clip.id, None, answer, audio_s=audio.duration_s, decode_s=decode_s)
    return Hypothesis(
        clip.id, answer.transcript, None, audio_s=audio.duration_s, decode_s=decode_s, wall_s=answer.wall_s
    )


def _decode(clip: Clip, dataset: Dataset, target: Path) -> AudioFile:
    from earwitness.audio import decode_to

    with store.writing(target):
        n_samples = decode_to(
            clip.audio_path,
            target,
            start_s=clip.start_s,
            duration_s=clip.duration_s,
            channel=clip.channel,
            rate_hz=SAMPLE_RATE_HZ,
        )
        if dataset.condition is not None:
            n_samples = put_under(dataset.condition.name, clip, dataset.clips, target)
    return AudioFile(target, n_samples, SAMPLE_RATE_HZ)


def spoken_language(clip: Clip, setting: str) -> str | None:
    """Return the language that an engine is told, under the setting ``language``.

    >>> clip = Clip("a", "/a.wav", "", 0.0, 1.0, "hola", language="es")
    >>> spoken_language(clip, "clip"), spoken_language(clip, "auto"), spoken_language(clip, "en")
    ('es', None, 'en')
    """
    return {"clip": clip.language, "auto": None}.get(setting, setting)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A temporary folder for decoded audio; those of processes that were killed are removed on the way."""
    root = Path(tempfile.gettempdir())
    me = this_process()
    for stale in root.glob(f"{_SCRATCH}*-*"):
        pid, _, started = stale.name.removeprefix(_SCRATCH).partition("_")[0].partition("-")
        if pid.isdigit() and started.isdigit() and not is_running(Process(int(pid), int(started))):
            shutil.rmtree(stale, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{_SCRATCH}{me.pid}-{int(me.started_at_s)}_") as folder:
        yield Path(folder)
