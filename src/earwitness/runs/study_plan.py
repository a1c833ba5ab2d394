"""The items of a study: already measured, to continue, or to run."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from earwitness.engines.registry import show_settings
from earwitness.errors import RecordError, UnsupportedDeviceError, UsageError
from earwitness.records.listing import RecordList, list_records
from earwitness.records.record import Selection
from earwitness.runs.conditions import under
from earwitness.runs.drive import require_resumable
from earwitness.runs.job import Job
from earwitness.runs.plan import Task, load, plan
from earwitness.runs.reuse import best, differences
from earwitness.runs.spec import RunSpec
from earwitness.runs.study_file import StudyFile, specs
from earwitness.types import Dataset

ItemOutcome = Literal["done", "resumed", "skipped", "not run here"]


@dataclass(frozen=True, slots=True)
class Item:
    """One model on one dataset under one condition of the study."""

    outcome: ItemOutcome
    """What becomes of it; ``done`` is from the beginning."""
    what: str | None
    """In words; ``None`` outside a study."""
    task: Task | None
    """With the record, where there is one; ``None`` for what cannot be run here."""
    reason: str = ""
    """Why it is not run here."""


def items(
    study: StudyFile, out: Path, command: tuple[str, ...], shard: str | None = None, *, elsewhere: bool = False
) -> tuple[list[Item], RecordList]:
    """Plan a study: refuse everything that can be refused, and run nothing yet.

    A device that this machine does not have leaves its items out, unless that leaves nothing.

    Args:
        study: What the file says.
        out: Folder of the records, which may not be there yet.
        command: As typed, for the records.
        shard: Which part of every dataset, such as ``3/8``; ``None`` for all.
        elsewhere: Whether other machines run it, so that engines and devices need not be here.

    Returns:
        The items in the order of the file, and the records that were looked at.

    Raises:
        EarwitnessError: In one sentence, for the first thing that cannot work.
    """
    held = _held(out)
    read = _reader()
    found: list[Item] = []
    missing: UnsupportedDeviceError | None = None
    for spec in (replace(spec, shard=shard) for spec in specs(study, command)):
        try:
            tasks = plan(spec, read, elsewhere=elsewhere)
        except UnsupportedDeviceError as error:
            missing = error
            found.append(Item("not run here", _words(spec), None, str(error)))
            continue
        found += [_item(task, spec, held) for task in tasks]
    if missing is not None and not any(item.task for item in found):
        raise missing
    _refuse_twins(found)
    return found, held


def resume_item(spec: RunSpec, out: Path, *, elsewhere: bool = False) -> list[Item]:
    """Plan a repeated command with ``--resume``: continue unfinished records and skip complete ones.

    What was not begun is done from the beginning, unless nothing was begun.

    Args:
        spec: As typed.
        out: Folder of the records.
        elsewhere: Whether other machines run it, so that engines and devices need not be here.

    Raises:
        UsageError: When nothing of it was begun, or what was begun is not the same: what differs is named.
        EarwitnessError: As ``plan``.
    """
    held = _held(out)
    found = [replace(_item(task, spec, held), what=None) for task in plan(spec, elsewhere=elsewhere)]
    for item in found:
        if item.outcome == "done" and item.task is not None:
            _refuse_other(item.task.job, spec, held)
    if all(item.outcome == "done" for item in found):
        raise UsageError(
            f"There is no interrupted run of this command in {str(out)!r}. To start one, leave out --resume."
        )
    return found


def _refuse_other(job: Job, spec: RunSpec, records: RecordList) -> None:
    for path, run in records.records:
        same = (run.model.id, run.dataset.name, run.dataset.selection.shard) == (
            job.model.id, job.dataset.name, job.selection.shard,
        )  # fmt: skip
        if same and run.status != "complete":
            what = ", ".join(differences(run, job, speech=spec.speech))
            raise UsageError(
                f"{path} was begun with other {what} than this command has. To continue it as it was begun: earwitness "
                f"run --resume {shlex.quote(str(path))}. To start a new run, leave out --resume."
            )


def _item(task: Task, spec: RunSpec, records: RecordList) -> Item:
    what = _words(spec, task.job)
    record = best(task.job, records.records, speech=spec.speech)
    if record is None:
        return Item("done", what, task)
    path, run = record
    require_resumable(path, task.job)
    return Item("skipped" if run.status == "complete" else "resumed", what, replace(task, record=path))


def _held(out: Path) -> RecordList:
    try:
        return list_records([out])
    except RecordError:  # there is no record yet
        return RecordList()


def _reader() -> Callable[[Selection], Dataset]:
    """Return a function that loads datasets, each once, however many models and conditions there are."""
    clean: dict[str, Dataset] = {}

    def read(selection: Selection) -> Dataset:
        plain = replace(selection, condition=None)  # a shard of it included
        if repr(plain) not in clean:
            clean[repr(plain)] = load(plain)
        return under(clean[repr(plain)], selection.condition)

    return read


def _words(spec: RunSpec, job: Job | None = None) -> str:
    """Return an item in words.

    >>> _words(RunSpec(models=("fake:echo",), sources=("sample",), preset="native", settings={"beam_size": 5}))
    'fake:echo on sample (native, beam_size=5)'
    """
    name = job.dataset.name if job else spec.sources[0]
    parts = [
        *([spec.device] if spec.device != "auto" else []),
        *([spec.preset] if spec.preset != "matched" else []),
        *(f"{name}={show_settings(value)}" for name, value in spec.settings.items()),
    ]
    return f"{spec.models[0]} on {name}" + (f" ({', '.join(parts)})" if parts else "")


def _refuse_twins(items: list[Item]) -> None:
    jobs: list[Job] = []
    for item in items:
        if item.task is None:
            continue
        if item.task.job in jobs:
            raise UsageError(f"The study has {item.what} twice. Remove one, or give it other settings.")
        jobs.append(item.task.job)
