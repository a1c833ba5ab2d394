"""Finds where a decision does not match the records shown with it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from earwitness.counts import quantity
from earwitness.decision.decision import Decision
from earwitness.records.store import read_run


def departures(decision: Decision, records: Sequence[Path]) -> tuple[str, ...]:
    """Return one sentence for each mismatch between a decision and records.

    Args:
        decision: The decision.
        records: Those that are shown beside it.
    """
    here = {run.id: path for path in records if (run := read_run(path)).status == "complete"}
    told = []
    for evidence in decision.evidence:
        path = here.get(evidence.run_id)
        if path is None:
            told.append(f"The decision rests on run {evidence.run_id!r}, which is not among the records given.")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != evidence.record_sha256:
            told.append(f"The record {path.name!r} was changed after the decision was made from it: decide again.")
    judged = {evidence.run_id for evidence in decision.evidence}
    beside = sum(run_id not in judged for run_id in here)
    if beside and judged:
        told.append(f"The decision did not look at {beside} of {quantity(len(here), 'record')} given.")
    return (*told, *decision.left_out)
