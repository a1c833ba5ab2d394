"""``earwitness runs`` as functions: find, query and prune run records."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from earwitness.api.records import Record, RecordSources, several
from earwitness.options import several as texts

if TYPE_CHECKING:
    from earwitness.records.prune import Surplus
    from earwitness.records.query import QueryResult


@dataclass(frozen=True, slots=True)
class RunList:
    """Records in any state."""

    records: tuple[Record, ...]
    """Newest first."""
    unreadable: tuple[str, ...]
    """A sentence for each that cannot be read."""

    def query(self, sql: str) -> QueryResult:
        """Run one SELECT over these records; see ``ew.query``."""
        from earwitness.records.query import query

        return query([(record.path, record.run) for record in self.records], sql)


def list_runs(
    records: RecordSources = "runs",
    *,
    model: str | Iterable[str] = (),
    dataset: str | Iterable[str] = (),
    status: str | Iterable[str] = (),
    since: str | None = None,
    where: str | Iterable[str] = (),
) -> RunList:
    """Return the records among and below the paths that match every filter.

    Args:
        records: Records, or folders that hold some.
        model: Only these models; ``*`` stands for anything.
        dataset: Only these datasets; ``*`` stands for anything.
        status: Only these: ``complete``, ``failed``, ``killed`` and so on.
        since: Only those begun since: ``2026-01-31``, or ``12h``, ``7d``, ``4w`` ago.
        where: Only those with this in the record, such as ``environment.cores=2``.

    Raises:
        UsageError: For a filter that makes no sense.
        RecordError: For a path that is not there, or a folder without any record.
    """
    from earwitness.records.filters import parse
    from earwitness.records.listing import list_records

    listing = list_records([Path(source) for source in several(records)])
    fits = parse(texts(model), texts(dataset), texts(status), since, texts(where))
    return RunList(
        tuple(Record(path, run) for path, run in listing.records if fits.takes(path, run)), listing.unreadable
    )


def state_of(record: Record) -> str:
    """Return the state of a run: its status, ``killed`` or ``edited``."""
    from earwitness.records.listing import state

    return state(record.path, record.run)


def prunable(
    records: RecordSources,
    kinds: str | Iterable[str],
    *,
    among: Iterable[Record],
    older_than: str | None = None,
    even_newest: bool = False,
) -> list[Surplus]:
    """Return the records that are no longer needed, each with the reason.

    Args:
        records: Records, or folders that hold some: what counts as newest is decided among all of them.
        kinds: ``superseded``, ``failed`` or ``any``; one or several.
        among: Those that may go.
        older_than: Only those begun before, as for ``list_runs``.
        even_newest: Also the newest complete record of a setting.

    Raises:
        UsageError: For a kind or a time that makes no sense.
    """
    from earwitness.records.filters import kinds as parse_kinds
    from earwitness.records.filters import moment
    from earwitness.records.listing import list_records
    from earwitness.records.prune import surplus

    before = moment(older_than) if older_than else None
    everything = list(list_records([Path(source) for source in several(records)]).records)
    paths = {record.path for record in among}
    choices = parse_kinds(texts(kinds))
    return [each for each in surplus(everything, choices, before=before, even_newest=even_newest) if each.path in paths]


def prune(surplus: Iterable[Surplus], records: RecordSources) -> list[Path]:
    """Move records to the trash folder beside them, and return their new paths; ``restore`` brings them back."""
    from earwitness.records.prune import throw_away

    return throw_away([each.path for each in surplus], [Path(source) for source in several(records)])


def restore(records: RecordSources = "runs") -> tuple[list[Path], list[Path]]:
    """Restore everything that was pruned; return the restored records, and those whose place is taken."""
    from earwitness.records.prune import bring_back

    return bring_back([Path(source) for source in several(records)])
