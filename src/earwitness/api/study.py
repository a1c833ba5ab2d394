"""``earwitness run`` without data, as a function: the study of ``earwitness.toml``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from earwitness.api.records import Record, RecordSource
from earwitness.api.run import RunCallback, RunPlace, run_items

if TYPE_CHECKING:
    from earwitness.runs.study_plan import Item, ItemOutcome


@dataclass(frozen=True, slots=True)
class StudyResult:
    """The outcome of one model on one dataset under one condition."""

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
    shard: str | None = None,
    interleave: bool = True,
    on: str | None = None,
    progress: RunCallback = lambda _: None,
) -> list[StudyResult]:
    """Run a study: skip what is already measured, and continue what was begun.

    While it goes on, the working folder of this process is that of the file.

    Args:
        file: The study; ``None`` for the nearest ``earwitness.toml``, in the working folder or above.
        out: Folder of the records; ``None`` for the one that the study names.
        shard: Which part of every dataset, such as ``3/8``; ``None`` for all.
        interleave: Whether models take turns; else one runs after the other.
        on: A cluster in place of this machine: ``ray``, or ``ray://HOST:PORT``.
        progress: Called after every clip.

    Raises:
        UsageError: When there is no study, or it does not make sense.
        EarwitnessError: In one sentence, for the first thing that cannot work, before any clip is heard.
    """
    path, folder = (None if each is None else Path(each) for each in (file, out))
    with open_study(path, folder, shard=shard, elsewhere=on is not None) as work:
        records = run_items(work.items, work.out, progress, RunPlace(on, interleave=interleave))
        return [
            StudyResult(item.outcome, item.what or "", _absolute(record), item.reason)
            for item, record in zip(work.items, records, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class StudyWork:
    """A study that is planned."""

    folder: Path
    """Of the file; the working folder while the study is at work."""
    out: Path
    """Folder of the records."""
    items: tuple[Item, ...]
    """In the order of the file."""
    unreadable: tuple[str, ...]
    """A sentence for each record that cannot be read."""


def find_study() -> Path:
    """Return the nearest study file.

    Raises:
        UsageError: When there is none.
    """
    from earwitness.runs.study_file import find

    return find()


@contextmanager
def open_study(
    file: Path | None,
    out: Path | None,
    command: tuple[str, ...] = (),
    shard: str | None = None,
    *,
    elsewhere: bool = False,
) -> Iterator[StudyWork]:
    """Plan a study, and work in its folder until the context ends.

    Args:
        file: The study; ``None`` for the nearest.
        out: Folder of the records; ``None`` for the one that the study names.
        command: For the records.
        shard: Which part of every dataset, such as ``3/8``; ``None`` for all.
        elsewhere: Whether other machines run it, so that engines and devices need not be here.

    Raises:
        UsageError: When there is no study, or it does not make sense.
        EarwitnessError: In one sentence, for the first thing that cannot work.
    """
    from earwitness.runs import study_file
    from earwitness.runs.study_plan import items

    path = study_file.find() if file is None else file
    study = study_file.read(path)
    folder = Path(study.out) if out is None else out.resolve()
    with chdir(path.parent):
        plan, records = items(study, folder, command or ("earwitness.study", str(path)), shard, elsewhere=elsewhere)
        yield StudyWork(path.parent, folder, tuple(plan), records.unreadable)


def _absolute(record: Record | None) -> Record | None:
    """Return a record with an absolute path."""
    return record and replace(record, path=record.path.resolve())
