"""Cuts a text into passages that no error crosses, for any number of systems on the same reference.

The rule is that of Gillick and Cox, "Some statistical issues in the comparison of speech recognition algorithms",
ICASSP 1989: a cut lies behind words that every system has right, two of them in a row, with nothing inserted between
them. What went wrong before such words has come to its end. ``mapsswe.py`` takes the passages with errors,
``blocks.py`` takes all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from earwitness.scoring.align.edits import Method
from earwitness.scoring.align.spans import AlignedSpan, spans

_Method = Method | Literal["letters"]
GOOD = 2
"""Words in a row that every system must have right."""
GOOD_LETTERS = 10
"""Letters in a row: about as many as two words have."""


class Passage(NamedTuple):
    """A stretch of a reference, up to the next place where it may be cut."""

    errors: tuple[int, ...]
    """Of each system."""
    length: int
    """Tokens of the reference in it."""


def passages(
    reference: Sequence[str],
    hypotheses: Sequence[Sequence[str]],
    *,
    good: int = GOOD,
    method: _Method = "levenshtein",
) -> list[Passage]:
    """Cut one reference at every place where it may be cut.

    Args:
        reference: Normalized words, or other tokens.
        hypotheses: Of each system.
        good: Tokens in a row that all must have right, with nothing inserted between them.
        method: How each hypothesis is aligned with the reference; ``letters`` counts as ``align_letters`` does.

    Words inserted at a cut belong to the passage behind it. Without any reference there is one passage, if anything was
    inserted. The sums over passages are the counts of the alignment.

    >>> passages("a b c d e f".split(), ["a x c d e f".split(), "a b c d e".split()])
    [Passage(errors=(1, 0), length=4), Passage(errors=(0, 0), length=1), Passage(errors=(0, 1), length=1)]
    >>> passages([], ["uh".split(), []])
    [Passage(errors=(1, 0), length=0)]
    """
    placed = [_places(reference, hypothesis, method) for hypothesis in hypotheses]
    return cut_errors(placed, len(reference), good=good)


def cut_errors(
    placed: Sequence[tuple[Sequence[int], Sequence[int]]], length: int, *, good: int = GOOD
) -> list[Passage]:
    """Cut a text of which it is known where the errors are.

    Args:
        placed: Of each system, 1 for every token that is wrong, and how many tokens are inserted before each and behind
            the last.
        length: Tokens of the reference.
        good: As for ``passages``.

    >>> cut_errors([([0, 1, 0, 0], [0, 0, 0, 0, 2])], 4)
    [Passage(errors=(1,), length=4), Passage(errors=(2,), length=0)]
    """
    found: list[Passage] = []
    errors, begin, run = [0] * len(placed), 0, 0
    for place in range(length + 1):
        added = [extra[place] for _, extra in placed]
        if any(added):
            errors, run = _sum(errors, added), 0
        if place == length:
            break
        missed = [wrong[place] for wrong, _ in placed]
        if any(missed):
            errors, run = _sum(errors, missed), 0
            continue
        run += 1
        if run >= good:
            found.append(Passage(tuple(errors), place + 1 - begin))
            errors, begin = [0] * len(placed), place + 1
    if begin < length or any(errors):
        found.append(Passage(tuple(errors), length - begin))
    return found


def _sum(errors: Sequence[int], more: Sequence[int]) -> list[int]:
    return [a + b for a, b in zip(errors, more, strict=True)]


def _places(reference: Sequence[str], hypothesis: Sequence[str], method: _Method) -> tuple[list[int], list[int]]:
    """For every reference word whether it is wrong, and for every gap before, between and after, the words added."""
    wrong, added = [0] * len(reference), [0] * (len(reference) + 1)
    for span in _letter_spans(reference, hypothesis) if method == "letters" else spans(reference, hypothesis, method):
        start, end = span.reference
        if span.kind == "insert":
            added[start] += span.hypothesis[1] - span.hypothesis[0]
        elif span.kind != "equal":
            wrong[start:end] = [1] * (end - start)
    return wrong, added


def _letter_spans(reference: Sequence[str], hypothesis: Sequence[str]) -> list[AlignedSpan]:
    from rapidfuzz.distance import Levenshtein

    return [
        AlignedSpan(op.tag, (op.src_start, op.src_end), (op.dest_start, op.dest_end))
        for op in Levenshtein.opcodes(reference, hypothesis)
    ]
