"""Figures of the house, for docs/decisions/0011-rooms-and-names.md: lines, classes, and what an addition costs.

``python tools/house_figures.py`` counts; with ``--walk`` it also lists the files that run when a report is made.
"""

from __future__ import annotations

import argparse
import ast
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "earwitness"


def figures() -> dict[str, int]:
    """Return what can be counted in the source."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}
    nodes = [node for tree in trees.values() for node in ast.walk(tree)]
    code = sum(len(_code_lines(path, tree)) for path, tree in trees.items())
    return {
        "lines of src": sum(path.read_text(encoding="utf-8").count("\n") for path in trees),
        "of these, lines with code": code,
        "modules": len(trees),
        "rooms": len({path.relative_to(PACKAGE).parts[0] for path in trees if path.parent != PACKAGE}),
        "dataclasses": sum(isinstance(node, ast.ClassDef) and _is_dataclass(node) for node in nodes),
        "functions": sum(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in nodes),
        "uses of Any": sum(isinstance(node, ast.Name) and node.id == "Any" for node in nodes),
        "uses of Any in cli": sum(
            isinstance(node, ast.Name) and node.id == "Any"
            for path, tree in trees.items()
            if path.parent.name == "cli"
            for node in ast.walk(tree)
        ),
    }


def _is_dataclass(node: ast.ClassDef) -> bool:
    return any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)


def _code_lines(path: Path, tree: ast.Module) -> set[int]:
    """Return the lines that are no docstring, no comment and not blank."""
    prose: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            prose |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = path.read_text(encoding="utf-8").splitlines()
    return {n for n, line in enumerate(lines, 1) if line.strip() and not line.strip().startswith("#")} - prose


def walk() -> list[str]:
    """Return the files of the package of which a function runs while ``ew.report`` makes a report."""
    import earwitness as ew

    files: set[str] = set()

    def visit(frame: FrameType, event: str, _: Any) -> None:
        name = frame.f_code.co_filename
        if event == "call" and frame.f_code.co_name != "<module>" and name.startswith(str(PACKAGE)):
            files.add(str(Path(name).relative_to(PACKAGE)))

    with tempfile.TemporaryDirectory() as folder:
        records = ew.run("sample", ["fake:echo", "fake:chat"], limit=4, out=folder, speech=False)
        decision = ew.decide(records)
        sys.setprofile(visit)
        try:
            ew.report(records, out=Path(folder) / "report", decision=decision)
        finally:
            sys.setprofile(None)
    return sorted(files)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--walk", action="store_true", help="also list the files that run when a report is made")
    for name, value in figures().items():
        print(f"{name}: {value:,}")
    if parser.parse_args().walk:
        files = walk()
        print(f"files that run when a report is made: {len(files)}\n  " + "\n  ".join(files))


if __name__ == "__main__":
    main()
