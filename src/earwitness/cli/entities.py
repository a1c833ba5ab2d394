"""Entity error rates, for ``analyze entities``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from earwitness.cli.common import console
from earwitness.counts import NOTHING, percent

if TYPE_CHECKING:
    from earwitness.scoring.metrics.entities import EntityReport

_MOST = 10


def show(reports: Mapping[str, EntityReport]) -> None:
    """Print the rates by kind with counts, which kinds were searched for, and what was written in place of some."""
    from rich import box
    from rich.table import Table

    screen = console()
    first = next(iter(reports.values()))
    table = Table("Wrong entities", *reports, box=box.SIMPLE_HEAD, pad_edge=False)
    for kind in first.by_kind:
        table.add_row(kind, *(_cell(report, kind) for report in reports.values()))
    table.add_row("all", *(_total(report) for report in reports.values()))
    screen.print(table)
    for language, kinds in first.kinds.items():
        screen.print(f"Searched for in clips in {language!r}: {', '.join(kinds)}.", markup=False, highlight=False)
    if first.score.reason:
        screen.print(f"There is no rate: {first.score.reason}.", markup=False)
    for label, report in reports.items():
        wrong = [one for one in report.entities if not one.is_right]
        for one in wrong[:_MOST]:
            text = repr(one.hypothesis) if one.hypothesis else "nothing"
            screen.print(f"  {label}: {one.clip}: {one.kind} {one.reference!r}, heard as {text}", markup=False)
        if len(wrong) > _MOST:
            screen.print(f"  {label}: {len(wrong) - _MOST:,} more wrong ones; --json lists them all", markup=False)


def _cell(report: EntityReport, kind: str) -> str:
    wrong, of = report.counts.get(kind, (0, 0))
    return f"{wrong} of {of}, {percent(report.by_kind[kind])}" if of else NOTHING


def _total(report: EntityReport) -> str:
    wrong, of = (sum(count[place] for count in report.counts.values()) for place in (0, 1))
    return f"{wrong} of {of}, {percent(report.score)}" if of else NOTHING
