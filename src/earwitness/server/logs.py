"""Logs: one JSON object per line on standard error, with the standard library.

    {"time": "2026-11-25T01:28:41.000Z", "level": "info", "event": "request", "request_id": "...", "status": 200, ...}

Audio is never logged, text only when that was asked for, a key by its name.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import IO, Any

_LOGGER = "earwitness.server"
_FIELDS = "fields"


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        told: dict[str, Any] = {"time": time, "level": record.levelname.lower(), "event": record.getMessage()}
        told |= getattr(record, _FIELDS, {})
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        if record.name != _LOGGER:
            told["logger"] = record.name
        return json.dumps(told, ensure_ascii=False, default=str)


def set_up(stream: IO[str] | None = None) -> None:
    """Send the server's lines, and uvicorn's warnings, to a stream; standard error by default."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_JsonLines())
    logging.getLogger().handlers = [handler]
    logging.getLogger(_LOGGER).setLevel(logging.INFO)
    # A form that is broken is refused in a line of ours; asyncio tells of connections that clients reset, OpenTelemetry
    # of every try at a collector that is away.
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
    for name in ("uvicorn", "asyncio", "opentelemetry"):
        logging.getLogger(name).setLevel(logging.ERROR)


def log(event: str, level: int = logging.INFO, *, exc_info: Any = None, **fields: Any) -> None:
    """Write a line; fields that are ``None`` are left out."""
    told = {name: value for name, value in fields.items() if value is not None}
    logging.getLogger(_LOGGER).log(level, event, extra={_FIELDS: told}, exc_info=exc_info)
