"""What two records of the same work have in common: all but times, machines, and who wrote them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from earwitness.records import store

_OF_TIME_OR_HOST = (
    "id", "created_at", "finished_at", "command", "environment", "clips_file", "speed", "workers", "process", "resumed",
    "drift", "order", "machines", "parent",
)  # fmt: skip
_OF_TIME_OR_HOST_IN_A_LINE = ("decode_s", "wall_s", "first_text_s", "attempt")


def content(path: Path) -> tuple[bytes, bytes]:
    """The bytes of a record and of its lines, without what depends on time and machine."""
    run: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for name in _OF_TIME_OR_HOST:
        run.pop(name)
    run["speech"].pop("wall_s")
    lines = []
    for text in store.clips_path(path).read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        for name in _OF_TIME_OR_HOST_IN_A_LINE:
            line["hypothesis"].pop(name)
        lines.append(json.dumps(line, ensure_ascii=False))
    return json.dumps(run, indent=1).encode(), "\n".join(lines).encode()
