"""``earwitness report``: one page that opens offline, and the same as Markdown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json, progress
from earwitness.cli.options import OverlayOption
from earwitness.counts import quantity

if TYPE_CHECKING:
    from earwitness.reports.build import ReportFiles

app = new_app("A report of runs: one HTML file that opens offline, Markdown, plots, a card to share.")


@app.command()
def report(
    records: Annotated[
        list[Path], typer.Argument(metavar="RECORDS", help="Run records, or folders of them, such as runs/.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the report.")] = Path("report"),
    decision: Annotated[
        Path | None,
        typer.Option("--decision", metavar="FILE", help="Decision file to show at the top, from earwitness decide."),
    ] = None,
    audio: Annotated[
        Literal["embed", "link", "none"],
        typer.Option(help="Sound: embedded in the page (up to 24 MB, worst clips first), linked, or none."),
    ] = "embed",
    accept: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME,...", help="Rank runs although these settings differ, such as beam_size; or all."),
    ] = None,
    overlay: OverlayOption = None,
    terms: Annotated[
        Path | None,
        typer.Option("--terms", metavar="FILE", help="Key terms, one per line; default: those of earwitness.toml."),
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a report: report.html for reading, results.md, scorecard.md, devices.md, share.md, card.png and plots/.

    The page works offline and needs no other file (except with --audio link). Install the extra first: pip install
    'earwitness[report]'. Examples:

        earwitness report runs/ --open

        earwitness report runs/ --decision decision.json --out for-the-team --audio link
    """
    from earwitness.api.report import report as written

    with progress("Sound", quiet=as_json) as told:
        made = written(
            records,
            out=out,
            decision=decision,
            audio=audio,
            accept=accept or (),
            overlay=overlay,
            terms=terms,
            progress=told,
        )
    _tell(made, as_json=as_json)
    if open_:
        import webbrowser

        webbrowser.open(made.page.resolve().as_uri())


def _tell(files: ReportFiles, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "page": str(files.page),
                "page_bytes": files.page.stat().st_size,
                "files": [str(path) for path in files.files],
                "clips": files.n_clips,
                "clips_with_sound": files.n_heard,
                "without_sound": files.silent,
                "warnings": list(files.warnings),
            }
        )
        return
    screen = console(stderr=True)
    for warning in files.warnings:
        screen.print(f"Note: {warning}", markup=False)
    if files.silent:
        silent = files.n_clips - files.n_heard
        screen.print(f"{silent} of {quantity(files.n_clips, 'clip')} without sound: {files.silent}", markup=False)
    console().print(str(files.page), markup=False, soft_wrap=True)
