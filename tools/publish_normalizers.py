"""Write the table of docs/metrics.md that compares our English rules with Whisper's; with --check, only compare.

The pairs are those of tests/scoring/text/english_pairs.toml. A pair is in the table if one of the two normalizers
calls it equal and the other does not.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from earwitness.scoring.align.edits import align
from earwitness.scoring.text import normalizer

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "metrics.md"
PAIRS = ROOT / "tests" / "scoring" / "text" / "english_pairs.toml"
HEAD = "| kind | text | other text | `english` | `whisper-english` |\n|---|---|---|---|---|\n"


def shown(text: str) -> str:
    """Return a text as code, characters that nobody sees by their number."""
    return "`" + "".join(c if c.isprintable() else f"<U+{ord(c):04X}>" for c in text).replace("`", "U+0060") + "`"


def verdict(name: str, one: str, other: str) -> str:
    """Return whether a normalizer calls two texts equal, or how many errors it counts."""
    rules = normalizer(name)
    errors = align(rules.words(one, "en"), rules.words(other, "en")).errors
    return "equal" if errors == 0 else f"{errors} error{'s' if errors > 1 else ''}"


def rows() -> Iterator[str]:
    """Yield a row for every pair on which the two do not agree."""
    for group in tomllib.loads(PAIRS.read_text(encoding="utf-8"))["group"]:
        for one, other in (*group["same"], *group["other"]):
            ours, whisper = (verdict(name, one, other) for name in ("english", "whisper-english"))
            if (ours == "equal") != (whisper == "equal"):
                yield f"| {group['name']} | {shown(one)} | {shown(other)} | {ours} | {whisper} |"


def main() -> int:
    """Write or check the page."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(HEAD)
    new = before + HEAD + "\n".join(rows()) + rest[rest.index("\n\n") :]
    if "--check" in sys.argv:
        print("docs/metrics.md is up to date" if new == text else "docs/metrics.md is not up to date")
        return int(new != text)
    PAGE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
