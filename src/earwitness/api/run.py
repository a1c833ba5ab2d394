"""``earwitness run`` as a function."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from earwitness.api.records import Record, RecordSource, RecordSources, several
from earwitness.counts import quantity
from earwitness.options import from_keywords
from earwitness.records.record import ClipResult
from earwitness.records.store import read_run
from earwitness.runs.spec import RunOptions
from earwitness.runs.spec import RunSpec as RunSpec

if TYPE_CHECKING:
    from earwitness.runs.drive import Turn
    from earwitness.runs.job import Job
    from earwitness.runs.plan import Task
    from earwitness.runs.study_plan import Item


@dataclass(frozen=True, slots=True)
class RunProgress:
    """A finished clip."""

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
    on: str | None = None,
    whole_nodes: bool = False,
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
        on: A cluster in place of this machine: ``ray``, or ``ray://HOST:PORT``.
        whole_nodes: Whether a node of the cluster serves one model at a time, so that the record has a speed.
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
    place = RunPlace(on, whole_nodes, interleave)
    return run_tasks(plan(with_study(spec, typed), elsewhere=place.elsewhere), Path(out), progress, place)


def resume(
    records: RecordSources = "runs",
    *,
    interleave: bool = True,
    on: str | None = None,
    progress: RunCallback = lambda _: None,
) -> list[Record]:
    """Continue every unfinished record among and below the paths, and return these records.

    Clips that have a result, a failure included, are not run again.

    Args:
        records: Records, or folders that hold some.
        interleave: Whether models take turns; else one runs after the other.
        on: A cluster in place of this machine: ``ray``, or ``ray://HOST:PORT``.
        progress: Called after every clip.

    Raises:
        EarwitnessError: When a record's data, model or engine is no longer to be had, or changed since.
    """
    from earwitness.runs.plan import resume_plan

    place = RunPlace(on, interleave=interleave)
    tasks = resume_plan([Path(source) for source in several(records)], elsewhere=place.elsewhere)
    return run_tasks(tasks, Path(), progress, place)


def spec_of_call(
    caller: str, data: RecordSources, models: str | Iterable[str], options: RunOptions
) -> tuple[RunSpec, set[str]]:
    """Return the spec of a function call, and the names of the options given.

    Raises:
        UsageError: For an option that there is not, or a number that is too small.
    """
    sources = tuple(os.fspath(one) for one in several(data))
    given: dict[str, Any] = {"models": models, **options} if models else {**options}
    command = (f"earwitness.{caller}", *sources, *(f"{name}={value!r}" for name, value in given.items()))
    spec: RunSpec = from_keywords(RunSpec, given, caller, sources=sources, command=command)
    return spec, set(given)


@dataclass(frozen=True, slots=True)
class RunPlace:
    """Where tasks run."""

    on: str | None = None
    """A cluster: ``ray``, or ``ray://HOST:PORT``; ``None`` for this machine."""
    whole_nodes: bool = False
    """Whether a node of the cluster serves one model at a time, so that speed counts."""
    interleave: bool = True
    """On this machine, whether models take turns."""
    is_plan: bool = False
    """Whether the time on the cluster is predicted, and nothing run."""

    @property
    def elsewhere(self) -> bool:
        """Whether engines and devices need not be on this machine."""
        return self.on is not None


class Events:
    """Progress and notes of running tasks. A subclass shows them.

    Args:
        progress: Called after every clip.
    """

    def __init__(self, progress: RunCallback = lambda _: None) -> None:
        """Take a callback."""
        self.clip_done = progress

    def note(self, text: str) -> None:
        """Receive a sentence for the user: before any work, and of a dataset's audio after it."""

    def begin(self, model: str, data: str, n_clips: int) -> None:
        """Receive the start of a model on a dataset."""

    def node_done(self, model: str, data: str, node: str) -> None:
        """Receive the name of the node of a cluster that finished a clip; called before ``clip_done``."""


def run_tasks(
    tasks: Sequence[Task], out: Path, progress: RunCallback | Events, place: RunPlace = RunPlace()
) -> list[Record]:
    """Run the tasks, and return their records in the same order."""
    from earwitness.data.audio_remarks import summarize
    from earwitness.records.store import stream_clips
    from earwitness.runs.drive import Turn, by_data, together
    from earwitness.runs.plan import caveats

    events = progress if isinstance(progress, Events) else Events(progress)
    for line in caveats(list(tasks)):
        events.note(line)
    records: dict[int, Path] = {}
    together_with = [list(range(len(tasks)))] if place.elsewhere else None
    for group in together_with or by_data([task.job for task in tasks], interleave=place.interleave):
        turns = []
        for number in group:
            job = tasks[number].job
            events.begin(job.model.id, job.dataset.name, len(job.dataset.clips))
            turns.append(Turn(job, _reporter(job, events.clip_done), tasks[number].record))
        paths = _over_cluster(turns, out, events, place) if place.on else together(turns, out)
        records |= zip(group, paths, strict=True)
        for number in {tasks[number].job.dataset.name: number for number in reversed(group)}.values():
            results = stream_clips(records[number])
            for line in summarize((result.clip.id, result.hypothesis.audio_remarks) for result in results):
                events.note(f"{tasks[number].job.dataset.name}: {line}")
    return [Record(records[number], read_run(records[number])) for number in range(len(tasks))]


def _over_cluster(turns: Sequence[Turn], out: Path, events: Events, place: RunPlace) -> list[Path]:
    from earwitness.cluster.drive import over_cluster
    from earwitness.cluster.link import ray_session
    from earwitness.cluster.ray_backend import RayBackend

    with ray_session(place.on or "") as ray:
        backend = RayBackend(ray)
        try:
            for node in backend.nodes():
                events.note(f"{node.name}: {node.host}, {quantity(node.environment.cores, 'core')}")
            for host, problem in backend.problems.items():
                events.note(f"{host} takes no part: {problem}")
            return over_cluster(
                turns, out, backend, whole_nodes=place.whole_nodes, on_node=events.node_done, note=events.note
            )
        finally:
            backend.close()


def _reporter(job: Job, progress: RunCallback) -> Callable[[int, int, ClipResult], None]:
    return lambda done, total, result: progress(RunProgress(job.model.id, job.dataset.name, done, total, result))


def plan_items(spec: RunSpec, names: frozenset[str], resume_in: Path | None, *, elsewhere: bool = False) -> list[Item]:
    """Return the items of a run: every model on every dataset, or the records to continue.

    Args:
        spec: What is asked for.
        names: Of the options that were typed.
        resume_in: Folder of the records to go on with; ``None`` begins anew.
        elsewhere: Whether other machines run it, so that engines and devices need not be here.

    Raises:
        EarwitnessError: In one sentence, for the first thing that cannot work.
    """
    from earwitness.runs.bundle_study import with_study
    from earwitness.runs.plan import plan, resume_plan
    from earwitness.runs.study_plan import Item, resume_item

    if resume_in is None:
        return [Item("done", None, task) for task in plan(with_study(spec, names), elsewhere=elsewhere)]
    if "models" in names:
        return resume_item(with_study(spec, names), resume_in, elsewhere=elsewhere)
    tasks = resume_plan([Path(source) for source in spec.sources or (str(resume_in),)], elsewhere=elsewhere)
    return [Item("resumed", None, task) for task in tasks]


def run_items(
    items: Sequence[Item], out: Path, progress: RunCallback | Events, place: RunPlace = RunPlace()
) -> list[Record | None]:
    """Run the unfinished items, and return the record of each; ``None`` for items that cannot run here."""
    left = [item.task for item in items if item.task is not None and item.outcome != "skipped"]
    fresh = iter(run_tasks(left, out, progress, place))
    records: list[Record | None] = []
    for item in items:
        path = item.task.record if item.task is not None else None
        if item.outcome == "skipped" and path is not None:
            records.append(Record(path, read_run(path)))
        else:
            records.append(None if item.task is None else next(fresh))
    return records


def unfinished(records: Sequence[Path]) -> list[tuple[Record, int]]:
    """Return the unfinished records, each with its number of clips."""
    from earwitness.records.listing import n_done

    found = [Record(path, read_run(path)) for path in records]
    return [(record, n_done(record.path)) for record in found if record.run.status != "complete"]


def why_so_high(record: Record) -> str | None:
    """Return why a WER is above 100 %; ``None`` if it is not."""
    from earwitness.records.store import read_clips
    from earwitness.scoring.findings.wer_cause import cause

    wer = record.run.score("wer")
    return cause([result.score for result in read_clips(record.path)]) if wer and (wer.value or 0) > 1 else None
