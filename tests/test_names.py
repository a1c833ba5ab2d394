"""Names: one word for one meaning, nouns for things, verbs for acts; a participle names neither."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "src" / "earwitness"
WORDS = """
    asked baked begun called chosen counted decoded dropped drawn fallen found given gone heard held
    judged kept known lost made measured named needed noticed paired ranked refused rendered resampled
    resumed said scored sealed seen sent served settled shown spoken stated stored studied summed taken
    taught tested told traced typed unfolded wanted watched won written wrote
"""
PARTICIPLES = frozenset(WORDS.split())
FIELD = {"connection_lost", "connection_made", "word_information_lost"}
"""Names of others: of asyncio, and of a metric."""


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield str(path.relative_to(PACKAGE)), ast.parse(path.read_text(encoding="utf-8"))


def words(name: str) -> list[str]:
    """The words of a name: ``heard_line`` and ``HeardLine`` have two."""
    return [word.lower() for part in name.split("_") for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", part)]


def is_participle(name: str) -> bool:
    """Whether a participle is the noun of a name: ``found``, ``words_heard``; not ``is_known`` and ``n_dropped``."""
    parts = words(name)
    return bool(parts) and parts[-1] in PARTICIPLES and parts[0] not in ("is", "has", "n", "not", "no", "most")


def classes(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name) and re.fullmatch(r"_?[A-Z][a-z]\w*", target.id):
                yield target.id


def test_no_class_or_alias_has_the_name_of_another() -> None:
    homes = defaultdict(list)
    for path, tree in trees():
        for name in classes(tree):
            if not name.startswith("_"):
                homes[name].append(path)
    assert {name: paths for name, paths in homes.items() if len(paths) > 1} == {}


def test_no_file_is_named_by_a_participle() -> None:
    assert [path for path, _ in trees() if is_participle(Path(path).stem)] == []


def test_no_public_class_function_or_parameter_is_named_by_a_participle() -> None:
    names = set()
    for path, tree in trees():
        names |= {f"{path}: {name}" for name in classes(tree) if is_participle(name)}
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
                public = [] if node.name.startswith("_") else [node.name]
                names |= {f"{path}: {name}" for name in (*public, *(a.arg for a in arguments)) if is_participle(name)}
    assert {name for name in names if name.rpartition(" ")[2] not in FIELD} == set()
