"""Write docs/reference-python.md, with every public name; with --check, only say whether it is up to date."""

from __future__ import annotations

import ast
import sys
from itertools import groupby
from pathlib import Path

from published import publish  # type: ignore[import-not-found]

ROOT = Path(__file__).parent.parent
HEAD = """# Every name in Python

Import each name from `earwitness` itself: `from earwitness import compare`, or `import earwitness as ew` and then
`ew.compare`. A heading names the module that defines it. [In Python](api.md) has examples. Signatures and
descriptions come from the source: the site that `make site` builds shows them here.
"""


def names() -> list[tuple[str, str]]:
    """Return the public names, each behind its module, in the order of the stub."""
    tree = ast.parse((ROOT / "src" / "earwitness" / "__init__.pyi").read_text(encoding="utf-8"))
    lines = [line for line in tree.body if isinstance(line, ast.ImportFrom)]
    return [(str(line.module), name.name) for line in lines for name in line.names]


def page() -> str:
    """Return the page, with one directive for each module."""
    parts = [HEAD]
    for module, found in groupby(names(), key=lambda name: name[0]):
        members = "\n".join(f"        - {name}" for _, name in found)
        parts.append(f"\n::: {module}\n    options:\n      members:\n{members}\n")
    return "".join(parts)


if __name__ == "__main__":
    sys.exit(publish(ROOT / "docs", {"reference-python.md": page()}))
