"""``earwitness transcribe``: the chosen model over an archive."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from earwitness.api.transcribe import ArchiveSpec, transcribe_spec
from earwitness.cli.common import AsJson, console, new_app, print_json, stop_on_sigterm
from earwitness.cli.options import takes
from earwitness.counts import duration, number, percentage, quantity

if TYPE_CHECKING:
    from earwitness.archive.drive import ArchiveCallback, ArchiveProgress
    from earwitness.archive.summary import ArchiveSummary

app = new_app("Transcribe an archive with the chosen model.")
_LINE_EVERY_S = 5.0
_MOST_MARKS = 13
_MOST_LINES = 10
_STOPS = {
    "failures": "Stopped: more recordings failed than --max-failures allows.",
    "budget": "Stopped: the time of --budget-s is used up.",
    "disk": "Stopped: the disk has less free space than --min-free-disk asks for.",
}


@app.command()
@takes(ArchiveSpec)
def transcribe(
    paths: Annotated[
        list[str],
        typer.Argument(
            help="Files, folders, patterns such as 'calls/**/*.wav', manifests, corpora, and addresses such as "
            "s3://bucket/calls/.",
            metavar="PATH...",
        ),
    ],
    *,
    spec: ArchiveSpec,
    as_json: AsJson = False,
) -> None:
    """Transcribe recordings into texts, subtitles or JSON, with the model of a decision as it was measured.

    Outputs go beside each recording, or below --out. The same command again continues: it skips what is done and
    unchanged. It never writes over a file that it did not write, or that was edited since, unless you say --force. It
    exits with 1 if a limit was passed (--max-failures, --budget-s, --min-free-disk), or nothing could be transcribed.

    Examples:
        earwitness transcribe calls/ --decision decision.json --to srt --to txt

        earwitness transcribe calls/ --model faster-whisper:base --language en --out texts --to jsonl

        earwitness transcribe 'archive/**/*.mp3' --decision decision.json --out texts --channels split --budget-s 3600

        earwitness transcribe s3://bucket/calls/ --decision decision.json --out texts

        earwitness transcribe calls/ --decision decision.json --out texts --shard 3/8
    """
    stop_on_sigterm()
    try:
        with _bar(quiet=as_json) as report:
            summary = transcribe_spec(
                replace(spec, paths=tuple(paths)), report, lambda text: _announce(text, quiet=as_json)
            )
    except KeyboardInterrupt:
        line = "Interrupted. Finished recordings are kept. To continue, give the same command again."
        console(stderr=True).print(line, markup=False)
        raise typer.Exit(130) from None
    if as_json:
        from earwitness.files.schema import plain

        print_json(plain(summary) | {"rtf": summary.rtf, "good": summary.is_good})
    else:
        _print(summary)
    if not summary.is_good:
        raise typer.Exit(1)


def _announce(text: str, *, quiet: bool) -> None:
    if not quiet:
        console(stderr=True).print(text, markup=False)


@contextmanager
def _bar(*, quiet: bool) -> Iterator[ArchiveCallback]:
    """Draw how far it is on standard error; sentences where there is no terminal."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    screen = console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(), TextColumn("left:"), TimeRemainingColumn(),
    )  # fmt: skip
    bars = Progress(*columns, console=screen, disable=quiet or not screen.is_terminal, refresh_per_second=4)
    # Of the last minute or so: the longest recordings go first, and a second of a short one takes longer.
    marks = deque([(time.monotonic(), 0.0)], maxlen=_MOST_MARKS)

    def report(progress: ArchiveProgress) -> None:
        done = f"{progress.n_done:,} of {progress.n_total:,}"
        bars.update(task, completed=progress.done_s, total=progress.total_s or 1, description=done)
        now_s = time.monotonic()
        if quiet:
            return
        if progress.failure is not None:
            bars.console.print(_with_name(progress.source, progress.failure), markup=False)
        if bars.disable and now_s - marks[-1][0] >= _LINE_EVERY_S:
            marks.append((now_s, progress.done_s))
            (first_s, first_done_s), left_s = marks[0], progress.total_s - progress.done_s
            rate = (progress.done_s - first_done_s) / (now_s - first_s)
            left = f", about {duration(max(0.0, left_s / rate))} left" if rate > 0 else ""
            screen.print(f"{done} recordings{left}", markup=False)

    with bars:
        task = bars.add_task("loading", total=None)
        yield report


def _print(summary: ArchiveSummary) -> None:
    out = console()
    for line in _lines(summary):
        out.print(line, markup=False, soft_wrap=True)


def _lines(summary: ArchiveSummary) -> Iterator[str]:
    n_failed = len(summary.failures)
    done = f"{quantity(summary.n_texts, 'recording')} transcribed ({duration(summary.audio_s)} of audio)"
    yield f"{done}, {summary.n_skipped:,} done before, {n_failed:,} failed, {summary.n_left:,} left"
    if summary.rtf is not None:
        yield (
            f"{duration(summary.wall_s)} of work: RTF {number(summary.rtf)}, {number(1 / summary.rtf)} times real time"
            f" ({summary.workers} x {quantity(summary.threads, 'thread')} on {summary.device})"
        )
    yield from _details(summary)
    for failure in summary.failures[:_MOST_LINES]:
        yield f"  failed: {_with_name(failure.source, failure.failure.message)}"
    if n_failed > _MOST_LINES:
        yield f"  and {n_failed - _MOST_LINES:,} more; --json lists all"
    yield from _findings(summary)
    for check in summary.promise:
        show = percentage if check.measure.endswith("share") else number
        yield f"{check.measure}: {show(check.here)} here, {show(check.promised)} in the decision"
    yield from summary.remarks
    yield f"Written to {summary.root}: {', '.join(summary.formats)}"
    if summary.stop is not None:
        yield f"{_STOPS.get(summary.stop, '')} To continue, give the same command again."


def _with_name(source: str, message: str) -> str:
    return message if source in message else f"{source}: {message}"


def _details(summary: ArchiveSummary) -> Iterator[str]:
    if summary.n_twice:
        yield f"{quantity(summary.n_twice, 'recording')} named twice, transcribed once"
    if summary.n_rewritten:
        yield f"{quantity(summary.n_rewritten, 'output')} written again from saved texts"
    if summary.n_edited:
        yield f"{quantity(summary.n_edited, 'output')} edited since, and kept; --force writes over them"
    if summary.n_spread:
        yield f"{quantity(summary.n_spread, 'text')} without times: subtitles are spread evenly over the recording"


def _findings(summary: ArchiveSummary) -> Iterator[str]:
    if not summary.finding_counts:
        return
    counts = ", ".join(f"{kind.replace('_', ' ')}: {n}" for kind, n in summary.finding_counts.items())
    yield f"Recordings to check: {counts}"
    for each in summary.findings[:_MOST_LINES]:
        finding, place = each.finding, ""
        if finding.start_s is not None and finding.end_s is not None:
            place = f" at {finding.start_s:.1f}-{finding.end_s:.1f} s"
        yield f"  {each.source}{place}: {finding.detail}"
    if len(summary.findings) > _MOST_LINES:
        yield "  and more; --json and the json outputs list them"
