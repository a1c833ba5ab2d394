"""``earwitness rescore``: score the same texts in another way."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from earwitness.api.run import RunSpec
from earwitness.cli.common import AsJson, console, new_app, print_json
from earwitness.cli.options import takes
from earwitness.counts import percent

app = new_app("Score a record's texts again, without engine or audio.")


@app.command()
@takes(RunSpec, "normalizer", "compounds", "align", "alternatives", "numbers", "spellings")
def rescore(
    records: Annotated[list[Path], typer.Argument(metavar="RECORDS", help="Run records, or folders of them.")],
    spec: RunSpec,
    as_json: AsJson = False,
) -> None:
    """Write a new record beside each old one: the same texts with another scoring.

    The new record names the old one as its parent. The old one stays unchanged. Example:

        earwitness rescore runs/ --normalizer basic
    """
    from earwitness.api.score import rescore as rescored

    made = rescored(
        records, normalizer=spec.normalizer, compounds=spec.compounds, align=spec.align,
        alternatives=spec.alternatives, numbers=spec.numbers, spellings=spec.spellings,
    )  # fmt: skip
    if as_json:
        print_json([str(record.path) for record in made])
        return
    for record in made:
        run = record.run
        console().print(f"{run.model.id} on {run.dataset.name}: WER {percent(run.score('wer'))}", markup=False)
        console().print(f"  {record.path}", markup=False)
