"""``earwitness init``: a study file to begin with."""

from __future__ import annotations

from typing import Annotated

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json

app = new_app("Write a study file to begin with.")


@app.command()
def init(
    force: Annotated[bool, typer.Option("--force", help="Write over the file that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write earwitness.toml into this folder, every key explained, with models that can be run here.

    It can be run as it stands, on the built-in sample. Examples:

        earwitness init

        earwitness run
    """
    from earwitness.api.init import init as begin

    made = begin(force=force)
    if as_json:
        print_json({"study": str(made.study), "models": list(made.models)})
        return
    models = ", ".join(made.models)
    console().print(f"{made.study}: {models} on the built-in sample. Do it: earwitness run", markup=False)
