"""The matrix of models and devices, as cells of text with a legend, and as plain values."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from earwitness.comparison.matrix import Cell, Matrix, matrix
from earwitness.comparison.table import ModelRow, Table
from earwitness.counts import number, percent


def matrix_grid(matrix: Matrix) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows; a number in square brackets refers to the legend."""
    reasons = _reasons(matrix)
    header = ["Model", *matrix.places]
    return header, [[line.label, *(_shown(line.engine, cell, reasons) for cell in line.cells)] for line in matrix.lines]


def legend(matrix: Matrix) -> list[str]:
    """Return the reasons that the cells refer to, a line each."""
    return [f"[{number_}] {engine}: {reason}" for (engine, reason), number_ in _reasons(matrix).items()]


def plain_matrix(table: Table) -> dict[str, Any]:
    """Return a table's matrix as plain values for JSON."""
    made = matrix(table)
    return {
        "places": list(made.places),
        "lines": [
            {
                "label": line.label,
                "engine": line.engine,
                "cells": [
                    {
                        "place": place,
                        "state": cell.state,
                        "reason": cell.reason or None,
                        "runs": [_plain_run(row) for row in cell.rows],
                    }
                    for place, cell in zip(made.places, line.cells, strict=True)
                ],
            }
            for line in made.lines
        ],
    }


def _plain_run(row: ModelRow) -> dict[str, Any]:
    wer = row.run.score("wer")
    return {
        "record": str(row.record),
        "wer": wer and asdict(wer),
        "rtf": row.run.speed.rtf if row.run.speed else None,
    }


def _reasons(matrix: Matrix) -> dict[tuple[str, str], int]:
    told = dict.fromkeys((line.engine, cell.reason) for line in matrix.lines for cell in line.cells if cell.reason)
    return {reason: number_ for number_, reason in enumerate(told, start=1)}


def _shown(engine: str, cell: Cell, reasons: dict[tuple[str, str], int]) -> str:
    if cell.state == "measured":
        return "; ".join(_measured(row) for row in cell.rows)
    mark = f" [{reasons[engine, cell.reason]}]" if cell.reason else ""
    return f"{cell.state}{mark}"


def _measured(row: ModelRow) -> str:
    wer = percent(row.run.score("wer")).partition(" [")[0]
    return f"WER {wer}, RTF {number(row.run.speed.rtf if row.run.speed else None)}"
