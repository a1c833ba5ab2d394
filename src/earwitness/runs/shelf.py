"""All records of some folders, whatever state they are in: what cannot be read is named, and stops nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from earwitness.errors import RecordError
from earwitness.runs import store
from earwitness.runs.environment import is_running
from earwitness.runs.record import Run


@dataclass(frozen=True, slots=True)
class Shelf:
    """What lies in some folders."""

    records: tuple[tuple[Path, Run], ...] = ()
    """Records that can be read, newest first."""
    unreadable: tuple[str, ...] = ()
    """A sentence for each that cannot."""


def shelf(paths: Sequence[Path]) -> Shelf:
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
    return Shelf(tuple(held), tuple(unreadable))


def state(path: Path, run: Run) -> str:
    """Return what became of a run: its status, ``killed`` or ``edited``.

    ``killed`` is a run that says ``running`` and whose process is gone; ``edited`` a record whose texts are no longer
    those that it was sealed with.
    """
    if run.status == "running":
        return "running" if is_running(run.process) else "killed"
    try:
        return run.status if store.seal_fits(path, run) else "edited"
    except OSError:
        return "edited"
