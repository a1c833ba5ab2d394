"""References that allow more than one wording, in the notation of sclite.

``{a / b}`` is one or the other, ``{a / @}`` one or nothing. The wordings make up a graph, and the words of the
hypothesis are aligned with all of its paths at once, so twenty choices cost twenty times one, not two to the twenty.
The path with the least cost becomes the reference; of paths that cost the same, the one whose options were written
first, and an empty option last, which is nearly always sclite's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from earwitness.errors import ScoringError
from earwitness.scoring.align.edits import Method

ToWords = Callable[[str], list[str]]
CostRow = npt.NDArray[np.int64]
_ABSENT = "@"
_MOST_CELLS = 25_000_000


@dataclass(frozen=True, slots=True)
class Choice:
    """A place with several accepted texts."""

    options: tuple[Text, ...]
    """At least one; an empty one where nothing may stand."""


Text = tuple[str | Choice, ...]


class Swap(NamedTuple):
    """A stretch of a reference for which other words may stand."""

    start: int
    """In the reference's words."""
    end: int
    """Behind the last of them; more than ``start``."""
    words: tuple[str, ...]
    """At least one."""


def parse(text: str) -> Text:
    """Return a reference as plain texts and choices; choices may stand within choices.

    >>> parse("so { i want to / i wanna } go")
    ('so ', Choice(options=((' i want to ',), (' i wanna ',))), ' go')
    >>> parse("{uh / @} yes")
    (Choice(options=(('uh ',), ())), ' yes')

    Raises:
        ScoringError: For a brace without its partner.
    """
    parts, end = _parse(text, 0, inside=False)
    if end != len(text):
        raise ScoringError(
            f"The reference {text!r} has a closing brace too many. Correct it, or leave out alternatives."
        )
    return parts[0]


def _parse(text: str, start: int, *, inside: bool) -> tuple[list[Text], int]:
    options: list[Text] = []
    parts: list[str | Choice] = []
    here = begin = start
    while here <= len(text):
        sign = text[here] if here < len(text) else ""
        if sign in ("{", "}", "") or (sign == "/" and inside):
            plain = text[begin:here]
            if plain and not (inside and plain.strip() in ("", _ABSENT)):
                parts.append(plain)
            begin = here + 1
        if sign == "{":
            chosen, here = _parse(text, here + 1, inside=True)
            parts.append(Choice(tuple(chosen)))
            begin = here + 1
        elif sign == "/" and inside:
            options.append(tuple(parts))
            parts = []
        elif sign == "}":
            return [*options, tuple(parts)], here
        here += 1
    if inside:
        raise ScoringError(f"The reference {text!r} has an open brace that is never closed. Correct it.")
    return [tuple(parts)], len(text)


def wordings(text: Text, most: int = 256) -> list[str]:
    """Return every raw text that a text with choices accepts.

    >>> wordings(parse("a {b / c} {d / @}"))
    ['a b d', 'a b', 'a c d', 'a c']

    Raises:
        ScoringError: When there are more than ``most``.
    """
    found = [""]
    for part in text:
        options = [part] if isinstance(part, str) else [each for one in part.options for each in wordings(one, most)]
        found = [f"{before} {option}" for before in found for option in options]
        if len(found) > most:
            raise ScoringError(f"A hypothesis stands for more than {most} wordings. Write fewer alternatives.")
    return list(dict.fromkeys(" ".join(one.split()) for one in found))


def write(text: Text, words: ToWords) -> str:
    """Return a reference in the same notation, each of its texts normalized by itself.

    >>> write(parse("So {I want to / I WANNA / @} go."), str.split)
    'So { I want to / I WANNA / @ } go.'
    """
    parts = []
    for part in text:
        if isinstance(part, str):
            parts += words(part)
        else:
            parts.append("{ " + " / ".join(write(option, words) or _ABSENT for option in part.options) + " }")
    return " ".join(parts)


def best_words(text: Text, hypothesis: Sequence[str], words: ToWords, method: Method = "levenshtein") -> list[str]:
    """Return the words of the wording that is nearest to the hypothesis.

    Args:
        text: The parsed reference.
        hypothesis: Words of the hypothesis.
        words: Turns a piece of raw text into words; each piece between braces and slashes is turned by itself.
        method: Whose costs make one wording nearer than another, as in ``align``.

    >>> best_words(parse("so {i want to / i wanna} go {now / @}"), "so i wanna go".split(), str.split)
    ['so', 'i', 'wanna', 'go']

    Raises:
        ScoringError: When reference and hypothesis are so long that the table would not fit in 200 MB.
    """
    graph = _Graph()
    end = _connect(graph, text, 0, words)
    return _nearest(graph, end, hypothesis, method)


def nearest_wording(
    reference: Sequence[str], swaps: Iterable[Swap], hypothesis: Sequence[str], method: Method = "levenshtein"
) -> list[str]:
    """Return the words of a reference that are nearest to the hypothesis, some of them swapped for others.

    Swaps may overlap; any of them that do not can be taken together. Of readings that cost the same, the one is taken
    that keeps the reference's words.

    Args:
        reference: Words.
        swaps: Stretches of the reference and what may stand there as well.
        hypothesis: Words of the hypothesis.
        method: Whose costs make one reading nearer than another, as in ``align``.

    >>> swaps = [Swap(1, 4, ("31",)), Swap(1, 2, ("30",))]
    >>> nearest_wording("son treinta y uno o dos".split(), swaps, "son 31 o dos".split())
    ['son', '31', 'o', 'dos']

    Raises:
        ScoringError: When reference and hypothesis are so long that the table would not fit in 200 MB.
    """
    graph = _Graph()
    ending: dict[int, list[Swap]] = {}
    for swap in swaps:
        ending.setdefault(swap.end, []).append(swap)
    nodes = [0]
    for end, word in enumerate(reference, start=1):
        graph.into.append([(nodes[end - 1], word)])
        last = [len(graph.into) - 1]
        for swap in ending.get(end, ()):
            here = nodes[swap.start]
            for other in swap.words:
                graph.into.append([(here, other)])
                here = len(graph.into) - 1
            last.append(here)
        if len(last) > 1:
            graph.into.append([(node, None) for node in last])
        nodes.append(len(graph.into) - 1)
    return _nearest(graph, nodes[-1], hypothesis, method)


def _nearest(graph: _Graph, end: int, hypothesis: Sequence[str], method: Method) -> list[str]:
    if len(graph.into) * (len(hypothesis) + 1) > _MOST_CELLS:
        raise ScoringError(
            f"A reference of {len(graph.into)} words with alternatives and a hypothesis of {len(hypothesis)} are too "
            "long to be aligned at once. Cut the recording into segments (stm), or write one wording."
        )
    gap = 3 if method == "sclite" else len(graph.into) + len(hypothesis) + 1
    wrong = 4 if method == "sclite" else gap + 1
    return _way_back(graph, _rows(graph, hypothesis, gap, wrong), hypothesis, end, gap, wrong)


@dataclass(slots=True)
class _Graph:
    """Nodes in an order in which every arc leads onwards; node 0 is the beginning."""

    into: list[list[tuple[int, str | None]]] = field(default_factory=lambda: [[]])
    """Per node, where arcs come from and the word on each: one arc with a word, or some without."""


def _connect(graph: _Graph, text: Text, start: int, words: ToWords) -> int:
    here = start
    for part in text:
        if isinstance(part, str):
            for word in words(part):
                graph.into.append([(here, word)])
                here = len(graph.into) - 1
        else:
            ends = [_connect(graph, option, here, words) for option in part.options]
            # Of wordings that cost the same, sclite takes the empty one last.
            graph.into.append([(end, None) for end in sorted(ends, key=here.__eq__)])
            here = len(graph.into) - 1
    return here


def _rows(graph: _Graph, hypothesis: Sequence[str], gap: int, wrong: int) -> list[CostRow]:
    numbers: dict[str, int] = {}
    sounds = np.array([numbers.setdefault(word, len(numbers)) for word in hypothesis], np.int64)
    inserted = gap * np.arange(len(hypothesis) + 1)
    rows: list[CostRow] = [inserted]
    for arcs in graph.into[1:]:
        origin, word = arcs[0]
        if word is None:
            rows.append(np.minimum.reduce([rows[node] for node, _ in arcs]))
            continue
        best = rows[origin] + gap
        best[1:] = np.minimum(best[1:], rows[origin][:-1] + wrong * (sounds != numbers.get(word, -1)))
        rows.append(np.minimum.accumulate(best - inserted) + inserted)
    return rows


def _way_back(
    graph: _Graph, rows: list[CostRow], hypothesis: Sequence[str], node: int, gap: int, wrong: int
) -> list[str]:
    path = []
    column = len(hypothesis)
    while node:
        cost = rows[node][column]
        origin, word = graph.into[node][0]
        if word is None:
            node = next(other for other, _ in graph.into[node] if rows[other][column] == cost)
            continue
        step = 0 if column and hypothesis[column - 1] == word else wrong
        if column and rows[origin][column - 1] + step == cost:
            node, column = origin, column - 1
            path.append(word)
        elif column and rows[node][column - 1] + gap == cost:
            column -= 1
        else:
            node = origin
            path.append(word)
    return path[::-1]
