"""Long pairs of texts, cut into short ones, for work whose memory grows with the square of the length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

MOST = 1000
"""Words of either side in a piece."""


def pieces(reference: Sequence[str], hypothesis: Sequence[str], most: int = MOST) -> Iterator[tuple[slice, slice]]:
    """Yield where to cut, in order, so that the pieces make up both texts.

    A pair that is no longer than ``most`` is one piece. A longer one is cut along an alignment with the fewest errors
    (rapidfuzz's, found in flat memory), in the middle of the longest run of equal words within reach, so the pieces'
    errors add up to those of the whole. What looks for more than the fewest errors (most hits, compounds) could do
    better across a cut only where the equal words of that run have other partners.

    >>> list(pieces("a b c d".split(), "a b x d".split()))
    [(slice(0, 4, None), slice(0, 4, None))]
    >>> list(pieces("a b c d".split(), "a b x d".split(), most=3))
    [(slice(0, 3, None), slice(0, 3, None)), (slice(3, 4, None), slice(3, 4, None))]
    """
    here = (0, 0)
    end = (len(reference), len(hypothesis))
    for cut in _cuts(reference, hypothesis, most) if max(end) > most else ():
        yield slice(here[0], cut[0]), slice(here[1], cut[1])
        here = cut
    yield slice(here[0], end[0]), slice(here[1], end[1])


def _cuts(reference: Sequence[str], hypothesis: Sequence[str], most: int) -> Iterator[tuple[int, int]]:
    runs = list(_runs(reference, hypothesis, max(1, most // 2)))
    here = (0, 0)
    first = 0
    while max(len(reference) - here[0], len(hypothesis) - here[1]) > most:
        last = first
        while last < len(runs) and runs[last][1] - here[0] <= most and runs[last][2] - here[1] <= most:
            last += 1
        within = range(first, max(last, first + 1))
        best = max(within, key=lambda n: runs[n][0])
        size, said, heard = runs[best]
        if size > 1:
            cut = (said - size // 2, heard - size // 2)
            runs[best] = (size // 2, said, heard)
            first = best
        else:
            cut = (runs[within[-1]][1], runs[within[-1]][2])
            first = within[-1] + 1
        yield cut
        here = cut


def _runs(reference: Sequence[str], hypothesis: Sequence[str], most: int) -> Iterator[tuple[int, int, int]]:
    """Yield equal words in the run (0 for errors) and the two ends of each run, none longer than ``most``."""
    from rapidfuzz.distance import Levenshtein

    for op in Levenshtein.opcodes(reference, hypothesis):
        said, heard = op.src_start, op.dest_start
        while (said, heard) != (op.src_end, op.dest_end):
            steps = min(most, op.src_end - said), min(most, op.dest_end - heard)
            said, heard = said + steps[0], heard + steps[1]
            yield (steps[0] if op.tag == "equal" else 0), said, heard
