"""Our English rules: two texts become equal only if a listener would call them the same words.

Pieces between spaces become tokens (``english_lexer.py``), which are kept by piece, since nearly all words look the
same in every text. Where the reading of a token depends on its neighbours, the rules here read the row of tokens:

- numbers (``english_numbers.py``), then what they count: money, percent, degrees, units, hours, days of a month;
- three single letters in a row or more are one word, and so are letters with dots: u s a, U.S.A. and USA;
- short forms that are "has" or "had" before a participle;
- st and dr, by what stands behind them.

The rules and their reasons are in ``docs/metrics.md``, their tables in ``english_words.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from earwitness.scoring.text.characters import unify, without_remarks
from earwitness.scoring.text.english_lexer import CUES, LONGEST, SIMPLE, Token, TokenKind, acronym, lex, ordinal, spell
from earwitness.scoring.text.english_numbers import Group, at, pieces, run
from earwitness.scoring.text.english_words import (
    AFTER_ADDRESS,
    BEFORE_NAME,
    CURRENCIES,
    FRACTIONS,
    HAD_BEFORE,
    HAS_BEFORE,
    MAJORS,
    MONEY_SCALES,
    NUMBERED,
    PAIRS_OF_LETTERS,
    PARTS,
    PLURAL_UNITS,
    SCALES,
    UNITS,
)

VERSION = "2"
_CLINGING = re.compile(r"(?<!\s)\s+(?='(?:s|t|re|ll|ve|m|d)\b|n't\b)", re.IGNORECASE)
_COMPOUND = re.compile(r"\b(?:e[- ](?=mail(?:s|ed|ing)?\b)|wi[- ](?=fi\b))", re.IGNORECASE)
"""E-mail and Wi-Fi, which are spelled in three ways each."""
_GROUPED = re.compile("(?<=[0-9])[\u00a0\u2009\u202f](?=[0-9]{3}(?![0-9]))")
"""Spaces that do not break stand between the groups of one numeral, in place of a comma."""
_NUMBERS = frozenset({"numeral", "separated", "spoken", "start", "letter"})
_DAYS = range(1, 32)
_SIGNS = {"&": "and", "@": "at", "+": "plus"}
_BETWEEN = {"=": "equals", "×": "times", "÷": "divided by"}
_COUNTED = {"%": "percent", "percent": "percent", "°": "degrees"}
_PAIRS = {
    ("per", "cent"): "percent",
    ("°", "c"): "degrees celsius",
    ("°", "f"): "degrees fahrenheit",
    ("a", "m"): "am",
}
_MOST_TIMES = 8
"""A text is read until reading it again changes nothing, so that signs and words are in the same rows."""
_MOST = 200_000
_LONGEST = 64
_CACHE: dict[str, tuple[Token, ...]] = {}
_PLAIN: dict[str, str] = {}
"""Pieces of which no token depends on its neighbours, and what becomes of them."""


def english(text: str) -> list[str]:
    """Return the words of an English text.

    >>> english("Dr. Brown doesn't owe twenty-one dollars, he's paid $5.50!")
    ['doctor', 'brown', 'does', 'not', 'owe', '21', 'dollars', 'he', 'is', 'paid', '5', 'dollars', '50', 'cents']
    >>> english("the train at ten thirty a.m.") == english("The train at 10:30 am")
    True
    """
    if not text.isascii():
        text = _GROUPED.sub("", text)
    text = _COMPOUND.sub(lambda split: split[0][:-1], without_remarks(unify(text, "en")))
    if "'" in text or "n't" in text:
        text = _CLINGING.sub("", text)
    parts = text.split()
    known = list(map(_PLAIN.get, parts))
    if None not in known:
        return " ".join(known).split()  # type: ignore[arg-type]
    words = _once(parts)
    for _ in range(_MOST_TIMES):
        settled, words = words, _once(words)
        if words == settled:
            break
    return words


def _once(parts: Sequence[str]) -> list[str]:
    """Return the words of pieces that are read once; "ten $20 bills" still has two numerals in a row."""
    rows = list(map(_tokens, parts))
    if any(token.kind in CUES for row in rows for token in row):
        return _read(_without_fillers([token for row in rows for token in row]))
    return " ".join(token.plain for row in rows for token in row).split()


def _without_fillers(tokens: Sequence[Token]) -> list[Token]:
    """Return tokens without hesitations, over which numbers reach: "thirty uh two". In "20 mm" it is a unit."""
    return [
        token
        for place, token in enumerate(tokens)
        if token.plain or token.kind != "word" or (token.text == "mm" and at(tokens, place - 1).kind == "numeral")
    ]


def _tokens(piece: str) -> tuple[Token, ...]:
    tokens = _CACHE.get(piece)
    if tokens is not None:
        return tokens
    tokens = tuple(lex(piece))
    if len(_CACHE) > _MOST:
        _CACHE.clear()
        _PLAIN.clear()
    if len(piece) <= _LONGEST:
        _CACHE[piece] = tokens
        if not any(token.kind in CUES for token in tokens):
            _PLAIN[piece] = " ".join(token.plain for token in tokens)
    return tokens


def _read(tokens: Sequence[Token]) -> list[str]:
    """Return the words of a row of tokens."""
    words: list[str] = []
    here = 0
    while here < len(tokens):
        if tokens[here].kind in SIMPLE:
            words.append(tokens[here].plain)
            here += 1
        else:
            here = _step(tokens, here, words)
    return _cents(" ".join(words).split())


def _step(tokens: Sequence[Token], here: int, words: list[str]) -> int:
    """Append the words of what starts at a token, and return where it ends."""
    token = tokens[here]
    if token.kind in _NUMBERS:
        groups, after = run(tokens, here)
        if groups:
            return _number(tokens, here, after, groups, words)
    if len(token.text) == 1 and token.text.isalpha():
        return _letters(tokens, here, words)
    if token.kind == "sign":
        return _sign(tokens, here, words)
    reader = _READERS.get(token.kind)
    words.append(reader(tokens, here, words) if reader else token.plain)
    return here + 1


def _fraction(tokens: Sequence[Token], here: int, _: list[str]) -> str:
    part, whole = map(int, tokens[here].text.split("/"))
    return f"{_shown(str(part))} {FRACTIONS[whole][part > 1]}"


def _clock(tokens: Sequence[Token], here: int, _: list[str]) -> str:
    """The full hour is o'clock, unless a.m. or p.m. follows."""
    following = {at(tokens, here + 1).text, _row(tokens, here + 1)[0]}
    return tokens[here].plain if following.isdisjoint({"am", "pm"}) else ""


def _before_name(tokens: Sequence[Token], here: int, _: list[str]) -> str:
    """St and Dr are a saint and a doctor before a name, a street and a drive at the end of an address."""
    behind = at(tokens, here + 1 + (at(tokens, here + 1).text == "."))
    return BEFORE_NAME[tokens[here].text][behind.kind == "pause" or behind.text in AFTER_ADDRESS]


def _number_sign(tokens: Sequence[Token], here: int, _: list[str]) -> str:
    return "number" if at(tokens, here + 1).kind in ("numeral", "separated") else "no"


def _perfect(tokens: Sequence[Token], here: int, words: list[str]) -> str:
    """Before a participle, a short 's was "has", and a short 'd was "had"."""
    before, token = at(tokens, here - 1).kind, tokens[here]
    if before == "is" and token.text in HAS_BEFORE:
        words[-1] = "has"
    elif before == "would" and token.text in HAD_BEFORE:
        words[-1] = "had"
    return token.plain


_READERS: dict[TokenKind, Callable[[Sequence[Token], int, list[str]], str]] = {
    "fraction": _fraction,
    "clock": _clock,
    "name": _before_name,
    "no.": _number_sign,
    "perfect": _perfect,
}


def _letters(tokens: Sequence[Token], here: int, words: list[str]) -> int:
    """Append single letters in a row, as one word if they are one; a lone "o" is "oh", two spellings of one word."""
    row, after = _row(tokens, here)
    if row[1:] in PAIRS_OF_LETTERS and row[0] in "ai":
        row, after = row[0], here + 1
    elif row[:-1] in PAIRS_OF_LETTERS and row[-1] in "ai" and row != "usa":
        row, after = row[:-1], after - 1
    is_article = row == "am" and at(tokens, here - 1).kind not in _NUMBERS
    words += ["oh" if row == "o" else spell(word) for word in ([*row] if is_article else acronym(row))]
    return after


def _row(tokens: Sequence[Token], here: int) -> tuple[str, int]:
    """Return single letters in a row, whatever pauses are written between them, and where they end."""
    row = ""
    while len(text := at(tokens, here).text) == 1 and text.isalpha():
        row += text
        here += 1
        after = here
        while after < len(tokens) and tokens[after].kind == "pause":
            after += 1
        if len(at(tokens, after).text) == 1 and at(tokens, after).text.isalpha():
            here = after
    return row, here


def _sign(tokens: Sequence[Token], here: int, words: list[str]) -> int:
    """Append what a sign is called where it is read, and what it counts if it is one of money."""
    sign, following = tokens[here].text, at(tokens, here + 1)
    is_number = following.kind in ("numeral", "separated")
    if sign in CURRENCIES and is_number:
        return _money(tokens, here, words)
    if sign in _SIGNS:
        words.append(_SIGNS[sign])
    elif sign in _BETWEEN and is_number and at(tokens, here - 1).kind in ("numeral", "separated"):
        words.append(_BETWEEN[sign])
    elif sign == "#" and is_number:
        words.append("number")
    return here + 1


def _money(tokens: Sequence[Token], here: int, words: list[str]) -> int:
    """Append a sum: $2.50 is two dollars fifty cents, $0.5 fifty cents, $2.5 million two point five million dollars."""
    name, part = CURRENCIES[tokens[here].text]
    written = tokens[here + 1].text
    after = here + 2
    scale = at(tokens, after).text
    scale = MONEY_SCALES.get(scale, scale)
    if "." in written and scale in SCALES:
        words += [written, scale, name]
        after += 1
    elif written.isdigit() and len(written) <= LONGEST and scale != at(tokens, after).text:
        words += [_shown(str(int(written) * SCALES[scale])), name]
        after += 1
    elif "." not in written:
        groups, after = run(tokens[: _end_of_one(tokens, here + 1)], here + 1)
        words += [*map(_shown, pieces(groups)), name]
    else:
        _cash(written, name, part, words)
    return after + 1 if at(tokens, after).text in (name, name.removesuffix("s")) else after


def _end_of_one(tokens: Sequence[Token], here: int) -> int:
    """Return where a numeral and the scales behind it end: $5 hundred thousand."""
    here += 1
    while at(tokens, here).text in SCALES or at(tokens, here).text == "hundred":
        here += 1
    return here


def _cash(text: str, name: str, part: str, words: list[str]) -> None:
    whole, _, rest = text.partition(".")
    if not part or not 0 < len(rest) < 3 or not rest.isdigit():
        words += [text, name]
        return
    hundredths = int(rest.ljust(2, "0"))
    if whole.strip("0") or not hundredths:
        words += [_shown(whole), name]
    if hundredths:
        words += [_shown(str(hundredths)), part]


def _number(tokens: Sequence[Token], here: int, after: int, groups: list[Group], words: list[str]) -> int:
    """Append numerals, and what the last one counts."""
    if at(tokens, here - 1).kind == "month" and (days := _day(tokens, here, after)):
        words += days
        return after
    numerals = pieces(groups, has_name=at(tokens, here - 1).text in NUMBERED)
    words += map(_shown, numerals)
    if "." in numerals[-1] and at(tokens, after).text in SCALES:
        words.append(at(tokens, after).text)
        after += 1
    return _counted(tokens, after, words)


def _day(tokens: Sequence[Token], here: int, after: int) -> list[str]:
    """Return the words of July 4 and of July 4, 2026, which are read July fourth; nothing for other numbers."""
    numerals = [token for token in tokens[here:after] if token.kind != "pause"]
    if not all(token.kind == "numeral" and token.text.isdigit() for token in numerals):
        return []
    day, *rest = [token.text for token in numerals]
    is_year = len(rest) == 1 and len(rest[0]) == 4
    is_alone = not rest and not _counted(tokens, after, []) > after
    return [ordinal(int(day)), *rest] if len(day) < 3 and int(day) in _DAYS and (is_year or is_alone) else []


def _counted(tokens: Sequence[Token], here: int, words: list[str]) -> int:
    """Append what a number counts, and return where that ends: percent, money, degrees, units, a half, a.m."""
    name, length = _name(tokens, here)
    words += name.split()
    return here + length


def _name(tokens: Sequence[Token], here: int) -> tuple[str, int]:
    """Return what follows a number and belongs to it, as words, and its length in tokens; 0 for nothing."""
    token, following = at(tokens, here), at(tokens, here + 1)
    pair = (token.text, following.text)
    is_price = following.kind in ("numeral", "separated")
    if pair in _PAIRS:
        return _PAIRS[pair], 2
    if token.text in _COUNTED:
        return _COUNTED[token.text], 1
    if token.text in CURRENCIES and not is_price:
        return CURRENCIES[token.text][0], 1
    if token.text in UNITS and (token.text != "mm" or at(tokens, here - 1).kind == "numeral"):
        return UNITS[token.text], 1
    if token.kind == "fraction":
        part, whole = map(int, token.text.split("/"))
        return f"and {'a' if part == 1 else part} {FRACTIONS[whole][part > 1]}", 1
    return (PLURAL_UNITS[token.plain], 1) if token.plain in PLURAL_UNITS else ("", 0)


def _shown(numeral: str) -> str:
    """Return a numeral as a word of the text; a lone 1 is "one", which is more often a pronoun."""
    return "one" if numeral == "1" else numeral


def _cents(words: list[str]) -> list[str]:
    """Drop "and" in "two dollars and fifty cents", which $2.50 cannot say."""
    found = [
        place
        for place in range(1, len(words) - 2)
        if words[place] == "and" and words[place - 1] in MAJORS and words[place + 2] in PARTS
    ]
    return [word for place, word in enumerate(words) if place not in found] if found else words
