"""``earwitness import``: records from another machine."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json

app = new_app("Verify run records from another machine and import them.")


@app.command("import")
def import_(
    sources: Annotated[
        list[Path],
        typer.Argument(help="Zip files from 'earwitness export', or folders of records.", metavar="FILE|DIR"),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the records.")] = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Import every record that is complete and undamaged; exit 1 if one was refused.

    The command checks schema, hashes, clips, signatures and sums, and overwrites no record. An imported record keeps
    the environment in which it was measured. Example:

        earwitness import records.zip
    """
    from earwitness.api.data import import_ as taken_in

    arrivals = taken_in(sources, out=out)
    if as_json:
        print_json([{**asdict(arrival), "record": arrival.record and str(arrival.record)} for arrival in arrivals])
    else:
        for arrival in arrivals:
            reason = f": {arrival.reason}" if arrival.reason else ""
            console().print(f"{arrival.outcome}: {arrival.name}{reason}", markup=False)
            if arrival.outcome in ("imported", "renamed"):
                console().print(f"  {arrival.record}", markup=False)
    if any(arrival.outcome == "refused" for arrival in arrivals):
        raise typer.Exit(1)
