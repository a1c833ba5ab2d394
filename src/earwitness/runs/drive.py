"""Runs models over a dataset: every clip gets a result, even if it fails, and every result is kept."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from earwitness.data.shards import parse
from earwitness.errors import RecordError
from earwitness.records import store
from earwitness.records.environment import environment, is_running, this_process, usable_cores
from earwitness.records.record import (
    SCHEMA_VERSION,
    ClipsFile,
    DatasetInfo,
    EngineInfo,
    ModelInfo,
    Run,
    ShardInfo,
    SpeechInfo,
)
from earwitness.records.rescore import options_of, rescore_clip
from earwitness.runs.interleave import take_turns
from earwitness.runs.job import ClipCallback, Job
from earwitness.runs.session import Session
from earwitness.runs.transcribe import scratch_folder, spoken_language
from earwitness.types import Settings

__all__ = [
    "ClipCallback",
    "Job",
    "RunInterrupt",
    "Turn",
    "begin",
    "by_data",
    "require_resumable",
    "resume",
    "settings_of",
    "spoken_language",
    "start",
    "take_up",
    "together",
]


@dataclass(frozen=True, slots=True)
class Turn:
    """One of several runs over the same data."""

    job: Job
    """What to do."""
    report: ClipCallback
    """Called after every clip."""
    record: Path | None = None
    """The record to go on with; ``None`` for a new one."""


class RunInterrupt(KeyboardInterrupt):
    """Ctrl-C during runs, raised once their records are written."""

    def __init__(self, records: Sequence[Path]) -> None:
        """Take the records that were at work, complete ones among them."""
        super().__init__()
        self.records = tuple(records)


def start(job: Job, out: Path, progress: ClipCallback) -> Path:
    """Run a job into a new record under ``out`` and return the record's path.

    A clip that fails is a result like any other. The run ends early, as ``failed``, when no worker can be had, and as
    ``interrupted`` on KeyboardInterrupt, which is raised again.

    Raises:
        RecordError: When the record cannot be written; what was written before stays and can be resumed.
    """
    (path,) = together([Turn(job, progress)], out)
    return path


def resume(path: Path, job: Job, progress: ClipCallback) -> None:
    """Continue a record that was interrupted, killed or given up; a complete one stays unchanged.

    Clips that have a result, a failure included, are not run again; protocols that were asked for are. Clips that were
    scored by an earlier version, under other rules of the same name, are scored again.

    Args:
        path: The record.
        job: The same job, its dataset and weights loaded anew.
        progress: Called after every clip.

    Raises:
        RecordError: When the record's process is still at work, or the data or the weights have changed since.
    """
    together([Turn(job, progress, path)], path.parent)


def together(turns: Sequence[Turn], out: Path) -> list[Path]:
    """Run several jobs over the same data, one block of clips each in turn, and return their records.

    Drift of the machine then hits all of them alike. Each keeps its own worker; when there is no memory for all of
    them, they are run one after the other, and the records say so. When one cannot go on, the others do; Ctrl-C ends
    all of them at once.

    Raises:
        RecordError: When a record cannot be written, or cannot be taken up again; nothing was run in that case.
        RunInterrupt: On Ctrl-C, with the records, which are written by then.
    """
    paths: list[Path] = []
    try:
        _take_turns(turns, out, paths)
    except KeyboardInterrupt:
        raise RunInterrupt(paths) from None
    return paths


def _take_turns(turns: Sequence[Turn], out: Path, paths: list[Path]) -> None:
    """Run the jobs, and put the path of each record into ``paths`` as soon as it is there."""
    for turn in turns:
        if turn.record is not None:
            require_resumable(turn.record, turn.job)
    # The workers are left first, all of them, and the records are written then.
    with ExitStack() as records, ExitStack() as workers:
        sessions = []
        for turn in turns:
            path, run = begin(turn.job, out) if turn.record is None else take_up(turn.record)
            paths.append(path)
            if run.status == "complete":
                continue
            scratch = records.enter_context(scratch_folder())
            session = records.enter_context(Session(path, run, turn.job, turn.report, scratch))
            workers.enter_context(session.workers)
            sessions.append(session)
        take_turns(sessions)


def by_data(jobs: Sequence[Job], *, interleave: bool = True) -> list[list[int]]:
    """Return the numbers of the jobs that take turns, those over the same data; without interleaving, each alone."""
    found: dict[Hashable, list[int]] = {}
    for number, job in enumerate(jobs):
        key: Hashable = (job.dataset.sha256, job.dataset.condition) if interleave else number
        found.setdefault(key, []).append(number)
    return list(found.values())


def settings_of(job: Job) -> Settings:
    """Return the settings of a job on this machine; unset threads become all usable cores."""
    return job.settings if job.settings.threads else replace(job.settings, threads=usable_cores())


def begin(job: Job, out: Path) -> tuple[Path, Run]:
    """Write the record of a run that begins, without a clip, and return its path and the run.

    Raises:
        FileError: When it cannot be written.
    """
    path = store.new_record_path(store.record_folder(out, job.model.id))
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
        settings_asked=settings_of(job),
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
            shard=_shard_info(job),
        ),
        limits=job.limits,
        environment=environment(),
        scoring=job.scoring,
        clips_file=ClipsFile(store.clips_path(path).name),
        process=this_process(),
        speech=SpeechInfo(job.ear.name, job.ear.reason),
        measure=job.measure,
    )
    store.write_run(path, run)
    return path, run


def _shard_info(job: Job) -> ShardInfo | None:
    whole, text = job.dataset.whole, job.selection.shard
    return ShardInfo(*parse(text), whole.sha256, len(whole.clips), whole.audio_s) if whole and text else None


def require_resumable(path: Path, job: Job) -> None:
    """Refuse to continue a record that is being written, or whose data or weights have changed.

    Raises:
        RecordError: In one sentence.
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


def take_up(path: Path) -> tuple[Path, Run]:
    """Mark a record as running again, and return its path and the run; a complete one stays as it is.

    Raises:
        RecordError: When it cannot be read or written.
    """
    run = store.read_run(path)
    if run.status == "complete":
        return path, run
    store.cut_unfinished_line(store.clips_path(path))
    # The rules of its name may have changed since it was begun: a record is scored by one set of rules.
    options = options_of(run.scoring)
    if any(rescore_clip(result, options) != result for result in store.stream_clips(path)):
        store.write_clips(path, (rescore_clip(result, options) for result in store.stream_clips(path)))
    run = replace(run, status="running", failure=None, process=this_process(), resumed=run.resumed + 1)
    store.write_run(path, run)
    return path, run
