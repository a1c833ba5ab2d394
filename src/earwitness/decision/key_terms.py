"""Measures of a policy's key terms: recall and precision, with the terms behind them."""

from __future__ import annotations

from collections.abc import Sequence

from earwitness.decision.evidence import MeasuredValue, ids, pool
from earwitness.records.select import RunWithClips
from earwitness.scoring.metrics.terms import TermCount, term_scores

_NAMES = 5


def recall(runs: Sequence[RunWithClips], terms: Sequence[str]) -> MeasuredValue:
    """Return the share of all occurrences in the references that the model wrote there.

    Args:
        runs: Where from.
        terms: Of the policy.
    """
    return _measured(runs, terms, of_recall=True)


def precision(runs: Sequence[RunWithClips], terms: Sequence[str]) -> MeasuredValue:
    """Return the share of all occurrences in the model's texts that was said there."""
    return _measured(runs, terms, of_recall=False)


def _measured(runs: Sequence[RunWithClips], terms: Sequence[str], *, of_recall: bool) -> MeasuredValue:
    if not terms or not runs:
        return MeasuredValue(None, reason="the policy names no key terms", evidence=ids(runs))
    pairs = [(result.clip, result.hypothesis) for result in pool(runs)]
    of_said, of_written, counts = term_scores(pairs, terms, runs[0].run.scoring.normalizer)
    score = of_said if of_recall else of_written
    if score.value is None:
        return MeasuredValue(None, reason=score.reason, evidence=ids(runs))
    reason = "; ".join(filter(None, (score.reason, _missed(counts) if of_recall else _invented(counts))))
    return MeasuredValue(score.value, score.ci95, reason or None, ids(runs))


def _missed(counts: Sequence[TermCount]) -> str:
    missed = sorted((one for one in counts if one.found < one.said), key=lambda one: (one.found - one.said, one.term))
    return _listed("missed most", [(one.term, one.said - one.found, one.said) for one in missed])


def _invented(counts: Sequence[TermCount]) -> str:
    added = sorted((one for one in counts if one.found < one.heard), key=lambda one: (one.found - one.heard, one.term))
    return _listed("written where it was not said", [(one.term, one.heard - one.found, one.heard) for one in added])


def _listed(what: str, terms: Sequence[tuple[str, int, int]]) -> str:
    """Return the first terms in words.

    >>> _listed("missed most", [("Nagy", 2, 3)])
    'missed most: Nagy (2 of 3)'
    """
    return f"{what}: {', '.join(f'{term} ({n} of {of})' for term, n, of in terms[:_NAMES])}" if terms else ""
