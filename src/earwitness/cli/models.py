"""``earwitness models``: the catalog, and weights on this machine."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json

if TYPE_CHECKING:
    from earwitness.api.models import ModelStatus

app = new_app(
    "Models and their weights: list, show, pull, convert, remove.\n\n"
    "Example: earwitness models pull faster-whisper:base"
)
Ids = Annotated[list[str], typer.Argument(help="Model ids, such as faster-whisper:base.", metavar="MODEL")]


@app.command("list")
def list_(
    language: Annotated[
        str | None, typer.Option(metavar="TAG", help="Only models that know it, or many, such as de.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(metavar="DEVICE", help="Only engines that run on cpu, cuda, mps or tpu.")
    ] = None,
    license_: Annotated[
        str | None, typer.Option("--license", metavar="NAME", help="Only this licence; commercial: any that allows it.")
    ] = None,
    max_memory: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Only models whose worker is estimated to fit, such as 2GB.")
    ] = None,
    engine: Annotated[str | None, typer.Option(metavar="NAME", help="Only models of this engine.")] = None,
    reachable: Annotated[
        bool, typer.Option("--reachable", help="Only weights that are here or can be had from here; asks the hub.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List known models: where their weights are, and about how much memory each takes.

    For example:

    earwitness models list

    earwitness models list --language de --device mps --license commercial --max-memory 2GB
    """
    from rich.table import Table

    from earwitness.api.models import list_models

    rows = list_models(
        language=language,
        device=device,
        license=license_,
        max_memory=max_memory,
        engine=engine,
        reachable=reachable,
    )
    if as_json:
        print_json([_plain(row) for row in rows])
        return
    table = Table("Model", "Weights", "Memory", "Languages", "Licence", "What it is", box=None, pad_edge=False)
    for row in rows:
        model = row.model
        memory = f"{row.memory_bytes / 1e9:.1f} GB" if row.memory_bytes else ""
        table.add_row(model.id, _weights(row), memory, _languages(model.languages), model.license, model.summary)
    console().print(table)
    console().print(f"{len(rows)} models. Memory is estimated, on {device or 'cpu'}: the weights, and 0.5 GB.")
    if any(row.is_pinned is False and not row.here for row in rows):
        console().print("newest: no revision is pinned; the record names the one that was pulled.")


@app.command()
def show(
    model_id: Annotated[str, typer.Argument(metavar="MODEL", help="A model id.")], as_json: AsJson = False
) -> None:
    """Show everything that is known about a model. Example: earwitness models show faster-whisper:base."""
    from earwitness.api.models import model_status

    row = _plain(model_status(model_id))
    if as_json:
        print_json(row)
        return
    for key, value in row.items():
        lines = _lines(key, value)
        if lines:
            indented = ("\n" + 16 * " ").join(lines)
            console().print(f"{key:<15} {indented}", markup=False, soft_wrap=True)


@app.command()
def pull(ids: Ids, as_json: AsJson = False) -> None:
    """Download weights from the first source that works, check them and keep them.

    For example:

    earwitness models pull faster-whisper:tiny.en pocketsphinx:en-us
    """
    from earwitness.api.models import model_status
    from earwitness.api.models import pull as pull_weights

    screen = console(stderr=True)
    models = [model_status(model_id).model for model_id in ids]
    folders = pull_weights([model.id for model in models], progress=lambda text: screen.print(text, markup=False))
    if as_json:
        print_json({model_id: folder and str(folder) for model_id, folder in folders.items()})
        return
    for model in models:
        console().print(f"{model.id}: {folders[model.id] or 'needs no weights'} ({model.license})", markup=False)


@app.command()
def remove(ids: Ids, as_json: AsJson = False) -> None:
    """Remove downloaded weights. Example: earwitness models remove faster-whisper:base."""
    from earwitness.api.models import model_status
    from earwitness.api.models import remove as remove_weights

    removed = remove_weights([model_status(model_id).model.id for model_id in ids])
    if as_json:
        print_json(removed)
        return
    for name, was_there in removed.items():
        console().print(f"{name}: {'removed' if was_there else 'was not here'}", markup=False)


@app.command()
def convert(
    model_id: Annotated[str, typer.Argument(metavar="MODEL", help="A Whisper model in CTranslate2's format.")],
    to: Annotated[str, typer.Option(metavar="FORMAT", help="openai, huggingface, ggml or mlx.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to make.")],
    as_json: AsJson = False,
) -> None:
    """Convert a CTranslate2 Whisper model to another engine's format; missing weights are downloaded first.

    For example:

    earwitness models convert faster-whisper:base --to ggml --out base-ggml

    earwitness models convert faster-whisper:/data/my-whisper --to huggingface --out my-whisper-hf
    """
    from earwitness.api.models import convert as converted

    screen = console(stderr=True)
    converted(model_id, to, out, progress=lambda text: screen.print(text, markup=False))
    if as_json:
        print_json({"model": model_id, "format": to, "folder": str(out)})
        return
    console().print(f"{model_id} as {to}: {out}", markup=False)


def _lines(key: str, value: object) -> list[str]:
    """Return the lines that show a field; none for an empty field."""
    match key, value:
        case "files", list() | tuple():
            return [f"{one['name']}  {one['size_bytes']:,} bytes  sha256 {one['sha256']}" for one in value]
        case "parameters" | "size_bytes", int():
            return [f"{value:,}"]
        case "options", dict():
            return [f"{name} = {option!r}" for name, option in value.items()]
        case _, list() | tuple():
            return [str(one) for one in value]
        case _, bool():
            return ["yes" if value else "no"]
        case _:
            return [str(value)] if value not in (None, "") else []


def _plain(row: ModelStatus) -> dict[str, object]:
    values = {field.name: getattr(row, field.name) for field in fields(row)}
    return {**asdict(values.pop("model")), **values, "folder": row.folder and str(row.folder)}


def _weights(row: ModelStatus) -> str:
    if row.folder and row.size_bytes:
        return f"here, {row.size_bytes / 1e6:.0f} MB"
    return f"{row.origin}, newest" if row.is_pinned is False else row.origin


def _languages(tags: tuple[str, ...]) -> str:
    return ", ".join(tags) if len(tags) < 5 else f"{len(tags)} languages"
