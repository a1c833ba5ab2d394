"""``earwitness load``: a running server under load."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from earwitness.cli import options
from earwitness.cli.common import AsJson, console, new_app, print_json, stop_on_sigterm

if TYPE_CHECKING:
    from rich.table import Table

    from earwitness.records.record import Run
    from earwitness.records.speed import Load, LoadPlan

app = new_app("A running server under load.")


@app.command()
def load(
    url: Annotated[str, typer.Argument(help="Of the server, such as http://127.0.0.1:8000.", metavar="URL")],
    data: Annotated[list[str] | None, typer.Option(metavar="DATA", help="Corpus, manifest or folder to send.")] = None,
    clients: Annotated[str, typer.Option(metavar="N,...", help="Closed loop: clients at once.")] = "1,2,4,8",
    arrivals: Annotated[
        str, typer.Option(help="closed: each client asks again when it is answered; poisson: at --rate, at random.")
    ] = "closed",
    rate: Annotated[str | None, typer.Option(metavar="R,...", help="Open loop: requests per second.")] = None,
    target_p95: Annotated[
        float | None, typer.Option(min=0.001, help="Find the most load with 95 % of answers within so many seconds.")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="Its name there; else the first named.")] = None,
    key_env: options.KeyEnv = None,
    response_format: options.ResponseFormatOption = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N clips.")] = None,
    stretch_s: Annotated[float, typer.Option("--stretch-s", min=0.1, help="Least seconds of every load.")] = 10,
    budget_s: Annotated[float, typer.Option("--budget-s", min=1, help="Seconds for all loads together.")] = 300,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds for an answer; ten times its audio.")] = 60,
    seed: Annotated[int, typer.Option(help="Of the arrivals.")] = 0,
    yes_remote: Annotated[
        bool, typer.Option("--yes-remote", help="The server is elsewhere, and mine to test.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder of the records.")] = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Send data to any server with OpenAI's API: once through by one client, then under every load.

    The record holds the texts, WER and latency of one client alone, and for every load p50, p95, p99 with intervals,
    audio seconds per second and errors; compare and decide read it. With --target-p95 a load lasts until it can be told
    whether it is met, or the budget ends. Examples:

        earwitness load http://127.0.0.1:8000 --data sample --clients 1,2,4,8 --target-p95 2

        earwitness load http://127.0.0.1:8000 --data librivox-mini --arrivals poisson --rate 0.5,1,2 --target-p95 3
    """
    from earwitness.cli.run import run_tasks
    from earwitness.cli.server_address import jobs_at, model_at, require_ours
    from earwitness.errors import UsageError
    from earwitness.records.speed import SpeedProtocols
    from earwitness.records.store import read_run
    from earwitness.runs.plan import Task

    if not data:
        raise UsageError("Name what to send: --data sample, or a folder, a manifest, a corpus.")
    asked = load_plan(arrivals, clients, rate, target_p95, seed)
    require_ours(url, yes_remote=yes_remote)
    stop_on_sigterm()
    measure = SpeedProtocols(budget_s=budget_s, stretch_s=stretch_s, load=asked)
    tasks = [
        Task(replace(job, measure=measure, limits=replace(job.limits, warmup=0, timeout_floor_s=timeout)))
        for job in jobs_at(model_at(url, model, key_env, response_format), data, limit=limit, command=sys.argv[1:])
    ]
    with _saying_how_to_go_on(out):
        records = run_tasks(tasks, out, quiet=as_json)
    runs = {path: read_run(path) for path in records}
    _tell(runs, as_json=as_json)
    if not all(map(_is_met, runs.values())):
        raise typer.Exit(1)


@contextmanager
def _saying_how_to_go_on(out: Path) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        again = f"earwitness run --resume {shlex.quote(str(out))}"
        console(stderr=True).print(
            f"Loads that were finished are kept. Go on with: {again}", markup=False, soft_wrap=True
        )
        raise


def load_plan(arrivals: str, clients: str, rate: str | None, target_p95_s: float | None, seed: int) -> LoadPlan:
    """Return what was asked for, smallest load first.

    >>> load_plan("closed", "4,1,2", None, 1.5, 0).steps
    (1.0, 2.0, 4.0)

    Raises:
        UsageError: For loads that are none.
    """
    from earwitness.errors import UsageError
    from earwitness.records.speed import LoadPlan

    if arrivals == "closed" and rate is None:
        steps = _numbers("--clients", clients)
        if any(step != int(step) or not 1 <= step <= 512 for step in steps):
            raise UsageError(
                f"--clients {clients!r} are no numbers of clients. Take whole ones up to 512, as in 1,2,4."
            )
        return LoadPlan("closed", steps, target_p95_s, seed)
    if arrivals == "poisson" and rate is not None:
        return LoadPlan("poisson", _numbers("--rate", rate), target_p95_s, seed)
    if arrivals == "poisson":
        raise UsageError("Say how many requests per second arrive: --arrivals poisson --rate 0.5,1,2")
    if arrivals == "closed":
        raise UsageError("A --rate is that of arrivals at random. Say so: --arrivals poisson --rate 0.5,1,2")
    raise UsageError(f"There are no arrivals {arrivals!r}. There are: closed, poisson.")


def _numbers(option: str, text: str) -> tuple[float, ...]:
    from earwitness.errors import UsageError

    try:
        found = sorted({float(part) for part in text.split(",")})
    except ValueError:
        found = []
    if not found or not 0 < found[0] <= found[-1] < float("inf"):
        raise UsageError(f"{option} {text!r} is no list of numbers above 0, such as 1,2,4.")
    return tuple(found)


def _is_met(run: Run) -> bool:
    found = _found(run)
    if run.status != "complete" or found is None or not found.steps:
        return False
    return found.plan.target_p95_s is None or found.best is not None


def _found(run: Run) -> Load | None:
    return run.measurements.load if run.measurements else None


def _plain(path: Path, run: Run) -> dict[str, Any]:
    found, wer = _found(run), run.score("wer")
    return {
        "record": str(path),
        "status": run.status,
        "failure": run.failure and asdict(run.failure),
        "model": run.model.id,
        "dataset": run.dataset.name,
        "wer": wer and wer.value,
        "alone": run.speed and asdict(run.speed),
        "load": found and asdict(found),
    }


def _tell(runs: dict[Path, Run], *, as_json: bool) -> None:
    if as_json:
        print_json([_plain(path, run) for path, run in runs.items()])
        return
    for path, run in runs.items():
        _show(path, run)


def _show(path: Path, run: Run) -> None:
    from earwitness.reports.format import percent
    from earwitness.reports.speed import load_sentences

    found, screen = _found(run), console()
    screen.print(f"{run.model.id} on {run.dataset.name}: WER {percent(run.score('wer'))}", markup=False)
    if found is None:
        why = run.failure.message if run.failure else "no clip got a transcript"
        screen.print(f"  {run.status}, and no load was measured: {why}", markup=False)
    else:
        screen.print(_table(found))
        for sentence in load_sentences(found)[len(found.steps) :]:
            screen.print(f"  {sentence}", markup=False)
        for step in found.steps:
            if step.latency_p95_ci95_s is None:
                screen.print(f"  {step.load:g} {_unit(found)}: {step.ci95_reason}", markup=False)
    screen.print(f"  {path}", markup=False, soft_wrap=True)


def _unit(load: Load) -> str:
    return "clients" if load.plan.arrivals == "closed" else "per second"


def _table(load: Load) -> Table:
    from rich import box
    from rich.table import Table

    from earwitness.reports.format import number, with_interval

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
