"""Small JSON files that spare work: written in one step, and made anew where they cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from earwitness.files.atomic import write_text


def load(path: Path) -> Any:
    """Return what a file holds; ``None`` where it is not there, or is not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def keep(path: Path, value: Any, *, indent: int | None = None) -> None:
    """Write plain values.

    Raises:
        FileError: When the file cannot be written.
    """
    write_text(path, json.dumps(value, indent=indent, allow_nan=False) + "\n")
