"""The parts of the report as plain texts, for the page and the documents."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from earwitness.comparison.slices import SliceSet
from earwitness.comparison.study import Board, StudyView
from earwitness.comparison.table import ModelRow, Table
from earwitness.counts import NOTHING, count, day, duration, megabytes, number, percent, percentage, quantity
from earwitness.reports.scorecard import columns, machines, notes, signatures, title
from earwitness.reports.statistics import pair_sentence
from earwitness.scoring.findings.kinds import KINDS, FindingKind


def scorecard(table: Table) -> dict[str, Any]:
    """Return the columns and rows of a scorecard: each cell's text and sort key, and a bar for the WER."""
    shown = columns(table)
    most = max((high for row in table.rows for high in _ends(row)), default=1.0) or 1.0
    return {
        "columns": [
            {"heading": c.heading, "meaning": c.meaning, "text": c.heading in ("Model", "Rank", "Device")}
            for c in shown
        ],
        "rows": [
            [
                {
                    "text": column.show(row),
                    "key": "" if (key := column.key(row)) is None else key,
                    "bar": _bar(row, most) if column.heading == "WER" else None,
                }
                for column in shown
            ]
            for row in table.rows
        ],
    }


def _ends(row: ModelRow) -> tuple[float, ...]:
    score = row.run.score("wer")
    if score is None or score.value is None:
        return ()
    return (score.value, *(score.ci95 or ()))


def _bar(row: ModelRow, most: float) -> dict[str, str] | None:
    ends = _ends(row)
    if not ends:
        return None
    value, low, high = ends if len(ends) == 3 else (ends[0], ends[0], ends[0])
    at, left, wide = (f"{100 * part / most:.2f}" for part in (value, low, high - low))
    return {"at": at, "low": left, "wide": wide}


def leader(table: Table) -> dict[str, Any]:
    """Return which run has the lowest error rate, and which runs tie with it.

    Returns:
        ``name`` of the run, ``claim`` that goes on from it, what the tests say (``tested``), and the pairs behind that.
    """
    first = table.rows[0]
    score = first.run.score("wer")
    if score is None or score.value is None:
        reason = (score.reason if score else None) or "it has no score"
        known = "Without one, speed, memory, failures and how complete the texts are can be compared."
        return {"name": "No rank:", "claim": f"{reason}, so there is no error rate.", "tested": known, "more": []}
    many = len(table.rows)
    lowest = f"has the lowest WER of {many} runs:" if many > 1 else "has a WER of"
    of = ", of these recordings" if table.target == "these recordings" else ""
    told, pairs = _tested(table, first.label)
    return {"name": first.label, "claim": f"{lowest} {percent(score)}{of}.", "tested": told, "more": pairs}


def _tested(table: Table, label: str) -> tuple[str, list[str]]:
    if table.unranked:
        return table.unranked, []
    pairs = [pair for pair in table.pairs if pair.first == label]
    ties = [pair.second for pair in pairs if not pair.told_apart]
    told = "The tests separate it from every other." if pairs else ""
    if ties:
        told = f"The tests cannot separate it from {_listed(ties) if len(ties) < len(pairs) else 'any other'}."
    return told, [pair_sentence(pair) for pair in pairs[:3]]


def _listed(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def completeness(table: Table) -> dict[str, Any]:
    """Return how many clips of each run have a finding of each kind; kinds that no run has are left out."""
    counted = {
        name: kind
        for name, kind in KINDS.items()
        if any((s := row.run.score(kind.metric)) and s.value for row in table.rows)
    }
    rows = [
        {"label": row.label, "number": place, "cells": [_finding(row, *each) for each in counted.items()]}
        for place, row in enumerate(table.rows)
    ]
    unseen = [kind.short for name, kind in KINDS.items() if name not in counted]
    note = f"None in any run: {', '.join(unseen)}." + _speech_note(table)
    return {"kinds": list(counted.values()), "rows": rows, "note": note}


def _speech_note(table: Table) -> str:
    speech = [row.run.speech for row in table.rows]
    detectors = sorted({one.model for one in speech if one.model})
    reasons = sorted({one.reason or "it was not asked for" for one in speech if not one.model})
    note = f" Speech was detected by {', '.join(detectors)}." if detectors else ""
    return note + (f" Speech was not detected: {'; '.join(reasons)}." if reasons else "")


def _finding(row: ModelRow, name: str, kind: FindingKind) -> dict[str, Any]:
    score = row.run.score(kind.metric)
    n = int(score.value) if score and score.value else 0
    aria = f"{quantity(n, 'clip')} of {row.label}: {kind.meaning}"
    return {"n": n, "text": count(score), "kind": name, "aria": aria}


def part_grid(cut: SliceSet, labels: Sequence[str]) -> dict[str, Any]:
    """Return WER by slice as a grid: a row for each slice, a column for each run."""
    rows = []
    for value in cut.values:
        found = [cut.slices[label].get(value) for label in labels]
        clip = next((one for one in found if one), None)
        size = f"{quantity(clip.n_clips, 'clip')}, {duration(clip.audio_s)}" if clip else NOTHING
        cells = [percentage(one.wer, one.ci95) if one else NOTHING for one in found]
        rows.append([value, size, *cells])
    return {"by": cut.by, "header": [cut.by, "Size", *labels], "rows": rows}


def dataset_facts(table: Table) -> list[tuple[str, str]]:
    """Return the facts about a dataset, as names and values."""
    data = table.dataset
    chosen = data.selection
    facts = [
        ("Clips", f"{data.n_clips}, {duration(data.audio_s)}"),
        ("Source", chosen.source),
        ("Limit", str(chosen.limit) if chosen.limit is not None else ""),
        ("Only with tags", ", ".join(f"{name}={value}" for name, value in chosen.tags.items())),
        ("Condition", data.condition.name if data.condition else "none: the audio as it is"),
        ("Speech", "synthetic" if data.synthetic else "recorded"),
        ("Licence", data.license or "unknown"),
        ("sha256", data.sha256),
        *(("How it is counted", signature) for signature in signatures(table)),
        *(("Machine", machine) for machine in machines(table)),
    ]
    return [(name, value) for name, value in facts if value]


def run_facts(row: ModelRow) -> list[tuple[str, str]]:
    """Return the facts about a run, as names and values: enough to repeat and to identify it."""
    run = row.run
    packages = ", ".join(f"{name} {version}" for name, version in run.engine.packages.items())
    workers = run.workers
    facts = [
        ("Record", row.record.as_posix()),
        ("Run", run.id),
        ("Made", day(run.created_at)),
        ("Weights", run.model.weights_id),
        ("sha256 of the weights", run.model.weights_sha256 or "no files"),
        ("Licence of the weights", run.model.license or "unknown"),
        ("Parameters", f"{run.model.parameters:,}" if run.model.parameters else ""),
        ("Engine", f"{run.engine.name} ({packages or 'no packages of its own'}), Python {run.engine.python}"),
        ("Device", f"{run.device_used or 'none'}, asked for {run.device_asked}"),
        ("Memory", f"{megabytes(workers.peak_rss_bytes)} MB at most" if workers else ""),
        ("Load", f"{number(workers.load_s)} s" if workers else ""),
        ("Preset", run.preset),
        ("Earwitness", f"{run.environment.earwitness} {run.environment.revision or ''}".strip()),
        ("Command", command(row)),
    ]
    return [(name, value) for name, value in facts if value]


def command(row: ModelRow) -> str:
    """Return the command line of a run."""
    return f"earwitness {shlex.join(row.run.command)}" if row.run.command else "not known: it was made by a program"


def settings_grid(boards: Sequence[Board]) -> tuple[list[str], list[list[str]]]:
    """Return the settings in force: a row for each run of the first dataset, a column for each setting."""
    rows = boards[0].table.rows
    names = dict.fromkeys(name for row in rows for name in row.run.settings_in_force)
    lines = [[row.label, *(_setting(row.run.settings_in_force.get(name)) for name in names)] for row in rows]
    return ["Model", *(name.replace("_", " ") for name in names)], lines


def _setting(value: Any) -> str:
    return NOTHING if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def commands(study: StudyView, decision_command: Sequence[str]) -> list[str]:
    """Return the commands that repeat the runs, the decision and the report, each once."""
    rows = [row for board in study.boards for row in board.table.rows]
    made = [f"earwitness {shlex.join(row.run.command)}" for row in rows if row.run.command]
    records = sorted({row.record.parent.parent.parent.as_posix() for row in rows})
    decided = [f"earwitness {shlex.join(decision_command)}"] if decision_command else []
    again = f"earwitness report {shlex.join(records)}{' --decision decision.json' if decided else ''} --out report"
    return [*dict.fromkeys(made), *decided, again]


def lead(study: StudyView) -> str:
    """Return a sentence on the subject of the report."""
    clean = [board.table for board in study.boards if board.table.dataset.condition is None]
    tables = clean or [board.table for board in study.boards]
    models = {row.run.model.id for table in tables for row in table.rows}
    places = dict.fromkeys(place for table in tables for place in table.places)
    data = "; ".join(title(table) for table in tables)
    return f"{quantity(len(models), 'model')} on {data}. Run on {', '.join(places)}."


def board_notes(table: Table) -> list[str]:
    """Return the notes on a table."""
    differ = [
        f"{d.what} differs: " + ", ".join(f"{label} {value}" for label, value in d.values.items())
        for d in table.differences
    ]
    return [*notes(table), *differ]
