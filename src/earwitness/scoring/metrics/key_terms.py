"""Everything about the key terms of one model: recall, precision, each term's counts, and what was written instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from earwitness.scoring.metrics.terms import TermCount, TermSubstitutes, term_scores, term_substitutes
from earwitness.types import Clip, Hypothesis, Score


@dataclass(frozen=True, slots=True)
class TermScores:
    """How one model writes the terms of a list."""

    recall: Score
    """Of all occurrences in the references, the share that the model wrote there."""
    precision: Score
    """Of all occurrences in the model's texts, the share that was said there."""
    counts: tuple[TermCount, ...]
    """Of each term, in the order of the list."""
    substitutes: tuple[TermSubstitutes, ...]
    """What the model wrote in the place of each term that it missed."""


def key_terms(pairs: Sequence[tuple[Clip, Hypothesis]], terms: Sequence[str], norm: str) -> TermScores:
    """Score a list of terms; clips without a reference are passed over.

    Args:
        pairs: Raw texts, clip by clip.
        terms: As the user wrote them.
        norm: Name of the normalizer.

    Raises:
        ScoringError: When normalizing leaves nothing of a term.

    >>> from earwitness.types import Transcript
    >>> clip = Clip("c", "", "", 0.0, 2.0, "ask Nagy", "en")
    >>> found = key_terms([(clip, Hypothesis("c", Transcript("ask nodge"), None, 2.0))], ["Nagy"], "basic")
    >>> found.recall.value, found.precision.value, found.substitutes[0].texts
    (0.0, None, {'nodge': 1})
    """
    recall, precision, counts = term_scores(pairs, terms, norm)
    return TermScores(recall, precision, counts, term_substitutes(pairs, terms, norm))
