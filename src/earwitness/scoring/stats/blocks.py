"""Cuts recordings into blocks of neighbouring passages, which stand in for recordings where there are hardly any.

Errors come in bursts, so single words, or single passages between errors, say too little about how far a rate would
move. Blocks that are long against a burst are nearly independent of each other (Carlstein 1986; Kuensch 1989). How many
there are is a bargain: few long blocks forget no burst, and a few degrees of freedom make intervals wide. Here a block
is 3 * sqrt(n) words long in a text of n (the square root: Lazarus, Lewis, Stock and Watson, "HAR inference:
recommendations for practice", JBES 2018; 3 by simulation), and there are 8 to 16 (Schmeiser, "Batch size effects in the
analysis of simulation output", Operations Research 1982, has it that more than some 10 to 30 hardly help).

Each recording is a stratum of its own, and one with eight blocks or more is two, its first half and its second: a
speaker who changes half way is then no reason for doubt about the rate of *this* recording.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log2, sqrt

import numpy as np
import numpy.typing as npt

from earwitness.scoring.stats.clusters import Counts
from earwitness.scoring.stats.passages import Passage
from earwitness.scoring.stats.significance import ALPHA

FEWEST, MOST = 8, 16
FEWEST_WORDS, FEWEST_S = 160, 100.0
"""With fewer reference words or seconds nothing is said: in simulations, intervals of less are too narrow."""
STEADY_S = 240.0
"""In simulations, shorter recordings covered too little where a disturbance lasted 8 s and came once a minute."""
_PER_STRATUM = 4
_LONGEST = 25


@dataclass(frozen=True, slots=True)
class Blocks:
    """Neighbouring passages, summed."""

    errors: Counts
    """Of each system in each block, shape (systems, blocks)."""
    lengths: Counts
    """Reference tokens of each block, shape (blocks,)."""
    strata: npt.NDArray[np.intp]
    """Of each block, numbered from 0; blocks are drawn within them. Every stratum has two blocks or more."""
    n_recordings: int
    """That were cut."""


def cut_blocks(recordings: Sequence[Sequence[Passage]], *, n_pairs: int = 1, size: int = 1) -> Blocks:
    """Sum the passages of each recording over blocks of about equal length.

    Args:
        recordings: Passages in their order; recordings without any token or error are passed over.
        n_pairs: Pairs of systems that will be tested: with more blocks, p can be small enough for all of them.
        size: Tokens that stand for a word where the number of blocks is chosen.

    A passage belongs to the block in which its middle lies. One of more than 25 words, of a system that has hardly two
    words in a row right, is divided into equal parts, and so are its errors: where in it they are is up to the
    alignment.

    >>> blocks = cut_blocks([[Passage((1, 0), 10), Passage((0, 0), 10)] * 20])
    >>> blocks.errors.sum(axis=1).tolist(), blocks.lengths.tolist(), blocks.strata.tolist()
    ([20.0, 0.0], [50.0, 50.0, 50.0, 50.0, 50.0, 50.0, 50.0, 50.0], [0, 0, 0, 0, 1, 1, 1, 1])
    """
    kept = [passages for passages in recordings if any(one.length or any(one.errors) for one in passages)]
    sizes = [sum(passage.length for passage in passages) for passages in kept]
    n_blocks = _number(sum(sizes) // size, n_pairs)
    each = max(1.0, sum(sizes) / n_blocks)
    numbers = [max(1, round(size / each)) for size in sizes]
    if sum(numbers) < n_blocks:
        # Of many short recordings, none of which makes a block and a half.
        numbers = [max(1, ceil(size / each)) for size in sizes]
    cut = [_summed(_divided(passages, _LONGEST * size), number) for passages, number in zip(kept, numbers, strict=True)]
    if not cut:
        return Blocks(np.zeros((1, 0)), np.zeros(0), np.zeros(0, np.intp), 0)
    sums = np.concatenate(cut, axis=1)
    return Blocks(sums[1:], sums[0], _strata([part.shape[1] for part in cut]), len(kept))


def _number(n_words: int, n_pairs: int) -> int:
    """Return how many blocks a text has; an even number, for two halves."""
    testable = 1 + ceil(log2(max(1, n_pairs) / ALPHA))
    wanted = max(FEWEST, testable, round(sqrt(n_words) / 3))
    return min(MOST, wanted + wanted % 2)


def _divided(passages: Sequence[Passage], longest: int) -> npt.NDArray[np.int64]:
    """Return length and errors of each passage, shape (passages, 1 + systems), long ones in equal parts."""
    table = np.array([(passage.length, *passage.errors) for passage in passages], np.int64)
    n_parts = np.maximum(1, -(-table[:, 0] // longest))
    rows = np.repeat(np.arange(len(table)), n_parts)
    part = (np.arange(len(rows)) - np.repeat(np.cumsum(n_parts) - n_parts, n_parts))[:, None]
    of = n_parts[rows][:, None]
    parts: npt.NDArray[np.int64] = table[rows] * (part + 1) // of - table[rows] * part // of
    return parts


def _summed(table: npt.NDArray[np.int64], n_blocks: int) -> Counts:
    """Return length and errors of each system by block, shape (1 + systems, blocks)."""
    ends = np.cumsum(table[:, 0])
    middles = ends - table[:, 0] / 2
    number = np.minimum((middles * n_blocks / max(1.0, ends[-1])).astype(np.intp), n_blocks - 1)
    _, number = np.unique(number, return_inverse=True)
    return np.stack([np.bincount(number, column) for column in table.T])


def _strata(n_blocks: Sequence[int]) -> npt.NDArray[np.intp]:
    """Number the strata of recordings with so many blocks; those with few blocks are put together."""
    parts: list[list[int]] = []
    rest: list[int] = []
    begin = 0
    for n in n_blocks:
        places = list(range(begin, begin + n))
        begin += n
        if n < _PER_STRATUM:
            rest += places
        elif n < 2 * _PER_STRATUM:
            parts.append(places)
        else:
            parts += [places[: n // 2], places[n // 2 :]]
    if len(rest) >= _PER_STRATUM or not parts:
        parts.append(rest)
    else:
        parts[-1] += rest
    found = np.zeros(begin, np.intp)
    for number, places in enumerate(parts):
        found[places] = number
    return found
