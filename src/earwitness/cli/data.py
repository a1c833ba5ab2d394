"""``earwitness data``: datasets on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earwitness.api.run import RunSpec
from earwitness.cli.common import AsJson, console, new_app, print_json, progress
from earwitness.cli.options import takes
from earwitness.counts import duration, quantity

if TYPE_CHECKING:
    from earwitness.data import DataProblem

_SHOWN_EACH = 3
app = new_app("Datasets: list, pull, remove, check, show, join.\n\nExample: earwitness data pull telephony-en")
SourceOption = Annotated[str, typer.Argument(metavar="DATA", help="A corpus, a manifest, a folder or an audio file.")]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the built-in sample, corpora to download, and joined recordings. Example: earwitness data list."""
    from rich.table import Table

    from earwitness.api.data import list_data

    rows = list_data()
    if as_json:
        print_json([{**asdict(row), "here": "yes" if row.here else ""} for row in rows])
        return
    table = Table("Data", "Here", "Minutes", "Language", "Licence", "What it is", box=None, pad_edge=False)
    for row in rows:
        here = "yes" if row.here else ""
        table.add_row(row.name, here, f"{row.minutes:g}", row.language, row.license, row.title)
    console().print(table)


@app.command()
def pull(
    names: Annotated[list[str], typer.Argument(metavar="CORPUS", help="Corpora, such as telephony-en.")],
    as_json: AsJson = False,
) -> None:
    """Download corpora of real speech into the cache; root rights are not needed.

    For example:

    earwitness data pull librivox-mini telephony-en
    """
    from earwitness.api.data import list_data, pull_corpora

    screen = console(stderr=True)
    folders = pull_corpora(names, lambda text: screen.print(text, markup=False))
    if as_json:
        print_json({name: str(folder) for name, folder in folders.items()})
        return
    about = {row.name: row for row in list_data()}
    for name, folder in folders.items():
        corpus = about[name]
        console().print(f"{name}: {folder}\n  {corpus.license}; {corpus.attribution}", markup=False)


@app.command()
def remove(names: Annotated[list[str], typer.Argument(metavar="CORPUS")], as_json: AsJson = False) -> None:
    """Remove downloaded corpora. Example: earwitness data remove telephony-ru."""
    from earwitness.api.data import remove_corpora

    removed = remove_corpora(names)
    if as_json:
        print_json(removed)
        return
    for name, was_there in removed.items():
        console().print(f"{name}: {'removed' if was_there else 'was not here'}", markup=False)


@app.command()
@takes(RunSpec, "columns")
def check(
    source: SourceOption,
    deep: Annotated[bool, typer.Option("--deep", help="Decode every clip.")] = False,
    runs: Annotated[
        list[Path] | None,
        typer.Option(
            "--runs", metavar="RECORDS", help="Also check with these runs that the references belong to the audio."
        ),
    ] = None,
    *,
    spec: RunSpec,
    format_: Annotated[
        str | None, typer.Option("--format", metavar="FORMAT", help="Format of the data; default: as detected.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Print each finding, not one line for similar ones.")] = False,
    as_json: AsJson = False,
) -> None:
    """Report everything that is wrong with a dataset; exit 1 if there are errors.

    For example:

    earwitness data check my-recordings/ --deep
    """
    from earwitness.api.data import alike
    from earwitness.api.data import check as find_problems

    with progress("checking", quiet=as_json) as on_progress:
        findings = find_problems(
            source, deep=deep, columns=spec.columns, format=format_, runs=runs or (), progress=on_progress
        )
    errors = sum(finding.severity == "error" for finding in findings)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        groups = [[finding] for finding in findings] if every else alike(findings)
        for group in groups:
            for line in _lines(group):
                console().print(line, markup=False, soft_wrap=True)
        warnings = len(findings) - errors
        _show_labels(source, spec.columns)
        shorter = "; --all prints each" if len(groups) < len(findings) else ""
        console().print(
            f"{errors} error{'s' * (errors != 1)}, {warnings} warning{'s' * (warnings != 1)}{shorter}", markup=False
        )
    if errors:
        raise typer.Exit(1)


def _show_labels(source: str, columns: Mapping[str, str]) -> None:
    from earwitness.api.label_exchange import label_status
    from earwitness.errors import DataError, RecordError

    try:
        status = label_status(source, columns=columns)
    except (DataError, RecordError):
        return  # a finding says so
    if status is not None:
        people = quantity(status.n_authors, "person", "people")
        line = f"labels: {status.n_labels} of {quantity(status.n_clips, 'clip')}, by {people} ({status.overlay})"
        console().print(line, markup=False, soft_wrap=True)


def _lines(group: Sequence[DataProblem]) -> list[str]:
    """Return a line for each of a few findings, and one line for many that are alike."""
    if len(group) <= _SHOWN_EACH:
        clips = ((finding, f" {finding.clip_id}:" if finding.clip_id else "") for finding in group)
        return [f"{finding.severity}:{clip} {finding.message} ({finding.where})" for finding, clip in clips]
    first = group[0]
    same = all(finding.message == first.message for finding in group)
    places = ", ".join(finding.where for finding in group[:_SHOWN_EACH])
    what = first.message if same else f"such as: {first.message}"
    return [f"{first.severity}: {len(group)} times: {what} ({places} and {len(group) - _SHOWN_EACH} more)"]


@app.command()
@takes(RunSpec, "columns")
def show(
    source: SourceOption,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Show only the first N clips.")] = 10,
    *,
    spec: RunSpec,
    as_json: AsJson = False,
) -> None:
    """Show the clips of a dataset as Earwitness reads them. Example: earwitness data show sample."""
    from earwitness.api.data import read_data

    dataset = read_data(source, columns=spec.columns)
    if as_json:
        print_json({**asdict(dataset), "clips": [asdict(clip) for clip in dataset.clips[:limit]]})
        return
    synthetic = ", synthetic speech" if dataset.synthetic else ""
    console().print(f"{dataset.name}: {len(dataset.clips)} clips, {duration(dataset.audio_s)}{synthetic}", markup=False)
    console().print(f"licence: {dataset.license or 'unknown'}, sha256 {dataset.sha256}", markup=False)
    for remark in dataset.remarks:
        console().print(f"note: {remark}", markup=False)
    for clip in dataset.clips[:limit]:
        said = "(unlabelled)" if clip.reference is None else clip.reference or "(silence)"
        channel = "" if clip.channel is None else f"  channel {clip.channel}"
        line = f"  {clip.id}  {clip.duration_s:.2f} s{channel}  {clip.language or '?'}  {said}"
        console().print(line, markup=False)


@app.command()
@takes(RunSpec, "columns")
def join(
    source: SourceOption,
    seconds: Annotated[float, typer.Option(min=1, metavar="SECONDS", help="Maximum length of the recording.")],
    seed: Annotated[int, typer.Option(metavar="N", help="Random seed of the order of clips.")] = 0,
    gap: Annotated[float, typer.Option(min=0, metavar="SECONDS", help="Silence between clips.")] = 0.5,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder to make; default: a named one in the cache.")
    ] = None,
    *,
    spec: RunSpec,
    as_json: AsJson = False,
) -> None:
    """Join clips into one long recording, with its exact reference and the boundaries of the clips.

    For example:

    earwitness data join telephony-en --seconds 163
    """
    from earwitness.api.data import join as join_clips

    dataset = join_clips(source, seconds, seed=seed, gap=gap, out=out, columns=spec.columns)
    if as_json:
        print_json(
            {"name": dataset.name, "folder": dataset.source, "audio_s": dataset.audio_s, "sha256": dataset.sha256}
        )
        return
    console().print(f"{dataset.name}: {dataset.audio_s:.1f} s, {dataset.source}", markup=False)
