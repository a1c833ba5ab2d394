"""Write the tables of docs/policy.md from the code; with --check, only say whether they are up to date."""

from __future__ import annotations

import sys
from pathlib import Path

from earwitness.decision.grade import LETTERS
from earwitness.decision.measures import MEASURES
from earwitness.decision.rules import CATEGORIES

PAGE = Path(__file__).resolve().parents[1] / "docs" / "policy.md"


def tables() -> dict[str, str]:
    """Return each table's body by its head."""
    measures = [
        f"| `{m.name}` | {m.meaning} | {m.unit or 'text'} | {m.better if m.name != 'licence' else '–'} | {m.about} "
        f"| {m.interval} |"
        for m in MEASURES.values()
    ]
    categories = []
    for name, one in CATEGORIES.items():
        show = MEASURES[one.measure].show
        how = "the logarithm" if one.scale == "log" else "the value"
        categories.append(f"| `{name}` | `{one.measure}` | {show(one.full)} | {show(one.zero)} | {how} |")
    heads = {
        "| measure | what it is | unit | better | about | 95 % interval |\n|---|---|---|---|---|---|\n": measures,
        "| category | by | 100 points at | 0 points at | straight in |\n|---|---|---|---|---|\n": categories,
        "| " + " | ".join(letter for _, letter in LETTERS) + " |\n" + "|--:" * len(LETTERS) + "|\n": [
            "| " + " | ".join(str(least) for least, _ in LETTERS) + " |"
        ],
    }
    return {head: "\n".join(rows) for head, rows in heads.items()}


def main() -> int:
    """Write or check the page."""
    text = new = PAGE.read_text(encoding="utf-8")
    for head, body in tables().items():
        before, rest = new.split(head)
        new = before + head + body + rest[rest.index("\n\n") :]
    if "--check" in sys.argv:
        print("docs/policy.md is up to date" if new == text else "docs/policy.md is not up to date")
        return int(new != text)
    PAGE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
