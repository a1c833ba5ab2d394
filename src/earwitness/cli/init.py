"""``earwitness init``: a study file to begin with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json

app = new_app("Write a study file to begin with.")
_FEW = 3
# Without weights, and plainly no models: they show the way.
_SCRIPTED = ("fake:echo", "fake:chat")


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
    from importlib.resources import files

    from earwitness.engines.catalog import USER_FILE
    from earwitness.errors import UsageError
    from earwitness.runs.store import write_text

    path = Path(USER_FILE)
    if path.exists() and not force:
        raise UsageError(f"{USER_FILE!r} is here already. To lose it for a new one, run: earwitness init --force")
    models = present() or _SCRIPTED
    text = files("earwitness.cli").joinpath("study.toml").read_text(encoding="utf-8")
    write_text(path, text.replace("@MODELS@", json.dumps(list(models))))
    if as_json:
        print_json({"study": str(path), "models": list(models)})
        return
    console().print(f"{path}: {', '.join(models)} on the built-in sample. Do it: earwitness run", markup=False)


def present() -> tuple[str, ...]:
    """Return a few models that know English, whose engine and weights are here: the smallest first."""
    from earwitness import weights
    from earwitness.engines.catalog import models
    from earwitness.engines.registry import get_engine
    from earwitness.errors import EarwitnessError
    from earwitness.workers.environments import python_of

    found = []
    for model in models():
        try:
            # A row without sources is a server or a program: it may cost something, or not be there.
            if model.sources and {"*", "en"} & set(model.languages) and weights.locate(model):
                python_of(get_engine(model.engine).spec)
                found.append(model)
        except EarwitnessError:
            continue
    found.sort(key=lambda model: (model.parameters or 0, model.id))
    return tuple(model.id for model in found[:_FEW])
