"""Errors of one model in numbers, key terms, punctuation and case."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from earwitness.api.records import RecordSource
from earwitness.types import Clip, Hypothesis, Score

if TYPE_CHECKING:
    from earwitness.scoring.metrics.terms import TermCount, TermPlaces, TermSubstitutes


@dataclass(frozen=True, slots=True)
class TermReport:
    """The scores of one model, and its counts of each term."""

    scores: tuple[Score, ...]
    """Error rate on numbers, recall and precision of terms if any were given, punctuation, case."""
    terms: tuple[TermCount, ...]
    """Each term's counts in the clips that have a reference."""
    places: tuple[TermPlaces, ...] = ()
    """Where each term occurs in the model's texts, of all clips."""
    substitutes: tuple[TermSubstitutes, ...] = ()
    """What the model wrote in the place of each term that it missed."""
    n_unlabelled: int = 0
    """Clips without a reference, in which nobody knows what was said."""


def term_report(texts: Sequence[tuple[Clip, Hypothesis]], terms: Sequence[str], normalizer: str) -> TermReport:
    """Score the texts of one model.

    Args:
        texts: Raw, clip by clip.
        terms: Key terms; none for no recall and precision.
        normalizer: By name.
    """
    from earwitness.scoring.metrics.punctuation import raw_scores
    from earwitness.scoring.metrics.terms import number_score, term_places, term_scores, term_substitutes

    counts: tuple[TermCount, ...] = ()
    middle: tuple[Score, ...] = ()
    if terms:
        recall, precision, counts = term_scores(texts, terms, normalizer)
        middle = (recall, precision)
    return TermReport(
        (number_score(texts, normalizer), *middle, *raw_scores(texts)),
        counts,
        term_places(texts, terms, normalizer),
        term_substitutes(texts, terms, normalizer),
        sum(clip.reference is None for clip, _ in texts),
    )


def list_or_study(terms: RecordSource | Iterable[str] | None) -> tuple[str, ...]:
    """Return key terms as ``read_list`` does; for ``None``, those of the nearest study, or of its policy, if any.

    Raises:
        ScoringError: When the file cannot be read, or holds no term.
        PolicyError: For a policy of the study that does not make sense.
    """
    from earwitness.decision.policy import load
    from earwitness.runs import study_file

    if terms is not None:
        return read_list(terms)
    file = study_file.terms()
    if file is not None:
        return read_list(file)
    policy = study_file.policy()
    return load(policy).terms if policy is not None else ()


def read_list(terms: RecordSource | Iterable[str]) -> tuple[str, ...]:
    """Return key terms: those given, or those of a file, one per line.

    Raises:
        ScoringError: When the file cannot be read, or holds no term.
    """
    from earwitness.scoring.metrics.terms import read_terms

    return read_terms(Path(terms)) if isinstance(terms, str | os.PathLike) else tuple(terms)
