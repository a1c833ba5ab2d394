"""The rooms: data flows one way, heavy things are imported late, and engines need nothing but numpy."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import pytest

PACKAGE = Path(__file__).parent.parent / "src" / "earwitness"
# A room is a folder; each folder and each file inside scoring and server is a room of its own.
WINGS = ("scoring", "server")
EVERYONE_MAY = {"", "types", "errors", "files", "options", "languages", "counts"}
MAY_IMPORT = {
    "": {"*"},  # the stub that lists the public names
    "types": set(),
    "errors": set(),
    "languages": set(),
    "counts": set(),
    "options": set(),
    "files": set(),
    "audio": set(),
    "engines": set(),
    "data": {"audio"},
    "weights": {"engines"},
    "workers": {"engines"},
    "scoring": {"scoring.metrics"},
    "scoring.text": set(),
    "scoring.align": {"scoring.text"},
    "scoring.stats": {"scoring.text", "scoring.align"},
    "scoring.findings": {"scoring.text", "scoring.align"},
    "scoring.metrics": {"scoring.text", "scoring.align", "scoring.stats", "scoring.findings"},
    "scoring.formats": {"scoring.text", "scoring.align", "scoring.metrics"},
    "records": {"data", "engines", "scoring"},
    "runs": {"data", "audio", "weights", "workers", "engines", "scoring", "records"},
    "cluster": {"engines", "weights", "workers", "records", "runs", "scoring", "audio", "data"},
    "labels": {"data", "audio", "engines", "records", "scoring", "comparison"},
    "comparison": {"records", "scoring", "engines"},
    "decision": {"comparison", "records", "scoring"},
    "reports": {"decision", "comparison", "records", "runs", "scoring"},
    "archive": {"audio", "data", "decision", "engines", "records", "runs", "scoring", "weights", "workers"},
    "server": set(),
    "server.config": {"engines", "scoring"},
    "server.logs": set(),
    "server.api_errors": set(),
    "server.request_context": set(),
    "server.keys": {"server.logs"},
    "server.fit": {"server.config", "scoring"},
    "server.pool": {"server.config", "server.logs", "audio", "workers"},
    "server.watch": {"server.pool", "server.config", "server.keys", "server.logs", "server.request_context", "scoring",
                     "workers"},
    "server.models": {"server.pool", "server.watch", "server.config", "server.logs", "server.api_errors", "workers"},
    "server.http": {"server.models", "server.pool", "server.watch", "server.config", "server.keys", "server.logs",
                    "server.api_errors", "server.request_context", "engines", "workers"},
    "server.spec": {"server.config", "engines"},
    "server.plan": {"server.config", "decision", "records", "engines", "weights", "workers"},
    "server.run": {"server.http", "server.models", "server.watch", "server.config", "server.fit", "server.keys",
                   "server.logs", "workers"},
    "deployment": {"server", "decision", "records", "engines"},
    "api": {"*"},
    "cli": {"api", "reports"},
}  # fmt: skip
LATE = {"torch", "transformers", "whisper", "pywhispercpp", "mlx", "mlx_audio", "mlx_whisper", "onnx_asr",
        "ctranslate2", "faster_whisper", "pocketsphinx", "av", "soundfile", "soxr", "pydantic", "rich",
        "huggingface_hub", "whisper_normalizer", "kaldialign", "langcodes", "language_data", "psutil",
        "onnxruntime", "duckdb", "filelock", "fsspec", "num2words", "jinja2", "vl_convert", "fastapi", "starlette",
        "uvicorn", "python_multipart", "prometheus_client", "opentelemetry", "ray"}  # fmt: skip


def modules() -> list[Path]:
    # The build writes _version.py, which a checkout may have or not.
    return sorted(path for path in PACKAGE.rglob("*.py") if path.name != "_version.py")


def name_of(path: Path) -> str:
    """The module without the package's own name: ``data.rows``; a folder's ``__init__`` is the folder."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").removesuffix(".")


def room_of(module: str) -> str:
    top, _, rest = module.partition(".")
    if top == "__main__":
        return "cli"
    return f"{top}.{rest.split('.')[0]}" if top in WINGS and rest else top


def imports(tree: ast.AST) -> Iterator[tuple[str, ast.stmt]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module.split(".")[0] == "earwitness":
                yield from ((f"{node.module}.{alias.name}", node) for alias in node.names)
            else:
                yield node.module, node


MODULES = {name_of(path): path for path in modules()}


def ours(path: Path, *, types: bool = True) -> set[str]:
    """The modules of this package that a file imports, late imports counted; ``types`` counts those for types alone."""
    found = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    blocks = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    for_types = {id(node) for block in blocks for node in ast.walk(block)}
    for name, node in imports(tree):
        if id(node) in for_types and not types:
            continue
        top, _, inside = name.partition(".")
        if top == "earwitness":
            found.add(inside if inside in MODULES else inside.rpartition(".")[0])
    return found


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_room_imports_only_from_the_rooms_it_may(module: str) -> None:
    room = room_of(module)
    allowed = EVERYONE_MAY | {room} | MAY_IMPORT[room]
    # The command line works through api alone; it may name the types of what api returns.
    for wanted in {room_of(name) for name in ours(MODULES[module], types=room != "cli")}:
        assert {"*", wanted, wanted.split(".")[0]} & allowed, f"{room} imports {wanted}"


def test_the_rooms_are_those_of_the_table() -> None:
    assert {room_of(module) for module in MODULES} == set(MAY_IMPORT)


def test_no_two_files_import_each_other_in_a_circle() -> None:
    sorter = TopologicalSorter({name: ours(path) - {name, ""} for name, path in MODULES.items() if name})
    try:
        sorter.prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_packages_are_imported_inside_functions(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    guarded = {id(n) for node in tree.body if isinstance(node, ast.If) for n in ast.walk(node)}
    top_level = [(n, s) for n, s in imports(tree) if s.col_offset == 0 and id(s) not in guarded]
    for name, node in top_level:
        assert name.split(".")[0] not in LATE, f"line {node.lineno}: {name} is imported when the module is"


def test_the_engine_side_needs_only_the_standard_library_and_numpy() -> None:
    code = (
        "import sys; before = set(sys.modules); import earwitness.workers.child, earwitness.engines.catalog;"
        "from earwitness.engines.registry import get_engine, engine_names;"
        "[get_engine(name) for name in engine_names()];"
        "tops = {m.split('.')[0] for m in set(sys.modules) - before};"
        "print(sorted(t for t in tops if t not in sys.stdlib_module_names and t not in ('numpy', 'earwitness')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from earwitness.cli import main; main(['--help']); print(sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "earwitness COMMAND" in done.stdout
    loaded = set(ast.literal_eval(done.stderr))
    assert not loaded & (LATE | {"numpy", "typer"})


def test_every_command_is_a_module_with_an_app_and_a_help_that_shows_an_example() -> None:
    from earwitness.cli.commands import COMMANDS

    for name in COMMANDS:
        done = subprocess.run(
            [sys.executable, "-m", "earwitness", name, "--help"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert f"earwitness {name}" in done.stdout


def test_every_command_answers_in_json_when_asked() -> None:
    import keyword
    from importlib import import_module

    from typer.main import get_command

    from earwitness.cli.commands import COMMANDS

    left: list[tuple[str, Any]] = []
    for name in COMMANDS:
        module = f"{name}_" if keyword.iskeyword(name) else name
        left.append((name, get_command(import_module(f"earwitness.cli.{module}").app)))
    without = []
    while left:
        name, command = left.pop()
        inside = getattr(command, "commands", {})
        left += [(f"{name} {sub}", each) for sub, each in inside.items()]
        if not inside and not any("--json" in parameter.opts for parameter in command.params):
            without.append(name)
    assert without == []


def test_files_and_functions_stay_small() -> None:
    long = []
    for path in modules():
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > 400:
            long.append(f"{path.relative_to(PACKAGE)}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                length = node.end_lineno - node.lineno + 1
                if length > 60:
                    long.append(f"{path.relative_to(PACKAGE)}: {node.name} has {length} lines")
    assert long == []


FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
BRANCHES = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.match_case, ast.Assert)
MOST_PATHS = 15


def n_branches(node: ast.AST) -> int:
    """Count the ways that a node adds: an operand of ``and`` or ``or`` after the first is one, so is a filter."""
    if isinstance(node, ast.BoolOp):
        return len(node.values) - 1
    if isinstance(node, ast.comprehension):
        return 1 + len(node.ifs)
    return int(isinstance(node, BRANCHES))


def complexity(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> int:
    """Count the ways through a function, without those through the functions inside it."""
    body = function.body if isinstance(function.body, list) else [function.body]
    left: list[ast.AST] = list(body)
    total = 1
    while left:
        node = left.pop()
        if not isinstance(node, FUNCTIONS):
            total += n_branches(node)
            left += ast.iter_child_nodes(node)
    return total


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ("return 1", 1),
        ("if a: pass\nelif b: pass\nelse: pass", 3),
        ("for x in a: pass\nelse: pass\nwhile b: pass", 3),
        ("try: pass\nexcept A: pass\nexcept B: pass\nfinally: pass", 3),
        ("return a if b else c", 2),
        ("return [x for y in a if b if c for x in y]", 5),
        ("return a and b and c or d", 4),
        ("match a:\n case 1: pass\n case _: pass", 3),
        ("assert a", 2),
        ("with a as b: pass", 1),
        ("def inside():\n if a: pass\nreturn lambda: b or c", 1),
    ],
)
def test_the_complexity_of_a_function_is_its_branches_and_one(body: str, paths: int) -> None:
    (function,) = ast.parse("async def f():\n" + "\n".join(f" {line}" for line in body.split("\n"))).body
    assert isinstance(function, ast.AsyncFunctionDef)
    assert complexity(function) == paths


def test_functions_have_few_ways_through_them() -> None:
    found = {}
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, FUNCTIONS) and complexity(node) > MOST_PATHS:
                name = getattr(node, "name", f"lambda in line {node.lineno}")
                found[f"{path.relative_to(PACKAGE).as_posix()}: {name}"] = complexity(node)
    assert found == {}


def test_the_command_line_has_types() -> None:
    loose = [
        f"{path.name}: line {node.lineno}"
        for path in sorted((PACKAGE / "cli").glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Name) and node.id == "Any"
    ]
    assert len(loose) <= 1, loose  # rich's own signature, in common.py
