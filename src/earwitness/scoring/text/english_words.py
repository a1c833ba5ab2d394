"""The tables of the English normalizer, each with its reason."""

from __future__ import annotations

import re
from collections.abc import Mapping

_ONES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]

DIGITS: Mapping[str, int] = {"zero": 0, **{word: n for n, word in enumerate(_ONES, 1)}}
UNDER_HUNDRED: Mapping[str, int] = {
    **DIGITS,
    **{word: n for n, word in enumerate(_TEENS, 10)},
    **{word: 10 * n for n, word in enumerate(_TENS, 2)},
}
SCALES: Mapping[str, int] = {
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
    "quadrillion": 10**15,
}
NUMBERED = frozenset(
    {
        *("room", "suite", "apartment", "apt", "unit", "gate", "flight", "train", "bus", "route", "highway"),
        *("interstate", "exit", "extension", "ext", "channel", "page", "number", "no.", "#", "code"),
    }
)
"""Behind these, a number is a name that is read in parts as well as in full: room two twenty is room 220."""
SMALL_ORDINALS = ["zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"]
"""Below ten, ordinals stay words: second is a unit of time, too, and third and fifth are fractions."""
ORDINALS: Mapping[str, int] = {
    **{word: n for n, word in enumerate(SMALL_ORDINALS)},
    "tenth": 10,
    "eleventh": 11,
    "twelfth": 12,
    **{word + "th": n for n, word in enumerate(_TEENS[3:], 13)},
    **{word[:-1] + "ieth": 10 * n for n, word in enumerate(_TENS, 2)},
}
SCALE_ORDINALS: Mapping[str, int] = {"hundredth": 100, **{word + "th": n for word, n in SCALES.items()}}
DECADES: Mapping[str, int] = {"tens": 10, **{word[:-1] + "ies": 10 * n for n, word in enumerate(_TENS, 2)}}
PLURALS: Mapping[str, int] = {"hundreds": 100, "thousands": 1000}
FRACTIONS: Mapping[int, tuple[str, str]] = {
    2: ("half", "halves"),
    4: ("quarter", "quarters"),
    **{n: (SMALL_ORDINALS[n], SMALL_ORDINALS[n] + "s") for n in (3, 5, 6, 7, 8, 9)},
    10: ("tenth", "tenths"),
    16: ("sixteenth", "sixteenths"),
}

CURRENCIES: Mapping[str, tuple[str, str]] = {
    "$": ("dollars", "cents"),
    "€": ("euros", "cents"),
    "£": ("pounds", "pence"),
    "¢": ("cents", ""),
    "¥": ("yen", ""),
    "₹": ("rupees", "paise"),
    "₩": ("won", ""),
    "₽": ("rubles", "kopecks"),
    "₪": ("shekels", ""),
}
"""How a sign of money is read, and what hundredths of it are called."""
MONEY_SCALES: Mapping[str, str] = {"k": "thousand", "m": "million", "b": "billion", "bn": "billion"}
"""Letters behind a sum of money: $100K, £2m."""
MAJORS = frozenset(whole for whole, part in CURRENCIES.values() if part)
PARTS = frozenset(part for _, part in CURRENCIES.values() if part)
UNITS: Mapping[str, str] = {
    "mm": "millimeters",
    "cm": "centimeters",
    "km": "kilometers",
    "kg": "kilograms",
    "mg": "milligrams",
    "ml": "milliliters",
    "lb": "pounds",
    "lbs": "pounds",
    "oz": "ounces",
    "ft": "feet",
    "mph": "miles per hour",
    "kmh": "kilometers per hour",
    "kph": "kilometers per hour",
    "kb": "kilobytes",
    "mb": "megabytes",
    "gb": "gigabytes",
    "tb": "terabytes",
    "hz": "hertz",
    "khz": "kilohertz",
    "mhz": "megahertz",
    "ghz": "gigahertz",
    "kw": "kilowatts",
    "kwh": "kilowatt hours",
    "hr": "hours",
    "hrs": "hours",
}
"""Abbreviations that are read as words, behind a number only. Not here: those that may be read as letters (5g, 3d, 10k)
or are said as they are written (min, sec)."""
PLURAL_UNITS: Mapping[str, str] = {
    **{
        word[:-1]: word
        for word in UNITS.values()
        if word.endswith("s") and " " not in word and word not in ("kilobytes", "pounds")
    },
    **{word[:-1]: word for word in (*MAJORS, "cents", "pounds", "kilobytes", "degrees")},
}
"""Behind a number, singular and plural are one: $5 bill is five dollar bill, and a sign does not say which."""

CONTRACTIONS: Mapping[str, str] = {
    "won't": "will not",
    "can't": "can not",
    "cannot": "can not",
    "shan't": "shall not",
    "ain't": "aint",
    "let's": "let us",
    "y'all": "you all",
    "i'ma": "i am going to",
    "imma": "i am going to",
    "'cause": "because",
    "'em": "them",
    "'tis": "it is",
    "'twas": "it was",
    "'n'": "and",
    "'n": "and",
    "wanna": "want to",
    "gonna": "going to",
    "gotta": "got to",
    "woulda": "would have",
    "coulda": "could have",
    "shoulda": "should have",
    "kinda": "kind of",
    "sorta": "sort of",
    "dunno": "do not know",
    "lemme": "let me",
    "gimme": "give me",
}
"""Short forms and what they are short for (Radford et al. 2022, appendix C, and the package whisper-normalizer)."""
ENDINGS: Mapping[str, str] = {"n't": "not", "'re": "are", "'ll": "will", "'ve": "have", "'m": "am", "'d": "would"}
IS_AFTER = frozenset(["it", "he", "she", "that", "what", "who", "here", "there", "how", "when", "where", "why", "this"])
"""Words behind which 's is "is"; behind all others it is taken for a possessive, whose apostrophe nobody hears."""
HAS_BEFORE = frozenset({"been", "gone", "got"})
HAD_BEFORE = frozenset({"been", "gone", "done", "better"})

ABBREVIATIONS: Mapping[str, str] = {
    "mr": "mister",
    "mrs": "missus",
    "jr": "junior",
    "sr": "senior",
    "lt": "lieutenant",
    "capt": "captain",
    "sgt": "sergeant",
    "asst": "assistant",
    "esq": "esquire",
    "dept": "department",
    "blvd": "boulevard",
    "vs": "versus",
    "etc": "et cetera",
    "etcetera": "et cetera",
    "ok": "okay",
}
"""Nobody says these as they are written. OK and okay are two spellings of one word."""
TITLES: Mapping[str, str] = {
    "prof": "professor",
    "gov": "governor",
    "ald": "alderman",
    "gen": "general",
    "sen": "senator",
    "rep": "representative",
    "pres": "president",
    "rev": "reverend",
    "hon": "honorable",
    "assoc": "associate",
    "col": "colonel",
}
"""These are words as well ("the sales rep", "rev it up"), so only with a capital and a dot: "Rep. Brown"."""
PAIRS_OF_LETTERS = frozenset(re.findall(r"\w+", "ai am co dc dj eg eu hr id ie ip it la mp ny ok pc pm tv uk un us vp"))
"""Two letters that are one word. Other pairs may be two letters of a list, or initials."""
LEAST_LETTERS = 3
"""From so many letters in a row on, they are one word: an acronym, or a name that was spelled."""
BEFORE_NAME: Mapping[str, tuple[str, str]] = {"st": ("saint", "street"), "dr": ("doctor", "drive")}
"""What they are before a name, and at the end of an address."""
AFTER_ADDRESS = frozenset(["in", "on", "at", "near", "to", "from", "off"])
MONTHS: Mapping[str, str] = {
    month: month
    for month in [
        "january",
        "february",
        "april",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ]
}
FILLERS = r"u+h+m*|u+m+h*|h+m+|m{2,}|m+h+m+"
"""Hesitations: Whisper's six (hmm, mm, mhm, mmm, uh, um) in any length. Ah, oh, er, eh and huh answer or ask."""
LATIN = str.maketrans({"œ": "oe", "ø": "o", "æ": "ae", "ß": "ss", "đ": "d", "ð": "d", "þ": "th", "ł": "l"})
"""Latin letters that Unicode does not take apart, as English writes them (Radford et al. 2022)."""
RESPELL: Mapping[str, str] = {
    "archaeology": "archeology",
    "pummelled": "pummeled",
    "pummelling": "pummeling",
    "snowploughs": "snowplows",
    "aeroplane": "aeroplane",
    "aeroplanes": "aeroplanes",
    "mhm": "mhm",
    "mmm": "mmm",
}
"""Where the package's table of spellings is mistaken, or changes the word and not its spelling (airplane)."""
