"""A remark under a table: the references of a dataset do not belong to its audio."""

from __future__ import annotations

from collections.abc import Sequence

from earwitness.records.record import ClipResult
from earwitness.records.run_texts import families_of, texts_of_runs
from earwitness.records.select import RunWithClips
from earwitness.scoring.findings.reference_mismatch import reference_mismatch

_LEAST_WORDS = 2
_FAR_RATE, _FAR_SHARE = 0.5, 0.4


def reference_remark(runs: Sequence[RunWithClips]) -> str | None:
    """Return a sentence when the references of a dataset do not belong to its audio; else ``None``.

    Texts are compared only where even the best model has an error rate above 50 % in four of ten clips, which the
    counts of the records show at once.

    Args:
        runs: Over the same data, with distinct labels.
    """
    if not runs or not _is_suspicious([run.results for run in runs]):
        return None
    found = reference_mismatch(texts_of_runs(runs), families_of(runs))
    return None if found is None else found.sentence(runs[0].run.dataset.name)


def _is_suspicious(results: Sequence[Sequence[ClipResult]]) -> bool:
    rates: dict[str, float] = {}
    for result in (result for of_run in results for result in of_run):
        words = result.score.words
        if words is not None and words.length >= _LEAST_WORDS:
            rate = words.errors / words.length
            rates[result.clip.id] = min(rates.get(result.clip.id, rate), rate)
    return sum(rate > _FAR_RATE for rate in rates.values()) > _FAR_SHARE * len(rates)
