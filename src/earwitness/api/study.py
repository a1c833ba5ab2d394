"""``earwitness run`` without data, as a function: the study of ``earwitness.toml``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from earwitness.api.records import Record, RecordSource
from earwitness.api.run import RunCallback, done
from earwitness.records.store import read_run

if TYPE_CHECKING:
    from earwitness.runs.study_plan import Item, ItemOutcome


@dataclass(frozen=True, slots=True)
class StudyResult:
    """What became of one model on one dataset under one condition."""

    outcome: ItemOutcome
    """``done`` from the beginning, ``resumed``, ``skipped`` because it is measured already, or ``not run here``."""
    what: str
    """In words, as the study asks for it."""
    record: Record | None
    """Its record; ``None`` where it was not run here."""
    reason: str
    """Why it was not run here; empty where it was."""


def study(
    file: RecordSource | None = None,
    *,
    out: RecordSource | None = None,
    interleave: bool = True,
    progress: RunCallback = lambda _: None,
) -> list[StudyResult]:
    """Do a study: what is measured already is skipped, what was begun goes on.

    While it goes on, the working folder of this process is that of the file.

    Args:
        file: The study; ``None`` for the nearest ``earwitness.toml``, in the working folder or above.
        out: Folder of the records; ``None`` for the one that the study names.
        interleave: Whether models take turns; else one runs after the other.
        progress: Called after every clip.

    Raises:
        UsageError: When there is no study, or it does not make sense.
        EarwitnessError: In one sentence, for the first thing that cannot work, before any clip is heard.
    """
    from earwitness.runs import study_file
    from earwitness.runs.study_plan import items

    path = study_file.find() if file is None else Path(file)
    asked = study_file.read(path)
    folder = Path(asked.out) if out is None else Path(out).resolve()
    with chdir(path.parent):
        found, _ = items(asked, folder, ("earwitness.study", str(path)))
        left = [item.task for item in found if item.task is not None and item.outcome != "skipped"]
        made = iter(done(left, folder, progress, interleave=interleave))
        return [StudyResult(item.outcome, item.what or "", _record(item, made), item.reason) for item in found]


def _record(item: Item, records: Iterator[Record]) -> Record | None:
    """Return an item's record, with a path that means the same in another folder."""
    if item.task is None:
        return None
    path = item.task.record
    found = Record(path, read_run(path)) if item.outcome == "skipped" and path is not None else next(records)
    return replace(found, path=found.path.resolve())
