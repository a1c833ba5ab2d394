"""Run records as arguments and results."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from earwitness.records import store
from earwitness.records.record import ClipResult, Run

if TYPE_CHECKING:
    from earwitness.records.query import QueryResult

RecordSource = str | os.PathLike[str]
"""A path, or something that has one, such as a ``Record``."""
RecordSources = RecordSource | Iterable[RecordSource]
"""One or several."""


@dataclass(frozen=True, slots=True)
class Record:
    """A run and its file; functions accept it in place of the path of a record."""

    path: Path
    """The ``.json`` file; the clips' lines are in the ``.clips.jsonl`` beside it."""
    run: Run
    """What was run, how, on what machine, and the scores: ``record.run.score("wer")``."""

    def __fspath__(self) -> str:
        """Return the path."""
        return str(self.path)


def list_records(sources: RecordSources = "runs") -> list[Record]:
    """Read the records among and below the paths, sorted by path, each once.

    Args:
        sources: Records, or folders that hold some; one or several.

    Raises:
        RecordError: For a path that is not there, a folder without any, or a record that cannot be read.
    """
    return [Record(path, store.read_run(path)) for path in paths(sources)]


def clips(record: RecordSource) -> list[ClipResult]:
    """Read the clips of a record, in its order: each with its text or failure, its counts and findings.

    Args:
        record: A record, or its path.

    Raises:
        RecordError: When the lines cannot be read.
    """
    return store.read_clips(Path(record))


def query(records: RecordSources = "runs", *, sql: str) -> QueryResult:
    """Answer one SELECT over the tables ``runs``, ``scores`` and ``clips``: ``earwitness runs --sql``.

    Args:
        records: Records, or folders that hold some; of these those that can be read.
        sql: The query; its columns are told in ``docs/pipeline.md``.

    Raises:
        RecordError: For a path that is not there, or a clips file that cannot be read.
        UsageError: When DuckDB is not here, for anything but one SELECT, or for a query that does not work.
    """
    from earwitness.records.listing import list_records
    from earwitness.records.query import query as asked

    return asked(list_records([Path(source) for source in several(records)]).records, sql)


def paths(sources: RecordSources) -> list[Path]:
    """Return the files of the records among and below the paths, sorted, each once.

    Raises:
        RecordError: For a path that is not there, or a folder without any.
    """
    return store.find_records([Path(source) for source in several(sources)])


def several(sources: RecordSources) -> list[RecordSource]:
    """Return one or several as several.

    >>> several("runs"), several(["a", "b"])
    (['runs'], ['a', 'b'])
    """
    return [sources] if isinstance(sources, str | os.PathLike) else list(sources)
