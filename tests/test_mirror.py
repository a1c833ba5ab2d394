"""Tests mirror the source: what holds a module is found by its name, or by one line of ``HOLDS``."""

from __future__ import annotations

import ast
import keyword
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from tests import test_architecture
from tests.conftest import SLOW
from tests.test_architecture import MODULES, PACKAGE, imports

from earwitness.cli.commands import COMMANDS

TESTS = Path(__file__).parent
OF_NO_ROOM = {
    "browser": "pages of the report and of the server, in a real browser",
    "contract": "the same questions to every engine",
    "docs": "the documents, and what they say of the program",
    "examples": "what is shipped in examples/",
    "fuzz": "every reader, with files that chance has broken",
    "parity": "numbers against those of other tools",
    "real": "real weights on real speech, through all rooms",
    "tools": "what is shipped in tools/",
}
"""Folders of tests that belong to no one room, with what each is about."""
ENGINES = {entry.name: entry.module.removeprefix("earwitness.") for entry in entry_points(group="earwitness.engines")}
DOORS = ("", "api", "cli")
"""Rooms that lead to others: what they import is reached by who asks them."""


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def ours(path: Path) -> set[str]:
    """The modules that a file imports or names in full, as what starts ``python -m earwitness.workers.child`` does."""
    texts = (node.value for node in ast.walk(tree_of(path)) if isinstance(node, ast.Constant))
    named = {text.removeprefix("earwitness.") for text in texts if isinstance(text, str)}
    return test_architecture.ours(path) | (named & MODULES.keys() - {""})


def place_of(module: str) -> str:
    """The file below ``src/earwitness``: ``data/readers/kaldi.py``."""
    return MODULES[module].relative_to(PACKAGE).as_posix()


def has_behaviour(path: Path) -> bool:
    """Whether a module has a function; one that has only names and numbers has nothing to hold."""
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) for node in ast.walk(tree_of(path))
    )


TO_HOLD = {
    place_of(name): name
    for name, path in MODULES.items()
    if path.name not in ("__init__.py", "__main__.py") and has_behaviour(path)
}


def own_test_of(place: str) -> Path:
    path = TESTS / place
    return path.with_name(f"test_{path.name}")


def named_by(test: Path) -> list[str]:
    """The modules in a file's ``HOLDS``; one without a slash is of the folder that the file's own folder mirrors."""
    for node in tree_of(test).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "HOLDS":
            folder = test.parent.relative_to(TESTS)
            return [name if "/" in name else (folder / name).as_posix() for name in ast.literal_eval(node.value)]
    return []


HOLDERS: dict[str, list[Path]] = {}
for file in sorted(TESTS.rglob("test_*.py")):
    for held in named_by(file):
        HOLDERS.setdefault(held, []).append(file)


@cache
def asked(test: Path) -> frozenset[str]:
    """The modules that a test file imports, by a public name too, and those of commands that it runs and engines."""
    public = {
        alias.name: str(node.module).removeprefix("earwitness.")
        for node in tree_of(PACKAGE / "__init__.pyi").body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    found = {name for name in ours(test) if name}
    for node in ast.walk(tree_of(test)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ew":
            found |= {public[node.attr]} if node.attr in public else set()
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= {ENGINES.get(node.value.partition(":")[0], "")} - {""}
        for word in first_words(node):
            found.add(f"cli.{word}_" if keyword.iskeyword(word) else f"cli.{word}")
    for name, _ in imports(tree_of(test)):
        if name.startswith("tests.") and (helper := TESTS.parent / f"{name.replace('.', '/')}.py").exists():
            found |= asked(helper)
    return frozenset(found)


def first_words(node: ast.AST) -> set[str]:
    """The commands that are first or second in a call, a list or a tuple, or that follow the program's name."""
    parts = node.args if isinstance(node, ast.Call) else node.elts if isinstance(node, ast.List | ast.Tuple) else []
    words = [part.value if isinstance(part, ast.Constant) else None for part in parts]
    after = [words[i + 1] for i, word in enumerate(words[:-1]) if word == "earwitness"]
    return {str(word) for word in (*words[:2], *after)} & COMMANDS.keys()


@cache
def reached(test: Path, place: str) -> bool:
    """Whether a test file imports a module: itself, or through the doors, the module's room and the test's own."""
    rooms = {*DOORS, place.split("/", maxsplit=1)[0].removesuffix(".py"), test.relative_to(TESTS).parts[0]}
    left, seen = [*asked(test)], set[str]()
    while left:
        name = left.pop()
        if name not in seen and name in MODULES:
            seen.add(name)
            if name.split(".")[0] in rooms:
                left += ours(MODULES[name])
    return TO_HOLD[place] in seen


def test_every_folder_of_tests_is_a_room_or_says_what_it_is_about() -> None:
    folders = {path.parent.relative_to(TESTS) for path in TESTS.rglob("*.py")} - {Path()}
    strangers = {folder.as_posix() for folder in folders if not (PACKAGE / folder).is_dir()}
    assert {name for name in strangers if name.split("/")[0] not in OF_NO_ROOM} == set()
    assert {name for name in OF_NO_ROOM if (PACKAGE / name).is_dir() or not (TESTS / name).is_dir()} == set()


@pytest.mark.parametrize("place", sorted(TO_HOLD))
def test_every_module_is_held_by_the_test_of_its_name_or_by_one_that_names_it(place: str) -> None:
    own = own_test_of(place)
    holders = [*([own] if own.exists() else []), *HOLDERS.get(place, [])]
    told = [str(path.relative_to(TESTS)) for path in holders]
    assert holders, f"Nothing holds {place}. Write tests/{own.relative_to(TESTS)}, or name it in HOLDS of a test file."
    assert len(holders) == 1, f"One place says what holds {place}, not {len(told)}: {', '.join(told)}."
    assert reached(holders[0], place), f"{told[0]} is said to hold {place}, and does not import it or run its command."


def test_what_is_named_is_there() -> None:
    assert {name for name in HOLDERS if name not in TO_HOLD} == set()


def test_places_where_tests_are_slow_are_there() -> None:
    assert [name for name in SLOW if not (TESTS / name).exists()] == []
