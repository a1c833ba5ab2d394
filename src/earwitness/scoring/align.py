"""Minimum-edit alignment of two token sequences, with unit costs.

The number of errors is the Levenshtein distance and does not depend on the tool. How it splits into substitutions,
deletions and insertions is not unique; the split here is rapidfuzz's, the same as jiwer's. rapidfuzz divides long
sequences (Hirschberg 1975), so memory stays flat.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from earwitness.types import Edits


class Span(NamedTuple):
    """A run of tokens that were treated alike."""

    kind: str
    """``equal``, ``replace``, ``delete`` or ``insert``: what happened to the reference."""
    reference: tuple[int, int]
    """From and to, in the reference's tokens."""
    hypothesis: tuple[int, int]
    """From and to, in the hypothesis's tokens."""


def spans(reference: Sequence[str], hypothesis: Sequence[str]) -> list[Span]:
    """Return the alignment as runs.

    >>> [span.kind for span in spans("the cat sat".split(), "the dog sat down".split())]
    ['equal', 'replace', 'equal', 'insert']
    """
    from rapidfuzz.distance import Levenshtein

    found = Levenshtein.opcodes(reference, hypothesis)
    return [Span(o.tag, (o.src_start, o.src_end), (o.dest_start, o.dest_end)) for o in found]


def align(reference: Sequence[str], hypothesis: Sequence[str], *, compounds: bool = False) -> Edits:
    """Count the edits that turn the reference into the hypothesis.

    Args:
        reference: Tokens; words, or a string for its characters.
        hypothesis: Tokens of the same kind.
        compounds: Neighbouring words that make up one word of the other side, letter for letter, are hits, as many as
            the reference has there (kaldialign's ``merge_compounds``).

    >>> align("the white board".split(), "a whiteboard".split())
    Edits(hits=0, substitutions=2, deletions=1, insertions=0)
    >>> align("the white board".split(), "a whiteboard".split(), compounds=True)
    Edits(hits=2, substitutions=1, deletions=0, insertions=0)
    >>> align([], ["words", "invented"])
    Edits(hits=0, substitutions=0, deletions=0, insertions=2)
    """
    if compounds:
        import kaldialign

        found = kaldialign.edit_distance(list(reference), list(hypothesis), merge_compounds=True)
        substitutions, deletions, insertions = found["sub"], found["del"], found["ins"]
        return Edits(len(reference) - substitutions - deletions, substitutions, deletions, insertions)
    from rapidfuzz.distance import Levenshtein

    kinds = [edit.tag for edit in Levenshtein.editops(reference, hypothesis)]
    substitutions, deletions = kinds.count("replace"), kinds.count("delete")
    return Edits(
        hits=len(reference) - substitutions - deletions,
        substitutions=substitutions,
        deletions=deletions,
        insertions=kinds.count("insert"),
    )
