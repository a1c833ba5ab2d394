"""``earwitness analyze confusions`` and ``worst`` as functions: the most frequent errors, and the worst clips."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from earwitness.api.records import RecordSources, paths
from earwitness.errors import UsageError
from earwitness.types import Clip

if TYPE_CHECKING:
    from earwitness.records.select import RunWithClips
    from earwitness.scoring.metrics.confusions import Confusion
    from earwitness.scoring.metrics.mistakes import Mistakes


@dataclass(frozen=True, slots=True)
class ConfusionCount:
    """An error, with how often each model made it."""

    kind: str
    """``substitution``, ``deletion`` or ``insertion``."""
    reference: str
    """The word that was said; empty for an insertion."""
    hypothesis: str
    """The word that was written; empty for a deletion."""
    n: int
    """Of all models."""
    by_model: Mapping[str, int]
    """By label; 0 where a model never did."""


@dataclass(frozen=True, slots=True)
class WorstClip:
    """A clip with the errors of each model in it."""

    clip: Clip
    """With its audio, its span in it, and its reference."""
    errors: int
    """Word errors of all models."""
    models: Mapping[str, Mistakes]
    """The alignment of each model's text with the reference, by label, most errors first."""


def confusions(records: RecordSources = "runs", *, top: int = 20) -> list[ConfusionCount]:
    """Return the most frequent errors: what was said, what was written instead, and how often by model.

    Several models that make the same error share a row.

    Args:
        records: Records over the same data, or folders that hold some.
        top: How many at most, most frequent first.

    Raises:
        ComparisonError: When the runs are over different data or scored in different ways.
        UsageError: When no clip has a reference, or for a ``top`` under 1.
    """
    from earwitness.records.rescore import options_of
    from earwitness.scoring.metrics.confusions import confusions as count

    runs = _labelled(records, top)
    counts: dict[str, Counter[Confusion]] = {}
    for run in runs:
        texts = [(result.clip, result.hypothesis) for result in run.results]
        counts[run.label] = count(texts, options_of(run.run.scoring))
    total: Counter[Confusion] = Counter()
    for found in counts.values():
        total.update(found)
    ordered = sorted(total, key=lambda one: (-total[one], one))
    return [
        ConfusionCount(
            one.kind, one.reference, one.hypothesis, total[one], {label: each[one] for label, each in counts.items()}
        )
        for one in ordered[:top]
    ]


def worst_clips(records: RecordSources = "runs", *, top: int = 10) -> list[WorstClip]:
    """Return the clips with the most word errors over all models, each with its audio, span, and alignments.

    Clips without an error are left out.

    Args:
        records: Records over the same data, or folders that hold some.
        top: How many at most, most errors first.

    Raises:
        ComparisonError: When the runs are over different data or scored in different ways.
        UsageError: When no clip has a reference, or for a ``top`` under 1.
    """
    from earwitness.records.rescore import options_of
    from earwitness.scoring.metrics.mistakes import mistakes

    runs = _labelled(records, top)
    errors: Counter[str] = Counter()
    for run in runs:
        errors.update({r.clip.id: r.score.words.errors for r in run.results if r.score.words is not None})
    ordered = sorted((key for key, n in errors.items() if n), key=lambda key: (-errors[key], key))[:top]
    found = []
    for key in ordered:
        results = {run.label: (run, next(r for r in run.results if r.clip.id == key)) for run in runs}
        models = {
            label: mistakes(result.clip, result.hypothesis, result.score, options_of(run.run.scoring))
            for label, (run, result) in results.items()
        }
        by_errors = sorted(models, key=lambda label: (-models[label].words.errors, label))
        clip = next(iter(results.values()))[1].clip
        found.append(WorstClip(clip, errors[key], {label: models[label] for label in by_errors}))
    return found


def _labelled(records: RecordSources, top: int) -> list[RunWithClips]:
    from earwitness.records.select import newest_with_clips

    if top < 1:
        raise UsageError(f"top must be at least 1, not {top}.")
    runs = newest_with_clips(paths(records))
    if all(result.clip.reference is None for result in runs[0].results):
        raise UsageError("No clip has a reference, so there are no errors to show. Label some clips first.")
    return runs
