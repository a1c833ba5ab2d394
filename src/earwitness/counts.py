"""Numbers in words: counts with their nouns, percentages, intervals, durations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from earwitness.types import Score

NOTHING = "–"
"""Where there is no value."""


def quantity(n: int, thing: str, things: str | None = None) -> str:
    """Return a count with its noun.

    Args:
        n: How many.
        thing: The noun in the singular.
        things: The noun in the plural, where it does not end in ``s``.

    >>> quantity(1, "recording"), quantity(2, "recording"), quantity(0, "recording")
    ('1 recording', '2 recordings', '0 recordings')
    >>> quantity(1, "more minute"), quantity(1200, "entry", "entries")
    ('1 more minute', '1,200 entries')
    """
    return f"{n:,} {thing if n == 1 else things or thing + 's'}"


def are(n: int) -> str:
    """Return a count after its verb, for "and there ...".

    >>> f"there {are(1)}", f"there {are(3)}"
    ('there is 1', 'there are 3')
    """
    return f"{'is' if n == 1 else 'are'} {n:,}"


def every(n: int, thing: str, verb: str) -> str:
    """Return "all so many things do", of one that "the one thing does".

    Args:
        n: How many, at least 1.
        thing: The noun in the singular.
        verb: What they do, as said of several.

    >>> every(3, "gate", "pass"), every(1, "gate", "pass"), every(1, "clip", "fail")
    ('all 3 gates pass', 'the one gate passes', 'the one clip fails')
    """
    if n != 1:
        return f"all {quantity(n, thing)} {verb}"
    return f"the one {thing} {verb}{'es' if verb.endswith('s') else 's'}"


def percentage(value: float | None, ci95: Sequence[float] | None = None, digits: int = 1) -> str:
    """Show a rate in percent, with its interval.

    >>> percentage(0.0273, (0.0102, 0.0449)), percentage(6.333, digits=0), percentage(None)
    ('2.7 % [1.0, 4.5]', '633 %', '–')
    """
    return _in_hundredths(value, "%", ci95, digits)


def points(value: float | None, ci95: Sequence[float] | None = None) -> str:
    """Show a difference of rates in percentage points.

    >>> points(0.0123, (-0.001, 0.0255))
    '1.2 points [-0.1, 2.5]'
    """
    return _in_hundredths(value, "points", ci95, 1)


def _in_hundredths(value: float | None, unit: str, ci95: Sequence[float] | None, digits: int) -> str:
    if value is None:
        return NOTHING
    interval = f" [{', '.join(f'{100 * end:.{digits}f}' for end in ci95)}]" if ci95 else ""
    return f"{100 * value:.{digits}f} {unit}{interval}"


def percent(score: Score | None) -> str:
    """Show an error rate with its interval.

    >>> from earwitness.types import Score
    >>> percent(Score("wer", 0.0273, "ratio", "", n_clips=60, ci95=(0.0102, 0.0449)))
    '2.7 % [1.0, 4.5]'
    >>> percent(None)
    '–'
    """
    return NOTHING if score is None else percentage(score.value, score.ci95)


def count(score: Score | None) -> str:
    """Show a count; of no clips that could be counted, there is none.

    >>> from earwitness.types import Score
    >>> count(Score("failed_clips", 2.0, "clips", "", n_clips=60)), count(Score("failed_clips", 0.0, "clips", "", 0))
    ('2', '–')
    """
    return NOTHING if score is None or score.value is None or not score.n_clips else f"{score.value:.0f}"


def significant(value: float) -> str:
    """Show a number with three significant digits, a large one without an exponent.

    >>> significant(0.04567), significant(123.4), significant(16000.0)
    ('0.0457', '123', '16000')
    """
    shown = f"{value:.3g}"
    return f"{value:.0f}" if "e+" in shown else shown


def number(value: float | None) -> str:
    """Show a measured number with three significant digits, of a small one that it is small.

    >>> number(0.04567), number(None), number(0.00002)
    ('0.0457', '–', '<0.001')
    """
    if value is None:
        return NOTHING
    return "<0.001" if 0 < value < 0.001 else significant(value)


def with_interval(value: float | None, ci95: tuple[float, float] | None) -> str:
    """Show a plain number with its interval.

    >>> with_interval(1.584, (1.3, 1.651)), with_interval(1.584, None), with_interval(None, None)
    ('1.58 [1.3, 1.65]', '1.58', '–')
    """
    return number(value) + (f" [{number(ci95[0])}, {number(ci95[1])}]" if ci95 else "")


def megabytes(value: float | None) -> str:
    """Show bytes as MB of 10^6.

    >>> megabytes(742_000_000)
    '742'
    """
    return NOTHING if value is None else f"{value / 1e6:.0f}"


def duration(seconds: float) -> str:
    """Show a length of audio.

    >>> duration(42.3), duration(163), duration(3725)
    ('42 s', '2 min 43 s', '1 h 02 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def day(moment: str) -> str:
    """Show a moment to the minute.

    >>> day("2026-11-25T01:16:21.123+00:00")
    '2026-11-25 01:16 UTC'
    """
    return f"{moment[:10]} {moment[11:16]} UTC"
