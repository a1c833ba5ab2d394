"""The English normalizer of the package whisper-normalizer, with the same output, many times as fast.

The package runs some eighty regular expressions over every text. Nearly all words meet none of them, and those that do
meet them alone. So the lower-cased text, remarks in brackets taken away, is cut at its spaces, and each piece is
answered from a cache that the package itself has filled:

- A *plain* token goes through the package's rules once, alone, and its outcome is kept.
- Every other token is *open*. A run of open tokens between two plain ones is a *unit*; it goes through the package
  once, as it stands in the text, with a plain word in place of its plain neighbours.
- A text with a bracket that is never closed goes to the package whole.

Why the outcome is the same: only a rule that looks at a space and at what stands on both of its sides could tell a cut
text from a whole one. The package has these and no others, and none of them reaches across the edge of a plain token:

- Brackets: when the text is cut, none is left that opens.
- White space before an apostrophe is dropped: a token that begins with one, fillers such as "uh" taken away, is
  *clinging*. It is open, and makes the tokens to its left open, up to the first that is not filler alone.
- Contractions with a space in them ("'s been"): a plain token neither ends with what stands before the space nor
  begins with what stands after it, before and after each of the replacements.
- "and a half": a token with the word "half" is open, and beside it so is every token with the word "a", as "and" is
  anywhere.
- A digit, white space, and one of st, nd, rd, th, s: none of these is plain, and no plain token has digits.
- Numbers: the state machine looks at neighbours that are numbers or number words, and forgets all at any other word.
  The words of plain tokens consist of letters and are no number words; a plain token has at least one word.
- Amounts ("$2 and ¢7"): these consist of digits, signs and "and"; none is plain.
- A sign that is not beside a digit goes, and whether one stands at an end of the text matters: a unit at the beginning
  or at the end of a text is kept apart from the same unit inside of one, with the white space that the package leaves
  at that end.

All other rules look at letters between two spaces, and the edge of a text is to them what a space is. Number words,
spellings, contractions and fillers are those of the installed package. The argument is about the package's code, so a
package whose code is not the one that was read is simply called; so is one with tables of another form.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable
from functools import cache
from itertools import product
from typing import Any, Literal

READ = frozenset(["5bfc1fdd2fea25416263cfead164456348e9ac8f1253d36fe19907f7ee4849ff"])
"""Hashes of the package's code that the argument above is about."""
_OPENING = re.compile(r"[<\[(]")
_IN_SQUARE = re.compile(r"[<\[][^>\]]*[>\]]")
_IN_ROUND = re.compile(r"\(([^)]+?)\)")
_WORD = re.compile(r"([a-z]+)[.,?!]?")
_CONTRACTION = re.compile(r"(?:\\b)?([a-z']+)(?: ([a-z']+))?\\b")
_FILLERS = re.compile(r"\\b\([a-z|]+\)\\b")
_JOINING = frozenset(["and", "st", "nd", "rd", "th", "s"])
_HALF = re.compile(r"\bhalf\b")
_SPACES = re.compile(" +")
_NEIGHBOUR = "qwxz"
_SIGNS = ".%$¢€£"
_NO_SIGNS = str.maketrans(dict.fromkeys(_SIGNS, "-"))
_Kind = Literal["plain", "inert", "contracted", "half", "clinging"]
_REACHING = frozenset(["half", "clinging"])
_MOST_TOKENS = 200_000
_MOST_UNITS = 20_000
_LONGEST = 64


def english() -> Callable[[str], str]:
    """Return the fast normalizer, or the package's own where the fast one is not known to be right."""
    from whisper_normalizer.english import EnglishTextNormalizer

    package: Callable[[str], str] = EnglishTextNormalizer()
    return FastEnglish(package) if is_known(package) else package


def is_known(package: Any) -> bool:
    """Return whether a normalizer of the package has the code that was read, and contractions of the known form."""
    return (
        code_hash() in READ
        and _FILLERS.fullmatch(package.ignore_patterns) is not None
        and all(_CONTRACTION.fullmatch(pattern) for pattern in package.replacers)
        and all(re.fullmatch("[a-z ]+", text) for text in package.replacers.values())
        and "a" not in package.standardize_spellings.mapping
        and not any(set(text) & set(_SIGNS) for text in package.standardize_spellings.mapping.values())
    )


@cache
def code_hash() -> str:
    """Return the sha256 of the package's code, without its tables of contractions and number words."""
    from whisper_normalizer import basic, english

    parts = (
        english.EnglishTextNormalizer.__call__,
        english.EnglishNumberNormalizer.__call__,
        english.EnglishNumberNormalizer.preprocess,
        english.EnglishNumberNormalizer.process_words,
        english.EnglishNumberNormalizer.postprocess,
        english.EnglishSpellingNormalizer.__call__,
        basic.remove_symbols_and_diacritics,
    )
    return hashlib.sha256("".join(map(inspect.getsource, parts)).encode()).hexdigest()


class FastEnglish:
    """A callable from raw text to normalized text, as the package has it.

    >>> english()("Mr. Brown doesn't owe twenty-one dollars, and it's been paid.")
    'mister brown does not owe $21 and it has been paid'

    Args:
        package: The package's normalizer.
        most_tokens: When more have been kept, all are forgotten.
        most_units: The same, for each of the four kinds of units.
    """

    def __init__(self, package: Any, most_tokens: int = _MOST_TOKENS, most_units: int = _MOST_UNITS) -> None:
        """Take a normalizer for which ``is_known`` is true; begin with nothing kept."""
        self._most_tokens, self._most_units = most_tokens, most_units
        self._package: Callable[[str], str] = package
        self._bare = type(package)()
        self._bare.replacers = {}
        self._letters = type(package)()
        self._letters.replacers = package.replacers
        # A word that keeps a sign is open; the last rules of the package would take the sign away.
        self._letters.standardize_numbers = lambda text: text.translate(_NO_SIGNS)
        self._letters.standardize_spellings = str
        self._spell: Callable[[str], str] = package.standardize_spellings
        self._fillers = re.compile(package.ignore_patterns)
        self._contractions = [(re.compile(pattern), text) for pattern, text in package.replacers.items()]
        self._any_contraction = re.compile("|".join(package.replacers))
        spaced = [found for p in package.replacers if (found := _CONTRACTION.fullmatch(p)) and found[2]]
        self._before = tuple({found[1] for found in spaced})
        self._after = tuple({found[2] for found in spaced})
        numbers = package.standardize_numbers
        suffixes = [key for found in numbers.suffixers.values() if isinstance(found, dict) for key in found]
        self._joining = {*numbers.words, *numbers.decimals, *suffixes, *_JOINING}
        self._plain: dict[str, str] = {}
        self._open: dict[str, _Kind] = {}
        # By whether the unit is the first of its text, and whether it is the last.
        self._units: dict[tuple[bool, bool], dict[str, str]] = {
            ends: {} for ends in product((False, True), (False, True))
        }

    def __call__(self, text: str) -> str:
        """Return the normalized text."""
        lowered = text.lower()
        if "<" in lowered or "[" in lowered or "(" in lowered:
            lowered = _IN_ROUND.sub("", _IN_SQUARE.sub("", lowered))
            if _OPENING.search(lowered):
                return self._package(text)
        tokens = lowered.split(" ")
        found = list(map(self._plain.get, tokens))
        if None not in found:
            return " ".join(found)  # type: ignore[arg-type]
        joined = " ".join(filter(None, self._known(tokens, found) or self._learned(tokens, found)))
        return _SPACES.sub(" ", joined) if "  " in joined else joined

    @property
    def n_kept(self) -> tuple[int, int]:
        """How many tokens are kept, and how many units of the most frequent kind."""
        return len(self._plain) + len(self._open), max(map(len, self._units.values()))

    def _known(self, tokens: list[str], outputs: list[str | None]) -> list[str | None] | None:
        """Return what becomes of plain tokens and of units that were met before; ``None`` if one is new."""
        pieces = outputs[:]
        for start, stop in _open_runs(outputs):
            unit = tokens[start] if stop - start == 1 else " ".join(tokens[start:stop])
            piece = self._units[start == 0, stop == len(outputs)].get(unit)
            if piece is None:
                return None
            pieces[start] = piece
        return pieces

    def _learned(self, tokens: list[str], outputs: list[str | None]) -> list[str | None]:
        """Return what becomes of each plain token and of each unit, met before or not."""
        self._forget()
        pieces = [self._learn(token) if piece is None else piece for token, piece in zip(tokens, outputs, strict=True)]
        if any(self._kind_of(t) in _REACHING for t, piece in zip(tokens, pieces, strict=True) if piece is None):
            self._open_neighbours(tokens, pieces)
        for start, stop in _open_runs(pieces):
            pieces[start] = self._unit(tokens[start:stop], first=start == 0, last=stop == len(tokens))
        return pieces

    def _open_neighbours(self, tokens: list[str], outputs: list[str | None]) -> None:
        """Set to ``None`` what a half or an apostrophe may reach to the left."""
        kinds = [
            self._kind_of(token) if piece is None else "plain" for token, piece in zip(tokens, outputs, strict=True)
        ]
        for here, kind in enumerate(kinds):
            piece = outputs[here]
            if piece is not None and "half" in kinds and "a" in piece.split():
                outputs[here] = None
            left = here - 1
            while kind == "clinging" and left >= 0:
                outputs[left] = None
                left = -1 if self._fillers.sub("", tokens[left]).strip() else left - 1

    def _unit(self, run: list[str], *, first: bool, last: bool) -> str:
        """Return what becomes of a run of open tokens between plain ones, or at an end of the text."""
        unit = " ".join(run)
        kinds = {self._kind_of(token) for token in run}
        package = self._bare if kinds == {"inert"} else self._package
        before, after = "" if first else _NEIGHBOUR + " ", "" if last else " " + _NEIGHBOUR
        inside = package(before + unit + after).removeprefix(before.strip()).removesuffix(after.strip())
        piece = inside if first else inside.lstrip() or (inside if last else "")
        piece = piece if last else piece.rstrip() or (piece if first else "")
        # A unit is looked up before its neighbours are, so one that may reach them is not kept.
        if len(unit) <= _LONGEST and kinds.isdisjoint(_REACHING):
            self._units[first, last][unit] = piece
        return piece

    def _learn(self, token: str) -> str | None:
        """Return what becomes of a plain token, which is kept; ``None`` for an open one, whose kind is kept."""
        if token in self._open:
            return None
        kind, words = self._look(token)
        piece = self._spell(" ".join(words)) if kind == "plain" else None
        if len(token) <= _LONGEST and piece is not None:
            self._plain[token] = piece
        elif len(token) <= _LONGEST:
            self._open[token] = kind
        return piece

    def _kind_of(self, token: str) -> _Kind:
        return self._open.get(token) or self._look(token)[0]

    def _look(self, token: str) -> tuple[_Kind, list[str]]:
        """Return a token's kind, and its words as the number rules get them."""
        stages = self._stages(token)
        if stages[0].lstrip().startswith("'"):
            return "clinging", []
        word = _WORD.fullmatch(stages[-1])
        words = [word[1]] if word else self._letters(token).split()
        if _HALF.search(" ".join(words)):
            return "half", words
        meets_space = self._meets_space(token, stages)
        if words and not meets_space and all(w.isalpha() and w not in self._joining for w in words):
            return "plain", words
        return ("contracted" if meets_space or len(stages) > 1 else "inert"), words

    def _meets_space(self, token: str, stages: list[str]) -> bool:
        """Return whether a token has white space in it, or could be a side of a contraction that has."""
        if token != "" and token.split() != [token]:
            return True
        return any(s.rstrip().endswith(self._before) or s.lstrip().startswith(self._after) for s in stages)

    def _stages(self, token: str) -> list[str]:
        """Return the token, fillers taken away, before and after each replacement that changes it."""
        stages = [self._fillers.sub("", token)]
        if self._any_contraction.search(stages[0]):
            for pattern, text in self._contractions:
                changed = pattern.sub(text, stages[-1])
                if changed != stages[-1]:
                    stages.append(changed)
        return stages

    def _forget(self) -> None:
        if len(self._plain) + len(self._open) > self._most_tokens:
            self._plain.clear()
            self._open.clear()
        for units in self._units.values():
            if len(units) > self._most_units:
                units.clear()


def _open_runs(tokens: list[str | None]) -> list[list[int]]:
    """Return from and to of each run of ``None``."""
    runs: list[list[int]] = []
    for here, piece in enumerate(tokens):
        if piece is None:
            if runs and runs[-1][1] == here:
                runs[-1][1] = here + 1
            else:
                runs.append([here, here + 1])
    return runs
