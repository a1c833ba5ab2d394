"""``earwitness run``: models over data, into run records."""

from __future__ import annotations

import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json

app = new_app("Run models over data and write run records.")
OUT = Path("runs")


@app.command()
def run(
    sources: Annotated[
        list[str] | None,
        typer.Argument(help="Corpora, manifests or folders; with --resume: records.", metavar="DATA..."),
    ] = None,
    model: Annotated[list[str] | None, typer.Option("--model", "-m", help="Model id; may be given again.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps or tpu.")] = "auto",
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A decoding setting, such as beam_size=5.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N clips.")] = None,
    tag: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="Only clips with this tag.")] = None,
    language: Annotated[str | None, typer.Option(help="Language of clips that state none, such as en.")] = None,
    channel: Annotated[
        int | None, typer.Option(min=0, help="Which channel of clips that state none; else the mean.")
    ] = None,
    normalizer: Annotated[str, typer.Option(help="auto, whisper-english, basic or none.")] = "auto",
    compounds: Annotated[bool, typer.Option("--compounds", help="'white board' equals 'whiteboard'.")] = False,
    method: Annotated[str, typer.Option("--align", help="levenshtein, or sclite for its costs.")] = "levenshtein",
    alternatives: Annotated[bool, typer.Option("--alternatives", help="{a / b} in a reference is either.")] = False,
    warmup: Annotated[int, typer.Option(min=0, help="Unmeasured transcriptions by every new worker.")] = 1,
    timeout: Annotated[
        float, typer.Option(min=1, help="Seconds that a clip gets at least; ten times its audio.")
    ] = 120,
    out: Annotated[Path, typer.Option(help="Folder of the records.")] = OUT,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with records that did not end.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run every model over every dataset, one clip at a time, each model in a process of its own.

    A clip that fails is recorded and the run goes on. A run that was killed goes on with --resume. Examples:

        earwitness run sample --model faster-whisper:tiny.en --model pocketsphinx:en-us

        earwitness run my-recordings/ --model faster-whisper:base --set beam_size=5 --language en

        earwitness run --resume
    """
    from earwitness.cli.jobs import Request, plan, resume_plan

    # The same way out as for Ctrl-C: the worker is ended, the record says interrupted.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    request = Request(
        sources=tuple(sources or ()),
        models=tuple(model or ()),
        device=device,
        assignments=tuple(set_ or ()),
        limit=limit,
        tags=tuple(tag or ()),
        language=language,
        channel=channel,
        normalizer=normalizer,
        compounds=compounds,
        method=method,
        alternatives=alternatives,
        warmup=warmup,
        timeout_s=timeout,
        command=tuple(sys.argv[1:]),
    )
    tasks = resume_plan([Path(source) for source in sources or [str(out)]]) if resume else plan(request)
    _answer(run_tasks(tasks, out, quiet=as_json), as_json=as_json)


def run_tasks(tasks: list[Any], out: Path, *, quiet: bool = False) -> list[Path]:
    """Do the work with a progress bar on standard error, and return the records."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from earwitness.runs.drive import resume, start

    screen = console(stderr=True)
    if not tasks:
        screen.print("Nothing to do: every record is complete.")
    records = []
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen, disable=quiet or not screen.is_terminal, refresh_per_second=4) as bars:
        for task in tasks:
            job = task.job
            if bars.disable and not quiet:
                screen.print(f"{job.model.id} on {job.dataset.name}: {len(job.dataset.clips)} clips", markup=False)
            bar = bars.add_task(f"{job.model.id} on {job.dataset.name}", total=len(job.dataset.clips))

            def report(done: int, total: int, result: Any, bar: Any = bar) -> None:
                bars.update(bar, completed=done, total=total)
                if result.hypothesis.failure is not None:
                    failure = result.hypothesis.failure
                    text = f"{result.clip.id}: failed in {failure.stage}: {failure.message}"
                    bars.console.print(text, markup=False)

            if task.record is None:
                records.append(start(job, out, report))
            else:
                resume(task.record, job, report)
                records.append(task.record)
    return records


def _answer(records: list[Path], *, as_json: bool) -> None:
    from earwitness.runs.store import read_run

    runs = [read_run(path) for path in records]
    if as_json:
        print_json([_summary(path, run) for path, run in zip(records, runs, strict=True)])
    else:
        for path, run in zip(records, runs, strict=True):
            console().print(f"{_in_words(run)}\n  {path}", markup=False)
    if any(run.status != "complete" for run in runs):
        raise typer.Exit(1)


def _in_words(run: Any) -> str:
    from earwitness.report.format import number, percent

    head = f"{run.model.id} on {run.dataset.name}"
    if run.status != "complete":
        return f"{head} {run.status}" + (f": {run.failure.message}" if run.failure else "")
    failed = run.score("failed_clips")
    return (
        f"{head}: WER {percent(run.score('wer'))}, RTF {number(run.speed.rtf if run.speed else None)}, "
        f"{failed.value:.0f} of {run.dataset.n_clips} clips failed"
    )


def _summary(path: Path, run: Any) -> dict[str, Any]:
    return {
        "record": str(path),
        "id": run.id,
        "status": run.status,
        "model": run.model.id,
        "dataset": run.dataset.name,
        "device_used": run.device_used,
        "failure": run.failure and asdict(run.failure),
        "scores": {score.metric: asdict(score) for score in run.scores},
        "speed": run.speed and asdict(run.speed),
    }
