"""``earwitness bundle``: data and study in one file, for a machine that is borrowed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from earwitness.cli import options
from earwitness.cli.common import AsJson, console, new_app, print_json

app = new_app("Pack data and study in one file, for another machine.")


@app.command()
def bundle(
    sources: Annotated[list[str], typer.Argument(help="Corpora, manifests or folders.", metavar="DATA...")],
    out: Annotated[Path, typer.Option(help="The zip file to make.")],
    model: options.Models = None,
    device: options.Device = "auto",
    preset: options.Preset = "matched",
    set_: options.Assignments = None,
    limit: options.Limit = None,
    tag: options.Tags = None,
    language: options.Language = None,
    channel: options.Channel = None,
    condition: options.Conditions = None,
    no_clean: options.NoClean = False,
    normalizer: options.Normalizer = "auto",
    compounds: options.Compounds = False,
    method: options.Method = "levenshtein",
    alternatives: options.Alternatives = False,
    warmup: options.Warmup = 1,
    timeout: options.Timeout = 120,
    as_json: AsJson = False,
) -> None:
    """Pack the audio, the references and the study, with the sha256 of everything.

    Wherever the bundle is opened, its data has the same sha256, so that records from there compare with records from
    here. The engines and weights are not in it. Example:

        earwitness bundle telephony-en --limit 60 --model faster-whisper:base --out study.zip

        earwitness run study.zip
    """
    from earwitness.cli.jobs import packable
    from earwitness.cli.study import study_of
    from earwitness.data import bundle as bundles

    request = options.request(
        sources=sources, models=model, device=device, preset=preset, assignments=set_, limit=limit, tags=tag,
        language=language, channel=channel, conditions=condition, clean=not no_clean, normalizer=normalizer,
        compounds=compounds, method=method, alternatives=alternatives, warmup=warmup, timeout_s=timeout,
    )  # fmt: skip
    made = bundles.pack(packable(request), study_of(request), out)
    if as_json:
        print_json({"bundle": str(out), "size_bytes": out.stat().st_size, **asdict(made)})
        return
    from earwitness.report.format import duration, number

    for dataset in made.datasets:
        length = f"{dataset.n_clips} clips, {duration(dataset.audio_s)}"
        console().print(f"{dataset.name}: {length}, sha256 {dataset.sha256[:16]}", markup=False)
    models = ", ".join(made.study.models) or "no models: name them where it is run"
    console().print(f"{models}\n{out}: {number(out.stat().st_size / 1e6)} MB", markup=False)
