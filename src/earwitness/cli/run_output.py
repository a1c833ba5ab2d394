"""What ``earwitness run`` answers: each item with what became of it, its record and its scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from earwitness.cli.common import console, print_json
from earwitness.counts import quantity
from earwitness.records.record import Run
from earwitness.records.store import read_clips, read_run
from earwitness.reports.format import number, percent
from earwitness.runs.study_plan import Item
from earwitness.scoring.findings.wer_cause import cause


def answer(items: Sequence[Item], records: Sequence[Path | None], *, as_json: bool) -> bool:
    """Print what became of every item, and return whether all that could be run here is complete.

    Args:
        items: As they were planned.
        records: Of each; ``None`` for one that was not run here.
        as_json: For machines.
    """
    runs = [read_run(path) if path else None for path in records]
    answers = list(zip(items, records, runs, strict=True))
    if as_json:
        print_json([_plain(item, path, run) for item, path, run in answers])
    else:
        for item, path, run in answers:
            console().print(_text(item, path, run), markup=False, soft_wrap=True)
    return all(run is None or run.status == "complete" for run in runs)


def _text(item: Item, path: Path | None, run: Run | None) -> str:
    if path is None or run is None:
        return f"{item.outcome}: {item.what}: {item.reason}"
    # Outside a study, nothing needs to be told apart.
    head = f"{item.outcome}: {item.what}" if item.what else f"{run.model.id} on {run.dataset.name}"
    why = _why(path, run)
    return f"{head}{_in_words(run)}\n  {path}" + (f"\n  {why}" if why else "")


def _in_words(run: Run) -> str:
    if run.status != "complete":
        return f" {run.status}" + (f": {run.failure.message}" if run.failure else "")
    failed = run.score("failed_clips")
    return (
        f": WER {percent(run.score('wer'))}, RTF {number(run.speed.rtf if run.speed else None)}, "
        f"{failed.value if failed else 0:.0f} of {quantity(run.dataset.n_clips, 'clip')} failed"
    )


def _why(path: Path, run: Run) -> str | None:
    wer = run.score("wer")
    return cause([result.score for result in read_clips(path)]) if wer and (wer.value or 0) > 1 else None


def _plain(item: Item, path: Path | None, run: Run | None) -> dict[str, Any]:
    if path is None or run is None:
        return {"outcome": item.outcome, "what": item.what, "reason": item.reason}
    return {
        "outcome": item.outcome,
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
