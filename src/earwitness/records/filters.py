"""Filters for records: names, times, kinds, and any value of the record."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from earwitness.engines.registry import show_settings
from earwitness.errors import UsageError
from earwitness.files.nearest import nearest
from earwitness.records.listing import state
from earwitness.records.prune import KINDS, PruneKind
from earwitness.records.record import Run

STATES = ("complete", "running", "interrupted", "failed", "killed", "edited")
_HOURS = {"h": 1, "d": 24, "w": 24 * 7}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which records to select; an empty field selects all."""

    models: tuple[str, ...] = ()
    """Ids, in which ``*`` stands for anything."""
    datasets: tuple[str, ...] = ()
    """Names, in the same way."""
    states: tuple[str, ...] = ()
    """Of ``STATES``."""
    since: datetime | None = None
    """Begun then or later."""
    where: tuple[tuple[str, str], ...] = ()
    """Paths in the record, such as ``environment.cores``, and the values that they must have."""

    def takes(self, path: Path, run: Run) -> bool:
        """Return whether a record matches."""
        return (
            _matches(run.model.id, self.models)
            and _matches(run.dataset.name, self.datasets)
            and (not self.states or state(path, run) in self.states)
            and (self.since is None or datetime.fromisoformat(run.created_at) >= self.since)
            and (not self.where or _has(asdict(run), self.where))
        )


def parse(
    models: Sequence[str], datasets: Sequence[str], states: Sequence[str], since: str | None, where: Sequence[str]
) -> Filter:
    """Parse the options of the command line into a filter.

    Raises:
        UsageError: For a state that there is not, a moment that is none, or a pair without ``=``.
    """
    for name in states:
        if name not in STATES:
            raise UsageError(f"There is no status {name!r}.{nearest(name, STATES)}")
    pairs = [text.partition("=") for text in where]
    for text, (key, equals, _) in zip(where, pairs, strict=True):
        if not key or not equals:
            raise UsageError(f"{text!r} is not KEY=VALUE, such as environment.cores=2.")
    return Filter(
        tuple(models),
        tuple(datasets),
        tuple(states),
        moment(since) if since else None,
        tuple((key, value) for key, _, value in pairs),
    )


def moment(text: str, now: datetime | None = None) -> datetime:
    """Parse a time: a date, a date and time, or an age. Without a zone it is the local one.

    >>> moment("36h", datetime(2026, 1, 31, 12, tzinfo=UTC)).isoformat()
    '2026-01-30T00:00:00+00:00'
    >>> moment("2026-01-31T12:00+00:00").isoformat()
    '2026-01-31T12:00:00+00:00'

    Raises:
        UsageError: For anything else.
    """
    ago = re.fullmatch(r"(\d{1,4})([hdw])", text)
    if ago:
        return (now or datetime.now(UTC)) - timedelta(hours=int(ago[1]) * _HOURS[ago[2]])
    try:
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else found.astimezone()
    except (ValueError, OverflowError):
        raise UsageError(
            f"{text!r} is not a date or an age. Write a date such as 2026-01-31, or an age such as 12h, 7d or 4w."
        ) from None


def kinds(names: Sequence[str]) -> tuple[PruneKind, ...]:
    """Return the kinds of records to prune, each alone or several with commas.

    >>> kinds(["superseded,failed"])
    ('superseded', 'failed')

    Raises:
        UsageError: For a kind that there is not.
    """
    wanted = [name.strip() for text in names for name in text.split(",")]
    for name in wanted:
        if name not in KINDS:
            raise UsageError(f"There is no kind {name!r} to prune.{nearest(name, KINDS)}")
    return tuple(kind for kind in KINDS if kind in wanted)


def _matches(name: str, patterns: Sequence[str]) -> bool:
    # A dataset's name may hold brackets, which are no pattern here.
    return not patterns or any(fnmatchcase(name, pattern.replace("[", "[[]")) for pattern in patterns)


def _has(record: Mapping[str, Any], where: Sequence[tuple[str, str]]) -> bool:
    return all(_at(record, key) == value for key, value in where)


def _at(record: Any, key: str) -> str | None:
    for part in key.split("."):
        if not isinstance(record, Mapping) or part not in record:
            return None
        record = record[part]
    return "none" if record is None else show_settings(record)
