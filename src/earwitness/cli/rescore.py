"""``earwitness rescore``: other scoring of the same texts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from earwitness.cli import options
from earwitness.cli.common import AsJson, console, new_app, print_json

if TYPE_CHECKING:
    from earwitness.scoring.align import Method

app = new_app("Score a record's texts again, without engine or audio.")


@app.command()
def rescore(
    records: Annotated[list[Path], typer.Argument(help="Records, or folders that hold some.")],
    normalizer: options.Normalizer = "auto",
    compounds: options.Compounds = False,
    method: options.Method = "levenshtein",
    alternatives: options.Alternatives = False,
    as_json: AsJson = False,
) -> None:
    """Write a new record beside each old one, with the same texts under another scoring.

    The new record names the old one as its parent, which stays as it was. Example:

        earwitness rescore runs/ --normalizer basic
    """
    from earwitness.report.format import percent
    from earwitness.runs.record import ScoringInfo
    from earwitness.runs.rescore import rescore_record
    from earwitness.runs.store import find_records, read_run

    scoring = ScoringInfo(normalizer, compounds, cast("Method", method), alternatives)
    made = [rescore_record(path, scoring) for path in find_records(records)]
    if as_json:
        print_json([str(path) for path in made])
        return
    for path in made:
        run = read_run(path)
        console().print(f"{run.model.id} on {run.dataset.name}: WER {percent(run.score('wer'))}", markup=False)
        console().print(f"  {path}", markup=False)
