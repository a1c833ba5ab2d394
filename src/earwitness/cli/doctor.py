"""``earwitness doctor``: what works here."""

from __future__ import annotations

from dataclasses import asdict

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json

app = new_app("Check what works on this machine, and how to fix what does not.")


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check engines, weights, data, decoders, disk and devices; exit 1 if something needed is missing.

    For example:

    earwitness doctor
    """
    from rich.table import Table

    from earwitness.api.doctor import doctor as examined

    checks = examined()
    if as_json:
        print_json([asdict(check) for check in checks])
    else:
        table = Table("What", "", "Found", "What to type", box=None, pad_edge=False)
        for check in checks:
            mark = "[green]ok[/]" if check.works else "[red]missing[/]" if check.needed else "[yellow]no[/]"
            table.add_row(check.what, mark, check.found, check.remedy)
        console().print(table)
    if any(check.needed and not check.works for check in checks):
        raise typer.Exit(1)
