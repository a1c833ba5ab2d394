"""``earwitness export``: records in one file, for the way home."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json

app = new_app("Pack run records in one file, for another machine.")


@app.command()
def export(
    records: Annotated[list[Path], typer.Argument(help="Records, or folders that hold some, such as runs/.")],
    out: Annotated[Path, typer.Option(help="The zip file to make.")],
    as_json: AsJson = False,
) -> None:
    """Pack every complete record with its texts; exit 1 when one had to be left out.

    The references and the texts are in it; audio is not. Example:

        earwitness export runs --out records.zip
    """
    from earwitness.api.data import export as exported

    made = exported(records, out)
    if as_json:
        print_json({"zip": str(out), "records": [str(path) for path in made.records], "left_out": list(made.left_out)})
    else:
        for reason in made.left_out:
            console().print(f"Left out: {reason}", markup=False)
        console().print(f"{len(made.records)} records: {out}", markup=False)
    if made.left_out:
        raise typer.Exit(1)
