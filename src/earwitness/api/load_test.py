"""``earwitness load`` as a function: load-test a running server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from earwitness.api.records import Record, RecordSource, RecordSources, several
from earwitness.api.run import Events, RunCallback, run_tasks
from earwitness.errors import UsageError

if TYPE_CHECKING:
    from earwitness.records.speed import LoadPlan

MOST_CLIENTS = 512


def load_test(
    url: str,
    data: RecordSources,
    *,
    clients: Sequence[float] = (1, 2, 4, 8),
    rate: Sequence[float] | None = None,
    target_p95_s: float | None = None,
    model: str | None = None,
    key_env: str | None = None,
    response_format: str | None = None,
    limit: int | None = None,
    stretch_s: float = 10,
    budget_s: float = 300,
    timeout_s: float = 60,
    seed: int = 0,
    yes_remote: bool = False,
    out: RecordSource = "runs",
    progress: RunCallback | Events = lambda _: None,
    command: tuple[str, ...] = ("earwitness.load_test",),
) -> list[Record]:
    """Load-test any server with OpenAI's API: one client sends all data once, then each load follows.

    There is a record for each dataset; ``record.run.measurements.load`` has every load.

    Args:
        url: Of the server, such as ``http://127.0.0.1:8000``.
        data: Clips to send; one dataset or several.
        clients: Closed loop: how many ask at once, each again when it is answered.
        rate: Open loop instead: requests per second that arrive at random.
        target_p95_s: Find the most load with 95 % of answers within so many seconds.
        model: Its name at the server; ``None`` for the first that the server names.
        key_env: Name of the environment variable that holds the server's key.
        response_format: ``verbose_json`` or ``json``; ``None`` for the engine's own.
        limit: Only the first so many clips.
        stretch_s: Least seconds of every load.
        budget_s: Seconds for all loads together.
        timeout_s: Seconds for an answer, or ten times the clip's audio.
        seed: Of the arrivals.
        yes_remote: Confirms that you may load-test a server on another machine.
        out: Folder of the records.
        progress: Called after every clip of the first pass.
        command: For the record.

    Raises:
        EarwitnessError: In one sentence, for the first thing that cannot work.
    """
    from earwitness.records.record import RunLimits
    from earwitness.records.speed import SpeedProtocols
    from earwitness.runs.plan import Task
    from earwitness.runs.remote import jobs_at, model_at, require_ours

    load = plan_of(clients, rate, target_p95_s, seed)
    protocols = SpeedProtocols(budget_s=budget_s, stretch_s=stretch_s, load=load)
    require_ours(url, yes_remote=yes_remote)
    there = model_at(url, model, key_env, response_format)
    jobs = jobs_at(there, [str(source) for source in several(data)], limit=limit, command=command)
    limits = RunLimits(warmup=0, timeout_floor_s=timeout_s)
    tasks = [Task(replace(job, measure=protocols, limits=limits)) for job in jobs]
    return run_tasks(tasks, Path(out), progress)


def plan_of(clients: Sequence[float], rate: Sequence[float] | None, target_p95_s: float | None, seed: int) -> LoadPlan:
    """Return the loads, smallest first: numbers of clients, or rates if given.

    >>> plan_of([4, 1, 2], None, 1.5, 0).steps
    (1.0, 2.0, 4.0)

    Raises:
        UsageError: For loads that are none.
    """
    from earwitness.records.speed import LoadPlan

    if rate is not None:
        return LoadPlan("poisson", _steps("rate", rate, lambda _: True), target_p95_s, seed)
    return LoadPlan("closed", _steps("clients", clients, _is_clients), target_p95_s, seed)


def is_met(record: Record) -> bool:
    """Return whether a load test was completed and met its target, if it has one."""
    run = record.run
    load = run.measurements.load if run.measurements else None
    if run.status != "complete" or load is None or not load.steps:
        return False
    return load.plan.target_p95_s is None or load.best is not None


def _is_clients(step: float) -> bool:
    return step == int(step) and step <= MOST_CLIENTS


def _steps(name: str, values: Sequence[float], fits: Callable[[float], bool]) -> tuple[float, ...]:
    steps = sorted({float(value) for value in values})
    if not steps or not 0 < steps[0] <= steps[-1] < float("inf") or not all(map(fits, steps)):
        need = "numbers above 0" if name == "rate" else f"whole numbers from 1 to {MOST_CLIENTS}"
        raise UsageError(f"--{name} takes {need}, such as 1,2,4; not {','.join(f'{value:g}' for value in values)}.")
    return tuple(steps)
