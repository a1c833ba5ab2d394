"""The pairs with the most errors, aligned word by word for a person to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from earwitness.scoring.metrics.clip import ScoringOptions
from earwitness.scoring.metrics.word_diff import word_diff
from earwitness.types import Clip, ClipScore, Edits, Hypothesis


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words with the same kind of edit."""

    kind: str
    """``equal``, ``replace``, ``delete`` or ``insert``: what happened to the reference."""
    reference: str
    """Its words there, with one space between; empty for an insertion."""
    hypothesis: str
    """What was heard in their place; empty for a deletion."""


@dataclass(frozen=True, slots=True)
class Mistakes:
    """One pair of texts with its errors."""

    id: str
    """Of the clip."""
    words: Edits
    """Counts of its words."""
    pieces: tuple[Piece, ...]
    """The alignment, in order."""


def most_errors(
    results: Sequence[tuple[Clip, Hypothesis, ClipScore]], options: ScoringOptions, n: int
) -> list[Mistakes]:
    """Return the n pairs with the most word errors, most first; pairs without an error, or a reference, are left out.

    Compounds that were counted as hits show as the errors they would else be.

    Args:
        results: Clips with texts and counts.
        options: How they were scored.
        n: How many at most.
    """
    wrong = [result for result in results if result[2].words is not None and result[2].words.errors]
    wrong.sort(key=lambda result: -_edits(result[2]).errors)
    return [mistakes(*result, options) for result in wrong[:n]]


def mistakes(clip: Clip, hypothesis: Hypothesis, score: ClipScore, options: ScoringOptions) -> Mistakes:
    """Return one pair of texts with its errors; a failed clip has an empty text.

    Args:
        clip: With its raw reference.
        hypothesis: The raw text, or a failure.
        score: Its counts.
        options: How it was scored.
    """
    return Mistakes(clip.id, _edits(score), _pieces(clip, hypothesis, options))


def _edits(score: ClipScore) -> Edits:
    return score.words or Edits()


def _pieces(clip: Clip, hypothesis: Hypothesis, options: ScoringOptions) -> tuple[Piece, ...]:
    pair = word_diff(clip, hypothesis, options, None)
    said = pair.said or ()
    return tuple(
        Piece(span.kind, " ".join(said[slice(*span.reference)]), " ".join(pair.words[slice(*span.hypothesis)]))
        for span in pair.spans
    )
