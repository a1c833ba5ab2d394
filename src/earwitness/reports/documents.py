"""The report as Markdown for repositories and mail: the same facts, with plots as PNG files."""

from __future__ import annotations

from collections.abc import Sequence

from earwitness.comparison.agreement import of_table
from earwitness.comparison.matrix import matrix
from earwitness.comparison.study import Board, StudyView
from earwitness.counts import day, megabytes, number, percent
from earwitness.decision.decision import Decision, Verdict
from earwitness.reports import agreement, sections
from earwitness.reports import decision as words
from earwitness.reports.figures import Figure
from earwitness.reports.markdown import grid, safe
from earwitness.reports.matrix import legend, matrix_grid
from earwitness.reports.page import PageContent
from earwitness.reports.robustness import header, rows
from earwitness.reports.robustness import legend as broken
from earwitness.reports.scorecard import columns, machines, title
from earwitness.reports.speed import rows_sentences
from earwitness.reports.terms import term_grids

_WORST = 10
_LONGEST = 400


def results(content: PageContent) -> str:
    """Return everything: the verdict, tables, plots, slices, completeness, conditions, the worst clips, the method."""
    study = content.study
    parts = [f"# {safe(content.heading)}\n", f"{safe(sections.lead(study))}\n"]
    if content.warnings:
        parts += ["> **Before you read on**", ">", *(f"> - {safe(warning)}" for warning in content.warnings), ""]
    parts += ["## Verdict\n", *_verdict(content)]
    for n, board in enumerate(study.boards):
        parts += [f"## {safe(title(board.table))}\n", *_board(board, content.figures.get(f"d{n}", ()))]
        parts += _terms(board)
        parts += _parts(board, content.figures.get(f"d{n}-parts", ()))
        parts += _worst(board)
    if study.robustness is not None:
        parts += ["## Under conditions\n", f"{safe(broken(study.robustness))}\n"]
        for panel, figure in zip(study.robustness.panels, content.figures["conditions"], strict=True):
            parts += [_image(figure), grid(header(panel), rows(panel))]
    parts += ["## How to do it again\n", *_method(content)]
    return "\n".join(parts) + f"\n---\n{safe(content.footer)}\n"


def devices(content: PageContent) -> str:
    """Return notes on devices: which model ran where, what was not run and why, and the speed of each run."""
    parts = ["# Device notes\n", "Everything here was measured, unless it is marked as not run.\n"]
    for board in content.study.boards:
        table = board.table
        parts += [f"## {safe(title(table))}\n"]
        made = matrix(table)
        parts += [grid(*matrix_grid(made)), *(f"- {safe(line)}" for line in legend(made)), ""]
        parts += [*(f"- {safe(machine)}" for machine in machines(table)), ""]
        lines = [
            [
                row.label,
                row.run.device_asked,
                row.place,
                number(row.run.speed.rtf if row.run.speed else None),
                megabytes(row.run.workers.peak_rss_bytes if row.run.workers else None),
                megabytes(row.run.workers.peak_device_bytes if row.run.workers else None),
            ]
            for row in table.rows
        ]
        parts += [grid(["Model", "Asked for", "Ran on", "RTF", "Peak MB", "Peak MB of the device"], lines)]
        parts += [f"- {safe(line)}" for line in rows_sentences([(row.label, row.run) for row in table.rows])] + [""]
    return "\n".join(parts)


def share(content: PageContent) -> str:
    """Return a few lines to go with the image card."""
    heading, lines = headline(content)
    parts = [f"**{safe(heading)}**\n", *(f"{safe(line)}\n" for line in lines), "![WER of the models](card.png)\n"]
    for board in content.study.boards[:1]:
        parts += [
            f"- {safe(row.label)}: WER {percent(row.run.score('wer'))}, "
            f"RTF {number(row.run.speed.rtf if row.run.speed else None)}"
            for row in board.table.rows
        ]
    return "\n".join(parts) + f"\n\n{safe(content.footer)}\n"


def main_board(study: StudyView, decision: Decision | None) -> Board:
    """Return the table to show where there is room for one.

    Of what the decision rests on: real speech before synthetic speech, clean before altered audio, labelled before
    unlabelled, and then the longest.
    """
    rests_on = {data.sha256 for data in decision.datasets} if decision else set()

    def order(board: Board) -> tuple[bool, bool, bool, bool, float]:
        data = board.table.dataset
        is_labelled = any((score := row.run.score("wer")) and score.value is not None for row in board.table.rows)
        is_basis = data.sha256 in rests_on
        return not is_basis, data.synthetic, data.condition is not None, not is_labelled, -data.audio_s

    return min(study.boards, key=order)


def headline(content: PageContent) -> tuple[str, list[str]]:
    """Return the result in one line, and its basis in two more."""
    decision = content.decision
    board = main_board(content.study, decision)
    if decision is not None:
        heading, first = words.recommendation(decision), decision.why
    else:
        told = sections.leader(board.table)
        heading, first = f"{told['name']} {told['claim']}", told["tested"]
    ground = f"{title(board.table)}, on {', '.join(board.table.places)}. Brackets: 95 % intervals."
    return heading, [line for line in (first, ground) if line]


def _verdict(content: PageContent) -> list[str]:
    found = content.decision
    if found is None:
        return _without_decision(content)
    chosen = f"Serve **{safe(found.chosen)}**." if found.chosen else "**None of the models may be served.**"
    parts = [f"{chosen} {safe(found.why)}\n", f"Policy: {safe(found.policy.name)}, decided {day(found.created_at)}.\n"]
    parts += [line for one in found.verdicts for line in _candidate(one)]
    if found.bounds:
        parts += ["### Without references\n", *(f"- {safe(line)}" for line in found.bounds), ""]
    if found.winners:
        best = [
            [one.category.replace("_", " "), words.winner_names(one) + (f": {one.note}" if one.note else "")]
            for one in found.winners
        ]
        parts += ["### Best of each category\n", grid(["Category", "Best"], best)]
    return [*parts, *(f"- {safe(line)}" for line in found.guidance), ""]


def _without_decision(content: PageContent) -> list[str]:
    tables = [board.table for board in content.study.boards if board.table.dataset.condition is None]
    told = [(table, sections.leader(table)) for table in tables or [b.table for b in content.study.boards]]
    lines = [
        f"- {safe(table.name)}: **{safe(one['name'])}** {safe(one['claim'] + ' ' + one['tested'])}"
        for table, one in told
    ]
    return [*lines, "\nWithout a decision, this is not a recommendation.\n"]


def _candidate(one: Verdict) -> list[str]:
    grade = f", grade {one.grade}" if one.grade_points is not None else ""
    return [
        f"### {words.SIGNS[one.status]} {safe(one.candidate)}: {one.status}{grade}\n",
        *(f"- {safe(reason)}" for reason in words.reasons(one)),
        *(f"- only if: {safe(condition)}" for condition in one.conditions),
        "",
        grid(words.RULES_HEADER, words.rule_rows(one)),
        *(f"- {safe(line)}" for line in (*map(words.part_line, one.grade_parts), *one.missing)),
        "",
    ]


def _board(board: Board, figures: Sequence[Figure]) -> list[str]:
    table = board.table
    shown = columns(table)
    parts = [grid([c.heading for c in shown], [[c.show(row) for c in shown] for row in table.rows])]
    parts += [*(f"- {safe(note)}" for note in sections.board_notes(table)), ""]
    parts += [_image(figure) for figure in figures]
    agreed = of_table(table, board.results)
    if agreed is not None:
        parts += ["### Agreement\n", *agreement.markdown(agreed)]
    found = sections.completeness(table)
    if found["kinds"]:
        lines = [[row["label"], *(cell["text"] for cell in row["cells"])] for row in found["rows"]]
        parts += ["### Completeness\n", grid(["Model", *(kind.short for kind in found["kinds"])], lines)]
    return [*parts, f"{safe(found['note'])}\n"]


def _terms(board: Board) -> list[str]:
    found = term_grids(board.table.rows)
    parts = ["### Key terms\n"] if found else []
    for one in found:
        parts += [f"{safe(one['label'])}: {safe(one['line'])}\n", grid(one["header"], one["rows"])]
    return parts


def _parts(board: Board, figures: Sequence[Figure]) -> list[str]:
    if not board.parts:
        return []
    parts = ["### WER by slice\n", *(_image(figure) for figure in figures)]
    for cut in board.parts:
        made = sections.part_grid(cut, [row.label for row in board.table.rows])
        parts += [grid(made["header"], made["rows"])]
    return parts


def _worst(board: Board) -> list[str]:
    """The clips with the most errors of the best model: where there is most to gain."""
    best = board.table.rows[0]
    counted = [(result, edits) for result in board.results[best.label] if (edits := result.score.words) is not None]
    worst = sorted(counted, key=lambda pair: -pair[1].errors)[:_WORST]
    worst = [pair for pair in worst if pair[1].errors]
    if not worst:
        return []
    lines = [
        [
            result.clip.id,
            str(edits.errors),
            _cut(result.clip.reference or ""),
            _cut(result.hypothesis.transcript.text if result.hypothesis.transcript else "(failed)"),
        ]
        for result, edits in worst
    ]
    return [f"### Clips with the most errors of {safe(best.label)}\n", grid(["Clip", "Errors", "Said", "Heard"], lines)]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"


def _method(content: PageContent) -> list[str]:
    parts = []
    for board in content.study.boards:
        parts += [f"### {safe(title(board.table))}\n"]
        parts += [f"- {name}: {safe(value)}" for name, value in sections.dataset_facts(board.table)] + [""]
    parts += ["### Settings in force\n", grid(*sections.settings_grid(content.study.boards)), "### Runs\n"]
    for board in content.study.boards:
        for row in board.table.rows:
            facts = "; ".join(f"{name}: {safe(value)}" for name, value in sections.run_facts(row))
            parts += [f"- **{safe(row.label)}** on {safe(board.table.name)}. {facts}"]
    lines = sections.commands(content.study, content.decision.command if content.decision else ())
    return [*parts, "\n```console", *(f"$ {line}" for line in lines), "```\n"]


def _image(figure: Figure) -> str:
    return f"![{safe(figure.title)}](plots/{figure.name}.png)\n\n*{safe(figure.title)}.* {safe(figure.caption)}\n"
