"""``earwitness cluster``, and the plan of a run over a cluster, as functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from earwitness.api.records import RecordSource, RecordSources
from earwitness.api.run import spec_of_call
from earwitness.errors import UsageError
from earwitness.options import several
from earwitness.runs.spec import RunOptions

if TYPE_CHECKING:
    from earwitness.cluster.forecast import ClipCost, Forecast
    from earwitness.cluster.nodes import NodeInfo
    from earwitness.runs.plan import Task


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """The nodes of a cluster."""

    nodes: tuple[NodeInfo, ...]
    """What each has, as it says itself."""
    problems: tuple[str, ...]
    """A sentence for each node that cannot be used at all."""
    unfit: dict[str, dict[str, str]]
    """By model: the nodes that cannot run it, each with the reason."""


@dataclass(frozen=True, slots=True)
class ClusterPlan:
    """The forecast of a run."""

    forecast: Forecast
    """How long it takes."""
    costs: tuple[ClipCost, ...]
    """What a clip takes, for each model."""
    names: tuple[str, ...]
    """Model and dataset of each."""
    n_nodes: int
    """Nodes that take part."""
    notes: tuple[str, ...]
    """What to keep in mind."""


def list_nodes(*, on: str = "ray", models: str | Iterable[str] = (), device: str = "auto") -> ClusterStatus:
    """Return the nodes of a cluster, and which of them can run which models.

    Args:
        on: ``ray``, or ``ray://HOST:PORT``.
        models: Ids of models.
        device: As asked for.

    Raises:
        UsageError: When the cluster cannot be reached.
    """
    from earwitness import __version__, weights
    from earwitness.cluster.link import ray_session
    from earwitness.cluster.nodes import why_unfit
    from earwitness.cluster.ray_backend import RayBackend
    from earwitness.engines.catalog import find
    from earwitness.runs.pool import PoolSpec

    found = [find(name) for name in several(models)]
    specs = {model.id: PoolSpec(model, weights.locate(model), None, device) for model in found}
    with ray_session(on) as ray:
        backend = RayBackend(ray)
        nodes = tuple(backend.nodes())
        problems = tuple(f"{host}: {problem}" for host, problem in backend.problems.items())
    unfit = {
        name: {node.name: reason for node in nodes if (reason := why_unfit(node, spec, __version__))}
        for name, spec in specs.items()
    }
    return ClusterStatus(nodes, problems, unfit)


def forecast_run(
    data: RecordSources,
    models: str | Iterable[str] = (),
    *,
    on: str = "ray",
    out: RecordSource = "runs",
    whole_nodes: bool = False,
    **options: Unpack[RunOptions],
) -> ClusterPlan:
    """Predict how long ``ew.run`` takes on a cluster; nothing is run.

    Args:
        data: As for ``ew.run``.
        models: As for ``ew.run``.
        on: ``ray``, or ``ray://HOST:PORT``.
        out: Folder of records, among them one of each model, from which its times are taken.
        whole_nodes: Whether a node serves one model at a time.
        options: Those of the command ``earwitness run``: ``RunOptions``.

    Raises:
        UsageError: When a model has no record with times, or no node can run it.
        EarwitnessError: In one sentence, for the first thing that cannot work.
    """
    from earwitness.runs.bundle_study import with_study
    from earwitness.runs.plan import plan

    spec, typed = spec_of_call("forecast_run", data, models, options)
    return plan_run(plan(with_study(spec, typed), elsewhere=True), Path(out), on, whole_nodes=whole_nodes)


def plan_run(tasks: Sequence[Task], out: Path, on: str, *, whole_nodes: bool = False) -> ClusterPlan:
    """Predict how long tasks take on a cluster; nothing is run.

    Args:
        tasks: What to do.
        out: Folder of records, among them one of each model, from which its times are taken.
        on: ``ray``, or ``ray://HOST:PORT``.
        whole_nodes: Whether a node serves one model at a time.

    Raises:
        UsageError: When a model has no record with times, or no node can run it.
    """
    from earwitness import __version__
    from earwitness.cluster.forecast import ForecastWork, forecast, machines_differ
    from earwitness.cluster.link import ray_session
    from earwitness.cluster.nodes import why_unfit
    from earwitness.cluster.ray_backend import RayBackend
    from earwitness.runs.drive import settings_of
    from earwitness.runs.pool import PoolSpec

    costs = [_cost(task, out) for task in tasks]
    with ray_session(on) as ray:
        backend = RayBackend(ray)
        nodes = backend.nodes()
    works = []
    for task, cost in zip(tasks, costs, strict=True):
        job = task.job
        spec = PoolSpec(job.model, job.folder, job.weights_sha256, job.device, settings_of(job))
        fit = tuple(node.name for node in nodes if why_unfit(node, spec, __version__) is None)
        durations = tuple(clip.duration_s for clip in job.dataset.clips)
        # A process of Ray takes as long to start as the one that described its node.
        started = replace(cost, start_s=cost.start_s + backend.start_s)
        works.append(ForecastWork(f"{job.model.id} on {job.dataset.name}", durations, started, fit))
    notes = [
        f"{work.name}: times are from {work.cost.source}, on another processor than some node has."
        for work in works
        if machines_differ(work.cost, nodes)
    ]
    if len(works) > 1 and not whole_nodes:
        notes.append("Models share nodes and are taken not to slow each other down. See also: --whole-nodes")
    found = forecast(works, whole_nodes=whole_nodes)
    return ClusterPlan(found, tuple(costs), tuple(work.name for work in works), len(nodes), tuple(notes))


def _cost(task: Task, out: Path) -> ClipCost:
    from earwitness.cluster.forecast import cost_of
    from earwitness.records.listing import list_records
    from earwitness.records.store import read_clips

    model = task.job.model.id
    records = list_records([out]).records if out.is_dir() and any(out.rglob("*.clips.jsonl")) else ()
    for path, run in records:
        if run.model.id == model and run.status == "complete":
            cost = cost_of(run, read_clips(path), str(path))
            if cost is not None:
                return cost
    raise UsageError(
        f"There is no record of {model!r} in {str(out)!r} to take times from. Make one of some clips: "
        f"earwitness run DATA --model {model} --limit 20"
    )
