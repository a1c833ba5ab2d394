"""Minimum-edit alignment of words and of letters: how many hits, substitutions, deletions and insertions.

The fewest errors are the same for every tool. How they split is not, where two alignments have as few; here the one
with the most hits is taken, which leaves one split and no more: errors and substitutions are known then, and deletions
less insertions is the difference of the lengths. NIST's sclite does not look for the fewest errors: a substitution
costs 4 there, a deletion or an insertion 3, and of alignments that cost the same it takes the one that, read from the
end, goes diagonally first, then by insertion, then by deletion. ``method="sclite"`` counts that way.

Nothing here keeps a table of all pairs: memory grows with the length of a text, not with its square.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import add
from typing import Literal, get_args

import numpy as np

from earwitness.errors import UsageError
from earwitness.scoring.align.chunks import pieces
from earwitness.types import Edits

Method = Literal["levenshtein", "sclite"]
METHODS: tuple[Method, ...] = get_args(Method)
_FAR = 1 << 40


def align(
    reference: Sequence[str], hypothesis: Sequence[str], *, compounds: bool = False, method: Method = "levenshtein"
) -> Edits:
    """Count the edits that turn the words of the reference into those of the hypothesis.

    Args:
        reference: Words.
        hypothesis: Words.
        compounds: Neighbouring words that make up one word of the other side, letter for letter, are hits, as many as
            the reference has there (kaldialign's ``merge_compounds``).
        method: ``levenshtein`` for the fewest errors, ``sclite`` for the costs and the ties of sclite.

    Raises:
        UsageError: For compounds with sclite's alignment, which has none.

    >>> align("the white board".split(), "a whiteboard".split())
    Edits(hits=0, substitutions=2, deletions=1, insertions=0)
    >>> align("the white board".split(), "a whiteboard".split(), compounds=True)
    Edits(hits=2, substitutions=1, deletions=0, insertions=0)
    >>> said, heard = "b b b c c".split(), "c c a a a".split()
    >>> align(said, heard)
    Edits(hits=0, substitutions=5, deletions=0, insertions=0)
    >>> align(said, heard, method="sclite")
    Edits(hits=2, substitutions=0, deletions=3, insertions=3)
    >>> align([], ["words", "invented"])
    Edits(hits=0, substitutions=0, deletions=0, insertions=2)
    """
    if compounds and method == "sclite":
        raise UsageError("The alignment of sclite does not support compounds. Leave out one of the two.")
    if reference == hypothesis:
        return Edits(hits=len(reference))
    if method == "sclite":
        return _sclite(reference, hypothesis)
    edits = _fewest(reference, hypothesis)
    return _merged(reference, hypothesis) if compounds and _may_merge(reference, hypothesis, edits.errors) else edits


def align_letters(reference: str, hypothesis: str) -> Edits:
    """Count the edits between the characters of two texts; the split is rapidfuzz's, which is jiwer's.

    >>> align_letters("board", "bored")
    Edits(hits=3, substitutions=2, deletions=0, insertions=0)
    """
    from rapidfuzz.distance import Levenshtein

    if reference == hypothesis:
        return Edits(hits=len(reference))
    kinds = [kind for kind, _, _ in Levenshtein.editops(reference, hypothesis).as_list()]
    substitutions, deletions = kinds.count("replace"), kinds.count("delete")
    hits = len(reference) - substitutions - deletions
    return Edits(hits, substitutions, deletions, len(kinds) - substitutions - deletions)


def _fewest(reference: Sequence[str], hypothesis: Sequence[str]) -> Edits:
    """Count an alignment with the fewest errors, and among these the fewest substitutions.

    One distance holds both: an error weighs more than all the substitutions that there can be.
    """
    from rapidfuzz.distance import Levenshtein

    error = len(reference) + len(hypothesis) + 1
    cost = Levenshtein.distance(reference, hypothesis, weights=(error, error, error + 1))
    errors, substitutions = divmod(cost, error)
    return _edits(reference, hypothesis, errors, substitutions)


def _edits(reference: Sequence[str], hypothesis: Sequence[str], errors: int, substitutions: int) -> Edits:
    deletions = (errors - substitutions + len(reference) - len(hypothesis)) // 2
    return Edits(
        hits=len(reference) - substitutions - deletions,
        substitutions=substitutions,
        deletions=deletions,
        insertions=errors - substitutions - deletions,
    )


def _sclite(reference: Sequence[str], hypothesis: Sequence[str]) -> Edits:
    """Count as sclite does: the least cost first; its rule for ties only where they differ in their counts."""
    from rapidfuzz.distance import Levenshtein

    unit = len(reference) + len(hypothesis) + 1
    low = Levenshtein.distance(reference, hypothesis, weights=(3 * unit + 1, 3 * unit + 1, 4 * unit + 1))
    high = Levenshtein.distance(reference, hypothesis, weights=(3 * unit - 1, 3 * unit - 1, 4 * unit - 1))
    cost, errors = divmod(low, unit)
    if errors != cost * unit - high:
        errors = _errors_of_ties(reference, hypothesis, cost)
    return _edits(reference, hypothesis, errors, cost - 3 * errors)


def _errors_of_ties(reference: Sequence[str], hypothesis: Sequence[str], cost: int) -> int:
    """Return the errors of the alignment that sclite picks among those of the least cost.

    Row by row, with the errors on the way to every cell carried along, so no way back is needed. A cell so far off the
    diagonal that the insertions and deletions to it and from it cost more than ``cost`` is on no such alignment. Arrays
    run over ``offset``, the position in the hypothesis less that in the reference.
    """
    n, m = len(reference), len(hypothesis)
    slack = max(0, (cost // 3 - abs(m - n)) // 2)
    offsets = np.arange(min(0, m - n) - slack, max(0, m - n) + slack + 1)
    numbers = {word: number for number, word in enumerate({*reference, *hypothesis})}
    heard = np.full(m + 2 * len(offsets) + n + 2, -1)
    start = len(offsets)
    heard[start : start + m] = [numbers[word] for word in hypothesis]
    steps = np.arange(len(offsets))
    costs = np.where((offsets >= 0) & (offsets <= m), 3 * offsets, _FAR)
    errors = np.maximum(offsets, 0)
    for row in range(1, n + 1):
        wrong = (heard[start + row - 1 + offsets[0] :][: len(offsets)] != numbers[reference[row - 1]]).astype(np.int64)
        diagonal = costs + 4 * wrong
        deletion = np.append(costs[1:], _FAR) + 3
        inside = (offsets + row >= 0) & (offsets + row <= m)
        best = np.where(inside, np.minimum(diagonal, deletion), _FAR)
        costs = np.minimum.accumulate(best - 3 * steps) + 3 * steps
        costs[~inside] = _FAR
        inserted = (costs != diagonal) & (np.append(_FAR, costs[:-1]) + 3 == costs)
        carried = np.where(costs == diagonal, errors + wrong, np.append(errors[1:], 0) + 1)
        came_from = np.maximum.accumulate(np.where(inserted, 0, steps))
        errors = carried[came_from] + steps - came_from
    return int(errors[m - n - offsets[0]])


def _may_merge(reference: Sequence[str], hypothesis: Sequence[str], errors: int) -> bool:
    """Return whether compounds could leave fewer errors than this; ``False`` is certain."""
    if errors == 1:  # None would be left, and then the texts have the same letters.
        return "".join(reference) == "".join(hypothesis)
    return _makes_up(reference, hypothesis) or _makes_up(hypothesis, reference)


def _makes_up(parts: Sequence[str], wholes: Sequence[str]) -> bool:
    """Return whether neighbouring parts form one of the wholes, letter for letter."""
    if not wholes or len(parts) < 2:
        return False
    known = set(wholes)
    longest = max(map(len, known))
    grown = list(map(add, parts, parts[1:]))
    if not known.isdisjoint(grown):
        return True
    begun = [(start, text) for start, text in enumerate(grown) if len(text) < longest]
    for size in range(2, len(parts)):
        begun = [(start, text + parts[start + size]) for start, text in begun if start + size < len(parts)]
        if not known.isdisjoint([text for _, text in begun]):
            return True
        begun = [(start, text) for start, text in begun if len(text) < longest]
        if not begun:
            break
    return False


def _merged(reference: Sequence[str], hypothesis: Sequence[str]) -> Edits:
    """Count with compounds, piece by piece: kaldialign keeps a table of all pairs."""
    import kaldialign

    total = Edits()
    for said, heard in pieces(reference, hypothesis):
        part = list(reference[said])
        found = kaldialign.edit_distance(part, list(hypothesis[heard]), merge_compounds=True)
        total += Edits(len(part) - found["sub"] - found["del"], found["sub"], found["del"], found["ins"])
    return total
