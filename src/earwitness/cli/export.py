"""``earwitness export``: pack records into one file, or write them for sclite."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from earwitness.api.transcribe import CueOptions
from earwitness.cli.common import AsJson, console, new_app, print_json, quote_command
from earwitness.cli.options import flag, takes
from earwitness.counts import quantity
from earwitness.options import options_of

app = new_app("Pack run records into one file for another machine, or write them for sclite.")


@app.command()
@takes(CueOptions)
def export(
    records: Annotated[
        list[Path], typer.Argument(metavar="RECORDS", help="Run records, or folders of them, such as runs/.")
    ],
    context: typer.Context,
    out: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Zip file to write, or folder of the files of --to.")
    ] = None,
    to: Annotated[
        list[str] | None,
        typer.Option(metavar="FORMAT", help="Write subtitles or texts: srt, vtt, tsv or txt; repeat for several."),
    ] = None,
    *,
    spec: CueOptions,
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
    sclite, and prints the command that runs it. --to writes the texts of each record as subtitles or plain texts, each
    clip into a file; no engine is needed. Examples:

        earwitness export runs --out records.zip

        earwitness export runs --sclite check/

        earwitness export runs --to srt --to txt --out subtitles/ --line-chars 37
    """
    from earwitness.errors import UsageError

    layout = options_of(CueOptions).keys() & quote_command(context)
    if layout and not to:
        raise UsageError(f"{flag(CueOptions, min(layout))} is about subtitles: it needs --to srt or --to vtt.")
    if to:
        if out is None or sclite is not None:
            raise UsageError("Subtitles go into a folder: earwitness export RECORDS --to srt --out subtitles/")
        left_out = _subtitles(records, out, to, spec, as_json=as_json)
    elif (out is None) == (sclite is None):
        raise UsageError("Give one of --out records.zip, or --sclite DIR for NIST's sclite.")
    else:
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


def _subtitles(
    records: list[Path], folder: Path, formats: list[str], spec: CueOptions, *, as_json: bool
) -> tuple[str, ...]:
    from earwitness.api.transcribe import export_subtitles

    layout = {name: getattr(spec, name) for name in options_of(CueOptions)}
    made = export_subtitles(records, folder, formats, **layout)
    if as_json:
        folders = {str(path): str(target) for path, target in made.folders.items()}
        print_json(
            {"folders": folders, "files": made.n_files, "failed": made.n_failed, "left_out": list(made.left_out)}
        )
        return made.left_out
    _note(made.left_out)
    for path, target in made.folders.items():
        console().print(f"{path}: {target}", markup=False, soft_wrap=True)
    failed = f"; {quantity(made.n_failed, 'clip')} without a text" if made.n_failed else ""
    console().print(f"{quantity(made.n_files, 'file')} written{failed}", markup=False)
    return made.left_out


def _note(left_out: tuple[str, ...]) -> None:
    for reason in left_out:
        console().print(f"Left out: {reason}", markup=False)
