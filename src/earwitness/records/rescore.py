"""Scores stored texts, during a run or at any time after it, without engine or audio."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from earwitness.errors import RecordError
from earwitness.records import store
from earwitness.records.record import ClipResult
from earwitness.scoring import ScoringInfo, ScoringOptions, score_clip, summarize
from earwitness.types import Clip, Hypothesis, Score


def score_result(
    clip: Clip, hypothesis: Hypothesis, scoring: ScoringInfo, speech: Sequence[tuple[float, float]] | None = None
) -> ClipResult:
    """Return the clip's line of the record, with its counts and findings."""
    score = score_clip(clip, hypothesis, options_of(scoring), speech)
    return ClipResult(clip, hypothesis, score, None if speech is None else tuple(speech))


def score_run(results: Iterable[ClipResult], scoring: ScoringInfo) -> tuple[Score, ...]:
    """Return every score of a run from the counts in its lines."""
    return summarize(((result.clip, result.score) for result in results), options_of(scoring))


def rescore(results: Sequence[ClipResult], scoring: ScoringInfo) -> list[ClipResult]:
    """Return the lines of a record with counts and findings under another scoring."""
    options = options_of(scoring)
    return [rescore_clip(result, options) for result in results]


def rescore_clip(result: ClipResult, options: ScoringOptions) -> ClipResult:
    """Return a line of a record with counts and findings under another scoring."""
    return replace(result, score=score_clip(result.clip, result.hypothesis, options, result.speech))


def rescore_record(path: Path, scoring: ScoringInfo) -> Path:
    """Write a new record with the same texts under another scoring, and return its path.

    Raises:
        RecordError: For a record that is not complete, or when the new one cannot be written.
    """
    run = store.read_run(path)
    if run.status != "complete":
        raise RecordError(f"{str(path)!r} is {run.status}. Finish it first: earwitness run --resume {path}")
    results = rescore(store.read_clips(path), scoring)
    made = store.new_record_path(path.parent)
    store.write_clips(made, results)
    new = replace(
        run,
        id=store.new_run_id(run.model.id),
        created_at=store.now(),
        parent=run.id,
        scoring=scoring,
        scores=score_run(results, scoring),
    )
    store.write_run(made, store.seal_record(made, new))
    return made


def options_of(scoring: ScoringInfo) -> ScoringOptions:
    """Return the scoring options of a record."""
    return ScoringOptions(**asdict(scoring))
