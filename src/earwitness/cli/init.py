"""``earwitness init``: a study file to start from."""

from __future__ import annotations

from typing import Annotated

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json

app = new_app("Write a study file to start from.")


@app.command()
def init(
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write earwitness.toml into this folder, with every key explained and models that this machine can run.

    You can run it unchanged, on the built-in sample. Examples:

        earwitness init

        earwitness run
    """
    from earwitness.api.init import init as begin

    made = begin(force=force)
    if as_json:
        print_json({"study": str(made.study), "models": list(made.models)})
        return
    models = ", ".join(made.models)
    console().print(f"{made.study}: {models} on the built-in sample. Next: earwitness run", markup=False)
