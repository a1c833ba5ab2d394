"""A test that is skipped says what is not there, and what to type for it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
FORM = re.compile(r"there (is|are) no .+? here\b.*: .+")


def reasons(tree: ast.AST) -> Iterator[str]:
    """The reason of every skip, with each value that is filled in as braces."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in (
            "pytest.skip", "pytest.mark.skip", "pytest.mark.skipif", "pytest.importorskip", "pytest.mark.xfail"
        ):  # fmt: skip
            named = [keyword.value for keyword in node.keywords if keyword.arg == "reason"]
            first = node.args[:1] if ast.unparse(node.func) == "pytest.skip" else []
            found = [*named, *first]
            yield told(found[0]) if found else ""


def told(reason: ast.expr) -> str:
    if isinstance(reason, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in reason.values)
    return str(reason.value) if isinstance(reason, ast.Constant) else ""


@pytest.mark.parametrize(
    ("line", "well"),
    [
        ("pytest.skip('there is no ffmpeg here: apt-get install ffmpeg')", True),
        ("pytest.skip(f'there is no {name} here: apt-get install {name}')", True),
        ("pytest.skip('needs ffmpeg')", False),
        ("pytest.skip(found)", False),
        ("pytest.importorskip('duckdb')", False),
        ("pytest.mark.skipif(True, reason='there is no /proc here')", False),
    ],
)
def test_a_reason_is_a_thing_and_what_to_type(line: str, well: bool) -> None:
    assert [bool(FORM.fullmatch(reason)) for reason in reasons(ast.parse(line))] == [well]


@pytest.mark.parametrize("path", sorted(TESTS.rglob("*.py")), ids=lambda path: path.relative_to(TESTS).as_posix())
def test_every_skip_says_what_is_missing_and_what_to_type(path: Path) -> None:
    found = [reason for reason in reasons(ast.parse(path.read_text(encoding="utf-8"))) if not FORM.fullmatch(reason)]
    assert found == []
