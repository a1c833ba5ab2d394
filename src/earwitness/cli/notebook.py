"""``earwitness notebook``: the study as a notebook, for a machine that is borrowed."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earwitness.cli import options
from earwitness.cli.common import AsJson, console, new_app, print_json, typed

if TYPE_CHECKING:
    from earwitness.data.study import Study

app = new_app("Write a notebook that makes the study on a borrowed machine.")
INDEX = "index"


@app.command()
def notebook(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="The notebook to make, such as study.ipynb.")],
    data: Annotated[list[str], typer.Option("--data", "-d", help="sample, a corpus or a bundle; may be given again.")],
    model: options.Models = None,
    device: options.Device = "auto",
    preset: options.Preset = "matched",
    set_: options.Assignments = None,
    limit: options.Limit = None,
    tag: options.Tags = None,
    source: Annotated[
        str | None,
        typer.Option(
            help="What the notebook installs: 'index' for this version, a git+https address, or a wheel. "
            "The default is this checkout's commit, or 'index' where it has no public address."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a notebook for Colab (GPU, TPU or CPU) or any Jupyter.

    It installs Earwitness, gets the data, finds the device, runs the study, shows table and plots, and packs the
    records for 'earwitness import'. Recordings of your own go in a bundle. Examples:

        earwitness notebook --model faster-whisper:base --data telephony-en --limit 60 --out study.ipynb

        earwitness notebook --data study.zip --device cuda --out study.ipynb
    """
    from earwitness.report.notebook import Plan
    from earwitness.report.notebook import notebook as written
    from earwitness.runs.store import write_text

    places, study = _data(data)
    models = tuple(model or study.models)
    if "device" not in typed(context):
        device = study.device
    extras, engines = _engines(models, device)
    more = _words(preset=None if preset == "matched" else preset, set=set_, limit=limit, tag=tag)
    asked = _words(model=model, data=places, device=device if device != study.device else None)
    asked = ["earwitness", "notebook", *asked, *more, *_words(source=source, out=out.name)]
    plan = Plan(
        models=models,
        data=places,
        source=_source(source),
        command=shlex.join(asked),
        device=device,
        options=tuple(more),
        extras=extras,
        engines=engines,
    )
    write_text(out, written(plan))
    if as_json:
        print_json({"notebook": str(out), "models": list(models), "data": list(places), "installs": plan.source})
        return
    console().print(f"{out}: installs {plan.source}", markup=False)
    for name in places:
        if name.endswith(".zip"):
            console().print(f"Upload {name} with it.", markup=False)


def _words(**options_: str | int | Sequence[str] | None) -> list[str]:
    """Options as words of a command line; one that is ``None`` is left out, a list is the option several times."""
    words: list[str] = []
    for name, value in options_.items():
        values = [str(value)] if isinstance(value, str | int) else value or ()
        words += [word for text in values for word in (f"--{name}", text)]
    return words


def _data(sources: Sequence[str]) -> tuple[tuple[str, ...], Study]:
    from earwitness.data import bundle
    from earwitness.data.corpora import CORPORA
    from earwitness.data.load import SAMPLE
    from earwitness.data.study import Study
    from earwitness.errors import UsageError

    places: list[str] = []
    studies: list[Study] = []
    for source in sources:
        found = bundle.split(source)
        if found is not None and not found[1]:
            studies.append(bundle.read(found[0]).study)
            places.append(found[0].name)
        elif source == SAMPLE or source in CORPORA:
            places.append(source)
        else:
            raise UsageError(
                f"Data {source!r} is of this machine alone. Pack it first: earwitness bundle {source} --out study.zip"
            )
    if len(set(studies)) > 1:
        raise UsageError("The bundles have different studies. Write a notebook for each.")
    return tuple(places), studies[0] if studies else Study()


def _engines(models: Sequence[str], device: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    from importlib.metadata import metadata

    from earwitness.engines.catalog import find
    from earwitness.engines.devices import ANYWHERE, require_device
    from earwitness.engines.registry import get_engine
    from earwitness.errors import UsageError

    if not models:
        raise UsageError("Name a model with --model, such as faster-whisper:tiny.en. See: earwitness models list")
    offered = set(metadata("earwitness").get_all("Provides-Extra") or ())
    found = [find(name) for name in models]
    for row in found:
        if any(place.startswith("path:") for place in row.sources):
            raise UsageError(
                f"The weights of {row.id!r} are a folder of this machine. Name a model that can be pulled."
            )
    specs = {row.engine: get_engine(row.engine).spec for row in found}
    for spec in specs.values():
        require_device(spec, device, ANYWHERE)
    needed = [name for name, spec in specs.items() if spec.imports]
    return tuple(n for n in needed if n in offered), tuple(n for n in needed if n not in offered)


def _source(asked: str | None) -> str:
    from earwitness import __version__
    from earwitness.runs.environment import environment, published_at

    here = environment()
    address = published_at() if asked is None else None
    if address is None:
        return asked if asked not in (None, INDEX) else f"earwitness=={__version__}"
    if here.dirty:
        note = f"This checkout has changes; the notebook installs its commit, {here.revision}, without them."
        console(stderr=True).print(note, markup=False)
    return f"git+{address}@{here.revision}"
