"""Lists all records of some folders in any state, and names those that cannot be read."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from earwitness.counts import quantity
from earwitness.errors import RecordError
from earwitness.records import store
from earwitness.records.environment import is_running
from earwitness.records.record import Run


@dataclass(frozen=True, slots=True)
class RecordList:
    """The records in some folders."""

    records: tuple[tuple[Path, Run], ...] = ()
    """Records that can be read, newest first."""
    unreadable: tuple[str, ...] = ()
    """A sentence for each that cannot."""


def list_records(paths: Sequence[Path]) -> RecordList:
    """Read every record among and below the paths.

    Raises:
        RecordError: For a path that is not there, or a folder that holds no record.
    """
    held, unreadable = [], []
    for path in store.find_records(list(paths)):
        try:
            held.append((path, store.read_run(path)))
        except RecordError as error:
            unreadable.append(str(error))
    # Without the suffix: the second record of a second, ".._20-31-2.json", would else stand before the first.
    held.sort(key=lambda pair: (pair[1].created_at, str(pair[0].with_suffix(""))), reverse=True)
    return RecordList(tuple(held), tuple(unreadable))


def state(path: Path, run: Run) -> str:
    """Return the state of a run: its status, ``killed`` or ``edited``.

    ``killed`` is a run that says ``running`` and whose process is gone; ``edited`` a record whose texts are no longer
    those that it was sealed with.
    """
    if run.status == "running":
        return "running" if is_running(run.process) else "killed"
    try:
        return run.status if store.seal_fits(path, run) else "edited"
    except OSError:
        return "edited"


def why_not_comparable(path: Path, run: Run) -> str | None:
    """Return why a record cannot be compared, and the command that helps; ``None`` if it can.

    Args:
        path: The record.
        run: What it holds.
    """
    became = state(path, run)
    if became == "complete":
        return None
    name = shlex.quote(str(path))
    if became == "edited":
        return f"{path}: its clips file was changed after the run. Score it again: earwitness rescore {name}"
    progress = f"after {n_done(path)} of {quantity(run.dataset.n_clips, 'clip')}"
    if became == "running":
        return f"{path} is still running, {progress.removeprefix('after ')} done. Wait for it."
    how = {"failed": "failed", "killed": "was killed", "interrupted": "was interrupted"}[became]
    return f"{path} {how} {progress}. Continue it: earwitness run --resume {name}"


def n_done(path: Path) -> int:
    """Return how many clips of a record have a result; 0 when its clips file is gone."""
    try:
        return store.count_lines(path)
    except OSError:
        return 0


def none_complete(purpose: str, left_out: Sequence[str], kind: str = "run") -> str:
    """Return the message for the case that no record is left: which were left out, or how to make one.

    >>> none_complete("compare", [])
    'There is no complete run to compare. Make one: earwitness run DATA --model M'
    >>> none_complete("compare", ["a.json was killed after 3 of 9 clips."])
    'There is no complete run to compare. a.json was killed after 3 of 9 clips.'
    """
    remedy = " ".join(left_out) or "Make one: earwitness run DATA --model M"
    return f"There is no complete {kind} to {purpose}. {remedy}"
