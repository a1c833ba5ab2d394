"""``earwitness compare``: runs side by side."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json

app = new_app("Compare runs over the same data.")


@app.command()
def compare(
    records: Annotated[list[Path], typer.Argument(help="Records, or folders that hold some, such as runs/.")],
    out: Annotated[Path | None, typer.Option("--out", help="Write the same as Markdown to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print one table a dataset: WER and CER with intervals, speed, memory, failures, completeness.

    Runs over different data, or scored in different ways, are refused. Example:

        earwitness compare runs/ --out scorecard.md
    """
    from earwitness.compare.table import compare as compared
    from earwitness.report.scorecard import markdown
    from earwitness.runs.store import find_records, write_text

    found = compared(find_records(records))
    if out is not None:
        write_text(out, markdown(found))
    if as_json:
        print_json(plain(found))
        return
    show(found)
    if out is not None:
        console(stderr=True).print(f"Written: {out}")


def show(comparison: Any) -> None:
    """Print a comparison as tables."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from earwitness.report.scorecard import COLUMNS, notes, title

    screen = console()
    told: Any = ()
    for table in comparison.tables:
        shown = Table(
            title=Text(title(table)), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False
        )
        for column in COLUMNS:
            shown.add_column(column.heading, justify="left" if column is COLUMNS[0] else "right", no_wrap=True)
        for row in table.rows:
            shown.add_row(*(column.show(row) for column in COLUMNS))
        screen.print(shown)
        if table.differences and table.differences != told:
            screen.print(_differences(table))
        told = table.differences
        for note in notes(table):
            screen.print(f"  {note}", markup=False, highlight=False)
        screen.print()
    for reason in comparison.left_out:
        screen.print(f"Left out: {reason}", markup=False, highlight=False)


def _differences(table: Any) -> Any:
    from rich.table import Table

    shown = Table("In force", *(row.label for row in table.rows), box=None, pad_edge=False, header_style="dim")
    for difference in table.differences:
        shown.add_row(difference.what, *(difference.values[row.label] for row in table.rows), style="dim")
    return shown


def plain(comparison: Any) -> dict[str, Any]:
    """Return a comparison as plain values for JSON."""
    return {
        "tables": [
            {
                "dataset": asdict(table.dataset),
                "differences": [asdict(difference) for difference in table.differences],
                "pairs": [asdict(pair) for pair in table.pairs],
                "rows": [
                    {
                        "label": row.label,
                        "rank": row.rank,
                        "record": str(row.record),
                        "model": row.run.model.id,
                        "device_used": row.run.device_used,
                        "scores": {score.metric: asdict(score) for score in row.run.scores},
                        "wer_on_shared": row.wer_on_shared and asdict(row.wer_on_shared),
                        "speed": row.run.speed and asdict(row.run.speed),
                        "workers": row.run.workers and asdict(row.run.workers),
                    }
                    for row in table.rows
                ],
            }
            for table in comparison.tables
        ],
        "left_out": list(comparison.left_out),
    }
