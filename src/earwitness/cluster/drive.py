"""Runs models over datasets on a cluster: the driver gives out clips and alone writes the records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from earwitness import __version__
from earwitness.cluster.backend import Backend
from earwitness.cluster.dispatch import Dispatcher, Work
from earwitness.cluster.record import ClusterRecord
from earwitness.errors import UsageError
from earwitness.records.record import Run
from earwitness.runs.drive import RunInterrupt, Turn, begin, require_resumable, take_up
from earwitness.runs.job import Job
from earwitness.runs.pool import PoolSpec

NodeCallback = Callable[[str, str, str], None]
NoteCallback = Callable[[str], None]


def over_cluster(
    turns: Sequence[Turn],
    out: Path,
    backend: Backend,
    *,
    whole_nodes: bool = False,
    on_node: NodeCallback = lambda *_: None,
    note: NoteCallback = lambda _: None,
    patience_s: float = 60.0,
) -> list[Path]:
    """Run several jobs over a cluster at once, and return their records in the same order.

    A record is the same as that of one machine but for times and machines. One that was begun anywhere, on one machine
    or on a cluster, is continued.

    Args:
        turns: What to do.
        out: Folder of new records.
        backend: The cluster.
        whole_nodes: Whether a node serves one model at a time, so that speed counts.
        on_node: Called with model, dataset and node before every result.
        note: Called with a sentence for each node that is lost or takes no part.
        patience_s: How long to wait for a node when there is none.

    Raises:
        UsageError: For a job that measures protocols of speed.
        RecordError: When a record cannot be written or taken up.
        RunInterrupt: On Ctrl-C, with the records, which are written by then.
    """
    for turn in turns:
        if turn.job.measure.protocols or turn.job.measure.load:
            raise UsageError("--measure is about one machine: measure speed in a run of its own, without --on.")
        if turn.record is not None:
            require_resumable(turn.record, turn.job)
    paths: list[Path] = []
    try:
        _run(turns, out, backend, paths, whole_nodes=whole_nodes, on_node=on_node, note=note, patience_s=patience_s)
    except KeyboardInterrupt:
        raise RunInterrupt(paths) from None
    return paths


def _run(
    turns: Sequence[Turn],
    out: Path,
    backend: Backend,
    paths: list[Path],
    *,
    whole_nodes: bool,
    on_node: NodeCallback,
    note: NoteCallback,
    patience_s: float,
) -> None:
    with ExitStack() as stack:
        records: dict[int, ClusterRecord] = {}
        for turn in turns:
            path, run = begin(turn.job, out) if turn.record is None else take_up(turn.record)
            paths.append(path)
            if run.status == "complete":
                continue
            record = ClusterRecord(path, run, turn.job, turn.report, whole_nodes=whole_nodes)
            left = stack.enter_context(record).left()
            record.work = Work(spec_of(run, turn.job), left, f"{run.model.id} on {run.dataset.name}")
            records[id(record.work)] = record
        works = [record.work for record in records.values() if record.work is not None]
        dispatcher = Dispatcher(
            backend, works, version=__version__, whole_nodes=whole_nodes, patience_s=patience_s, note=note
        )
        kindly = False
        try:
            for each in dispatcher.results():
                record = records[id(each.work)]
                if each.result is not None:
                    on_node(record.model, record.data, each.node)
                    record.write(each.result, each.node)
                elif each.failure is not None:
                    record.give_up(each.failure)
            kindly = True
        finally:
            dispatcher.close(kindly=kindly)


def spec_of(run: Run, job: Job) -> PoolSpec:
    """Return what every worker of a run is, so that a node can start the same."""
    # Only a condition needs other clips than the one at hand.
    dataset = job.dataset if job.dataset.condition else replace(job.dataset, clips=(), whole=None)
    return PoolSpec(
        model=job.model,
        folder=job.folder,
        weights_sha256=job.weights_sha256,
        device=run.device_asked,
        settings=replace(run.settings_asked, threads=job.settings.threads),
        limits=run.limits,
        dataset=dataset,
        speech=job.ear,
    )
