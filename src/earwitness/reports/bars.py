"""Bars as one SVG, without any drawing library: WER with its intervals, and RTF apart for each place.

Bars of speed stand side by side only when they were measured on the same device of the same machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from earwitness.comparison.table import Comparison, ModelRow, Table
from earwitness.reports.format import number, percent
from earwitness.reports.scorecard import title

_WIDTH = 1000
_LABEL = 350
_VALUE = 190
_ROW = 24
_HEAD = 34
_SPAN = _WIDTH - _LABEL - _VALUE
_COLORS = {"WER": "#3567b0", "RTF": "#7a8f3c"}


@dataclass(frozen=True, slots=True)
class _Bar:
    label: str
    value: float | None
    shown: str
    ci95: tuple[float, float] | None = None


def svg(comparison: Comparison) -> str:
    """Return an SVG document with the bars of every table; ``None`` is an empty place with a dash."""
    parts: list[str] = []
    y = 0
    for table in comparison.tables:
        for heading, color, bars in _panels(table):
            drawn, y = _panel(heading, color, bars, y)
            parts += drawn
    height = y + 8
    style = 'font-family="sans-serif" font-size="13" role="img" aria-label="WER and RTF of each run"'
    size = f'width="{_WIDTH}" height="{height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {_WIDTH} {height}" {style}>'
    return "\n".join([head, f'<rect {size} fill="#ffffff"/>', *parts, "</svg>\n"])


def _panels(table: Table) -> list[tuple[str, str, list[_Bar]]]:
    panels = [(f"WER on {title(table)}; less is better", _COLORS["WER"], [_wer(row) for row in table.rows])]
    for place in table.places:
        rows = [row for row in table.rows if row.place == place]
        panels.append((f"RTF on {place}; less is faster", _COLORS["RTF"], [_rtf(row) for row in rows]))
    return panels


def _wer(row: ModelRow) -> _Bar:
    score = row.run.score("wer")
    return _Bar(row.label, score.value if score else None, percent(score), score.ci95 if score else None)


def _rtf(row: ModelRow) -> _Bar:
    rtf = row.run.speed.rtf if row.run.speed else None
    return _Bar(row.label, rtf, number(rtf))


def _panel(heading: str, color: str, bars: Sequence[_Bar], y: int) -> tuple[list[str], int]:
    most = max((top for bar in bars for top in (bar.value, bar.ci95 and bar.ci95[1]) if top), default=1.0)
    parts = [f'<text x="8" y="{y + 22}" font-weight="bold">{escape(heading)}</text>']
    y += _HEAD
    for bar in bars:
        middle = y + _ROW // 2
        parts.append(f'<text x="{_LABEL - 8}" y="{middle + 4}" text-anchor="end">{escape(_short(bar.label))}</text>')
        if bar.value is not None:
            width = _SPAN * bar.value / most
            parts.append(f'<rect x="{_LABEL}" y="{y + 3}" width="{width:.1f}" height="{_ROW - 6}" fill="{color}"/>')
        if bar.ci95:
            low, high = (_LABEL + _SPAN * end / most for end in bar.ci95)
            parts.append(
                f'<path d="M{low:.1f} {middle}H{high:.1f}M{low:.1f} {middle - 4}v8M{high:.1f} {middle - 4}v8" '
                'stroke="#222222" fill="none"/>'
            )
        parts.append(f'<text x="{_WIDTH - 8}" y="{middle + 4}" text-anchor="end">{escape(bar.shown)}</text>')
        y += _ROW
    return parts, y


def _short(label: str) -> str:
    return label if len(label) <= 44 else f"{label[:43]}…"
