"""``earwitness notebook``: the study as a notebook for a borrowed machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from earwitness.api.run import RunSpec
from earwitness.cli.common import AsJson, console, new_app, print_json, quote_command
from earwitness.cli.options import takes

app = new_app("Write a notebook that runs the study on a borrowed machine.")


@app.command()
@takes(RunSpec, "models", "device", "preset", "settings", "limit", "tags")
def notebook(
    context: typer.Context,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Notebook to write, such as study.ipynb.")],
    data: Annotated[
        list[str],
        typer.Option("--data", "-d", metavar="DATA", help="sample, a corpus or a bundle; repeat for several."),
    ],
    spec: RunSpec,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE",
            help="What the notebook installs: 'index' for this version, a git+https address, or a wheel. "
            "Default: the commit of this checkout, or 'index' if it has no public address.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a notebook for Colab (GPU, TPU or CPU) or any Jupyter.

    It installs Earwitness, gets the data, finds the device, runs the study, shows table and plots, and packs the
    records for 'earwitness import'. Put your own recordings into a bundle. Examples:

        earwitness notebook --model faster-whisper:base --data telephony-en --limit 60 --out study.ipynb

        earwitness notebook --data study.zip --device cuda --out study.ipynb
    """
    from earwitness.api.bundle import notebook as written

    made = written(
        data,
        spec.models,
        out=out,
        device=spec.device if "device" in quote_command(context) else None,
        preset=spec.preset,
        settings=spec.settings,
        limit=spec.limit,
        tags=spec.tags,
        source=source,
    )
    if made.left_behind:
        console(stderr=True).print(made.left_behind, markup=False)
    if as_json:
        found = {"models": list(made.models), "data": list(made.data), "installs": made.installs}
        print_json({"notebook": str(out), **found})
        return
    console().print(f"{out}: installs {made.installs}", markup=False)
    for name in made.data:
        if name.endswith(".zip"):
            console().print(f"Upload {name} with it.", markup=False)
