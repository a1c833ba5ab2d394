"""Tests ask for what a module promises: a private name of the source is nobody's business but its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.test_architecture import PACKAGE

TESTS = Path(__file__).parent
NEEDED = {
    ("engines/probe_lfm2.py", "_model"): "the library's own model, in which the next token is chosen for it",
    ("engines/probe_lfm2.py", "_processor"): "the library's own processor: whether it still trains is seen there alone",
}
"""Private names that a test has to use, with the reason."""
SETS = {"setattr", "getattr", "delattr", "hasattr"}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def defined(tree: ast.AST) -> Iterator[str]:
    """The private names that a module of the source gives to something."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


OURS = {
    name
    for path in PACKAGE.rglob("*.py")
    for name in defined(ast.parse(path.read_text(encoding="utf-8")))
    if is_private(name)
}


def used(tree: ast.AST) -> Iterator[str]:
    """The private names that a test imports, asks a value for, or sets, of those that the source has."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("earwitness"):
            yield from (alias.name for alias in node.names if is_private(alias.name))
        elif isinstance(node, ast.Attribute):
            # What an object has of its own is no concern of others.
            own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            if not own and node.attr in OURS:
                yield node.attr
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
            texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            last = [text.rpartition(".")[2] for text in texts[:1] if called in SETS]
            yield from (name for name in last if name in OURS)


def found() -> set[tuple[str, str]]:
    return {
        (path.relative_to(TESTS).as_posix(), name)
        for path in TESTS.rglob("*.py")
        for name in used(ast.parse(path.read_text(encoding="utf-8")))
    }


@pytest.mark.parametrize(
    "line",
    [
        "from earwitness.audio.fence import _idle",
        "fence._idle.clear()",
        "monkeypatch.setattr(fence, '_idle', [])",
        "monkeypatch.setattr('earwitness.audio.fence._idle', [])",
        "getattr(fence, '_idle')",
    ],
)
def test_a_private_name_is_seen_in_every_way_of_using_it(line: str) -> None:
    assert list(used(ast.parse(line))) == ["_idle"]


@pytest.mark.parametrize(
    "line", ["self._idle = 1", "from other import _idle", "row._asdict()", "patch.setattr(a, 'b', '_idle')"]
)
def test_what_belongs_to_others_is_let_alone(line: str) -> None:
    assert list(used(ast.parse(line))) == []


def test_no_test_uses_a_private_name_of_the_source_without_a_reason() -> None:
    assert found() == set(NEEDED)
