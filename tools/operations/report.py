"""What was expected of each event and what was seen, as values, as a table and as JSON."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was expected."""

    what: str
    """A metric, a line of the log, a status, an alert."""
    expected: str
    """In words."""
    seen: str
    """In words."""
    ok: bool
    """Whether it was as expected."""


@dataclass(frozen=True, slots=True)
class Row:
    """One event of the day."""

    at_s: float
    """Since the beginning."""
    name: str
    """What happened."""
    checks: Sequence[Check]
    """What was expected of it; empty for one that was skipped."""
    skipped: str = ""
    """Why it was skipped; empty where it was not."""

    @property
    def ok(self) -> bool:
        """Whether all was as expected."""
        return all(check.ok for check in self.checks)


def equal(what: str, expected: object, seen: object) -> Check:
    """Expect a value.

    >>> equal("status", 401, 401).ok, equal("status", 401, 500).ok
    (True, False)
    """
    return Check(what, str(expected), str(seen), seen == expected)


def at_least(what: str, expected: float, seen: float) -> Check:
    """Expect a number or more.

    >>> at_least("ended", 5, 4)
    Check(what='ended', expected='>= 5', seen='4', ok=False)
    """
    return Check(what, f">= {expected:g}", f"{seen:g}", seen >= expected)


def among(what: str, expected: Sequence[str], seen: Mapping[str, int]) -> Check:
    """Expect nothing else than what may be, and something.

    >>> among("requests", ["text"], {"text": 9, "timeout": 1}).ok, among("requests", ["text"], {"text": 9}).ok
    (False, True)
    """
    shown = ", ".join(f"{n} {name}" for name, n in seen.items())
    return Check(what, " or ".join(expected), shown or "none", bool(seen) and set(seen) <= set(expected))


def table(rows: Sequence[Row]) -> str:
    """Lay the rows out for a terminal of 150 columns."""
    from io import StringIO

    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    shown = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name, width in (("at", 6), ("event", 34), ("what", 36), ("expected", 28), ("seen", 34), ("", 4)):
        shown.add_column(name, width=width, overflow="fold")
    for row in rows:
        at = f"{int(row.at_s) // 60}:{int(row.at_s) % 60:02}"
        if row.skipped:
            shown.add_row(at, row.name, "skipped", "", row.skipped, "")
        for number, check in enumerate(row.checks):
            first = (at, row.name) if number == 0 else ("", "")
            shown.add_row(*first, check.what, check.expected, check.seen, "ok" if check.ok else "NO")
    out = StringIO()
    Console(file=out, width=150, color_system=None).print(shown)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def as_json(rows: Sequence[Row], totals: Sequence[Check]) -> dict[str, Any]:
    """Return all of it for machines."""
    return {
        "ok": all(row.ok for row in rows) and all(check.ok for check in totals),
        "events": [{**asdict(row), "ok": row.ok} for row in rows],
        "totals": [asdict(check) for check in totals],
    }


def say(text: str) -> None:
    """Tell who waits how far it is."""
    print(text, file=sys.stderr, flush=True)
