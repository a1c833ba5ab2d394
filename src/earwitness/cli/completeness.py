"""What ``earwitness analyze completeness`` finds in a run, and how it shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from earwitness.cli.common import console
from earwitness.runs.record import ClipResult, Run
from earwitness.scoring.cause import cause
from earwitness.scoring.completeness import KINDS
from earwitness.scoring.coverage import total_s


def completeness_of(run: Run, results: Sequence[ClipResult]) -> dict[str, Any]:
    """Return the findings of a run as they stand in its lines.

    Returns:
        ``speech``: how speech was looked for. ``clips``: how many. ``speech_s``: seconds of it, ``None`` when it was
        not looked for. ``counts``: clips by kind, zeros left out. ``cause``: why the WER is above 100 %, if it is.
        ``findings``: each with its clip, and the clip's own cause.
    """
    counts = Counter(kind for result in results for kind in result.score.flags)
    known = [result.speech for result in results if result.speech is not None]
    return {
        "speech": asdict(run.speech),
        "clips": len(results),
        "speech_s": round(sum(map(total_s, known)), 3) if known else None,
        "counts": {kind: counts[kind] for kind in KINDS if counts[kind]},
        "cause": cause([result.score for result in results]),
        "findings": [
            {"clip": result.clip.id, **asdict(finding), "cause": cause([result.score])}
            for result in results
            for finding in result.score.findings
        ],
    }


def show(found: Mapping[str, Mapping[str, Any]]) -> None:
    """Print a line of counts and a table of findings for each model."""
    from rich import box
    from rich.table import Table

    screen = console()
    for label, answer in found.items():
        counts = ", ".join(f"{kind} {n}" for kind, n in answer["counts"].items()) or "nothing found"
        screen.print(f"{label}, {answer['clips']} clips: {counts}", markup=False)
        if answer["speech"]["model"] is None:
            reason = answer["speech"]["reason"] or "the run is older than that"
            screen.print(f"  Speech was not looked for: {reason}.", markup=False)
        if answer["cause"]:
            screen.print(f"  {answer['cause']}", markup=False)
        if answer["findings"]:
            table = Table("Clip", "Finding", "From s", "To s", "What", box=box.SIMPLE_HEAD, pad_edge=False)
            for one in answer["findings"]:
                place = [_seconds(one["start_s"]), _seconds(one["end_s"])]
                table.add_row(_plain(one["clip"]), one["kind"], *place, _plain(one["detail"]))
            screen.print(table)


def _seconds(value: float | None) -> str:
    from earwitness.report.format import NOTHING

    return NOTHING if value is None else f"{value:.1f}"


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
