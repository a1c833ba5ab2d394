"""``earwitness export``: pack records into one file, or write them for sclite."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json
from earwitness.counts import quantity

app = new_app("Pack run records into one file for another machine, or write them for sclite.")


@app.command()
def export(
    records: Annotated[
        list[Path], typer.Argument(metavar="RECORDS", help="Run records, or folders of them, such as runs/.")
    ],
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Zip file to write.")] = None,
    sclite: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write the normalized words as files for sclite: trn, and stm and ctm if there are times.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Pack every complete record with its texts; exit 1 if one had to be left out.

    The zip file has references and texts, but no audio. --sclite writes the normalized words of each record for NIST's
    sclite, and prints the command that runs it. Examples:

        earwitness export runs --out records.zip

        earwitness export runs --sclite check/
    """
    from earwitness.errors import UsageError

    if (out is None) == (sclite is None):
        raise UsageError("Give one of --out records.zip, or --sclite DIR for NIST's sclite.")
    left_out = _pack(records, out, as_json=as_json) if out else _write(records, sclite or Path(), as_json=as_json)
    if left_out:
        raise typer.Exit(1)


def _pack(records: list[Path], out: Path, *, as_json: bool) -> tuple[str, ...]:
    from earwitness.api.data import export as exported

    made = exported(records, out)
    if as_json:
        print_json({"zip": str(out), "records": [str(path) for path in made.records], "left_out": list(made.left_out)})
        return made.left_out
    _note(made.left_out)
    console().print(f"{quantity(len(made.records), 'record')}: {out}", markup=False)
    return made.left_out


def _write(records: list[Path], folder: Path, *, as_json: bool) -> tuple[str, ...]:
    from earwitness.api.data import export_sclite
    from earwitness.cli.sclite import lines, plain

    made = export_sclite(records, folder)
    if as_json:
        rows = [{"record": str(path), **plain(files)} for path, files in made.files.items()]
        print_json({"sclite": rows, "left_out": list(made.left_out)})
        return made.left_out
    _note(made.left_out)
    for path, files in made.files.items():
        console().print(f"{path}:", markup=False, soft_wrap=True)
        for line in lines(files):
            console().print(f"  {line}", markup=False, soft_wrap=True)
    return made.left_out


def _note(left_out: tuple[str, ...]) -> None:
    for reason in left_out:
        console().print(f"Left out: {reason}", markup=False)
