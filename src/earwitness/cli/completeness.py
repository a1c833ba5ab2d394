"""How ``earwitness analyze completeness`` prints its findings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from earwitness.cli.common import console
from earwitness.counts import NOTHING, quantity

if TYPE_CHECKING:
    from earwitness.api.analysis import Completeness


def show(reports: Mapping[str, Completeness]) -> None:
    """Print a line of counts and a table of findings for each model."""
    from rich import box
    from rich.table import Table

    screen = console()
    for label, answer in reports.items():
        counts = ", ".join(f"{kind} {n}" for kind, n in answer.counts.items()) or "nothing found"
        screen.print(f"{label}, {quantity(answer.clips, 'clip')}: {counts}", markup=False)
        if answer.speech.model is None:
            reason = answer.speech.reason or "the run was made by an older Earwitness"
            screen.print(f"  Without speech detection: {reason}.", markup=False)
        if answer.cause:
            screen.print(f"  {answer.cause}", markup=False)
        if answer.findings:
            table = Table("Clip", "Finding", "From s", "To s", "What", box=box.SIMPLE_HEAD, pad_edge=False)
            for one in answer.findings:
                place = [_seconds(one.start_s), _seconds(one.end_s)]
                table.add_row(_plain(one.clip), one.kind, *place, _plain(one.detail))
            screen.print(table)


def _seconds(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.1f}"


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
