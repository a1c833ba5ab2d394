"""A Decision as a file: written in one step, read with a check against its schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from earwitness.compare.decision import SCHEMA_VERSION, Decision
from earwitness.errors import RecordError
from earwitness.runs.store import adapter, schema_of, validated, write_text


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
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecordError(f"There is no decision {str(path)!r}. Make one: earwitness decide runs/") from None
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise RecordError(f"{str(path)!r} is not a decision: {error}.") from None
    found = data.get("schema_version") if isinstance(data, dict) else None
    if isinstance(found, int) and found > SCHEMA_VERSION:
        raise RecordError(
            f"{str(path)!r} has schema version {found}; this Earwitness reads up to {SCHEMA_VERSION}. Upgrade it."
        )
    decision: Decision = validated(Decision, data, str(path))
    return decision


def decision_schema() -> dict[str, Any]:
    """Return the JSON Schema of the Decision."""
    return schema_of(Decision, "Earwitness decision")
