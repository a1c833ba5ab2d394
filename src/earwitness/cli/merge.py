"""``earwitness merge``: join the records of shards."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json
from earwitness.counts import quantity

app = new_app("Join the records of shards into the record of the whole.")


@app.command()
def merge(
    records: Annotated[
        list[Path], typer.Argument(metavar="RECORDS", help="Run records, or folders of them, such as runs/.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the merged records.")] = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Join the shards of each model and dataset into one record; exit 1 if some were refused.

    The record has the clips and the scores that one machine would have got. The command refuses a shard that is
    missing, unfinished or there twice, and shards with other data, weights, settings, scoring or versions. The
    records of the shards stay. Example:

        earwitness run my-recordings/ --model faster-whisper:base --shard 1/2

        earwitness run my-recordings/ --model faster-whisper:base --shard 2/2

        earwitness merge runs
    """
    from earwitness.api.merge import merge as join

    results = join(records, out=out)
    if as_json:
        rows = [{**asdict(each), "record": each.record and str(each.record)} for each in results]
        print_json([{**row, "shards": [str(path) for path in row["shards"]]} for row in rows])
    else:
        for each in results:
            why = f": {each.reason}" if each.reason else f" ({quantity(len(each.shards), 'shard')})"
            console().print(f"{each.outcome}: {each.what}{why}", markup=False, soft_wrap=True)
            if each.record is not None:
                console().print(f"  {each.record}", markup=False, soft_wrap=True)
    if any(each.outcome == "refused" for each in results):
        raise typer.Exit(1)
