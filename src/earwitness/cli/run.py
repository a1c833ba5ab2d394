"""``earwitness run``: models over data, into run records."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Sequence
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from earwitness.api.run import RunSpec
from earwitness.cli import options
from earwitness.cli.common import AsJson, console, new_app, quote_command
from earwitness.cli.options import flag, takes
from earwitness.counts import quantity
from earwitness.options import options_of

if TYPE_CHECKING:
    from earwitness.runs.study_plan import Item

app = new_app("Run models over data and write run records.")
OUT = Path("runs")
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with records that did not end, or with the run that is typed again.")
]


@app.command()
@takes(RunSpec)
def run(
    context: typer.Context,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            help="Corpora, manifests, folders, bundles; with --resume: records. Without any: the study of "
            "earwitness.toml, here or above.",
            metavar="DATA...",
        ),
    ] = None,
    *,
    spec: RunSpec,
    interleave: options.Interleave = True,
    out: Annotated[Path, typer.Option(help="Folder of the records.")] = OUT,
    resume: Resume = False,
    as_json: AsJson = False,
) -> None:
    """Run every model over every dataset, one clip at a time, each model in a process of its own.

    Several models take turns, so that a machine that slows down slows all of them. A clip that fails is recorded and
    the run goes on; one that was killed goes on with --resume. What is not typed is taken from a bundle. Without data,
    the study of earwitness.toml is done: what is measured already is skipped, what was begun goes on. Examples:

        earwitness run sample --model faster-whisper:tiny.en --model pocketsphinx:en-us

        earwitness run my-recordings/ --model faster-whisper:base --preset native --set beam_size=3 --language en

        earwitness run telephony-en -m faster-whisper:tiny.en --condition noise:10dB --condition noise:0dB+mulaw

        earwitness run librivox-mini -m faster-whisper:tiny.en --measure cold,latency,throughput

        earwitness run --resume

        earwitness run my-recordings/ --model faster-whisper:base --resume

        earwitness run study.zip

        earwitness run
    """
    spec = replace(spec, sources=tuple(sources or ()), command=tuple(sys.argv[1:]))
    given = quote_command(context)
    # The same way out as for Ctrl-C: the worker is ended, the record says interrupted.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if sources or resume:
            _do(_items(spec, given, out if resume else None), out, interleave=interleave, as_json=as_json)
        else:
            _study(spec, given, out, interleave=interleave, as_json=as_json)
    except KeyboardInterrupt as stop:
        for line in _interrupted(getattr(stop, "records", ())):
            console(stderr=True).print(line, markup=False)
        raise typer.Exit(130) from None


def _items(spec: RunSpec, names: frozenset[str], record: Path | None) -> list[Item]:
    from earwitness.runs import study_plan
    from earwitness.runs.bundle_study import with_study
    from earwitness.runs.plan import plan, resume_plan
    from earwitness.runs.study_plan import Item

    if record is None:
        return [Item("done", None, task) for task in plan(with_study(spec, names))]
    if "models" in names:
        return study_plan.resume_item(with_study(spec, names), record)
    tasks = resume_plan([Path(source) for source in spec.sources or (str(record),)])
    return [Item("resumed", None, task) for task in tasks]


def _study(spec: RunSpec, names: frozenset[str], out: Path, *, interleave: bool, as_json: bool) -> None:
    from earwitness.runs import study_file
    from earwitness.runs.study_plan import items

    file = study_file.find()
    study = study_file.read(file)
    _refuse_typed(names, file)
    out = out.resolve() if "out" in names else Path(study.out)
    note = console(stderr=True).print
    if file.parent != Path() and not as_json:
        note(f"In {file.parent}:", markup=False)
    with chdir(file.parent):
        found, held = items(study, out, spec.command)
        for sentence in held.unreadable:
            note(f"Passed over: {sentence}", markup=False)
        _do(found, out, interleave=interleave, as_json=as_json)


def _refuse_typed(names: frozenset[str], file: Path) -> None:
    from earwitness.errors import UsageError

    for name in options_of(RunSpec):
        if name in names:
            raise UsageError(
                f"{flag(RunSpec, name)} was typed without data, and then {str(file)!r} says what is measured. "
                "Change it there, or name the data: earwitness run DATA"
            )


def _do(items: list[Item], out: Path, *, interleave: bool, as_json: bool) -> None:
    from earwitness.cli.run_output import answer

    left = [item.task for item in items if item.task is not None and item.outcome != "skipped"]
    made = iter(run_tasks(left, out, quiet=as_json, interleave=interleave))
    records: list[Path | None] = []
    for item in items:
        if item.task is None:
            records.append(None)
        else:
            records.append(item.task.record if item.outcome == "skipped" else next(made))
    if not answer(items, records, as_json=as_json):
        raise typer.Exit(1)


def run_tasks(tasks: list[Any], out: Path, *, quiet: bool = False, interleave: bool = True) -> list[Path]:
    """Do the work with a progress bar on standard error, and return the records in the order of the tasks."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from earwitness.data.audio_remarks import summarize
    from earwitness.records.store import read_clips
    from earwitness.runs.drive import Turn, by_data, together
    from earwitness.runs.plan import caveats

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
                    n_clips = quantity(len(job.dataset.clips), "clip")
                    screen.print(f"{job.model.id} on {job.dataset.name}: {n_clips}", markup=False)
                turns.append(Turn(job, _reporter(bars, job), tasks[number].record))
            records |= zip(group, together(turns, out), strict=True)
            if not quiet:
                results = read_clips(records[group[0]])
                for line in summarize((result.clip.id, result.hypothesis.audio_remarks) for result in results):
                    screen.print(f"{turns[0].job.dataset.name}: {line}", markup=False)
    return [records[number] for number in range(len(tasks))]


def _interrupted(records: Sequence[Path]) -> list[str]:
    """Say what an interruption left, and the command that goes on."""
    from earwitness.records.listing import n_done
    from earwitness.records.store import read_run

    runs = [(path, run) for path in records if (run := read_run(path)).status != "complete"]
    if not runs:
        return ["Interrupted. No run was begun that could go on."]
    kept = (f"{r.model.id} on {r.dataset.name}: {n_done(p)} of {quantity(r.dataset.n_clips, 'clip')}" for p, r in runs)
    return [
        f"Interrupted. What was done is kept ({'; '.join(kept)}).",
        f"Go on: earwitness run --resume {shlex.join(str(path) for path, _ in runs)}",
    ]


def _reporter(bars: Any, job: Any) -> Any:
    bar = bars.add_task(f"{job.model.id} on {job.dataset.name}", total=len(job.dataset.clips))

    def report(n_done: int, total: int, result: Any) -> None:
        bars.update(bar, completed=n_done, total=total)
        if result.hypothesis.failure is not None:
            failure = result.hypothesis.failure
            bars.console.print(f"{result.clip.id}: failed in {failure.stage}: {failure.message}", markup=False)

    return report
