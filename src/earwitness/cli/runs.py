"""``earwitness runs``: list, query and prune run records."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json
from earwitness.counts import NOTHING, number, percent, quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from earwitness.api.records import Record
    from earwitness.records.prune import Surplus
    from earwitness.records.query import QueryResult

app = new_app("List, filter, query and prune the records.")
_ID_CHARS = 8
Paths = Annotated[
    list[Path] | None, typer.Argument(help="Run records, or folders of them; default: runs.", metavar="RECORDS")
]
Where = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE", help="Only records with this value, such as environment.cores=2."),
]
Prune = Annotated[
    list[str] | None, typer.Option(metavar="KIND,...", help="List what would be pruned: superseded, failed, any.")
]
OlderThan = Annotated[str | None, typer.Option(metavar="TIME", help="With --prune: only runs begun before TIME.")]
EvenNewest = Annotated[
    bool, typer.Option("--even-newest", help="With --prune: also the newest complete record of a setting.")
]


@app.command()
def runs(
    paths: Paths = None,
    model: Annotated[
        list[str] | None, typer.Option(metavar="MODEL", help="Only this model; * matches anything.")
    ] = None,
    dataset: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this dataset; * matches anything.")
    ] = None,
    status: Annotated[
        list[str] | None, typer.Option(metavar="STATUS", help="Only complete, failed, killed and so on.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only runs begun since 2026-01-31, or 12h, 7d, 4w ago.")
    ] = None,
    where: Where = None,
    sql: Annotated[
        str | None, typer.Option(metavar="QUERY", help="Run one SELECT over the tables runs, scores and clips.")
    ] = None,
    prune: Prune = None,
    older_than: OlderThan = None,
    even_newest: EvenNewest = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --prune: move them to the trash.")] = False,
    restore: Annotated[bool, typer.Option("--restore", help="Restore everything that was pruned.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the records, newest first; filter them, query them with SQL, prune those that you no longer need.

    Pruned records move to a folder .trash beside the others; --restore brings them back. Examples:

        earwitness runs --model 'faster-whisper:*' --status complete --since 7d

        earwitness runs --sql "SELECT model, min(wer) FROM runs GROUP BY model"

        earwitness runs --prune superseded,failed --yes
    """
    roots = paths or [Path("runs")]
    if restore:
        _restore(roots, as_json=as_json)
        return
    _refuse_unclear(prune, sql, needs_prune=yes or even_newest or older_than is not None)
    from earwitness.api.runs import list_runs, prunable

    everything = list_runs(
        roots, model=model or (), dataset=dataset or (), status=status or (), since=since, where=where or ()
    )
    for sentence in everything.unreadable:
        console(stderr=True).print(f"Cannot be read: {sentence}", markup=False)
    if sql is not None:
        _show_answer(everything.query(sql), as_json=as_json)
    elif prune is not None:
        surplus = prunable(roots, prune, among=everything.records, older_than=older_than, even_newest=even_newest)
        _prune(surplus, roots, yes=yes, as_json=as_json)
    elif as_json:
        print_json([_plain(record) for record in everything.records])
    else:
        _show(everything.records)


def _refuse_unclear(prune: list[str] | None, sql: str | None, *, needs_prune: bool) -> None:
    from earwitness.errors import UsageError

    if prune is None and needs_prune:
        raise UsageError("--yes, --even-newest and --older-than need --prune KIND.")
    if prune is not None and sql is not None:
        raise UsageError("--sql and --prune do not go together. Use one after the other.")


def _show(records: Sequence[Record]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from earwitness.api.runs import state_of

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("when", "model", "dataset", "condition", "device", "status", "WER", "RTF", "id"):
        table.add_column(name, justify="right" if name in ("WER", "RTF") else "left", overflow="fold")
    for record in records:
        run = record.run
        cells = (
            run.created_at[:16].replace("T", " "),
            run.model.id,
            run.dataset.name,
            run.dataset.condition.name if run.dataset.condition else NOTHING,
            run.device_used or run.device_asked,
            state_of(record),
            percent(run.score("wer")),
            number(run.speed.rtf if run.speed else None),
            run.id[-_ID_CHARS:],
        )
        table.add_row(*(Text(cell) for cell in cells))
    console().print(table)
    console(stderr=True).print(f"{quantity(len(records), 'record')}; times are UTC.", markup=False)


def _show_answer(answer: QueryResult, *, as_json: bool) -> None:
    if as_json:
        print_json([dict(zip(answer.columns, row, strict=True)) for row in answer.rows])
        return
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in answer.columns:
        table.add_column(Text(name), overflow="fold")
    for row in answer.rows:
        table.add_row(*(Text(NOTHING if value is None else str(value)) for value in row))
    console().print(table)


def _prune(going: list[Surplus], roots: list[Path], *, yes: bool, as_json: bool) -> None:
    from earwitness.api.runs import prune

    moved = prune(going, roots) if yes else []
    if as_json:
        rows = [{"record": str(each.path), "id": each.run.id, "why": each.why} for each in going]
        print_json({"pruned": yes, "records": rows, "now": [str(path) for path in moved]})
        return
    for each in going:
        console().print(
            f"{each.why}: {each.path} ({each.run.model.id} on {each.run.dataset.name})", markup=False, soft_wrap=True
        )
    if not going:
        console().print("Nothing to prune.")
    elif yes:
        n_records = quantity(len(going), "record")
        console().print(f"In the trash: {n_records}. To restore everything in it: earwitness runs --restore")
    else:
        console().print(f"{quantity(len(going), 'record')} would be pruned. To prune, add --yes")


def _restore(roots: list[Path], *, as_json: bool) -> None:
    from earwitness.api.runs import restore

    back, left = restore(roots)
    if as_json:
        print_json({"back": [str(path) for path in back], "left": [str(path) for path in left]})
    else:
        for path in back:
            console().print(f"restored: {path}", markup=False, soft_wrap=True)
        for path in left:
            console().print(f"not restored, since another record is in its place: {path}", markup=False, soft_wrap=True)
        if not back and not left:
            console().print("The trash is empty.")
    if left:
        raise typer.Exit(1)


def _plain(record: Record) -> dict[str, object]:
    from earwitness.api.runs import state_of

    run = record.run
    wer = run.score("wer")
    return {
        "record": str(record.path),
        "id": run.id,
        "created_at": run.created_at,
        "status": state_of(record),
        "model": run.model.id,
        "dataset": run.dataset.name,
        "condition": run.dataset.condition.name if run.dataset.condition else None,
        "device_asked": run.device_asked,
        "device_used": run.device_used,
        "wer": wer and asdict(wer),
        "rtf": run.speed.rtf if run.speed else None,
    }
