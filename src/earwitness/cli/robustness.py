"""``earwitness robustness``: curves of WER against severity."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json

if TYPE_CHECKING:
    from earwitness.comparison.robustness import Robustness

app = new_app("WER against the severity of a condition, and where each model breaks.")


@app.command()
def robustness(
    records: Annotated[
        list[Path], typer.Argument(metavar="RECORDS", help="Run records, or folders of them, such as runs/.")
    ],
    points: Annotated[
        float,
        typer.Option(min=0.1, max=1000, metavar="N", help="A model breaks where its WER is N points above clean."),
    ] = 10,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Also write the tables as Markdown.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print a table for each kind of condition: WER from clean to severe, and the severity at which a model breaks.

    For example:

        earwitness run telephony-en -m faster-whisper:tiny.en --condition noise:10dB --condition noise:0dB

        earwitness robustness runs/ --out robustness.md
    """
    from earwitness.api.compare import robustness as drawn
    from earwitness.files.atomic import write_text
    from earwitness.reports.robustness import markdown

    found = drawn(records, points=points)
    if out is not None:
        write_text(out, markdown(found))
    if as_json:
        print_json(asdict(found, dict_factory=_plain))
        return
    _show(found)
    if out is not None:
        console(stderr=True).print(f"Written: {out}")


def _plain(pairs: list[tuple[str, object]]) -> dict[str, object]:
    return {name: str(value) if isinstance(value, Path) else value for name, value in pairs}


def _show(result: Robustness) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from earwitness.reports.robustness import header, legend, rows, title

    screen = console()
    for panel in result.panels:
        table = Table(
            title=Text(title(panel)), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False
        )
        for place, heading in enumerate(header(panel)):
            table.add_column(Text(heading), justify="right" if place else "left")
        for row in rows(panel):
            table.add_row(*map(Text, row))
        screen.print(table)
    screen.print(legend(result), markup=False)
    for reason in result.left_out:
        screen.print(f"Left out: {reason}", markup=False)
