"""``earwitness demo``: all steps, from download to report, on the data that this machine can get."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json

app = new_app("All steps: pull, run, compare, decide, report.")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the records and the scorecard.")] = Path("runs"),
    sample_only: Annotated[
        bool, typer.Option("--sample-only", help="Use only the built-in, synthetic sample.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare real models on the built-in sample and, if they can be downloaded, on recordings of people.

    If a download fails, the demo says so and continues without it. Example:

        earwitness demo --sample-only
    """
    from earwitness.api.demo import demo as story
    from earwitness.cli.compare import plain, show
    from earwitness.cli.run import Bars
    from earwitness.reports.decision import answer

    with Bars(quiet=as_json) as bars:
        result = story(out=out, sample_only=sample_only, events=bars)
    if as_json:
        print_json(
            {
                **plain(result.comparison),
                "scorecard": str(result.scorecard),
                "decision": str(result.decision_file),
                "chosen": result.decision.chosen,
                "report": result.report and str(result.report),
            }
        )
        return
    show(result.comparison)
    console().print(answer(result.decision), markup=False, style="bold", soft_wrap=True)
    files = {
        "The scorecard": result.scorecard,
        "The decision": result.decision_file,
        "The report": result.report,
        "The records": f"{out}/<model>/asr/",
    }
    for what, where in files.items():
        if where is not None:
            console().print(f"{what + ':':<15}{where}", markup=False, soft_wrap=True)
