"""What ``earwitness run`` prints: each item with its outcome, its record and its scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from earwitness.api.run import why_so_high
from earwitness.cli.common import console, print_json
from earwitness.counts import duration, number, percent, quantity

if TYPE_CHECKING:
    from earwitness.api.records import Record
    from earwitness.api.run import RunPlace
    from earwitness.records.record import Run
    from earwitness.runs.plan import Task
    from earwitness.runs.study_plan import Item


def answer(items: Sequence[Item], records: Sequence[Record | None], *, as_json: bool) -> bool:
    """Print the outcome of every item, and return whether all items that could run here are complete.

    Args:
        items: As they were planned.
        records: Of each; ``None`` for one that was not run here.
        as_json: Print JSON.
    """
    rows = list(zip(items, records, strict=True))
    if as_json:
        print_json([_plain(item, record) for item, record in rows])
    else:
        for item, record in rows:
            console().print(_text(item, record), markup=False, soft_wrap=True)
    return all(record is None or record.run.status == "complete" for record in records)


def show_plan(tasks: Sequence[Task], out: Path, place: RunPlace, *, as_json: bool) -> None:
    """Print how long tasks take on a cluster.

    Raises:
        UsageError: Without a cluster, or where a model has no record with times.
    """
    from earwitness.api.cluster import plan_run
    from earwitness.errors import UsageError

    if place.on is None:
        raise UsageError("--plan needs a cluster: --on ray, or --on ray://HOST:PORT.")
    plan = plan_run(tasks, out, place.on, whole_nodes=place.whole_nodes)
    if as_json:
        print_json(asdict(plan))
        return
    found, screen = plan.forecast, console()
    screen.print(
        f"{duration(found.makespan_s)} on {quantity(plan.n_nodes, 'node')}; {duration(found.work_s)} on one. "
        f"The nodes are at work for {100 * found.busy:.0f} % of the time.",
        markup=False,
    )
    for name, cost, end_s in zip(plan.names, plan.costs, found.end_s, strict=True):
        line = f"{name}: done after {duration(end_s)}; times from {cost.source}"
        screen.print(line, markup=False, soft_wrap=True)
    for note in plan.notes:
        screen.print(note, markup=False, soft_wrap=True)


def _text(item: Item, record: Record | None) -> str:
    if record is None:
        return f"{item.outcome}: {item.what}: {item.reason}"
    # Outside a study, an item has no name of its own.
    head = f"{item.outcome}: {item.what}" if item.what else f"{record.run.model.id} on {record.run.dataset.name}"
    why = why_so_high(record)
    return f"{head}{_in_words(record.run)}\n  {record.path}" + (f"\n  {why}" if why else "")


def _in_words(run: Run) -> str:
    if run.status != "complete":
        return f" {run.status}" + (f": {run.failure.message}" if run.failure else "")
    failed = run.score("failed_clips")
    return (
        f": WER {percent(run.score('wer'))}, RTF {number(run.speed.rtf if run.speed else None)}, "
        f"{failed.value if failed else 0:.0f} of {quantity(run.dataset.n_clips, 'clip')} failed"
    )


def _plain(item: Item, record: Record | None) -> dict[str, object]:
    if record is None:
        return {"outcome": item.outcome, "what": item.what, "reason": item.reason}
    run = record.run
    return {
        "outcome": item.outcome,
        "record": str(record.path),
        "id": run.id,
        "status": run.status,
        "model": run.model.id,
        "dataset": run.dataset.name,
        "device_used": run.device_used,
        "failure": run.failure and asdict(run.failure),
        "cause": why_so_high(record),
        "scores": {score.metric: asdict(score) for score in run.scores},
        "speed": run.speed and asdict(run.speed),
        "measurements": run.measurements and asdict(run.measurements),
        "drift": run.drift and asdict(run.drift),
        "order": run.order and asdict(run.order),
    }
