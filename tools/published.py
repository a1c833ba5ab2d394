"""Files that are made from the code: written where they are not up to date, or only named with --check."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path


def publish(folder: Path, made: Mapping[str, str]) -> int:
    """Write or compare texts by name; 1 when --check is asked for and one on disk is not what the code says."""
    stale = []
    for name, text in made.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if "--check" not in sys.argv:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
    print(f"{', '.join(stale) or 'nothing'} was not up to date")
    return 1 if stale and "--check" in sys.argv else 0
