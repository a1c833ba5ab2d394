"""Charts as Vega-Lite specifications: plain values, from which ``draw`` makes SVG for the page and PNG for documents.

Colours are those of the light theme; ``draw`` gives the page its own. Pixels are computed here, numbers never.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from earwitness.comparison.robustness import CurvePanel
from earwitness.comparison.slices import SliceSet
from earwitness.comparison.study import Board
from earwitness.comparison.table import ModelRow, Table
from earwitness.counts import number, percent, percentage, quantity
from earwitness.reports.labels import beside
from earwitness.reports.scorecard import title

INK: Final = "#1b2027"
MUTED: Final = "#566070"
GRID: Final = "#dde2e8"
PAPER: Final = "#ffffff"
SERIES: Final[tuple[str, ...]] = (
    "#2a63cf", "#b8480f", "#0b7a5c", "#a0209c", "#866a00", "#0f6f8a", "#b3261e", "#6a35c9", "#4c7a12", "#4a5668",
)  # fmt: skip
WIDTH = 430
MOST = 8
"""Series in a chart whose only key is colour; the best come first."""

Spec = dict[str, Any]
_PERCENT = {"tickCount": 6, "format": "~%", "labelExpr": "replace(datum.label, '%', ' %')"}
_PLAIN = {"format": "~f", "tickCount": 5}
_WIDE = 30
_OF_THE_WHOLE = ("$schema", "background", "padding", "autosize", "config")
"""What a chart of several parts states once; Vega-Lite fits the width of single charts alone."""


def wer(table: Table) -> Spec:
    """Return WER with its interval, a line for each run that has one."""
    rows: list[dict[str, Any]] = [
        {"label": row.label, "wer": score.value, "low": low, "high": high, "shown": percent(score)}
        for row in table.rows
        if (score := row.run.score("wer")) and score.value is not None
        for low, high in [score.ci95 or (score.value, score.value)]
    ]
    most = max((row["high"] for row in rows), default=1.0) or 1.0
    x = {"field": "wer", "type": "quantitative", "title": None, "axis": _PERCENT, "scale": {"domain": [0, most * 1.45]}}
    tip = {"field": "shown", "type": "nominal"}
    return _chart(
        {"height": {"step": 25}, "data": {"values": rows}},
        [
            {"mark": {"type": "rule", "strokeWidth": 2, "opacity": 0.55, "color": SERIES[0]},
             "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}}},
            {"mark": {"type": "point", "filled": True, "size": 70, "opacity": 1, "color": SERIES[0]},
             "encoding": {"x": x, "description": tip}},
            {"mark": {"type": "text", "align": "left", "dx": 8, "color": INK},
             "encoding": {"x": {**x, "field": "high"}, "text": tip}},
        ],
        {"y": _labels([row["label"] for row in rows])},
    )  # fmt: skip


def wer_by_dataset(tables: Sequence[Table]) -> Spec:
    """Return WER on every dataset, one chart under another; datasets on which no run has a WER are left out."""
    views = [wer(table) | {"title": {"text": title(table), "anchor": "start", "color": INK}} for table in tables]
    full = [view for view in views if view["data"]["values"]]
    whole = _chart({}, [])
    parts = [{name: value for name, value in view.items() if name not in _OF_THE_WHOLE} for view in full]
    return {name: whole[name] for name in _OF_THE_WHOLE if name != "autosize"} | {"vconcat": parts}


def speed(board: Board, place: str) -> Spec:
    """Return WER against speed for the runs of one place, with the Pareto front as a line."""
    rows = [row for row in board.table.rows if row.place == place and _known(row)]
    points = [_point(row) for row in rows]
    fronts = [p for label in board.fronts[place] for p in points if p["label"] == label]
    width, height = WIDTH - 50, 290
    x_domain = _log_domain([p["rtfx"] for p in points])
    bottom, top = _near([p["wer"] for p in points])
    x_scale = {"type": "log", "domain": x_domain, "nice": False}
    y_scale = {"domain": [bottom, top], "nice": False, "zero": False}
    left, right = x_domain
    places = [
        (width * math.log(p["rtfx"] / left) / math.log(right / left), height * (top - p["wer"]) / (top - bottom))
        for p in points
    ]
    at_label = dict(zip((p["label"] for p in points), places, strict=True))
    path = sorted(at_label[p["label"]] for p in fronts)
    set_names = beside(places, list(at_label), (width, height), path)
    x = {"field": "rtfx", "type": "quantitative", "scale": x_scale, "title": "times real time (log scale)",
         "axis": _PLAIN}  # fmt: skip
    y = {"field": "wer", "type": "quantitative", "scale": y_scale, "title": "WER", "axis": _PERCENT}
    dots = {
        "data": {"values": points},
        "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
        "encoding": {"x": x, "y": y, "color": _color("label", [p["label"] for p in points], legend=False),
                     "description": {"field": "shown", "type": "nominal"}},
    }  # fmt: skip
    line = {
        "data": {"values": fronts},
        "mark": {"type": "line", "interpolate": "step-before", "strokeDash": [5, 4], "strokeWidth": 1.5,
                 "color": MUTED},
        "encoding": {"x": x, "y": y, "order": {"field": "rtfx", "type": "quantitative"}},
    }  # fmt: skip
    names = [
        {
            "data": {"values": [p]},
            "mark": {"type": "text", "color": SERIES[n % len(SERIES)], "fontSize": 11, **at},
            "encoding": {"x": x, "y": y, "text": {"field": "label", "type": "nominal"}},
        }
        for n, (p, at) in enumerate(zip(points, set_names, strict=True))
    ]
    return _chart({"width": width, "height": height, "autosize": "pad"}, [line, dots, *names])


def times(board: Board) -> Spec:
    """Return the spread of the times of clips: 5th to 95th percentile, the middle half, the median, the 99th."""
    rows: list[dict[str, Any]] = [
        {
            "label": label,
            "p5": t.p5_s, "p25": t.p25_s, "p50": t.p50_s, "p75": t.p75_s, "p95": t.p95_s, "p99": t.p99_s,
            "shown": f"{label}: median {number(t.p50_s)} s, 95th percentile {number(t.p95_s)} s, "
            f"99th {number(t.p99_s)} s, {quantity(t.n, 'clip')}",
        }
        for label, t in board.times.items()
        if t.p5_s > 0
    ]  # fmt: skip
    ends = [value for row in rows for value in (row["p5"], row["p99"])]
    wide = bool(ends) and max(ends) > _WIDE * min(ends)
    scale = {"type": "log", "domain": _log_domain(ends)} if wide else {"zero": True}
    x = {"field": "p50", "type": "quantitative", "scale": scale, "axis": _PLAIN,
         "title": f"seconds of work for a clip{' (log scale)' if wide else ''}"}  # fmt: skip
    bar = {"type": "bar", "height": 10, "opacity": 0.45, "color": SERIES[0]}
    tick = {"type": "tick", "thickness": 3, "size": 14, "color": SERIES[0]}
    return _chart(
        {"height": {"step": 25}, "data": {"values": rows}},
        [
            {"mark": {"type": "rule", "strokeWidth": 2, "color": SERIES[0], "opacity": 0.55},
             "encoding": {"x": {**x, "field": "p5"}, "x2": {"field": "p95"}}},
            {"mark": bar, "encoding": {"x": {**x, "field": "p25"}, "x2": {"field": "p75"}}},
            {"mark": tick, "encoding": {"x": x, "description": {"field": "shown", "type": "nominal"}}},
            {"mark": {"type": "point", "size": 30, "color": SERIES[0]}, "encoding": {"x": {**x, "field": "p99"}}},
        ],
        {"y": _labels([row["label"] for row in rows])},
    )  # fmt: skip


def part(cut: SliceSet, labels: Sequence[str]) -> Spec:
    """Return WER by slice: a group of points for each, with intervals."""
    shown = list(labels)[:MOST]
    rows = [
        {"value": value, "label": label, "wer": found.wer, "low": low, "high": high,
         "shown": f"{label}, {value}: {percentage(found.wer)} of {quantity(found.edits.length, 'word')}"}
        for value in cut.values
        for label in shown
        if (found := cut.slices[label].get(value)) and found.wer is not None
        for low, high in [found.ci95 or (found.wer, found.wer)]
    ]  # fmt: skip
    x = {"field": "wer", "type": "quantitative", "title": "WER", "axis": _PERCENT, "scale": {"zero": True}}
    color = _color("label", shown)
    return _chart(
        {"height": {"step": 8 if len(shown) > 3 else 12, "for": "offset"}, "data": {"values": rows}},
        [
            {"mark": {"type": "rule", "strokeWidth": 2, "opacity": 0.4},
             "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "color": color}},
            {"mark": {"type": "point", "filled": True, "size": 42, "opacity": 1},
             "encoding": {"x": x, "color": color, "description": {"field": "shown", "type": "nominal"}}},
        ],
        {"y": _labels(cut.values, "value"),
         "yOffset": {"field": "label", "type": "nominal", "sort": shown, "scale": {"paddingOuter": 0.8}}},
    )  # fmt: skip


def curves(panel: CurvePanel) -> Spec:
    """Return WER from clean to severe, a line for each model."""
    order = ["clean", *panel.conditions]
    shown = [curve.label for curve in panel.curves][:MOST]
    rows = [
        {"label": curve.label, "condition": name, "wer": score.value, "low": low, "high": high,
         "shown": f"{curve.label}, {name}: {percent(score)}"}
        for curve in panel.curves
        if curve.label in shown
        for name, score in [("clean", curve.clean), *((p.condition, p.wer) for p in curve.points)]
        if score.value is not None
        for low, high in [score.ci95 or (score.value, score.value)]
    ]  # fmt: skip
    x = {"field": "condition", "type": "ordinal", "sort": order, "title": None, "axis": {"labelAngle": -30}}
    y = {"field": "wer", "type": "quantitative", "title": "WER", "axis": _PERCENT, "scale": {"zero": True}}
    color = _color("label", shown)
    return _chart(
        {"width": WIDTH, "height": 280, "data": {"values": rows}},
        [
            {"mark": {"type": "line", "strokeWidth": 2} if panel.family else {"type": "point", "size": 1},
             "encoding": {"x": x, "y": y, "color": color}},
            {"mark": {"type": "rule", "opacity": 0.35, "strokeWidth": 2},
             "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": color}},
            {"mark": {"type": "point", "filled": True, "size": 50, "opacity": 1},
             "encoding": {"x": x, "y": y, "color": color, "description": {"field": "shown", "type": "nominal"}}},
        ],
    )  # fmt: skip


def card(board: Board, heading: str, lines: Sequence[str]) -> Spec:
    """Return an image card of 1200 by 630 pixels: the result in a sentence, and WER of the best runs."""
    best = board.table.rows[:MOST]
    spec = wer(replace(board.table, rows=best))
    spec |= {
        "width": 1200,
        "height": 630,
        "padding": {"left": 56, "right": 56, "top": 52, "bottom": 40},
        "autosize": {"type": "fit", "contains": "padding"},
        "title": {"text": textwrap.wrap(heading, 48)[:3],
                  "subtitle": [line for text in lines for line in textwrap.wrap(text, 100)][:4],
                  "anchor": "start", "frame": "bounds", "fontSize": 38, "lineHeight": 46, "subtitleFontSize": 21,
                  "subtitleLineHeight": 29, "subtitlePadding": 12, "offset": 30, "color": INK, "subtitleColor": MUTED},
    }  # fmt: skip
    axis = {**spec["config"]["axis"], "labelFontSize": 19, "labelLimit": 380, "minExtent": 0}
    spec["config"] = {**spec["config"], "axis": axis, "text": {"fontSize": 19}}
    spec["encoding"] = {"y": {**spec["encoding"]["y"], "axis": {}}}
    return spec


def _chart(size: Mapping[str, Any], layers: Sequence[Spec], encoding: Mapping[str, Any] | None = None) -> Spec:
    axis = {
        "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "titleColor": MUTED, "labelColor": INK,
        "domain": False, "ticks": False, "gridColor": GRID, "labelPadding": 8, "labelLimit": 190,
        "labelSeparation": 14, "titlePadding": 10,
    }  # fmt: skip
    config = {
        "view": {"stroke": None},
        "axis": axis,
        "axisY": {"grid": False},
        "axisQuantitative": {"grid": True},
        "legend": {"orient": "top", "title": None, "columns": 2, "labelColor": INK, "labelLimit": 210,
                   "symbolType": "circle", "symbolOpacity": 1, "labelFontSize": 12, "direction": "horizontal",
                   "offset": 6, "columnPadding": 34, "symbolStrokeWidth": 0},
        "text": {"fontSize": 12},
        "font": "sans-serif",
    }  # fmt: skip
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "background": PAPER,
        "width": WIDTH,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": 4,
        **size,
        "layer": list(layers),
        **({"encoding": dict(encoding)} if encoding else {}),
        "config": config,
    }


def _labels(order: Sequence[str], field: str = "label") -> Spec:
    # The page's font may be wider than the one that vl-convert measures with.
    axis = {"minExtent": max((len(name) for name in order), default=0) * 6.9}
    return {"field": field, "type": "nominal", "sort": list(order), "title": None, "axis": axis}


def _color(field: str, order: Sequence[str], *, legend: bool = True) -> Spec:
    colors = [SERIES[n % len(SERIES)] for n in range(len(order))]
    spec: Spec = {"field": field, "type": "nominal", "scale": {"domain": list(order), "range": colors}}
    return spec if legend else {**spec, "legend": None}


def _known(row: ModelRow) -> bool:
    score, clocked = row.run.score("wer"), row.run.speed
    return bool(score and score.value is not None and clocked and clocked.rtfx)


def _point(row: ModelRow) -> dict[str, Any]:
    score, clocked = row.run.score("wer"), row.run.speed
    wer_, rtfx = (score.value if score else None), (clocked.rtfx if clocked else None)
    shown = f"{row.label}: WER {percent(score)}, {number(rtfx)} times real time"
    return {"label": row.label, "wer": wer_, "rtfx": rtfx, "shown": shown}


def _near(values: Sequence[float]) -> tuple[float, float]:
    """A range around values, with air. Not from 0, but never so near that small differences look large."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    span = max(high - low, 0.4 * high) or 1.0
    middle = (low + high) / 2
    bottom = max(0.0, middle - 0.75 * span)
    return bottom, max(middle + 0.75 * span, bottom + 1.5 * span)


def _log_domain(values: Sequence[float]) -> list[float]:
    low, high = min(values, default=1.0), max(values, default=10.0)
    return [low / 1.5, high * 1.5]
