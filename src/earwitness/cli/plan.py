"""``earwitness plan``: how much more audio would answer a question."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json
from earwitness.counts import duration, percent, quantity

app = new_app("How much more audio would separate models, or narrow an interval.")


@app.command()
def plan(
    records: Annotated[
        list[Path], typer.Argument(metavar="RECORDS", help="Run records over the same data, or folders of them.")
    ],
    width: Annotated[
        float,
        typer.Option(min=0.0001, max=1.0, metavar="RATIO", help="Target width of WER's interval; 0.02 is two points."),
    ] = 0.02,
    cluster: Annotated[str, typer.Option(metavar="UNIT", help="Independent unit: recording or speaker.")] = "recording",
    as_json: AsJson = False,
) -> None:
    """Estimate how many more minutes of recordings like these would separate each pair of models and narrow each WER.

    With so much audio, the test finds the difference in 80 % of cases, at a level of 5 % over all pairs. Example:

        earwitness plan runs/ --width 0.02
    """
    from earwitness.api.compare import plan as needed
    from earwitness.reports.statistics import pair_sentence, width_sentence

    found = needed(records, width=width, cluster=cluster)
    if as_json:
        print_json(asdict(found))
        return
    screen = console()
    screen.print(f"{duration(found.audio_s)} of labelled audio in {quantity(found.n_clusters, cluster)}", markup=False)
    for label, wer in found.wer.items():
        screen.print(f"{label}: WER {percent(wer)}. {width_sentence(found.width[label], found.target)}.", markup=False)
    for pair in found.pairs:
        screen.print(f"{pair_sentence(pair)}.", markup=False)
