"""``earwitness run``: models over data, into run records."""

from __future__ import annotations

import shlex
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earwitness.api.run import Events, RunPlace, RunProgress, RunSpec, plan_items, run_items, unfinished
from earwitness.cli import options
from earwitness.cli.common import AsJson, console, new_app, quote_command
from earwitness.cli.options import flag, takes
from earwitness.counts import quantity
from earwitness.options import options_of

if TYPE_CHECKING:
    from rich.progress import TaskID

    from earwitness.runs.study_plan import Item

app = new_app("Run models over data and write run records.")
OUT = Path("runs")
_LINE_EVERY_S = 5.0
"""Where there is no terminal to draw a bar in."""
Resume = Annotated[
    bool, typer.Option("--resume", help="Continue unfinished records, or the unfinished run of this same command.")
]


On = Annotated[
    str | None,
    typer.Option(
        "--on", metavar="CLUSTER", help="Run on a cluster: ray (starts one here, or RAY_ADDRESS), ray://HOST:PORT."
    ),
]
WholeNodes = Annotated[
    bool,
    typer.Option("--whole-nodes", help="With --on: one model at a time on each node, so that the record has a speed."),
]

Plan = Annotated[bool, typer.Option("--plan", help="With --on: predict how long it takes, and run nothing.")]


@app.command()
@takes(RunSpec)
def run(
    context: typer.Context,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            help="Corpora, manifests, folders, audio files or bundles; with --resume: run records. Default: the "
            "study of earwitness.toml in this folder or one above it.",
            metavar="DATA",
        ),
    ] = None,
    *,
    spec: RunSpec,
    interleave: options.Interleave = True,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the records.")] = OUT,
    resume: Resume = False,
    on: On = None,
    whole_nodes: WholeNodes = False,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Run every model over every dataset, one clip at a time, each model in its own process.

    Several models take turns, so that a machine that slows down slows all of them alike. If a clip fails, the run
    records the failure and continues. --resume continues an interrupted run. A bundle supplies the options that you
    do not give. Without DATA, the command runs the study of earwitness.toml: it skips what is already measured and
    continues what was begun. Examples:

        earwitness run sample --model faster-whisper:tiny.en --model pocketsphinx:en-us

        earwitness run my-recordings/ --model faster-whisper:base --preset native --set beam_size=3 --language en

        earwitness run telephony-en -m faster-whisper:tiny.en --condition noise:10dB --condition noise:0dB+mulaw

        earwitness run librivox-mini -m faster-whisper:tiny.en --measure cold,latency,throughput

        earwitness run --resume

        earwitness run my-recordings/ --model faster-whisper:base --resume

        earwitness run study.zip

        earwitness run my-recordings/ --model faster-whisper:base --shard 3/8

        earwitness run my-recordings/ --model faster-whisper:base --on ray://10.0.0.1:6379

        earwitness run
    """
    spec = replace(spec, sources=tuple(sources or ()), command=tuple(sys.argv[1:]))
    typed = quote_command(context)
    place = RunPlace(on, whole_nodes, interleave, plan)
    # Handled like Ctrl-C: the worker ends and the record has the status interrupted.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _begin(spec, typed, out, place, resume=resume, as_json=as_json)
    except KeyboardInterrupt as stop:
        for line in _interruption(getattr(stop, "records", ())):
            console(stderr=True).print(line, markup=False)
        raise typer.Exit(130) from None


def _begin(spec: RunSpec, names: frozenset[str], out: Path, place: RunPlace, *, resume: bool, as_json: bool) -> None:
    if spec.sources or resume:
        _work(plan_items(spec, names, out if resume else None, elsewhere=place.elsewhere), out, place, as_json=as_json)
    else:
        _study(names, out, spec, place, as_json=as_json)


class Bars(Events):
    """A progress bar for each model and dataset on standard error; sentences where there is no terminal."""

    def __init__(self, *, quiet: bool = False) -> None:
        """Draw nothing if ``quiet``."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        super().__init__(self._show_clip)
        self._screen, self._quiet = console(stderr=True), quiet
        columns = (
            TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        )  # fmt: skip
        hides = quiet or not self._screen.is_terminal
        self._bars = Progress(*columns, console=self._screen, disable=hides, refresh_per_second=4)
        self._of: dict[tuple[str, str], TaskID] = {}
        self._nodes: dict[tuple[str, str], Counter[str]] = {}
        self._last_line_s = time.monotonic()

    def __enter__(self) -> Bars:
        """Begin to draw."""
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End drawing."""
        self._bars.stop()

    def note(self, text: str) -> None:
        """Print a sentence."""
        if not self._quiet:
            self._screen.print(text, markup=False)

    def begin(self, model: str, data: str, n_clips: int) -> None:
        """Add a bar."""
        if self._bars.disable:
            self.note(f"{model} on {data}: {quantity(n_clips, 'clip')}")
        self._of[model, data] = self._bars.add_task(f"{model} on {data}", total=n_clips)

    def node_done(self, model: str, data: str, node: str) -> None:
        """Count the clips of each node behind the name of the model."""
        counts = self._nodes.setdefault((model, data), Counter())
        counts[node or "no node"] += 1
        self._bars.update(self._of[model, data], description=f"{model} on {data}{self._by_node(model, data)}")

    def _by_node(self, model: str, data: str) -> str:
        counts = self._nodes.get((model, data), Counter())
        return f" ({', '.join(f'{node}: {n}' for node, n in sorted(counts.items()))})" if counts else ""

    def _show_clip(self, progress: RunProgress) -> None:
        if self._bars.disable and time.monotonic() - self._last_line_s >= _LINE_EVERY_S:
            self._last_line_s = time.monotonic()
            of_nodes = self._by_node(progress.model, progress.data)
            self.note(f"{progress.model} on {progress.data}: {progress.done} of {progress.total}{of_nodes}")
        self._bars.update(self._of[progress.model, progress.data], completed=progress.done, total=progress.total)
        failure = progress.result.hypothesis.failure
        if failure is not None:
            text = f"{progress.result.clip.id}: failed in {failure.stage}: {failure.message}"
            self._bars.console.print(text, markup=False)


def _study(names: frozenset[str], out: Path, spec: RunSpec, place: RunPlace, *, as_json: bool) -> None:
    from earwitness.api.study import find_study, open_study

    file = find_study()
    _refuse_typed(names - {"shard"}, file)
    note = console(stderr=True).print
    if file.parent != Path() and not as_json:
        note(f"In {file.parent}:", markup=False)
    folder = out if "out" in names else None
    with open_study(file, folder, spec.command, spec.shard, elsewhere=place.elsewhere) as work:
        for sentence in work.unreadable:
            note(f"Skipped: {sentence}", markup=False)
        _work(work.items, work.out, place, as_json=as_json)


def _refuse_typed(names: frozenset[str], file: Path) -> None:
    from earwitness.errors import UsageError

    for name in options_of(RunSpec):
        if name in names:
            raise UsageError(
                f"{flag(RunSpec, name)} needs DATA: without it, the options come from {str(file)!r}. "
                "Change the option there, or name the data: earwitness run DATA"
            )


def _work(items: Sequence[Item], out: Path, place: RunPlace, *, as_json: bool) -> None:
    from earwitness.cli.run_output import answer, show_plan

    if place.is_plan:
        show_plan([item.task for item in items if item.task], out, place, as_json=as_json)
        return
    with Bars(quiet=as_json) as bars:
        if all(item.task is None or item.outcome == "skipped" for item in items):
            console(stderr=True).print("Nothing to do: every record is complete.")
        records = run_items(items, out, bars, place)
    if not answer(items, records, as_json=as_json):
        raise typer.Exit(1)


def _interruption(records: Sequence[Path]) -> list[str]:
    """Return lines about what is kept after an interruption, and the command that continues."""
    left = unfinished(records)
    if not left:
        return ["Interrupted. There is no run to continue."]
    each = "; ".join(
        f"{record.run.model.id} on {record.run.dataset.name}: {n} of {quantity(record.run.dataset.n_clips, 'clip')}"
        for record, n in left
    )
    return [
        f"Interrupted. Finished clips are kept ({each}).",
        f"To continue: earwitness run --resume {shlex.join(str(record.path) for record, _ in left)}",
    ]
