"""``earwitness plan``: how much more audio a question takes."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json

app = new_app("How much more audio would separate models, or narrow an interval.")


@app.command()
def plan(
    records: Annotated[list[Path], typer.Argument(help="Records over the same data, or folders that hold some.")],
    width: Annotated[
        float, typer.Option(min=0.0001, max=1.0, help="Wished width of the WER's interval; 0.02 is two points.")
    ] = 0.02,
    cluster: Annotated[str, typer.Option(help="What varies: recording or speaker.")] = "recording",
    as_json: AsJson = False,
) -> None:
    """Say how many more minutes of recordings like these would tell each pair of models apart, and narrow each WER.

    Told apart means: with a chance of 80 %, at 5 % over all pairs. Example:

        earwitness plan runs/ --width 0.02
    """
    from earwitness.cli.analyze import cluster_name
    from earwitness.compare.select import selected
    from earwitness.compare.ties import ranked, shared_counts
    from earwitness.report.format import duration, percent
    from earwitness.report.statistics import pair_sentence, width_sentence
    from earwitness.runs.store import find_records
    from earwitness.scoring.power import narrow

    by = cluster_name(cluster)
    runs = selected(find_records(records))
    results = {run.label: run.results for run in runs}
    counts, lengths, clusters, audio_s = shared_counts(results, by)
    widths = {
        label: narrow(errors, lengths, clusters, audio_s=audio_s, width=width) for label, errors in counts.items()
    }
    pairs = ranked(results, by=by).pairs if len(runs) > 1 else ()
    if as_json:
        print_json(
            {
                "audio_s": audio_s,
                "n_clusters": len(set(clusters)),
                "width": {label: asdict(found) for label, found in widths.items()},
                "pairs": [asdict(pair) for pair in pairs],
            }
        )
        return
    screen = console()
    screen.print(f"{duration(audio_s)} of labelled audio in {len(set(clusters))} {by}s", markup=False)
    for run in runs:
        sentence = width_sentence(widths[run.label])
        screen.print(f"{run.label}: WER {percent(run.run.score('wer'))}. {sentence}.", markup=False)
    for pair in pairs:
        screen.print(f"{pair_sentence(pair)}.", markup=False)
