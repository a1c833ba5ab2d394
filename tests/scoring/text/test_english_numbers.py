"""Numbers as num2words says them are the digits, and different numbers stay different."""

from __future__ import annotations

import random

import pytest
from num2words import num2words

from earwitness.scoring.text.english import english

DICE = random.Random(0)
INTEGERS = sorted({*range(200), *range(990, 1120), *(DICE.randrange(10**6) for _ in range(400)), 10**6})
DIGITS = {**{str(n): num2words(n) for n in range(10)}, "0": "oh"}


def told(number: int) -> str:
    """A number under 100 as it follows an hour or a year: oh five, thirty."""
    return f"oh {num2words(number)}" if number < 10 else num2words(number)


@pytest.mark.parametrize(
    ("to", "spoken_end", "written"),
    [
        ("cardinal", "", "{0}"),
        ("cardinal", "", "{0:,}"),
        ("cardinal", " percent", "{0}%"),
        ("cardinal", " dollars", "${0:,}"),
        ("cardinal", " kilograms", "{0} kg"),
        ("cardinal", " point two five", "{0}.25"),
    ],
)
def test_a_number_is_its_digits(to: str, spoken_end: str, written: str) -> None:
    for n in INTEGERS:
        assert english(num2words(n, to=to) + spoken_end) == english(written.format(n)), n


def test_an_ordinal_is_its_digits() -> None:
    for n in INTEGERS:
        assert english(num2words(n, to="ordinal")) == english(num2words(n, to="ordinal_num")), n


def test_a_negative_number_is_its_digits() -> None:
    for n in INTEGERS[1:]:
        assert english(num2words(-n)) == english(f"-{n}"), n


def test_a_year_is_its_digits() -> None:
    for year in range(1000, 2100):
        assert english(f"in {num2words(year, to='year')} we") == ["in", str(year), "we"]


def test_a_sum_is_its_digits() -> None:
    for n in INTEGERS[1:]:
        cents = 1 + n % 99
        spoken = num2words(n + cents / 100, to="currency", currency="USD")
        assert english(spoken) == english(f"${n:,}.{cents:02d}"), spoken


def test_a_time_is_its_digits() -> None:
    for hour in range(24):
        for minute in range(1, 60):
            spoken = f"{num2words(hour)} {told(minute)}"
            assert english(f"at {spoken}") == english(f"at {hour}:{minute:02d}"), spoken


@pytest.mark.parametrize("shape", ["({}) {}-{}", "{}-{}-{}", "{} {} {}", "{}.{}.{}"])
def test_a_telephone_number_is_its_digits(shape: str) -> None:
    for _ in range(100):
        digits = "".join(DICE.choices("123456789", k=1) + DICE.choices("0123456789", k=9))
        written = shape.format(digits[:3], digits[3:6], digits[6:])
        assert english(" ".join(map(DIGITS.__getitem__, digits))) == english(written), written


def test_different_numbers_are_different_words() -> None:
    words: dict[tuple[str, ...], int] = {}
    for n in sorted({*INTEGERS, *range(3000)}):
        for text in (num2words(n), str(n)):
            assert words.setdefault(tuple(english(text)), n) == n, text


def test_a_scale_word_that_is_missing_is_missed() -> None:
    for n in INTEGERS:
        row = num2words(n).replace(",", "").replace("-", " ").split()
        for place, word in enumerate(row):
            if word in ("hundred", "thousand", "million"):
                rest = " ".join(row[:place] + row[place + 1 :])
                assert english(rest) != english(str(n)), (n, rest)
