"""Adds the scores of key terms to a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from earwitness.comparison.table import Comparison, ModelRow, Reader, Table
from earwitness.records.store import read_clips
from earwitness.scoring.metrics.key_terms import key_terms


def with_terms(comparison: Comparison, terms: Sequence[str], *, read: Reader = read_clips) -> Comparison:
    """Return a comparison in which every row has the scores of its key terms; without terms, the same comparison.

    Args:
        comparison: As it was made.
        terms: As the user wrote them.
        read: Reads the clips of a record; for callers that have them already.

    Raises:
        ScoringError: When normalizing leaves nothing of a term.
        RecordError: For clips that cannot be read.
    """
    if not terms:
        return comparison
    return replace(comparison, tables=tuple(_table(table, terms, read) for table in comparison.tables))


def _table(table: Table, terms: Sequence[str], read: Reader) -> Table:
    return replace(table, rows=tuple(_row(row, terms, read) for row in table.rows))


def _row(row: ModelRow, terms: Sequence[str], read: Reader) -> ModelRow:
    pairs = [(result.clip, result.hypothesis) for result in read(row.record)]
    return replace(row, terms=key_terms(pairs, terms, row.run.scoring.normalizer))
