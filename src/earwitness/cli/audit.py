"""``earwitness audit``: references that are probably wrong."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earwitness.api.run import RunSpec
from earwitness.cli.common import AsJson, console, new_app, print_json, progress
from earwitness.cli.options import takes
from earwitness.counts import NOTHING, percent, percentage, quantity

if TYPE_CHECKING:
    from rich.table import Table

    from earwitness.labels.audit import Audit, ModelAudit

app = new_app("Audit the references of a dataset.")
_KINDS = {
    "duplicate": "same audio, other text",
    "row_shift": "text off by rows",
    "swap": "text of another clip",
    "wrong_audio": "other text",
    "cut_reference": "reference cut short",
    "cut_audio": "audio cut short",
    "language": "another language",
    "pace": "impossible pace",
}


@app.command()
@takes(RunSpec, "columns")
def audit(
    source: Annotated[str, typer.Argument(metavar="DATA", help="A corpus, a manifest or a folder, with references.")],
    runs: Annotated[
        list[Path] | None, typer.Option("--runs", metavar="RECORDS", help="Run records, or folders; default: runs/.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Also write all suspects to this .csv or .jsonl.")
    ] = None,
    order: Annotated[
        Path | None,
        typer.Option("--order", metavar="FILE", help="Also write the order in which to check clips, a label plan."),
    ] = None,
    overlay: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Labels for corrected WER; default: those that belong to DATA.")
    ] = None,
    most: Annotated[
        int, typer.Option("--show", min=0, metavar="N", help="How many suspects of each kind to print.")
    ] = 10,
    *,
    spec: RunSpec,
    as_json: AsJson = False,
) -> None:
    """Find references that are probably wrong, from the texts of finished runs; exit 1 if there are suspect clips.

    Nothing is transcribed and nothing is changed. Suspect words alone leave the exit code at 0. Examples:

        earwitness audit telephony-en --runs runs/

        earwitness audit calls.csv --out suspects.csv --order check-first.json
    """
    from earwitness.api.audit import audit as audit_data
    from earwitness.files.atomic import write_text

    listed = None if out is None else _kind_of(out)
    with progress("auditing", quiet=as_json) as on_progress:
        result = audit_data(
            source, runs or "runs", columns=spec.columns, overlay=overlay, order=order, progress=on_progress
        )
    if out is not None:
        write_text(out, _csv(result) if listed == ".csv" else _lines(_rows(result)))
    if as_json:
        print_json(asdict(result))
    else:
        _show(result, most)
    for path in (out, order):
        if path is not None:
            console(stderr=True).print(f"Written: {path}", markup=False)
    if result.clips or result.mismatch:
        raise typer.Exit(1)


def _kind_of(path: Path) -> str:
    from earwitness.errors import UsageError

    if path.suffix not in (".csv", ".jsonl"):
        raise UsageError(f"A list of suspects is a .csv or a .jsonl file, not {str(path)!r}. Change the name.")
    return path.suffix


def _rows(result: Audit) -> list[dict[str, object]]:
    clips = [{"sort": "clip", **asdict(one)} for one in result.clips]
    return [*clips, *({"sort": "words", **asdict(one)} for one in result.spans)]


def _lines(rows: Sequence[dict[str, object]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _csv(result: Audit) -> str:
    rows = _rows(result)
    names = dict.fromkeys(name for row in rows for name in row) or {"sort": None, "clip_id": None}
    text = io.StringIO()
    writer = csv.DictWriter(text, list(names), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: " ".join(value) if isinstance(value, tuple) else value for name, value in row.items()})
    return text.getvalue()


def _show(result: Audit, most: int) -> None:
    screen = console()
    n_families = quantity(len(result.families), "family", "families")
    head = f"{result.dataset}: {quantity(result.n_clips, 'clip')} with a reference, {n_families} of models"
    screen.print(head, markup=False)
    if result.mismatch:
        screen.print(result.mismatch, markup=False)
    screen.print(f"{quantity(len(result.clips), 'suspect clip')}", markup=False)
    for clip in result.clips[:most]:
        errors = quantity(clip.errors, "error")
        screen.print(f"  {clip.clip_id}: {_KINDS[clip.kind]}, {errors}. {clip.evidence}", markup=False, soft_wrap=True)
    _show_rest(len(result.clips), most)
    screen.print(f"{quantity(len(result.spans), 'suspect place')} within other references", markup=False)
    for span in result.spans[:most]:
        text = f"{span.text!r}" if span.text else "nothing"
        witnesses = f"{len(span.families)} of {quantity(span.n_families, 'family', 'families')}"
        line = f"  {span.clip_id}: {span.context}: {witnesses} have {text}"
        screen.print(line, markup=False, soft_wrap=True)
    _show_rest(len(result.spans), most)
    screen.print(_grid(result.models))
    if result.order_changes:
        screen.print("Without the suspects, the models stand in another order.", markup=False)
    elif result.clips:
        screen.print("The order of the models stays the same without the suspects.", markup=False)
    for remark in (*dict.fromkeys(_reasons(result.models)), *result.remarks):
        screen.print(f"  {remark}", markup=False, soft_wrap=True)


def _show_rest(n: int, most: int) -> None:
    if n > most:
        console().print(f"  ... and {n - most:,} more; --out FILE writes all", markup=False)


def _reasons(models: Sequence[ModelAudit]) -> list[str]:
    return [
        *(f"No WER without suspects: {one.reason}." for one in models if one.reason),
        *(f"Corrected WER: {one.corrected.reason}." for one in models if one.corrected and one.corrected.reason),
    ]


def _grid(models: Sequence[ModelAudit]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    corrected = any(one.corrected for one in models)
    heads = ["Model", "WER as is", "Rank", "Clips left out", "WER without suspects", "Rank without"]
    for head in [*heads, *(["WER corrected"] if corrected else [])]:
        grid.add_column(head, justify="left" if head == "Model" else "right")
    for one in models:
        cells = [one.label, percent(one.as_is), one.rank, str(one.n_left_out), percent(one.without), one.rank_without]
        rate = one.corrected
        cells += [percentage(rate.value, rate.ci95) if rate else NOTHING] if corrected else []
        grid.add_row(*map(Text, cells))
    return grid
