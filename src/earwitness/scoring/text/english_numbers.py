"""Converts English numbers, spoken or written, to digits.

A *group* is one number as it is said: "twenty six", "105", "two hundred and five". Groups in a row are one numeral
where speech reads a numeral in parts: "twenty twenty six" is 2026, "ten thirty" 1030, "five five five one two three
four" 5551234, and so are "555-1234" and "555 1234". Two single digits stay two ("one two" is not twelve), and so do
numbers that were said in full, with hundred or thousand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from earwitness.scoring.text.english_lexer import LONGEST, Token, ordinal
from earwitness.scoring.text.english_words import (
    DECADES,
    DIGITS,
    ORDINALS,
    PLURALS,
    SCALE_ORDINALS,
    SCALES,
    UNDER_HUNDRED,
)

_ZERO = ("oh", "o")
_TIMES = {"double": 2, "triple": 3}
_LONG = 3
"""Digits of a numeral that nothing before it is joined with: "five two hundred twenty" is not 5220."""
_TELEPHONE = frozenset(
    {
        (3, 4), (3, 3, 4), (1, 3, 3, 4), (3, 7), (1, 3, 7), (3, 4, 4), (4, 3, 4), (4, 3, 3), (5, 6), (4, 7),
        (4, 4, 4), (4, 4, 4, 4), (4, 6, 5),
    }
)  # fmt: skip
"""Lengths of the parts of telephone and card numbers, in which 800 and 1000 are parts like any other."""
_YEARS = range(10, 22)
_END = Token("", "pause", "")


@dataclass(frozen=True, slots=True)
class Group:
    """One number as spoken."""

    text: str
    """Its digits, with a point or an ending: ``105``, ``3.5``, ``21st``."""
    joins: bool = True
    """Whether it may be a part of a longer numeral."""


def run(tokens: Sequence[Token], start: int) -> tuple[list[Group], int]:
    """Return the groups in a row from a token on, and where they end; none where no number starts."""
    groups: list[Group] = []
    here = start
    while True:
        after = here
        while groups and at(tokens, after).kind == "pause" and after < len(tokens):
            after += 1
        if after > here and at(tokens, after).kind in ("start", "letter"):
            return groups, here
        more, after = _next(tokens, after, groups)
        if not more:
            return groups, here
        groups += more
        here = after


def _next(tokens: Sequence[Token], here: int, groups: Sequence[Group]) -> tuple[list[Group], int]:
    """Return what continues a row of groups, and where it ends."""
    word = at(tokens, here).text
    if word in _ZERO:
        return ([Group("0")], here + 1) if _is_zero(tokens, here, groups) else ([], here)
    if word in _TIMES and (digit := _digit(at(tokens, here + 1))) is not None:
        return [Group(digit)] * _TIMES[word], here + 2
    if word == "point":
        digits, after = _decimals(tokens, here)
        return ([Group(digits, joins=False)] if digits else []), after
    if groups and groups[-1].joins and (decade := _decade(word, groups[-1])):
        return [Group(decade, joins=False)], here + 1
    group, after = _cardinal(tokens, here, bool(groups) and len(groups[-1].text) == 2)
    if group is None:
        return [], here
    digits, after = _decimals(tokens, after)
    return [Group(group.text + digits, group.joins and not digits)], after


def at(tokens: Sequence[Token], place: int) -> Token:
    """Return a token, or a pause behind the end."""
    return tokens[place] if 0 <= place < len(tokens) else _END


def _digit(token: Token) -> str | None:
    if token.kind == "numeral" and len(token.text) == 1:
        return token.text
    if token.text in _ZERO:
        return "0"
    return str(DIGITS[token.text]) if token.text in DIGITS else None


def _is_number(token: Token) -> bool:
    return token.kind in ("numeral", "separated") or token.text in UNDER_HUNDRED


def _is_zero(tokens: Sequence[Token], here: int, groups: Sequence[Group]) -> bool:
    """Tell zero from an exclamation: between digits, before two of them, or behind two at the end."""
    following = at(tokens, here + 1)
    if groups:
        if _is_number(following) or following.text in _ZERO:
            return True
        return len(groups) > 1 and all(len(g.text) == 1 for g in groups[-2:]) and following.kind == "pause"
    digits = [_digit(at(tokens, here + n)) for n in (1, 2)]
    return None not in digits and any(_is_number(at(tokens, here + n)) for n in (1, 2))


def _decimals(tokens: Sequence[Token], here: int) -> tuple[str, int]:
    """Return point and digits, as often as they come, and where they end."""
    digits = ""
    while at(tokens, here).text == "point" and _is_number(at(tokens, here + 1)):
        here += 1
        digits += "."
        while _is_number(at(tokens, here)) or at(tokens, here).text in _ZERO:
            word = at(tokens, here).text
            tens = UNDER_HUNDRED.get(word, 0)
            ones = DIGITS.get(at(tokens, here + 1).text, 0) if tens >= 20 else 0
            digits += "0" if word in _ZERO else str(tens + ones) if word in UNDER_HUNDRED else word
            here += 2 if ones else 1
    return digits, here


def _decade(word: str, group: Group) -> str:
    """Return nineteen and nineties as 1990s, twenty and hundreds as 2000s."""
    if not group.text.isdigit() or len(group.text) > LONGEST:
        return ""
    if word in DECADES and int(group.text) in _YEARS:
        return f"{DECADES[word]}s"
    is_year = word in PLURALS and int(group.text) * PLURALS[word] < 10**4
    return f"*{PLURALS[word]}s" if is_year else ""


def _cardinal(tokens: Sequence[Token], here: int, after_pair: bool) -> tuple[Group | None, int]:
    """Return the number that starts at a token, and where it ends."""
    first = at(tokens, here)
    scaled = _scale(at(tokens, here + 1).text) > 1
    if first.kind in ("numeral", "separated"):
        whole = first.text.isdigit() and (first.text == "0" or first.text[0] != "0")
        if not (scaled and whole and len(first.text) <= LONGEST):
            return _group(first.text), here + 1
        return _read_on(tokens, here + 1, int(first.text), after_pair=False)
    if first.text == "a" and scaled and at(tokens, here - 1).text not in ("half", "quarter"):
        return _read_on(tokens, here + 1, 1, after_pair=False)
    if first.text in UNDER_HUNDRED:
        return _read_on(tokens, here + 1, UNDER_HUNDRED[first.text], after_pair=after_pair)
    return None, here


def _group(numeral: str) -> Group:
    """Return a group: hundreds in full, and decimals, are numbers of their own."""
    return Group(numeral, numeral.isdigit() and not (len(numeral) >= _LONG and numeral.endswith("00")))


def _scale(word: str) -> int:
    return 100 if word == "hundred" else SCALES.get(word, 1)


@dataclass(slots=True)
class _Sum:
    """A number while it is read: what is summed up, and what the next scale multiplies."""

    total: int
    part: int | None
    least: int
    """The last scale; only smaller ones may follow."""

    @property
    def value(self) -> int:
        return self.total + (self.part or 0)

    def takes(self, number: int) -> bool:
        """Return whether a number under a hundred can be added."""
        if number == 0:
            return False
        if self.part is None:
            return True
        if self.part % 100 == 0 and self.part:
            return True
        return number < 10 and self.part % 10 == 0 and self.part % 100 >= 20

    def takes_scale(self, scale: int) -> bool:
        """Return whether hundred, thousand or a larger one can multiply what was read before it."""
        if scale == 1 or not self.part:
            return False
        return self.part < 100 if scale == 100 else scale < self.least

    @property
    def is_tens_and_digit(self) -> bool:
        """Whether its digit may be of the next number, as in "twenty twenty six hundred": 2020 and 600."""
        return self.part is not None and self.part > 20 and self.part % 10 != 0

    def multiply(self, scale: int) -> None:
        """Multiply what was read last; only hundreds may be multiplied again, as in "two hundred thousand"."""
        part = self.part or 0
        if scale == 100:
            self.part = part * 100
        else:
            self.total, self.part, self.least = self.total + part * scale, None, scale


def _read_on(tokens: Sequence[Token], here: int, first: int, *, after_pair: bool) -> tuple[Group, int]:
    """Return the number that goes on at a token, when its first word is known."""
    read = _Sum(0, first, 10**18)
    full = False
    while True:
        after = _and(tokens, here, read) if full else here
        word = at(tokens, after).text
        scale = _scale(word)
        if word in UNDER_HUNDRED and read.takes(UNDER_HUNDRED[word]) and not _spells(tokens, after, read):
            read.part = (read.part or 0) + UNDER_HUNDRED[word]
        elif read.takes_scale(scale):
            if scale == 100 and after_pair and not full and read.is_tens_and_digit:
                return Group(str(read.value - read.value % 10)), after - 1
            full = True
            read.multiply(scale)
        elif (ending := _ordinal(word, read)) is not None:
            return Group(ending, joins=False), after + 1
        else:
            return _group(str(read.value)), here
        here = after + 1


def _spells(tokens: Sequence[Token], here: int, read: _Sum) -> bool:
    """Tell digits behind a hundred, as in "eight hundred five five five", from "eight hundred five"."""
    hundreds = read.part is not None and read.part % 100 == 0
    return hundreds and all(at(tokens, here + n).text in DIGITS for n in (0, 1))


def _and(tokens: Sequence[Token], here: int, read: _Sum) -> int:
    """Return the place behind an "and" inside of a number, as in "one hundred and five", or the same place.

    It is none inside where what follows is a number of its own: "one hundred and two hundred".
    """
    word, after = at(tokens, here), here + 1
    if word.text == "," and read.part is None and at(tokens, here + 2).text in ("hundred", "hundredth"):
        return after
    if word.text != "and" or not (read.part is None or read.part % 100 == 0):
        return here
    end = after
    while at(tokens, end).text in UNDER_HUNDRED:
        end += 1
    if end == after:
        return after if ORDINALS.get(at(tokens, after).text, 0) else here
    level = _scale(at(tokens, end).text)
    if level == 100 and read.part is not None:
        return here
    return after if level < read.least or level == 1 else here


def _ordinal(word: str, read: _Sum) -> str | None:
    if word in ORDINALS and read.takes(ORDINALS[word]) and read.value >= 20:
        return ordinal(read.value + ORDINALS[word])
    if word in SCALE_ORDINALS and read.part:
        return ordinal(read.total + read.part * SCALE_ORDINALS[word])
    return None


def pieces(groups: Sequence[Group], *, has_name: bool = False) -> list[str]:
    """Return numerals: groups in a row joined where a numeral is read in parts.

    A numeral of three digits or more joins nothing before it, and one digit beside two joins only in a name.

    Args:
        groups: Numbers in a row.
        has_name: Whether they are the name of a room, a flight or another thing that is numbered.

    >>> pieces([Group("20"), Group("26")]), pieces([Group("1"), Group("2")]), pieces([Group("2"), Group("100", False)])
    (['2026'], ['1', '2'], ['2', '100'])
    >>> pieces([Group("2"), Group("20")]), pieces([Group("2"), Group("20")], has_name=True), pieces([Group("220")])
    (['2', '20'], ['220'], ['220'])
    """
    rows: list[list[str]] = []
    for place, group in enumerate(groups):
        if group.text.endswith("s"):
            rows[-1] = ["".join(rows[-1][:-1]) + _plural(rows[-1][-1], group.text)]
        elif group.joins and place and groups[place - 1].joins and len(group.text) < _LONG:
            rows[-1].append(group.text)
        else:
            rows.append([group.text])
    joined = [part for row in rows for part in (["".join(row)] if _is_one(row, has_name=has_name) else row)]
    telephone = tuple(map(len, joined)) in _TELEPHONE and all(part.isdigit() for part in joined)
    return ["".join(joined)] if telephone else joined


def _is_one(row: Sequence[str], *, has_name: bool) -> bool:
    """Tell one numeral from several: one two is 1 2, and two twenty 2 20 as in 2:20, but for room two twenty."""
    is_pair = sorted(map(len, row)) == [1, 2] and not re.fullmatch("0.", row[1])
    return sum(map(len, row)) >= _LONG and (has_name or not is_pair)


def _plural(number: str, plural: str) -> str:
    """Return 19 and 90s as 1990s, 19 and *100s as 1900s."""
    return f"{int(number) * int(plural[1:-1])}s" if plural.startswith("*") else number + plural
