"""Everything that a report shows, collected once: tables, slices, Pareto fronts, times, curves under conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from earwitness.comparison.pareto import front
from earwitness.comparison.robustness import Robustness, robustness
from earwitness.comparison.settings_parity import ACCEPTED
from earwitness.comparison.slices import SliceSet, parts
from earwitness.comparison.table import Comparison, Reader, Table, compare
from earwitness.comparison.terms import with_terms
from earwitness.errors import ComparisonError
from earwitness.records.record import ClipResult
from earwitness.records.store import read_clips
from earwitness.scoring.metrics.timing import Distribution, distribution


@dataclass(frozen=True, slots=True)
class Board:
    """One dataset and its results."""

    table: Table
    """The runs over it."""
    results: Mapping[str, Sequence[ClipResult]]
    """Clip results by label of the run, in the order of the table."""
    parts: tuple[SliceSet, ...]
    """Error rates by language, duration, tag and so on; none without references."""
    fronts: Mapping[str, tuple[str, ...]]
    """By place: the labels that no other row beats in both WER and RTF, fastest first."""
    times: Mapping[str, Distribution]
    """By label: how long clips took; without runs of which no clip has a time."""


@dataclass(frozen=True, slots=True)
class StudyView:
    """The results of some runs."""

    comparison: Comparison
    """Tables, and what was left out."""
    boards: tuple[Board, ...]
    """One a table: first those on clean audio."""
    robustness: Robustness | None
    """Curves through the runs under conditions; ``None`` when there is none with a clean one beside it."""


def study(
    records: Sequence[Path],
    *,
    accept: frozenset[str] = ACCEPTED,
    adjust: Callable[[Comparison], Comparison] | None = None,
    labelled: Reader = read_clips,
    terms: Sequence[str] = (),
) -> StudyView:
    """Collect the results of one or more runs.

    Args:
        records: Paths of records.
        accept: Settings that may differ between ranked rows.
        adjust: Puts labels beside the data over the tables; ``None`` for no labels.
        labelled: Reads the clips of a record with these labels, after ``adjust``.
        terms: Key terms, whose recall and precision every row gets; none for no terms.

    Raises:
        ComparisonError: When no run is complete, or scores of one dataset were made in different ways.
        RecordError: For a record that cannot be read.
    """
    read = cache(read_clips)
    comparison = compare(records, accept=accept, alone=True, read=read)
    if adjust is not None:
        comparison = adjust(comparison)
        read = cache(labelled)
    comparison = with_terms(comparison, terms, read=read)
    boards = []
    for table in sorted(comparison.tables, key=lambda table: table.dataset.condition is not None):
        results = {row.label: read(row.record) for row in table.rows}
        times = {label: distribution(r.hypothesis for r in rows) for label, rows in results.items()}
        boards.append(
            Board(
                table=table,
                results=results,
                parts=parts(results),
                fronts={place: front([row for row in table.rows if row.place == place]) for place in table.places},
                times={label: found for label, found in times.items() if found is not None},
            )
        )
    return StudyView(comparison, tuple(boards), _curves(comparison))


def _curves(comparison: Comparison) -> Robustness | None:
    if all(table.dataset.condition is None for table in comparison.tables):
        return None
    try:
        return robustness([row.record for table in comparison.tables for row in table.rows])
    except ComparisonError:
        return None  # runs under a condition without a clean one beside them still have their tables
