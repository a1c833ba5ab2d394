"""The syntax of subtitle files: SubRip and WebVTT."""

from __future__ import annotations

import html
from collections.abc import Iterable

TimedText = tuple[float, float, str]
"""Start and end of a cue in seconds, and its text: no empty line in it, and no arrow ``-->``."""


def srt(cues: Iterable[TimedText]) -> str:
    r"""Return SubRip subtitles.

    >>> srt([(0.0, 3661.5, "hello")])
    '1\n00:00:00,000 --> 01:01:01,500\nhello\n\n'
    """
    return "".join(
        f"{n}\n{_clock(start_s, ',')} --> {_clock(end_s, ',')}\n{text}\n\n"
        for n, (start_s, end_s, text) in enumerate(cues, start=1)
    )


def vtt(cues: Iterable[TimedText]) -> str:
    r"""Return WebVTT subtitles, in which ``&``, ``<`` and ``>`` are escaped.

    >>> vtt([(0.0, 1.25, "1 < 2 & so on")])
    'WEBVTT\n\n00:00:00.000 --> 00:00:01.250\n1 &lt; 2 &amp; so on\n\n'
    """
    return "WEBVTT\n\n" + "".join(
        f"{_clock(start_s, '.')} --> {_clock(end_s, '.')}\n{html.escape(text, quote=False)}\n\n"
        for start_s, end_s, text in cues
    )


def _clock(seconds: float, point: str) -> str:
    ms = round(max(0.0, seconds) * 1000)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{point}{ms % 1000:03}"
