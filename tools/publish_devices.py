"""Write the table of docs/devices.md from the engines' cards; with --check, only say whether it is up to date."""

from __future__ import annotations

import sys
from pathlib import Path

from earwitness.engines.devices import KINDS
from earwitness.engines.registry import engine_names, get_engine

PAGE = Path(__file__).resolve().parents[1] / "docs" / "devices.md"
HEAD = "| engine | cpu | cuda | mps | tpu |\n|---|---|---|---|---|\n"
RUN_HERE = "cpu"


def table() -> str:
    """Return the rows, an engine each; what was not run is said."""
    rows = []
    for name in engine_names():
        cells = []
        for kind in KINDS:
            support = get_engine(name).spec.devices.get(kind)
            if support is None:
                cells.append("unsupported")
                continue
            notes = [support.reason] if support.reason else []
            if support.level != "unsupported" and kind != RUN_HERE and "not run" not in support.reason:
                notes.append("not run here")
            cells.append(support.level + (f" ({'; '.join(notes)})" if notes else ""))
        rows.append(f"| `{name}` | {' | '.join(cells)} |\n")
    return "".join(rows)


def main() -> int:
    """Write or check the page."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(HEAD)
    after = rest[rest.index("\n\n") :]
    new = before + HEAD + table().rstrip("\n") + after
    if "--check" in sys.argv:
        print("docs/devices.md is up to date" if new == text else "docs/devices.md is not up to date")
        return int(new != text)
    PAGE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
