"""A Decision as a file: written in one step, read with a check against its schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from earwitness.decision.decision import SCHEMA_VERSION, Decision, Verdict
from earwitness.errors import UsageError
from earwitness.files.atomic import write_text
from earwitness.files.schema import plain, read_document, schema_of, to_json


def plain_decision(decision: Decision) -> dict[str, Any]:
    """Return a decision as plain values for JSON."""
    values: dict[str, Any] = plain(decision)
    return values


def write_decision(path: Path, decision: Decision) -> None:
    """Write a decision; readers see the old one or the new one, never half of one.

    Raises:
        RecordError: When it cannot be written.
    """
    write_text(path, to_json(decision, indent=1))


def read_decision(path: Path) -> Decision:
    """Read a decision.

    Raises:
        RecordError: When it is not there, not JSON, from a newer Earwitness, or does not fit the schema.
    """
    return read_document(
        Decision,
        path,
        SCHEMA_VERSION,
        what="a decision",
        missing="decision",
        remedy="Make one: earwitness decide runs/",
    )


def decision_schema() -> dict[str, Any]:
    """Return the JSON Schema of the Decision."""
    return schema_of(Decision, "Earwitness decision")


def verdict_of(decision: Decision, path: Path, candidate: str | None) -> Verdict:
    """Return the verdict on a candidate, or on the chosen one for ``None``.

    Raises:
        UsageError: When there is no such candidate, or none was chosen.
    """
    label = candidate or decision.chosen
    if label is None:
        raise UsageError(f"{str(path)!r} chooses no model. {decision.why} Name one with --candidate.")
    for verdict in decision.verdicts:
        if verdict.candidate == label:
            return verdict
    there = ", ".join(verdict.candidate for verdict in decision.verdicts)
    raise UsageError(f"There is no candidate {label!r} in {str(path)!r}. There are: {there}.")
