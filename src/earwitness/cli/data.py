"""``earwitness data``: datasets on this machine."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json, progress

app = new_app("Datasets: list, pull, check, show, join.\n\nExample: earwitness data pull telephony-en")
Source = Annotated[str, typer.Argument(metavar="DATA", help="A corpus, a manifest, a folder or an audio file.")]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the built-in sample, corpora that can be pulled, joined recordings. Example: earwitness data list."""
    from rich.table import Table

    rows = _known()
    if as_json:
        print_json(rows)
        return
    table = Table("Data", "Here", "Minutes", "Language", "Licence", "What it is", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(str(row[key]) for key in ("name", "here", "minutes", "language", "license", "title")))
    console().print(table)


@app.command()
def pull(
    names: Annotated[list[str], typer.Argument(metavar="CORPUS...", help="Such as telephony-en.")],
    as_json: AsJson = False,
) -> None:
    """Get corpora of real speech into the cache; no root is needed.

    For example:

    earwitness data pull librivox-mini telephony-en
    """
    from earwitness.data import corpora

    screen = console(stderr=True)
    folders = {name: corpora.pull(name, lambda text: screen.print(text, markup=False)) for name in names}
    if as_json:
        print_json({name: str(folder) for name, folder in folders.items()})
        return
    for name, folder in folders.items():
        corpus = corpora.CORPORA[name]
        console().print(f"{name}: {folder}\n  {corpus.license}; {corpus.attribution}", markup=False)


@app.command()
def remove(names: Annotated[list[str], typer.Argument(metavar="CORPUS...")], as_json: AsJson = False) -> None:
    """Remove pulled corpora. Example: earwitness data remove telephony-ru."""
    from earwitness.data import corpora

    removed = {name: corpora.remove(name) for name in names}
    if as_json:
        print_json(removed)
        return
    for name, was_there in removed.items():
        console().print(f"{name}: {'removed' if was_there else 'was not here'}", markup=False)


@app.command()
def check(
    source: Source,
    deep: Annotated[bool, typer.Option("--deep", help="Decode every clip.")] = False,
    format_: Annotated[str | None, typer.Option("--format", help="Say what it is, when it is not found out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say everything that is wrong with a dataset; exit 1 when there are errors.

    For example:

    earwitness data check my-recordings/ --deep
    """
    from earwitness import data

    with progress("checking", quiet=as_json) as report:
        findings = data.check(source, deep=deep, format=format_, report=report)
    errors = sum(finding.severity == "error" for finding in findings)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            clip = f" {finding.clip_id}:" if finding.clip_id else ""
            console().print(f"{finding.severity}:{clip} {finding.message} ({finding.where})", markup=False)
        console().print(f"{errors} errors, {len(findings) - errors} warnings")
    if errors:
        raise typer.Exit(1)


@app.command()
def show(
    source: Source,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N clips.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Show a dataset's clips as Earwitness understands them. Example: earwitness data show sample."""
    from earwitness import data
    from earwitness.report.format import duration

    dataset = data.load(source)
    if as_json:
        print_json({**asdict(dataset), "clips": [asdict(clip) for clip in dataset.clips[:limit]]})
        return
    synthetic = ", synthetic speech" if dataset.synthetic else ""
    console().print(f"{dataset.name}: {len(dataset.clips)} clips, {duration(dataset.audio_s)}{synthetic}", markup=False)
    console().print(f"licence: {dataset.license or 'unknown'}, sha256 {dataset.sha256}", markup=False)
    for clip in dataset.clips[:limit]:
        said = "(unlabelled)" if clip.reference is None else clip.reference or "(silence)"
        console().print(f"  {clip.id}  {clip.duration_s:.2f} s  {clip.language or '?'}  {said}", markup=False)


@app.command()
def join(
    source: Source,
    seconds: Annotated[float, typer.Option(min=1, help="How long the recording may be.")],
    seed: Annotated[int, typer.Option(help="Of the order of the clips.")] = 0,
    gap: Annotated[float, typer.Option(min=0, help="Seconds of silence between clips.")] = 0.5,
    out: Annotated[Path | None, typer.Option(help="Folder to make; the default is in the cache, under a name.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make one long recording out of clips, with its exact reference and the clips' boundaries.

    For example:

    earwitness data join telephony-en --seconds 163
    """
    from earwitness import data

    folder = data.join(data.load(source), seconds, seed=seed, gap_s=gap, out=out)
    made = data.load(folder)
    if as_json:
        print_json({"name": made.name, "folder": str(folder), "audio_s": made.audio_s, "sha256": made.sha256})
        return
    console().print(f"{made.name}: {made.audio_s:.1f} s, {folder}", markup=False)


def _known() -> list[dict[str, Any]]:
    from earwitness import data
    from earwitness.data.corpora import CORPORA
    from earwitness.data.load import SAMPLE
    from earwitness.fetch import cache_dir

    sample = data.load(SAMPLE)
    first = {"name": SAMPLE, "here": "yes", "minutes": round(sample.audio_s / 60, 1), "language": "en"}
    rows: list[dict[str, Any]] = [{**first, "license": sample.license, "title": "built in; synthetic speech"}]
    for corpus in CORPORA.values():
        there = (cache_dir() / "corpora" / corpus.name / "manifest.jsonl").exists()
        rows.append(
            {
                "name": corpus.name,
                "here": "yes" if there else "",
                "minutes": corpus.minutes,
                "language": corpus.language,
                "license": corpus.license,
                "title": corpus.title,
            }
        )
    for folder in sorted((cache_dir() / "joined").glob("*/manifest.jsonl")):
        joined = data.load(folder.parent)
        row = {"name": joined.name, "here": "yes", "minutes": round(joined.audio_s / 60, 1)}
        rows.append({**row, "language": joined.clips[0].language or "", "license": joined.license, "title": "joined"})
    return rows
