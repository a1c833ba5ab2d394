"""How numbers are shown. The one place where a ratio becomes a percentage."""

from __future__ import annotations

from earwitness.types import Score

NOTHING = "–"


def percent(score: Score | None) -> str:
    """Show an error rate with its interval.

    >>> percent(Score("wer", 0.0273, "ratio", "", n_clips=60, ci95=(0.0102, 0.0449)))
    '2.7 % [1.0, 4.5]'
    >>> percent(Score("wer", 0.0273, "ratio", "", n_clips=1, reason="only one recording"))
    '2.7 %'
    >>> percent(None)
    '–'
    """
    if score is None or score.value is None:
        return NOTHING
    interval = f" [{100 * score.ci95[0]:.1f}, {100 * score.ci95[1]:.1f}]" if score.ci95 else ""
    return f"{100 * score.value:.1f} %{interval}"


def count(score: Score | None) -> str:
    """Show a count; of no clips that could be counted, there is none.

    >>> count(Score("failed_clips", 2.0, "clips", "", n_clips=60)), count(Score("failed_clips", 0.0, "clips", "", 0))
    ('2', '–')
    """
    return NOTHING if score is None or score.value is None or not score.n_clips else f"{score.value:.0f}"


def number(value: float | None, digits: int = 3) -> str:
    """Show a plain number with so many significant digits.

    >>> number(0.04567), number(None), number(123.4), number(0.00002)
    ('0.0457', '–', '123', '<0.001')
    """
    if value is None:
        return NOTHING
    if 0 < value < 0.001:
        return "<0.001"
    shown = f"{value:.{digits}g}"
    return f"{value:.0f}" if "e" in shown else shown


def with_interval(value: float | None, ci95: tuple[float, float] | None) -> str:
    """Show a plain number with its interval.

    >>> with_interval(1.584, (1.3, 1.651)), with_interval(1.584, None), with_interval(None, None)
    ('1.58 [1.3, 1.65]', '1.58', '–')
    """
    return number(value) + (f" [{number(ci95[0])}, {number(ci95[1])}]" if ci95 else "")


def megabytes(value: int | None) -> str:
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
