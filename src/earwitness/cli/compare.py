"""``earwitness compare``: runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earwitness.cli.common import AsJson, console, new_app, print_hanging, print_json
from earwitness.cli.options import OverlayOption

if TYPE_CHECKING:
    from rich.table import Table as Grid

    from earwitness.comparison.table import Comparison, ModelRow, RunDifference, Table
    from earwitness.reports.scorecard import Column

app = new_app("Compare runs over the same data.")
_GAP = 3
"""Columns of the screen between two cells."""


@app.command()
def compare(
    records: Annotated[
        list[Path], typer.Argument(metavar="RECORDS", help="Run records, or folders of them, such as runs/.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Also write the tables as Markdown to this file.")
    ] = None,
    with_matrix: Annotated[
        bool, typer.Option("--matrix", help="Also show models by device: measured, not run, or unsupported.")
    ] = False,
    bars: Annotated[
        Path | None, typer.Option("--bars", metavar="FILE", help="Also draw WER with intervals into this .svg or .png.")
    ] = None,
    wide: Annotated[bool, typer.Option("--wide", help="Show all columns, in several tables if needed.")] = False,
    accept: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME,...", help="Rank runs although these settings differ, such as beam_size; or all."),
    ] = None,
    overlay: OverlayOption = None,
    terms: Annotated[
        Path | None,
        typer.Option("--terms", metavar="FILE", help="Key terms, one per line; default: those of earwitness.toml."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print one table per dataset: WER with its interval, rank, speed, memory and problems; all columns with --wide.

    The command refuses runs over different data or with different scoring. Runs on different devices or machines
    share a table, which has a column for them. Runs get no rank if they differ in a setting that can change a text,
    unless you accept the difference with --accept. Examples:

        earwitness compare runs/ --out scorecard.md

        earwitness compare runs/ --matrix --bars bars.svg

        earwitness compare runs/ --accept beam_size,vad
    """
    from earwitness.api.compare import compare as compared
    from earwitness.files.atomic import write_text
    from earwitness.reports.scorecard import markdown

    found = compared(records, accept=accept or (), overlay=overlay, terms=terms)
    if bars is not None:
        _draw(found, bars)
    if out is not None:
        write_text(out, markdown(found, with_matrix=with_matrix))
    if as_json:
        print_json(plain(found, with_matrix=with_matrix))
        return
    show(found, with_matrix=with_matrix, wide=wide)
    if not wide and found.tables:
        console(stderr=True).print("All columns: --wide. What each column means: --out FILE.", markup=False)
    for path in (out, bars):
        if path is not None:
            console(stderr=True).print(f"Written: {path}", markup=False)


def _draw(comparison: Comparison, path: Path) -> None:
    from earwitness.errors import UsageError
    from earwitness.reports.charts import wer_by_dataset
    from earwitness.reports.draw import write

    chart = wer_by_dataset(comparison.tables)
    if not chart["vconcat"]:
        raise UsageError(
            "No run has a WER to draw, since no clip has a reference. Label the clips, or leave out --bars."
        )
    write(chart, path)


def show(comparison: Comparison, *, with_matrix: bool = False, wide: bool = False) -> None:
    """Print a comparison as tables, of the columns that decide or of all."""
    from earwitness.reports.scorecard import columns, machines, main_columns, notes, title, without_references

    screen = console()
    shown: tuple[RunDifference, ...] = ()
    for table in comparison.tables:
        for part, chosen in enumerate(_fitting((columns if wide else main_columns)(table), table.rows, screen.width)):
            screen.print(_grid(title(table) if not part else "", chosen, table.rows))
        if table.differences and table.differences != shown:
            screen.print(_differences(table))
        shown = table.differences
        many = machines(table) if len(table.environments) > 1 else ()
        for note in [*notes(table), *without_references(table), *many]:
            print_hanging(screen, f"  {note}")
        screen.print()
        if with_matrix:
            _show_matrix(table)
    for reason in comparison.left_out:
        print_hanging(screen, f"Left out: {reason}")


def _fitting(columns: Sequence[Column], rows: Sequence[ModelRow], width: int) -> list[list[Column]]:
    """Divide columns into as many tables as the width asks for, each with the first column, none cut off."""

    def wide(column: Column) -> int:
        return _GAP + max(len(text) for text in (column.heading, *(column.show(row) for row in rows)))

    first, *rest = columns
    parts = [[first]]
    for column in rest:
        if len(parts[-1]) > 1 and sum(map(wide, (*parts[-1], column))) > width:
            parts.append([first])
        parts[-1].append(column)
    return parts


def _grid(heading: str, columns: Sequence[Column], rows: Sequence[ModelRow]) -> Grid:
    from rich import box
    from rich.table import Table as Grid
    from rich.text import Text

    table = Grid(
        title=Text(heading) if heading else None,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    for number, column in enumerate(columns):
        table.add_column(column.heading, justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(column.show(row)) for column in columns))
    return table


def _show_matrix(table: Table) -> None:
    from rich import box
    from rich.table import Table as Grid

    from earwitness.api.compare import device_matrix
    from earwitness.reports.matrix import legend, matrix_grid

    made = device_matrix(table)
    (first, *heads), rows = matrix_grid(made)
    shown = Grid(first, title="Models and devices", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for head in heads:
        shown.add_column(head, justify="right")
    for row in rows:
        shown.add_row(*row)
    console().print(shown)
    for line in legend(made):
        console().print(f"  {line}", markup=False, highlight=False)
    console().print()


def _differences(table: Table) -> Grid:
    from rich.table import Table as Grid

    shown = Grid("In force", *(row.label for row in table.rows), box=None, pad_edge=False, header_style="dim")
    for difference in table.differences:
        shown.add_row(difference.what, *(difference.values[row.label] for row in table.rows), style="dim")
    return shown


def plain(comparison: Comparison, *, with_matrix: bool = False) -> dict[str, object]:
    """Return a comparison as plain values for JSON."""
    from earwitness.reports.matrix import plain_matrix
    from earwitness.reports.scorecard import notes, without_references

    return {
        "tables": [
            {
                "name": table.name,
                "dataset": asdict(table.dataset),
                "differences": [asdict(difference) for difference in table.differences],
                "target": table.target,
                "unranked": table.unranked,
                "batch_changes": [asdict(change) for change in table.batch_changes],
                "pairs": [asdict(pair) for pair in table.pairs],
                "rows": [_plain_row(row) for row in table.rows],
                "machines": [asdict(environment) for environment in table.environments],
                "notes": notes(table),
                "without_references": without_references(table),
                **({"matrix": plain_matrix(table)} if with_matrix else {}),
            }
            for table in comparison.tables
        ],
        "left_out": list(comparison.left_out),
    }


def _plain_row(row: ModelRow) -> dict[str, object]:
    return {
        "label": row.label,
        "rank": row.rank,
        "record": str(row.record),
        "model": row.run.model.id,
        "device_used": row.run.device_used,
        "place": row.place,
        "scores": {score.metric: asdict(score) for score in row.run.scores},
        "terms": row.terms and asdict(row.terms),
        "wer_on_shared": row.wer_on_shared and asdict(row.wer_on_shared),
        "speed": row.run.speed and asdict(row.run.speed),
        "workers": row.run.workers and asdict(row.run.workers),
        "measurements": row.run.measurements and asdict(row.run.measurements),
        "drift": row.run.drift and asdict(row.run.drift),
        "order": row.run.order and asdict(row.run.order),
    }
