"""Records to analyse: complete, over the same data, the newest of each kind, with a label each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from earwitness.errors import ComparisonError
from earwitness.runs.record import ClipResult, Run
from earwitness.runs.shelf import none_complete, why_not_comparable
from earwitness.runs.store import read_clips, read_run


@dataclass(frozen=True, slots=True)
class Selected:
    """A run with its texts."""

    label: str
    """The model, made longer until labels differ."""
    path: Path
    """Where the record is."""
    run: Run
    """The run."""
    results: tuple[ClipResult, ...]
    """In the order of the record."""


def selected(records: Sequence[Path], left_out: list[str] | None = None) -> list[Selected]:
    """Read complete runs over the same data, lowest WER first; of equal ones the newest.

    Args:
        records: Paths of records.
        left_out: Gets a sentence for each run that is not complete, or whose texts were changed.

    Raises:
        ComparisonError: When no run is complete, or they are over different data or scored in different ways.
        RecordError: For a record that cannot be read.
    """
    left_out = [] if left_out is None else left_out
    newest: dict[tuple[str, ...], tuple[Path, Run]] = {}
    for path in records:
        run = read_run(path)
        why = why_not_comparable(path, run)
        if why is not None:
            left_out.append(why)
            continue
        key = (run.dataset.sha256, run.model.id, run.device_used or "", repr(sorted(run.settings_in_force.items())))
        if key not in newest or newest[key][1].created_at < run.created_at:
            newest[key] = (path, run)
    if not newest:
        raise ComparisonError(none_complete("analyze", left_out))
    found = sorted(newest.values(), key=lambda pair: (_wer(pair[1]), pair[1].model.id, pair[1].created_at))
    _refuse_unequal([run for _, run in found])
    labels = _labels([run for _, run in found])
    return [
        Selected(label, path, run, tuple(read_clips(path))) for label, (path, run) in zip(labels, found, strict=True)
    ]


def _wer(run: Run) -> float:
    score = run.score("wer")
    return float("inf") if score is None or score.value is None else score.value


def _refuse_unequal(runs: Sequence[Run]) -> None:
    data = {run.dataset.sha256: run.dataset.name for run in runs}
    if len(data) > 1:
        each = ", ".join(f"{name!r} (sha256 {sha256[:12]})" for sha256, name in data.items())
        raise ComparisonError(f"The runs are over different data: {each}. Name runs over the same data.")
    recipes = {score.signature for run in runs if (score := run.score("wer"))}
    if len(recipes) > 1:
        raise ComparisonError(
            f"WER was computed in different ways: {'; '.join(sorted(recipes))}. "
            "Score the runs alike: earwitness rescore RUN... --normalizer auto"
        )


def _labels(runs: Sequence[Run]) -> list[str]:
    labels = [run.model.id for run in runs]
    if len(set(labels)) < len(labels):
        labels = [f"{run.model.id} on {run.device_used}" for run in runs]
    return [label if labels.count(label) == 1 else f"{label} #{n}" for n, label in enumerate(labels, start=1)]
