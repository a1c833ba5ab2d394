"""SQL over records: tables ``runs``, ``scores`` and ``clips`` in memory, without access to anything else.

DuckDB answers. The tables are made first, then the door is locked: a query can read no file, write none, load no
extension and change no setting.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from earwitness.errors import UsageError
from earwitness.records.listing import state
from earwitness.records.record import ClipResult, Run
from earwitness.records.store import read_clips

TABLES: Mapping[str, Mapping[str, str]] = {
    "runs": {
        "id": "VARCHAR", "record": "VARCHAR", "state": "VARCHAR", "created_at": "TIMESTAMP", "model": "VARCHAR",
        "engine": "VARCHAR", "weights_sha256": "VARCHAR", "dataset": "VARCHAR", "dataset_sha256": "VARCHAR",
        "condition": "VARCHAR", "n_clips": "BIGINT", "audio_s": "DOUBLE", "device_asked": "VARCHAR",
        "device_used": "VARCHAR", "preset": "VARCHAR", "settings": "VARCHAR", "cpu": "VARCHAR", "cores": "BIGINT",
        "earwitness": "VARCHAR", "wer": "DOUBLE", "wer_low": "DOUBLE", "wer_high": "DOUBLE", "rtf": "DOUBLE",
        "latency_p95_s": "DOUBLE", "peak_rss_bytes": "BIGINT", "parent": "VARCHAR",
    },
    "scores": {
        "run_id": "VARCHAR", "metric": "VARCHAR", "value": "DOUBLE", "low": "DOUBLE", "high": "DOUBLE",
        "unit": "VARCHAR", "n_clips": "BIGINT", "n_failed": "BIGINT", "signature": "VARCHAR", "reason": "VARCHAR",
    },
    "clips": {
        "run_id": "VARCHAR", "clip": "VARCHAR", "recording": "VARCHAR", "speaker": "VARCHAR", "language": "VARCHAR",
        "duration_s": "DOUBLE", "tags": "VARCHAR", "reference": "VARCHAR", "text": "VARCHAR", "failure": "VARCHAR",
        "wall_s": "DOUBLE", "hits": "BIGINT", "substitutions": "BIGINT", "deletions": "BIGINT", "insertions": "BIGINT",
        "flags": "VARCHAR",
    },
}  # fmt: skip
"""Columns of the tables; ``settings``, ``tags`` and ``flags`` are JSON, times are UTC."""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The result of a query."""

    columns: tuple[str, ...]
    """Their names."""
    rows: tuple[tuple[Any, ...], ...]
    """Texts, numbers, booleans and ``None``; what is none of these is its text."""


def query(records: Sequence[tuple[Path, Run]], sql: str) -> QueryResult:
    """Run one SELECT over the tables.

    Clips are read only for a query that names the table.

    Raises:
        UsageError: When DuckDB is not here, for anything but one SELECT, and in DuckDB's words for a query that does
            not work.
        RecordError: When a clips file cannot be read.
    """
    try:
        import duckdb
    except ImportError:
        raise UsageError("SQL needs DuckDB, which is not installed. Run: pip install 'earwitness[sql]'") from None
    with duckdb.connect(":memory:") as database:
        _refuse_all_but_select(duckdb, database, sql)
        for table, rows in _tables(records, with_clips=bool(re.search(r"\bclips\b", sql, re.IGNORECASE))):
            _fill(database, table, rows)
        database.execute("SET enable_external_access = false")
        database.execute("SET lock_configuration = true")
        try:
            found = database.execute(sql)
            rows = found.fetchall()
        except duckdb.Error as error:
            raise UsageError(f"The query does not work: {_first_line(error)}") from None
        return QueryResult(
            tuple(each[0] for each in found.description or ()), tuple(tuple(map(_plain, r)) for r in rows)
        )


def _refuse_all_but_select(duckdb: Any, database: Any, sql: str) -> None:
    try:
        statements = database.extract_statements(sql)
    except duckdb.Error as error:
        raise UsageError(f"The query does not work: {_first_line(error)}") from None
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise UsageError("The query has to be one SELECT over the tables runs, scores and clips.")


def _tables(records: Sequence[tuple[Path, Run]], *, with_clips: bool) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    yield "runs", [_run(path, run) for path, run in records]
    yield "scores", [row for _, run in records for row in _scores(run)]
    yield "clips", [_clip(run, result) for path, run in records for result in read_clips(path)] if with_clips else []


def _fill(database: Any, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    columns = TABLES[table]
    database.execute(f"CREATE TABLE {table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
    # Column by column: row by row, a hundred thousand clips would take minutes.
    values = ", ".join(f"unnest(?::{kind}[])" for kind in columns.values())
    if rows:
        database.execute(f"INSERT INTO {table} SELECT {values}", [list(column) for column in zip(*rows, strict=True)])


def _run(path: Path, run: Run) -> tuple[Any, ...]:
    wer = run.score("wer")
    low, high = wer.ci95 if wer and wer.ci95 else (None, None)
    condition = run.dataset.condition.name if run.dataset.condition else None
    return (
        run.id, str(path), state(path, run), _utc(run.created_at), run.model.id, run.engine.name,
        run.model.weights_sha256, run.dataset.name, run.dataset.sha256, condition,
        run.dataset.n_clips, run.dataset.audio_s, run.device_asked, run.device_used, run.preset,
        _json(run.settings_in_force), run.environment.cpu, run.environment.cores, run.environment.earwitness,
        wer.value if wer else None, low, high, run.speed.rtf if run.speed else None,
        run.speed.latency_p95_s if run.speed else None, run.workers.peak_rss_bytes if run.workers else None, run.parent,
    )  # fmt: skip


def _scores(run: Run) -> Iterable[tuple[Any, ...]]:
    for score in run.scores:
        low, high = score.ci95 or (None, None)
        yield (
            run.id, score.metric, score.value, low, high, score.unit, score.n_clips, score.n_failed, score.signature,
            score.reason,
        )  # fmt: skip


def _clip(run: Run, result: ClipResult) -> tuple[Any, ...]:
    clip, heard, words = result.clip, result.hypothesis, result.score.words
    edits = (words.hits, words.substitutions, words.deletions, words.insertions) if words else (None,) * 4
    return (
        run.id, clip.id, clip.recording, clip.speaker, clip.language, clip.duration_s, _json(clip.tags), clip.reference,
        heard.transcript.text if heard.transcript else None, heard.failure.message if heard.failure else None,
        heard.wall_s, *edits, _json(result.score.flags),
    )  # fmt: skip


def _plain(value: Any) -> Any:
    from decimal import Decimal
    from math import isfinite

    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float) and not isfinite(value):
        return None
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)


def _utc(moment: str) -> datetime:
    # Without a zone: with one, DuckDB wants another package to give it back.
    return datetime.fromisoformat(moment).astimezone(UTC).replace(tzinfo=None)


def _json(value: Any) -> str:
    return json.dumps(dict(value) if isinstance(value, Mapping) else value, ensure_ascii=False)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
