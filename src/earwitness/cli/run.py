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
        list[str] | None, typer.Argument(help="Corpora, manifests or folders; with --resume: records.", metavar="DATA...")
    ] = None,
    model: Annotated[list[str] | None, typer.Option("--model", "-m", help="Model id; may be given again.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps or tpu.")] = "auto",
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A decoding setting, such as beam_size=5.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N clips.")] = None,
    tag: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="Only clips with this tag.")] = None,
    language: Annotated[str | None, typer.Option(help="Language of clips that state none, such as en.")] = None,
    normalizer: Annotated[str, typer.Option(help="auto, whisper-english, basic or none.")] = "auto",
    compounds: Annotated[bool, typer.Option("--compounds", help="'white board' equals 'whiteboard'.")] = False,
    warmup: Annotated[int, typer.Option(min=0, help="Unmeasured transcriptions by every new worker.")] = 1,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds that a clip gets at least; ten times its audio.")] = 120,
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
    if resume:
        tasks = resume_plan([Path(source) for source in sources or [str(out)]])
    else:
        tasks = plan(
            Request(
                sources=tuple(sources or ()),
                models=tuple(model or ()),
                device=device,
                assignments=tuple(set_ or ()),
                limit=limit,
                tags=tuple(tag or ()),
                language=language,
                normalizer=normalizer,
                compounds=compounds,
                warmup=warmup,
                timeout_s=timeout,
                command=tuple(sys.argv[1:]),
            )
        )
    records = run_tasks(tasks, out, quiet=as_json)
    if as_json:
        print_json([{"record": str(path), **_summary(path)} for path in records])
        failed = [path for path in records if _summary(path)["status"] != "complete"]
    else:
        failed = show_records(records)
    if failed:
        raise typer.Exit(1)


def run_tasks(tasks: list[Any], out: Path, *, quiet: bool = False) -> list[Path]:
    """Do the work with a progress bar on standard error, and return the records."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from earwitness.runs.drive import resume, start

    screen = console(stderr=True)
    if not tasks:
        screen.print("Nothing to do: every record is complete.")
    records = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen, disable=quiet, refresh_per_second=4) as bars:
        for task in tasks:
            job = task.job
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


def show_records(records: list[Path]) -> list[Path]:
    """Print a line a record and return those that are not complete."""
    from earwitness.report.format import number, percent
    from earwitness.runs.store import read_run

    screen = console()
    unfinished = []
    for path in records:
        found = read_run(path)
        if found.status != "complete":
            unfinished.append(path)
            why = f": {found.failure.message}" if found.failure else ""
            screen.print(f"{found.model.id} on {found.dataset.name} {found.status}{why}", markup=False)
        else:
            failed = found.score("failed_clips")
            screen.print(
                f"{found.model.id} on {found.dataset.name}: WER {percent(found.score('wer'))}, "
                f"RTF {number(found.speed and found.speed.rtf)}, "
                f"{failed.value if failed and failed.value else 0:.0f} of {found.dataset.n_clips} clips failed",
                markup=False,
            )
        screen.print(f"  {path}", markup=False)
    return unfinished


def _summary(path: Path) -> dict[str, Any]:
    from earwitness.runs.store import read_run

    found = read_run(path)
    return {
        "id": found.id,
        "status": found.status,
        "model": found.model.id,
        "dataset": found.dataset.name,
        "device_used": found.device_used,
        "failure": found.failure and asdict(found.failure),
        "scores": {score.metric: asdict(score) for score in found.scores},
        "speed": found.speed and asdict(found.speed),
    }
