"""The charts of a study and their titles."""

from __future__ import annotations

import re
from dataclasses import dataclass

from earwitness.comparison.study import Board, StudyView
from earwitness.reports import charts
from earwitness.reports.robustness import title as panel_title

_MOST_PARTS = 6


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart with its title."""

    name: str
    """Unique in the report; its file's name."""
    title: str
    """What is shown."""
    caption: str
    """How to read it."""
    spec: charts.Spec
    """As Vega-Lite has it."""


def figures(study: StudyView) -> dict[str, list[Figure]]:
    """Return the charts by place: ``d0``, ``d0-parts`` and so on by dataset, and ``conditions``."""
    found: dict[str, list[Figure]] = {"conditions": []}
    for number, board in enumerate(study.boards):
        if board.table.dataset.condition is None or study.robustness is None:
            found[f"d{number}"] = _of_board(f"d{number}", board)
            found[f"d{number}-parts"] = _of_parts(f"d{number}", board)
    for number, panel in enumerate(study.robustness.panels if study.robustness else ()):
        caption = "From clean to severe; vertical lines are 95 % intervals."
        found["conditions"].append(
            Figure(f"condition-{number}", f"WER under {panel_title(panel)}", caption, charts.curves(panel))
        )
    return found


def _of_board(prefix: str, board: Board) -> list[Figure]:
    made = []
    known = [row for row in board.table.rows if (score := row.run.score("wer")) and score.value is not None]
    if known:
        caption = "Less is better; lines are 95 % intervals."
        made.append(Figure(f"{prefix}-wer", "Word error rate", caption, charts.wer(board.table)))
    if board.times:
        several = len(board.table.places) > 1
        where = " Rows ran in different places: their seconds do not compare." if several else ""
        read = "Tick: median. Bar: the middle half of the clips. Line: 5th to 95th percentile. Ring: 99th."
        if max(time.n for time in board.times.values()) == 1:
            read = "There is one clip: this is its time."
        made.append(
            Figure(
                f"{prefix}-times",
                "Latency: how long a clip takes",
                read + where,
                charts.times(board),
            )
        )
    for number, (place, front) in enumerate(board.fronts.items()):
        if len(front) and len(known) > 1:
            made.append(
                Figure(
                    f"{prefix}-speed-{number}",
                    f"Error rate against speed on {place}",
                    "Best is at the lower right. The dashed line is the Pareto front: nothing else is both as fast and "
                    "as accurate.",
                    charts.speed(board, place),
                )
            )
    return made


def _of_parts(prefix: str, board: Board) -> list[Figure]:
    labels = [row.label for row in board.table.rows]
    most = f" The {charts.MOST} best models." if len(labels) > charts.MOST else ""
    return [
        Figure(
            f"{prefix}-by-{re.sub(r'[^a-z0-9]+', '-', cut.by.lower())}-{number}",
            f"WER by {cut.by}",
            f"Lines are 95 % intervals, where there are recordings enough.{most}",
            charts.part(cut, labels),
        )
        for number, cut in enumerate(board.parts[:_MOST_PARTS])
    ]
