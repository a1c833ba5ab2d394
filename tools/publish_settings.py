"""Write the tables of docs/settings.md from the code; with --check, only say whether they are up to date."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import entry_points
from pathlib import Path

from pydantic import TypeAdapter

from earwitness.engines.base import EngineSpec
from earwitness.engines.registry import GROUP, get_engine, show_settings
from earwitness.types import Settings

PAGE = Path(__file__).resolve().parents[1] / "docs" / "settings.md"
NAMES = tuple(Settings.__dataclass_fields__)


def specs() -> list[EngineSpec]:
    """The cards of the engines that come with Earwitness and really decode."""
    names = (entry.name for entry in entry_points(group=GROUP) if entry.value.startswith("earwitness."))
    return [get_engine(name).spec for name in sorted(names) if name != "fake"]


def vocabulary() -> str:
    """Name, meaning and default of every setting."""
    fields = TypeAdapter(Settings).json_schema()["properties"]
    rows = []
    for name in NAMES:
        meaning = " ".join(fields[name]["description"].replace("``", "`").split())
        rows.append((f"`{name}`", meaning, f"`{_value(getattr(Settings(), name))}`"))
    return grid(("setting", "meaning", "matched"), rows)


def engines() -> str:
    """What every engine makes of every setting."""
    cards = specs()
    rows = [(f"`{name}`", *(cell(spec, name) for spec in cards)) for name in NAMES]
    return grid(("setting", *(spec.name for spec in cards)), rows)


def cell(spec: EngineSpec, name: str) -> str:
    """What an engine makes of a setting: a dash, a value that it always has, or the name that it has for it."""
    if name in spec.fixed:
        fixed = spec.fixed[name]
        return "—" if fixed is None else f"always `{show_settings(fixed)}`"
    text = ", ".join(f"`{part}`" for part in spec.maps[name].split(", ")) if name in spec.maps else "yes"
    return f"{text}; native: `{show_settings(spec.native[name])}`" if name in spec.native else text


def grid(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    head = tuple(header)
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


TABLES: dict[str, Callable[[], str]] = {"vocabulary": vocabulary, "engines": engines}


def published(page: str) -> str:
    """The page with its tables as the code has them."""
    for name, table in TABLES.items():
        found = list(re.finditer(rf"<!-- {name}: [^\n]*-->\n(.*?)<!-- end -->", page, flags=re.DOTALL))
        if len(found) != 1:
            raise SystemExit(f"docs/settings.md must have one place for the table {name!r}, not {len(found)}.")
        page = page[: found[0].start(1)] + table() + "\n" + page[found[0].end(1) :]
    return page


def _value(value: object) -> str:
    return "all cores" if value is None else show_settings(value)


def main() -> int:
    """Write or compare; 1 when the page is not what the code says."""
    old = PAGE.read_text(encoding="utf-8")
    new = published(old)
    if old != new and "--check" not in sys.argv:
        PAGE.write_text(new, encoding="utf-8")
    print("docs/settings.md was not up to date" if old != new else "nothing was not up to date")
    return 1 if old != new and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
