"""``earwitness bundle``: pack data and study into one file for another machine."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from earwitness.api.run import RunSpec
from earwitness.cli.common import AsJson, console, new_app, print_json
from earwitness.cli.options import takes
from earwitness.counts import duration, number, quantity
from earwitness.options import options_of

app = new_app("Pack data and study into one file for another machine.")


@app.command()
@takes(RunSpec, *(name for name in options_of(RunSpec) if name != "shard"))
def bundle(
    sources: Annotated[list[str], typer.Argument(help="Corpora, manifests or folders.", metavar="DATA")],
    spec: RunSpec,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Zip file to write.")],
    as_json: AsJson = False,
) -> None:
    """Pack the audio, the references and the study into one file, with the sha256 of everything.

    The data keeps its sha256 on every machine, so records from there can be compared with records from here. The
    bundle does not contain engines or weights. Example:

        earwitness bundle telephony-en --limit 60 --model faster-whisper:base --out study.zip

        earwitness run study.zip
    """
    from earwitness.api.bundle import bundle_study

    made = bundle_study(replace(spec, sources=tuple(sources)), out)
    if as_json:
        print_json({"bundle": str(out), "size_bytes": out.stat().st_size, **asdict(made)})
        return
    for dataset in made.datasets:
        length = f"{quantity(dataset.n_clips, 'clip')}, {duration(dataset.audio_s)}"
        console().print(f"{dataset.name}: {length}, sha256 {dataset.sha256[:16]}", markup=False)
    models = ", ".join(made.study["models"]) or "no models: name them when you run the bundle"
    console().print(f"{models}\n{out}: {number(out.stat().st_size / 1e6)} MB", markup=False)
