"""Numbers, key terms, punctuation and case, for ``analyze terms`` and ``score --terms``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from earwitness.cli.common import console

if TYPE_CHECKING:
    from earwitness.scoring.terms import TermCount
    from earwitness.types import Clip, Hypothesis, Score

_WORST = 10


class TermReport(NamedTuple):
    """What one model did with what the overall rate hides."""

    scores: tuple[Score, ...]
    """Numbers, recall and precision of terms if any were given, punctuation, case."""
    terms: tuple[TermCount, ...]
    """Each term's counts."""


def term_report(texts: Sequence[tuple[Clip, Hypothesis]], terms: Sequence[str], normalizer: str) -> TermReport:
    """Score the texts of one model."""
    from earwitness.scoring.punctuation import raw_scores
    from earwitness.scoring.terms import number_score, term_scores

    counts: tuple[TermCount, ...] = ()
    middle: tuple[Score, ...] = ()
    if terms:
        recall, precision, counts = term_scores(texts, terms, normalizer)
        middle = (recall, precision)
    return TermReport((number_score(texts, normalizer), *middle, *raw_scores(texts)), counts)


def show(reports: Mapping[str, TermReport]) -> None:
    """Print the scores as a table, reasons under it, and the terms that were missed most."""
    from rich import box
    from rich.table import Table

    from earwitness.report.format import percent

    screen = console()
    table = Table("", *reports, box=box.SIMPLE_HEAD, pad_edge=False)
    first = next(iter(reports.values()))
    for place, score in enumerate(first.scores):
        name = score.metric.replace("_", " ").capitalize()
        table.add_row(name, *(percent(report.scores[place]) for report in reports.values()))
    screen.print(table)
    reasons = {
        f"{score.metric.replace('_', ' ')}: {score.reason}": None
        for report in reports.values()
        for score in report.scores
        if score.reason
    }
    for reason in reasons:
        screen.print(reason, markup=False)
    for label, report in reports.items():
        missed = sorted((t for t in report.terms if t.found < t.said), key=lambda t: (t.found - t.said, t.term))
        if missed:
            most = ", ".join(f"{t.term} ({t.found} of {t.said})" for t in missed[:_WORST])
            screen.print(f"{label} missed most: {most}", markup=False)
