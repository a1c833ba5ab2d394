"""``earwitness demo`` as a function: all steps, on the data that this machine can get."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from earwitness.api.models import Tell
from earwitness.api.records import Record, RecordSource
from earwitness.api.run import Events, run_tasks
from earwitness.errors import EarwitnessError, UsageError

if TYPE_CHECKING:
    from earwitness.comparison.table import Comparison
    from earwitness.decision.decision import Decision

MODELS = ("faster-whisper:tiny.en", "faster-whisper:base", "pocketsphinx:en-us")
SAMPLE_CLIPS = 12
TELEPHONY_CLIPS = 30
JOINED_S = 120.0
"""Long enough for intervals and ranks of one recording, and small enough for a few minutes on two cores."""


@dataclass(frozen=True, slots=True)
class DemoResult:
    """The results of the demo."""

    records: tuple[Record, ...]
    """One for each model and dataset."""
    comparison: Comparison
    """Their tables."""
    scorecard: Path
    """The tables as Markdown."""
    decision: Decision
    """Which model to serve."""
    decision_file: Path
    """The decision as JSON."""
    report: Path | None
    """The page; ``None`` without the extra ``report``."""


def demo(*, out: RecordSource = "runs", sample_only: bool = False, events: Events | None = None) -> DemoResult:
    """Compare real models on the built-in sample and, where they can be downloaded, on recordings of people.

    If a download fails, the demo notes it and continues without it.

    Args:
        out: Folder of the records, the scorecard, the decision and the report.
        sample_only: Whether to use the built-in, synthetic sample alone.
        events: What is told of the work; ``None`` for nothing.

    Raises:
        FileError: When something cannot be written.
    """
    from earwitness.api.compare import decide
    from earwitness.comparison.table import compare
    from earwitness.files.atomic import write_text
    from earwitness.reports.scorecard import markdown
    from earwitness.runs.plan import plan
    from earwitness.runs.spec import RunSpec

    events, folder = events or Events(), Path(out)
    models = _models(events.note)
    tasks = []
    for source, limit, tags in [("sample", SAMPLE_CLIPS, {}), *([] if sample_only else _recordings(events.note))]:
        tasks += plan(RunSpec(sources=(source,), models=models, limit=limit, tags=tags, command=("demo",)))
    records = run_tasks(tasks, folder, events)
    comparison = compare([record.path for record in records])
    scorecard, decision_file = folder / "scorecard.md", folder / "decision.json"
    write_text(scorecard, markdown(comparison))
    decision = decide(records, out=decision_file)
    page = _page(records, folder / "report", decision, events.note)
    return DemoResult(tuple(records), comparison, scorecard, decision, decision_file, page)


def _page(records: list[Record], folder: Path, decision: Decision, note: Tell) -> Path | None:
    from earwitness.api.report import report

    try:
        return report(records, out=folder, decision=decision).page
    except UsageError as error:
        note(f"Without a report: {error}")
        return None


def _models(note: Tell) -> tuple[str, ...]:
    from earwitness import weights
    from earwitness.engines.catalog import find
    from earwitness.engines.registry import get_engine
    from earwitness.workers.environments import python_of

    usable = []
    for name in MODELS:
        model = find(name)
        try:
            python_of(get_engine(model.engine).spec)
            weights.pull(model, note)
            usable.append(name)
        except EarwitnessError as error:
            note(f"Without {name}: {error}")
    if len(usable) < 2:
        note("Fewer than two real models are available here, so the demo uses scripted ones.")
        return (*usable, "fake:echo", "fake:chat")
    return tuple(usable)


def _recordings(note: Tell) -> list[tuple[str, int | None, dict[str, str]]]:
    from earwitness import data
    from earwitness.data import corpora

    recordings: list[tuple[str, int | None, dict[str, str]]] = []
    try:
        corpora.pull("librivox-mini", note)
        recordings.append(("librivox-mini", None, {}))
        corpora.pull("telephony-en", note)
        recordings.append(("telephony-en", TELEPHONY_CLIPS, {"kind": "speech"}))
        joined = data.join(data.load("telephony-en"), JOINED_S)
        recordings.append((str(joined), None, {}))
    except EarwitnessError as error:
        note(f"Some recordings of people are left out: {error}")
    return recordings
