"""Reads a decision, and says where the records that it was made from are no longer the ones that are there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from earwitness.compare.decision import SCHEMA_VERSION, Decision
from earwitness.errors import RecordError
from earwitness.runs.store import read_run


def read_decision(path: Path) -> Decision:
    """Read a decision.

    Raises:
        RecordError: When it is not there, not JSON, from a newer schema, or does not fit the schema (the first field
            that does not is named).
    """
    from pydantic import ValidationError

    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecordError(f"There is no decision {str(path)!r}. Make one: earwitness decide RUN...") from None
    except (OSError, ValueError) as error:
        raise RecordError(f"{str(path)!r} is not a decision: {error}.") from None
    found = data.get("schema_version") if isinstance(data, dict) else None
    if isinstance(found, int) and found > SCHEMA_VERSION:
        raise RecordError(
            f"{str(path)!r} has schema version {found}; this Earwitness reads up to {SCHEMA_VERSION}. Upgrade it."
        )
    try:
        decision: Decision = _adapter().validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise RecordError(f"{str(path)!r} does not fit the decision's schema: {field}: {first['msg']}.") from None
    return decision


def departures(decision: Decision, records: Sequence[Path]) -> tuple[str, ...]:
    """Say where a decision and records do not belong together, a sentence each.

    Args:
        decision: The decision.
        records: Those that are shown beside it.
    """
    here = {read_run(path).id: path for path in records}
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
        told.append(f"{beside} of the {len(here)} records given were not looked at by the decision.")
    return tuple(told)


@cache
def _adapter() -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(Decision)
