"""The report as one HTML file without external files: style, script, charts, clips and sound are inside."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from earwitness.comparison.study import Board, StudyView
from earwitness.counts import day
from earwitness.decision.decision import Decision
from earwitness.errors import UsageError
from earwitness.reports import agreement, sections
from earwitness.reports import decision as words
from earwitness.reports.clip_data import CHUNK, ClipTable
from earwitness.reports.draw import svg
from earwitness.reports.figures import Figure
from earwitness.reports.robustness import header, legend, rows
from earwitness.reports.robustness import title as panel_title
from earwitness.reports.scorecard import title
from earwitness.reports.terms import term_grids
from earwitness.scoring.findings.kinds import KINDS

_SCRIPTS = ("data.js", "player.js", "list.js", "detail.js", "lines.js", "timeline.js", "main.js")


@dataclass(frozen=True, slots=True)
class PageContent:
    """The contents of the page."""

    study: StudyView
    """The runs."""
    decision: Decision | None
    """What was decided of them, if anything was."""
    warnings: Sequence[str]
    """What a reader must know first, a sentence each."""
    figures: Mapping[str, Sequence[Figure]]
    """Charts by where they stand: ``d0`` for the first dataset, ``d0-parts``, ``conditions``."""
    clips: Sequence[ClipTable]
    """Of each dataset, in the order of the study's boards."""
    sound_note: str
    """What sound there is, a sentence."""
    heading: str
    """Of the page."""
    footer: str
    """By which version, and when."""


def page(content: PageContent) -> str:
    """Return the HTML.

    Raises:
        UsageError: When the extra is not installed.
    """
    try:
        from jinja2 import Environment, StrictUndefined
        from markupsafe import Markup, escape
    except ImportError:
        raise UsageError(
            "The report's page is made by jinja2, which is not installed here. Run: pip install 'earwitness[report]'"
        ) from None

    script = '(() => {\n"use strict";\n' + "".join(_asset(name) for name in _SCRIPTS) + "})();\n"
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    # A long name may break after its colon.
    environment.filters["name"] = lambda text: escape(text).replace(":", Markup(":<wbr>"))
    text: str = environment.from_string(_asset("page.html")).render(
        title=content.heading,
        lead=sections.lead(content.study),
        style=Markup(_asset("style.css")),  # noqa: S704 - our own files
        script=Markup(script),  # noqa: S704 - our own files
        script_sha256=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        warnings=content.warnings,
        decision=content.decision,
        words=words,
        day=day,
        leaders=_leaders(content.study),
        boards=[_board(n, board, content, Markup) for n, board in enumerate(content.study.boards)],
        conditions=_conditions(content, Markup),
        method=_method(content),
        sound_note=content.sound_note,
        footer=content.footer,
        facts=Markup(_script_safe(_facts(content))),  # noqa: S704 - no < is left in it
        blobs=[(name, Markup(text)) for name, text in _blobs(content.clips)],  # noqa: S704 - base64
    )
    return text


def _asset(name: str) -> str:
    return files("earwitness.reports").joinpath("page", name).read_text(encoding="utf-8")


def _script_safe(value: Any) -> str:
    """JSON in which no ``<`` is left, so nothing in it can end the element that holds it."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False).replace("<", "\\u003c")


def _facts(content: PageContent) -> dict[str, Any]:
    return {
        "chunk": CHUNK,
        "kinds": {
            name: {"short": kind.short, "group": kind.group, "meaning": kind.meaning} for name, kind in KINDS.items()
        },
        "datasets": [{"labels": [row.label for row in board.table.rows]} for board in content.study.boards],
    }


def _blobs(clips: Sequence[ClipTable]) -> list[tuple[str, str]]:
    found = []
    for number, one in enumerate(clips):
        found.append((f"index-{number}", one.index))
        found += [(f"texts-{number}-{k}", text) for k, text in enumerate(one.pieces)]
        found += [(f"sound-{number}-{i}", text) for i, text in one.sounds.items()]
    return found


def _leaders(study: StudyView) -> list[dict[str, Any]]:
    clean = [board for board in study.boards if board.table.dataset.condition is None] or list(study.boards)
    return [
        {**sections.leader(board.table), "dataset": f"{board.table.name}: " if len(clean) > 1 else ""}
        for board in clean
    ]


def _board(number: int, board: Board, content: PageContent, markup: Any) -> dict[str, Any]:
    table = board.table
    labels = [row.label for row in table.rows]
    return {
        "id": f"d{number}",
        "number": number,
        "name": table.name,
        "title": title(table),
        "caption": "Brackets are 95 % intervals; a range of ranks means that the tests cannot separate the models.",
        "condition": table.dataset.condition is not None,
        **sections.scorecard(table),
        "notes": sections.board_notes(table),
        "agreement": agreement.section(board),
        "charts": [_figure(one, markup) for one in content.figures.get(f"d{number}", ())],
        "part_charts": [_figure(one, markup) for one in content.figures.get(f"d{number}-parts", ())],
        "completeness": sections.completeness(table),
        "terms": term_grids(table.rows),
        "parts": [sections.part_grid(cut, labels) for cut in board.parts],
    }


def _figure(figure: Figure, markup: Any) -> dict[str, Any]:
    drawn = svg(figure.spec, f"{figure.title} {figure.caption}", figure.name)
    return {"title": figure.title, "caption": figure.caption, "svg": markup(drawn)}


def _conditions(content: PageContent, markup: Any) -> dict[str, Any] | None:
    found = content.study.robustness
    if found is None:
        return None
    drawn = [_figure(one, markup) for one in content.figures["conditions"]]
    return {
        "legend": legend(found),
        "panels": [
            {"title": panel_title(panel), "header": header(panel), "rows": rows(panel), "chart": chart}
            for panel, chart in zip(found.panels, drawn, strict=True)
        ],
    }


def _method(content: PageContent) -> dict[str, Any]:
    boards = content.study.boards
    settings_header, settings = sections.settings_grid(boards)
    return {
        "datasets": [{"name": title(b.table), "facts": sections.dataset_facts(b.table)} for b in boards],
        "settings_header": settings_header,
        "settings": settings,
        "runs": [
            {"title": f"{row.label} on {board.table.name}", "facts": sections.run_facts(row)}
            for board in boards
            for row in board.table.rows
        ],
        "commands": sections.commands(content.study, content.decision.command if content.decision else ()),
        "columns": sections.scorecard(boards[0].table)["columns"],
    }
