"""A Decision as a file: written in one step, read with a check against its schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from earwitness.decision.decision import SCHEMA_VERSION, Decision
from earwitness.files.atomic import write_text
from earwitness.records.store import adapter, read_document, schema_of


def plain_decision(decision: Decision) -> dict[str, Any]:
    """Return a decision as plain values for JSON."""
    plain: dict[str, Any] = adapter(Decision).dump_python(decision, mode="json")
    return plain


def write_decision(path: Path, decision: Decision) -> None:
    """Write a decision; readers see the old one or the new one, never half of one.

    Raises:
        RecordError: When it cannot be written.
    """
    write_text(path, json.dumps(plain_decision(decision), ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def read_decision(path: Path) -> Decision:
    """Read a decision.

    Raises:
        RecordError: When it is not there, not JSON, from a newer Earwitness, or does not fit the schema.
    """
    decision: Decision = read_document(
        Decision,
        path,
        SCHEMA_VERSION,
        what="a decision",
        missing="decision",
        remedy="Make one: earwitness decide runs/",
    )
    return decision


def decision_schema() -> dict[str, Any]:
    """Return the JSON Schema of the Decision."""
    return schema_of(Decision, "Earwitness decision")
