"""A Decision as a file: read with a check against its schema."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from earwitness.compare.decision import SCHEMA_VERSION, Decision
from earwitness.errors import RecordError


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


@cache
def _adapter() -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(Decision)
