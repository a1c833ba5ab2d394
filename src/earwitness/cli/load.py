"""``earwitness load``: load-test a running server."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earwitness.cli import options
from earwitness.cli.common import AsJson, console, new_app, print_json, stop_on_sigterm
from earwitness.counts import number, percent, with_interval

if TYPE_CHECKING:
    from rich.table import Table

    from earwitness.api.records import Record
    from earwitness.records.record import Run
    from earwitness.records.speed import Load

app = new_app("Load-test a running server.")
Arrivals = Annotated[
    str,
    typer.Option(
        metavar="KIND",
        help="closed: a client sends the next request after an answer; poisson: at random, at --rate.",
    ),
]


@app.command()
def load(
    url: options.ServerUrl,
    data: Annotated[list[str] | None, typer.Option(metavar="DATA", help="Corpus, manifest or folder to send.")] = None,
    clients: Annotated[
        str, typer.Option(metavar="N,...", help="Closed loop: numbers of simultaneous clients.")
    ] = "1,2,4,8",
    arrivals: Arrivals = "closed",
    rate: Annotated[str | None, typer.Option(metavar="R,...", help="Open loop: requests per second.")] = None,
    target_p95: Annotated[
        float | None,
        typer.Option(min=0.001, metavar="SECONDS", help="Find the highest load with 95 % of answers within SECONDS."),
    ] = None,
    model: options.ServerModel = None,
    key_env: options.KeyEnv = None,
    response_format: options.ResponseFormatOption = None,
    limit: options.FirstClips = None,
    stretch_s: Annotated[
        float, typer.Option("--stretch-s", min=0.1, metavar="SECONDS", help="Minimum time of each load.")
    ] = 10,
    budget_s: Annotated[
        float, typer.Option("--budget-s", min=1, metavar="SECONDS", help="Time budget for all loads together.")
    ] = 300,
    timeout_s: options.AnswerTimeout = 60,
    seed: Annotated[int, typer.Option(metavar="N", help="Random seed of the arrivals.")] = 0,
    yes_remote: Annotated[
        bool, typer.Option("--yes-remote", help="Confirm that you may load-test this remote server.")
    ] = False,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the records.")] = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Load-test any server with OpenAI's API: one client sends all data once, then each load follows.

    The record has the texts, WER and latency of the single client, and for each load p50, p95 and p99 with intervals,
    audio seconds per second, and errors; compare and decide read it. With --target-p95, a load lasts until it clearly
    meets or misses the target, or until the budget ends. Examples:

        earwitness load http://127.0.0.1:8000 --data sample --clients 1,2,4,8 --target-p95 2

        earwitness load http://127.0.0.1:8000 --data librivox-mini --arrivals poisson --rate 0.5,1,2 --target-p95 3
    """
    from earwitness.api.load_test import is_met, load_test
    from earwitness.cli.run import Bars
    from earwitness.errors import UsageError

    if not data:
        raise UsageError("Name the data to send: --data sample, or a folder, a manifest or a corpus.")
    _require_arrivals(arrivals, rate)
    steps, rates = _numbers("--clients", clients), None if rate is None else _numbers("--rate", rate)
    stop_on_sigterm()
    with _how_to_resume(out), Bars(quiet=as_json) as bars:
        records = load_test(
            url, data, clients=steps, rate=rates, target_p95_s=target_p95, model=model, key_env=key_env,
            response_format=response_format, limit=limit, stretch_s=stretch_s, budget_s=budget_s, timeout_s=timeout_s,
            seed=seed, yes_remote=yes_remote, out=out, command=tuple(sys.argv[1:]), progress=bars,
        )  # fmt: skip
    _tell(records, as_json=as_json)
    if not all(map(is_met, records)):
        raise typer.Exit(1)


@contextmanager
def _how_to_resume(out: Path) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        again = f"earwitness run --resume {shlex.quote(str(out))}"
        console(stderr=True).print(f"Finished loads are kept. To continue: {again}", markup=False, soft_wrap=True)
        raise


def _require_arrivals(arrivals: str, rate: str | None) -> None:
    from earwitness.errors import UsageError

    if arrivals not in ("closed", "poisson"):
        raise UsageError(f"--arrivals is closed or poisson, not {arrivals!r}.")
    if arrivals == "poisson" and rate is None:
        raise UsageError("Random arrivals need a rate of requests per second: --arrivals poisson --rate 0.5,1,2")
    if arrivals == "closed" and rate is not None:
        raise UsageError("--rate needs random arrivals: --arrivals poisson --rate 0.5,1,2")


def _numbers(option: str, text: str) -> tuple[float, ...]:
    from earwitness.errors import UsageError

    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"{option} takes numbers separated by commas, such as 1,2,4, not {text!r}.") from None


def _load_of(run: Run) -> Load | None:
    return run.measurements.load if run.measurements else None


def _plain(record: Record) -> dict[str, object]:
    run = record.run
    load, wer = _load_of(run), run.score("wer")
    return {
        "record": str(record.path),
        "status": run.status,
        "failure": run.failure and asdict(run.failure),
        "model": run.model.id,
        "dataset": run.dataset.name,
        "wer": wer and wer.value,
        "alone": run.speed and asdict(run.speed),
        "load": load and asdict(load),
    }


def _tell(records: list[Record], *, as_json: bool) -> None:
    if as_json:
        print_json([_plain(record) for record in records])
        return
    for record in records:
        _show(record)


def _show(record: Record) -> None:
    from earwitness.reports.speed import load_sentences

    run, screen = record.run, console()
    load = _load_of(run)
    screen.print(f"{run.model.id} on {run.dataset.name}: WER {percent(run.score('wer'))}", markup=False)
    if load is None:
        why = run.failure.message if run.failure else "no clip got a transcript"
        screen.print(f"  {run.status}; no load was measured: {why}", markup=False)
    else:
        screen.print(_table(load))
        for sentence in load_sentences(load)[len(load.steps) :]:
            screen.print(f"  {sentence}", markup=False)
        for step in load.steps:
            if step.latency_p95_ci95_s is None:
                screen.print(f"  {step.load:g} {_unit(load)}: {step.ci95_reason}", markup=False)
    screen.print(f"  {record.path}", markup=False, soft_wrap=True)


def _unit(load: Load) -> str:
    return "clients" if load.plan.arrivals == "closed" else "per second"


def _table(load: Load) -> Table:
    from rich import box
    from rich.table import Table

    target = load.plan.target_p95_s
    percentiles = [f"{name} s [95 %]" for name in ("p50", "p95", "p99")]
    judged = [f"95 % within {target:g} s"] if target is not None else []
    heads = [_unit(load), "requests", "answered", *percentiles, "audio s per s", "errors", *judged]
    table = Table(*heads, box=box.SIMPLE_HEAD, pad_edge=False)
    for step in sorted(load.steps, key=lambda step: step.load):
        table.add_row(
            f"{step.load:g}",
            str(step.n_requests),
            str(step.n_answered),
            with_interval(step.latency_p50_s, step.latency_p50_ci95_s),
            with_interval(step.latency_p95_s, step.latency_p95_ci95_s),
            with_interval(step.latency_p99_s, step.latency_p99_ci95_s),
            number(step.rtfx),
            ", ".join(f"{count} {kind}" for kind, count in step.errors.items()) or "none",
            *([step.verdict] if step.verdict else []),
        )
    return table
