"""``earwitness run`` as a function."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from earwitness.api.records import Record, RecordSource, RecordSources, several
from earwitness.options import from_keywords
from earwitness.records.record import ClipResult
from earwitness.records.store import read_run
from earwitness.runs.spec import RunOptions
from earwitness.runs.spec import RunSpec as RunSpec

if TYPE_CHECKING:
    from earwitness.runs.job import Job
    from earwitness.runs.plan import Task


@dataclass(frozen=True, slots=True)
class RunProgress:
    """A clip that is done."""

    model: str
    """Whose."""
    data: str
    """Name of the dataset."""
    done: int
    """Clips of this model and dataset that are done, this one included."""
    total: int
    """Clips that there are."""
    result: ClipResult
    """The clip with its text or failure, and its counts."""


RunCallback = Callable[[RunProgress], None]


def run(
    data: RecordSources,
    models: str | Iterable[str] = (),
    *,
    out: RecordSource = "runs",
    interleave: bool = True,
    progress: RunCallback = lambda _: None,
    **options: Unpack[RunOptions],
) -> list[Record]:
    """Run every model over every dataset, each model in a process of its own, and return the records.

    A clip that fails is recorded and the run goes on. Look at ``record.run.status``: a run that could not go on is
    ``failed`` and not an exception. Ctrl-C leaves records that ``resume`` goes on with.

    Args:
        data: Names of corpora, manifests, folders, audio files, bundles; one or several. What is not given is taken
            from a bundle's study.
        models: Ids, such as ``faster-whisper:base``; one or several.
        out: Folder of the records.
        interleave: Whether models take turns; else one runs after the other.
        progress: Called after every clip.
        options: Those of the command ``earwitness run``: ``RunOptions``.

    Returns:
        A record for each dataset, condition and model, in that order.

    Raises:
        EarwitnessError: In one sentence, for the first thing that cannot work, before any clip is heard.
    """
    from earwitness.runs.bundle_study import with_study
    from earwitness.runs.plan import plan

    spec, typed = spec_of_call("run", data, models, options)
    return done(plan(with_study(spec, typed)), Path(out), progress, interleave=interleave)


def resume(
    records: RecordSources = "runs", *, interleave: bool = True, progress: RunCallback = lambda _: None
) -> list[Record]:
    """Go on with every record that did not end, among and below the paths, and return those records.

    Clips that have a result, a failure included, are not run again.

    Args:
        records: Records, or folders that hold some.
        interleave: Whether models take turns; else one runs after the other.
        progress: Called after every clip.

    Raises:
        EarwitnessError: When a record's data, model or engine is no longer to be had, or changed since.
    """
    from earwitness.runs.plan import resume_plan

    tasks = resume_plan([Path(source) for source in several(records)])
    return done(tasks, Path(), progress, interleave=interleave)


def spec_of_call(
    caller: str, data: RecordSources, models: str | Iterable[str], options: RunOptions
) -> tuple[RunSpec, set[str]]:
    """Return the spec that a call of a function asks for, and the names of the options that were given.

    Raises:
        UsageError: For an option that there is not, or a number that is too small.
    """
    sources = tuple(os.fspath(one) for one in several(data))
    given: dict[str, Any] = {"models": models, **options} if models else {**options}
    command = (f"earwitness.{caller}", *sources, *(f"{name}={value!r}" for name, value in given.items()))
    spec: RunSpec = from_keywords(RunSpec, given, caller, sources=sources, command=command)
    return spec, set(given)


def done(tasks: Sequence[Task], out: Path, progress: RunCallback, *, interleave: bool) -> list[Record]:
    """Do the work, and return the records in the order of the tasks."""
    from earwitness.runs.drive import Turn, by_data, together

    made: dict[int, Path] = {}
    for group in by_data([task.job for task in tasks], interleave=interleave):
        turns = [Turn(tasks[n].job, _reporter(tasks[n].job, progress), tasks[n].record) for n in group]
        made |= zip(group, together(turns, out), strict=True)
    return [Record(made[n], read_run(made[n])) for n in range(len(tasks))]


def _reporter(job: Job, progress: RunCallback) -> Callable[[int, int, ClipResult], None]:
    return lambda done, total, result: progress(RunProgress(job.model.id, job.dataset.name, done, total, result))
