"""Numbers, key terms, punctuation and case, for ``analyze terms`` and ``score --terms``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from earwitness.cli.common import console

if TYPE_CHECKING:
    from earwitness.api.terms import TermReport

_WORST = 10


def show(reports: Mapping[str, TermReport]) -> None:
    """Print the scores as a table, reasons under it, and the terms that were missed most."""
    from rich import box
    from rich.table import Table

    from earwitness.report.format import percent

    screen = console()
    table = Table("", *reports, box=box.SIMPLE_HEAD, pad_edge=False)
    first = next(iter(reports.values()))
    for place, score in enumerate(first.scores):
        name = score.metric.replace("_", " ").capitalize()
        table.add_row(name, *(percent(report.scores[place]) for report in reports.values()))
    screen.print(table)
    reasons = {
        f"{score.metric.replace('_', ' ')}: {score.reason}": None
        for report in reports.values()
        for score in report.scores
        if score.reason
    }
    for reason in reasons:
        screen.print(reason, markup=False)
    for label, report in reports.items():
        missed = sorted((t for t in report.terms if t.found < t.said), key=lambda t: (t.found - t.said, t.term))
        if missed:
            most = ", ".join(f"{t.term} ({t.found} of {t.said})" for t in missed[:_WORST])
            screen.print(f"{label} missed most: {most}", markup=False)
