"""Finds the nearest of many texts: which reference does a transcript fit, if not its own?

Distances are in letters, spaces left out: words of short prompts are too few to be counted, and a model that hears
"pass word" for "password" has heard the text. Candidates are found by the trigrams that they share, weighted by how
rare these are; the distance is computed for the best candidates only, so time grows with the number of texts, not with
its square.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple

_CANDIDATES = 20
_COMMON = 2000
"""A trigram in more texts than that finds nothing that rarer ones do not."""


class NearText(NamedTuple):
    """A text and how far it is."""

    position: int
    """Of the text, in the order of the index."""
    distance: float
    """From 0 for equal texts to 1 for texts without a letter in common."""


def letters_of(words: Sequence[str]) -> str:
    """Return the letters of a text without its spaces.

    >>> letters_of(["pass", "word"])
    'password'
    """
    return "".join(words)


def letter_distance(first: str, second: str) -> float:
    """Return the fewest edits between two texts over the length of the longer one; 0 for two empty texts.

    >>> letter_distance("password", "password"), letter_distance("abcd", "abcx"), letter_distance("", "abc")
    (0.0, 0.25, 1.0)
    """
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.normalized_distance(first, second)


class TextIndex:
    """Texts that can be searched by likeness."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Index texts.

        Args:
            texts: Letters without spaces; empty ones are never found.
        """
        self.texts = list(texts)
        self._places: dict[str, list[int]] = defaultdict(list)
        for position, text in enumerate(self.texts):
            for part in _trigrams(text):
                self._places[part].append(position)

    def nearest(self, text: str, without: Collection[int] = ()) -> NearText | None:
        """Return the nearest text; of several at the same distance, the first. ``None`` when nothing is like it.

        Args:
            text: Letters without spaces.
            without: Positions that are passed over.

        >>> index = TextIndex(["pleaseholdtheline", "goodbye", "thelineisbusy"])
        >>> index.nearest("pleasehelpholdtheline").position, index.nearest("goodbye", without=[1])
        (0, None)
        """
        skipped = frozenset(without)
        weights: dict[int, float] = defaultdict(float)
        for part in _trigrams(text):
            places = self._places.get(part, ())
            if 0 < len(places) <= _COMMON:
                weight = math.log(1 + len(self.texts) / len(places))
                for place in places:
                    weights[place] += weight
        ordered = sorted((-weight, place) for place, weight in weights.items() if place not in skipped)
        near = [NearText(place, letter_distance(text, self.texts[place])) for _, place in ordered[:_CANDIDATES]]
        return min(near, key=lambda found: (found.distance, found.position), default=None)


def _trigrams(text: str) -> set[str]:
    padded = f"^{text}$"
    return {padded[at : at + 3] for at in range(len(padded) - 2)} if text else set()
