"""``earwitness run``: models over data, into run records."""

from __future__ import annotations

import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from earwitness.cli import options
from earwitness.cli.common import AsJson, console, new_app, print_json, typed

if TYPE_CHECKING:
    from earwitness.cli.jobs import Request, Task

app = new_app("Run models over data and write run records.")
OUT = Path("runs")


@app.command()
def run(
    context: typer.Context,
    sources: Annotated[
        list[str] | None,
        typer.Argument(help="Corpora, manifests, folders, bundles; with --resume: records.", metavar="DATA..."),
    ] = None,
    model: options.Models = None,
    device: options.Device = "auto",
    preset: options.Preset = "matched",
    set_: options.Assignments = None,
    limit: options.Limit = None,
    tag: options.Tags = None,
    language: options.Language = None,
    channel: options.Channel = None,
    condition: options.Conditions = None,
    no_clean: options.NoClean = False,
    normalizer: options.Normalizer = "auto",
    compounds: options.Compounds = False,
    method: options.Method = "levenshtein",
    alternatives: options.Alternatives = False,
    warmup: options.Warmup = 1,
    timeout: options.Timeout = 120,
    speech: options.Speech = None,
    measure: options.Measure = None,
    budget_s: options.BudgetS = 300,
    interleave: options.Interleave = True,
    out: Annotated[Path, typer.Option(help="Folder of the records.")] = OUT,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with records that did not end.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run every model over every dataset, one clip at a time, each model in a process of its own.

    Several models take turns, so that a machine that slows down slows all of them. A clip that fails is recorded and
    the run goes on; one that was killed goes on with --resume. What is not typed is taken from a bundle. Examples:

        earwitness run sample --model faster-whisper:tiny.en --model pocketsphinx:en-us

        earwitness run my-recordings/ --model faster-whisper:base --preset native --set beam_size=3 --language en

        earwitness run telephony-en -m faster-whisper:tiny.en --condition noise:10dB --condition noise:0dB+mulaw

        earwitness run librivox-mini -m faster-whisper:tiny.en --measure cold,latency,throughput

        earwitness run --resume

        earwitness run study.zip
    """
    request = options.request(
        sources=sources, models=model, device=device, preset=preset, assignments=set_, limit=limit, tags=tag,
        language=language, channel=channel, conditions=condition, clean=not no_clean, normalizer=normalizer,
        compounds=compounds, method=method, alternatives=alternatives, warmup=warmup,
        timeout_s=timeout, speech=speech, measure=measure, budget_s=budget_s, command=sys.argv[1:],
    )  # fmt: skip
    tasks = _tasks(
        request,
        typed(context, model="models", timeout="timeout_s", condition="conditions", no_clean="clean"),
        out if resume else None,
    )
    _answer(run_tasks(tasks, out, quiet=as_json, interleave=interleave), as_json=as_json)


def _tasks(request: Request, given: frozenset[str], resumed: Path | None) -> list[Task]:
    from earwitness.cli.jobs import plan, resume_plan
    from earwitness.cli.study import with_study

    # The same way out as for Ctrl-C: the worker is ended, the record says interrupted.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if resumed is None:
        return plan(with_study(request, given))
    return resume_plan([Path(source) for source in request.sources or (str(resumed),)])


def run_tasks(tasks: list[Any], out: Path, *, quiet: bool = False, interleave: bool = True) -> list[Path]:
    """Do the work with a progress bar on standard error, and return the records in the order of the tasks."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from earwitness.cli.jobs import caveats
    from earwitness.runs.drive import Turn, by_data, together

    screen = console(stderr=True)
    if not tasks:
        screen.print("Nothing to do: every record is complete.")
    for line in caveats(tasks):
        if not quiet:
            screen.print(line, markup=False)
    records: dict[int, Path] = {}
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen, disable=quiet or not screen.is_terminal, refresh_per_second=4) as bars:
        for group in by_data([task.job for task in tasks], interleave=interleave):
            turns = []
            for number in group:
                job = tasks[number].job
                if bars.disable and not quiet:
                    screen.print(f"{job.model.id} on {job.dataset.name}: {len(job.dataset.clips)} clips", markup=False)
                turns.append(Turn(job, _reporter(bars, job), tasks[number].record))
            records |= zip(group, together(turns, out), strict=True)
    return [records[number] for number in range(len(tasks))]


def _reporter(bars: Any, job: Any) -> Any:
    bar = bars.add_task(f"{job.model.id} on {job.dataset.name}", total=len(job.dataset.clips))

    def report(done: int, total: int, result: Any) -> None:
        bars.update(bar, completed=done, total=total)
        if result.hypothesis.failure is not None:
            failure = result.hypothesis.failure
            bars.console.print(f"{result.clip.id}: failed in {failure.stage}: {failure.message}", markup=False)

    return report


def _answer(records: list[Path], *, as_json: bool) -> None:
    from earwitness.runs.store import read_run

    runs = [read_run(path) for path in records]
    if as_json:
        print_json([_summary(path, run) for path, run in zip(records, runs, strict=True)])
    else:
        for path, run in zip(records, runs, strict=True):
            why = _why(path, run)
            text = f"{_in_words(run)}\n  {path}" + (f"\n  {why}" if why else "")
            console().print(text, markup=False, soft_wrap=True)
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


def _why(path: Path, run: Any) -> str | None:
    from earwitness.runs.store import read_clips
    from earwitness.scoring.cause import cause

    wer = run.score("wer")
    return cause([result.score for result in read_clips(path)]) if wer and (wer.value or 0) > 1 else None


def _summary(path: Path, run: Any) -> dict[str, Any]:
    return {
        "record": str(path),
        "id": run.id,
        "status": run.status,
        "model": run.model.id,
        "dataset": run.dataset.name,
        "device_used": run.device_used,
        "failure": run.failure and asdict(run.failure),
        "cause": _why(path, run),
        "scores": {score.metric: asdict(score) for score in run.scores},
        "speed": run.speed and asdict(run.speed),
        "measurements": run.measurements and asdict(run.measurements),
        "drift": run.drift and asdict(run.drift),
        "order": run.order and asdict(run.order),
    }
