"""The context of a request in progress: data for its log line, metrics and trace, and what must end with it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
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
    who: str = "unknown"
    """Who rates and shares are counted for: the key, or the address where there are no keys."""
    key: str | None = None
    """Name of the key."""
    model: str | None = None
    """Id of the model that was asked."""
    reason: str | None = None
    """Code of the error."""
    fields: dict[str, Any] = field(default_factory=dict)
    """What else the log line tells."""
    began_at: float = field(default_factory=time.monotonic)
    """When it came in, on the monotonic clock."""
    parts: dict[str, tuple[float, float]] = field(default_factory=dict)
    """What was done for it, and from when to when on that clock."""

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Record start and end of a step, even if it fails."""
        began_at = time.monotonic()
        try:
            yield
        finally:
            self.parts[name] = began_at, time.monotonic()
