"""Numbers, key terms, punctuation and case, for ``analyze terms`` and ``score --terms``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from earwitness.cli.common import console
from earwitness.counts import percent, quantity

if TYPE_CHECKING:
    from earwitness.api.terms import TermReport
    from earwitness.scoring.metrics.terms import TermCount, TermPlaces
    from earwitness.types import Score

_CLIPS = 5


def show(reports: Mapping[str, TermReport]) -> None:
    """Print the scores as a table with reasons, the terms missed most, and counts for clips without a reference."""
    if any(score.value is not None for report in reports.values() for score in report.scores):
        _show_scores(reports)
    else:
        console().print("No clip has a reference, so there is no error rate, no recall and no precision.")
    from earwitness.reports.terms import missed_lines

    for label, report in reports.items():
        for line in missed_lines(label, report.terms, report.substitutes):
            console().print(line, markup=False, highlight=False)
    if any(report.n_unlabelled and report.places for report in reports.values()):
        _show_places(reports)


def _show_scores(reports: Mapping[str, TermReport]) -> None:
    from rich import box
    from rich.table import Table

    screen = console()
    table = Table("", *reports, box=box.SIMPLE_HEAD, pad_edge=False)
    first = next(iter(reports.values()))
    for place, score in enumerate(first.scores):
        name = score.metric.replace("_", " ").capitalize()
        table.add_row(name, *(_cell(report.scores[place], report.terms) for report in reports.values()))
    screen.print(table)
    reasons = {
        f"{score.metric.replace('_', ' ')}: {score.reason}": None
        for report in reports.values()
        for score in report.scores
        if score.reason
    }
    for reason in reasons:
        screen.print(reason, markup=False)


def _cell(score: Score, terms: Sequence[TermCount]) -> str:
    """Show a score; of recall and precision, with the counts behind it."""
    shown = percent(score)
    of = {"term_recall": sum(t.said for t in terms), "term_precision": sum(t.heard for t in terms)}.get(score.metric)
    if not of:
        return shown
    rate, _, interval = shown.partition(" [")
    return f"{rate}, {sum(t.found for t in terms)} of {of}" + (f" [{interval}" if interval else "")


def _show_places(reports: Mapping[str, TermReport]) -> None:
    screen = console()
    n_unlabelled = next(iter(reports.values())).n_unlabelled
    screen.print(
        f"How often each term occurs in the texts ({quantity(n_unlabelled, 'clip')} without a reference: recall needs "
        "a reference):"
    )
    for label, report in reports.items():
        for places in report.places:
            screen.print(f"  {label}: {places.term}: {_places(places)}", markup=False)


def _places(places: TermPlaces) -> str:
    if not places.clips:
        return "never"
    each = [f"{clip} ({n})" if n > 1 else clip for clip, n in places.clips.items()]
    more = f" and {quantity(len(each) - _CLIPS, 'more clip')}" if len(each) > _CLIPS else ""
    return f"{quantity(places.n, 'time')}, in {', '.join(each[:_CLIPS])}{more}"
