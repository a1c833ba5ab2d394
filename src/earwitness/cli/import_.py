"""``earwitness import``: records from another machine."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json

app = new_app("Bring run records from another machine, verified.")


@app.command("import")
def import_(
    sources: Annotated[
        list[Path],
        typer.Argument(help="What 'earwitness export' made, or a folder of records.", metavar="ZIP|FOLDER..."),
    ],
    out: Annotated[Path, typer.Option(help="Folder of the records here.")] = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Take in every record that is complete and whole; exit 1 when one was refused.

    Schema, hashes, clips, signatures and sums are checked. Nothing that is here is written over. A record keeps its
    environment: it was measured there. Example:

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
