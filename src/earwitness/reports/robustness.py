"""Curves of robustness as rows, which the command line shows as tables and this module as Markdown."""

from __future__ import annotations

from earwitness.comparison.robustness import Curve, CurvePanel, Point, Robustness
from earwitness.counts import NOTHING, duration, percent, quantity
from earwitness.reports.markdown import grid, safe

BROKEN = "✗"


def title(panel: CurvePanel) -> str:
    """Return a panel's heading."""
    data = panel.dataset
    synthetic = ", synthetic speech" if data.synthetic else ""
    family = panel.family or "other conditions"
    return f"{family} on {panel.name}: {quantity(data.n_clips, 'clip')}, {duration(data.audio_s)}{synthetic}"


def header(panel: CurvePanel) -> list[str]:
    """Return the headings of a panel's columns, from mild to severe."""
    return ["Model", "clean", *panel.conditions, *(["Breaks at"] if panel.family else [])]


def rows(panel: CurvePanel) -> list[list[str]]:
    """Return a row for each curve."""
    shown = []
    for curve in panel.curves:
        by_name = {point.condition: point for point in curve.points}
        cells = [_cell(by_name.get(name)) for name in panel.conditions]
        last = [breaks_at(curve, panel)] if panel.family else []
        shown.append([curve.label, percent(curve.clean), *cells, *last])
    return shown


def breaks_at(curve: Curve, panel: CurvePanel) -> str:
    """Return where a curve breaks, with its interval from mild to severe."""
    if any(point.broken is None for point in curve.points):
        return f"{NOTHING} (one recording)"
    ends = [f"{point.severity:g} {panel.unit}".strip() for point in curve.points]
    if curve.breaks is None:
        return f"not by {ends[-1]}"
    at, (mild, severe) = curve.breaks.severity, curve.breaks.ci95
    if at is None:
        return f"before {ends[0]}"
    first = "before" if mild is None else f"{mild:.1f}"
    last = "beyond" if severe is None else f"{severe:.1f}"
    return f"{at:.1f} {panel.unit}".strip() + f" [{first}, {last}]"


def legend(robustness: Robustness) -> str:
    """Explain when a model breaks."""
    return (
        f"{BROKEN} broken: WER at least {100 * robustness.limit:g} points over clean, and the paired 95 % interval of "
        "the increase above 0. Breaks at: where the curve reaches that, between two severities, with its 95 % interval."
    )


def markdown(robustness: Robustness) -> str:
    """Return the curves as a Markdown document."""
    parts = ["# Robustness\n", f"{legend(robustness)}\n"]
    for panel in robustness.panels:
        parts += [f"## {safe(title(panel))}\n", grid(header(panel), rows(panel))]
        parts += [f"- `{panel.curves[0].clean.signature}`"]
        parts += [f"- clean data: sha256 `{panel.dataset.sha256[:16]}`", ""]
    if robustness.left_out:
        parts += ["## Left out\n", *(f"- {safe(reason)}" for reason in robustness.left_out)]
    return "\n".join(parts) + "\n"


def _cell(point: Point | None) -> str:
    if point is None:
        return NOTHING
    return percent(point.wer) + (f" {BROKEN}" if point.broken else "")
