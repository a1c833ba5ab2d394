"""The consensus of several texts of one clip: ROVER (Fiscus, ASRU 1997), with one vote for each family of weights.

The texts are aligned one after the other into a word lattice: slots, each with the words that stand there and, where a
text has none, a null arc. Words are never compared by their position. In each slot the arc with the most votes wins.

- A family has one vote. Its distinct texts share it equally, so a copy of a model that says the same changes nothing.
- The first text of the lattice, its backbone, is the one with the least summed distance to all votes (the minimum Bayes
  risk choice among the texts). The others follow, nearest first.
- A tie goes to the arc whose text comes first in this order: of two words that nobody can choose between, the one in
  the more typical text. Where texts are equally typical, as any two are, a checksum of the text decides. It
  prefers no model, which the order of names would do, and no short text, which the order of letters would do.

So the result depends on the texts and on who belongs together, and not on the order of the models.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import lcm
from zlib import crc32

import numpy as np

from earwitness.errors import ScoringError, UsageError
from earwitness.scoring.align.chunks import pieces

Words = tuple[str, ...]
NULL = ""
"""The word of a null arc: nothing is said here."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place of the lattice: the words that texts have there."""

    votes: dict[str, float]
    """Votes for each word, in families; ``NULL`` has those of the texts without a word. In the order of ties."""

    @property
    def word(self) -> str:
        """The word with the most votes; ``NULL`` for none."""
        return max(self.votes, key=lambda word: self.votes[word])

    @property
    def best(self) -> frozenset[str]:
        """The words with the most votes: several where the families are divided."""
        most = max(self.votes.values())
        return frozenset(word for word, votes in self.votes.items() if votes == most)


def consensus(texts: Sequence[Sequence[str]], families: Sequence[str]) -> Words:
    """Return the words that most families agree on.

    Args:
        texts: Normalized words of the same clip, one text a model; an empty one votes for silence.
        families: The family of each text's weights.

    Raises:
        ScoringError: Without texts.
        UsageError: When there are not as many families as texts.

    >>> a, b, c = "the cat sat".split(), "a cat sat down".split(), "the cat sat down".split()
    >>> " ".join(consensus([a, b, c], ["one", "two", "three"]))
    'the cat sat down'
    >>> " ".join(consensus([a, a, a, b, c], ["one", "one", "one", "two", "three"]))
    'the cat sat down'
    """
    distinct = set(map(tuple, texts))
    if len(distinct) == 1 and len(texts) == len(families):
        return distinct.pop()
    return tuple(slot.word for slot in lattice(texts, families) if slot.word != NULL)


def consensus_without(texts: Sequence[Sequence[str]], families: Sequence[str], family: str) -> Words:
    """Return the consensus of all families but one, so that no model is judged by its own vote.

    Raises:
        ScoringError: When no other family has a text.

    >>> consensus_without([["a"], ["b"], ["b"]], ["one", "two", "three"], "one")
    ('b',)
    """
    others = [(text, name) for text, name in zip(texts, families, strict=True) if name != family]
    if not others:
        raise ScoringError(f"Only the family {family!r} has texts. Run a model with other weights.")
    return consensus([text for text, _ in others], [name for _, name in others])


def lattice(texts: Sequence[Sequence[str]], families: Sequence[str]) -> tuple[Slot, ...]:
    """Return the word lattice with its votes.

    Args:
        texts: As for ``consensus``.
        families: As for ``consensus``.

    Raises:
        ScoringError: Without texts.
        UsageError: When there are not as many families as texts.

    >>> [slot.votes for slot in lattice([["so", "yes"], ["yes"], ["yes"]], ["one", "two", "three"])]
    [{'': 2.0, 'so': 1.0}, {'yes': 3.0}]
    """
    if len(texts) != len(families):
        raise UsageError(f"There are {len(texts)} texts and {len(families)} families. Name a family for each text.")
    if not texts:
        raise ScoringError("A consensus needs at least one text.")
    votes, unit = _votes(list(map(tuple, texts)), families)
    slots: list[dict[str, int]] = []
    before = 0
    for text in _order(votes):
        slots = _join(slots, text, votes[text], before)
        before += votes[text]
    return tuple(Slot({word: count / unit for word, count in slot.items()}) for slot in slots)


def distance_to_votes(text: Sequence[str], slots: Sequence[Slot]) -> int:
    """Return the fewest edits that turn a text into one that the votes allow.

    Where families are divided, each of the words with the most votes is allowed: those who cannot agree with each other
    testify against nobody.

    Args:
        text: Normalized words.
        slots: The lattice of other families' texts.

    >>> slots = lattice([["press", "one"], ["press", "won"]], ["a", "b"])
    >>> [distance_to_votes(text.split(), slots) for text in ("press one", "press won", "press two", "press")]
    [0, 0, 1, 1]
    """
    steps = np.arange(len(text) + 1)
    row = steps
    for slot in slots:
        allowed = slot.best
        best = row + (NULL not in allowed)
        best[1:] = np.minimum(best[1:], row[:-1] + [word not in allowed for word in text])
        row = np.minimum.accumulate(best - steps) + steps
    return int(row[-1])


def _votes(texts: Sequence[Words], families: Sequence[str]) -> tuple[dict[Words, int], int]:
    """Return the votes of each distinct text as whole numbers, and how many make up one family."""
    members: dict[str, set[Words]] = {}
    for text, family in zip(texts, families, strict=True):
        members.setdefault(family, set()).add(text)
    unit = lcm(*(len(distinct) for distinct in members.values()))
    votes: dict[Words, int] = {}
    for distinct in members.values():
        for text in distinct:
            votes[text] = votes.get(text, 0) + unit // len(distinct)
    return votes, unit


def _order(votes: dict[Words, int]) -> list[Words]:
    """Return the texts, the most typical one first."""
    from rapidfuzz.distance import Levenshtein

    def distance(text: Words) -> int:
        return sum(n * Levenshtein.distance(text, other) for other, n in votes.items())

    return sorted(votes, key=lambda text: (distance(text), _checksum(text), text))


def _checksum(text: Words) -> int:
    return crc32(" ".join(text).encode())


def _join(slots: list[dict[str, int]], text: Words, votes: int, before: int) -> list[dict[str, int]]:
    """Return the lattice with one more text; ``before`` is how many votes it has so far."""
    spine = [next((word for word in slot if word != NULL), NULL) for slot in slots]
    joined: list[dict[str, int]] = []
    for place, part in pieces(spine, text):
        for slot, word in _path(slots[place], text[part]):
            fresh = dict(slot) if slot is not None else {NULL: before} if before else {}
            fresh[word] = fresh.get(word, 0) + votes
            joined.append(fresh)
    return joined


def _path(slots: Sequence[dict[str, int]], text: Words) -> Iterable[tuple[dict[str, int] | None, str]]:
    """Return the cheapest way of a text through the slots: each slot, or ``None`` for a new one, with its word.

    A word that a slot has, and no word where it has a null arc, cost nothing; everything else costs one. Of ways that
    cost the same, the one with the fewest substitutions is taken, as ``align`` does.
    """
    gap = len(slots) + len(text) + 1
    wrong = gap + 1
    skips = [0 if NULL in slot else gap for slot in slots]
    inserted = gap * np.arange(len(text) + 1)
    table = np.empty((len(slots) + 1, len(text) + 1), np.int64)
    table[0] = inserted
    for row, slot in enumerate(slots):
        best = table[row] + skips[row]
        best[1:] = np.minimum(best[1:], table[row, :-1] + [0 if word in slot else wrong for word in text])
        table[row + 1] = np.minimum.accumulate(best - inserted) + inserted
    return reversed(list(_way_back(table.tolist(), slots, skips, text, wrong)))


def _way_back(
    table: list[list[int]], slots: Sequence[dict[str, int]], skips: Sequence[int], text: Words, wrong: int
) -> Iterable[tuple[dict[str, int] | None, str]]:
    row, column = len(slots), len(text)
    while row or column:
        cost = table[row][column]
        word = text[column - 1] if column else NULL
        slot = slots[row - 1] if row else {}
        if row and column and cost == table[row - 1][column - 1] + (0 if word in slot else wrong):
            row, column = row - 1, column - 1
            yield slot, word
        elif row and cost == table[row - 1][column] + skips[row - 1]:
            row -= 1
            yield slot, NULL
        else:
            column -= 1
            yield None, word
