"""What is known of a request while it is worked on: for its log line, the metrics, and what must end with it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

KEY = "earwitness"
"""Under which a request's scope holds its note."""


@dataclass(slots=True)
class Note:
    """One request."""

    request_id: str
    """That the client gets, too."""
    ends: AsyncExitStack
    """What is undone when the request has ended, in whatever way."""
    route: str = ""
    """As in the OpenAPI document; empty for one that is not there."""
    key: str | None = None
    """Name of the key."""
    model: str | None = None
    """Id of the model that was asked."""
    reason: str | None = None
    """Code of the error."""
    fields: dict[str, Any] = field(default_factory=dict)
    """What else the log line tells."""
