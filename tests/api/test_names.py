"""The public names: a list that changes on purpose, a page that tells of each, and a package that stays light."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import typer.main

import earwitness as ew
from earwitness.cli.commands import COMMANDS

ROOT = Path(__file__).parents[2]
NAMES: list[str] = ew.__all__
FUNCTIONS = {name for name in NAMES if inspect.isfunction(getattr(ew, name))}
PACKAGE = ROOT / "src" / "earwitness"


def code(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_page_of_the_api_tells_of_every_name_and_of_no_other() -> None:
    page = (ROOT / "docs" / "api.md").read_text("utf-8")
    first_cells = re.findall(r"^\| (`ew\.[^|]*) \|", page, re.MULTILINE)
    told = [name for cell in first_cells for name in re.findall(r"`ew\.(\w+)", cell)]
    assert sorted(told) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_there_and_documented(name: str) -> None:
    found = getattr(ew, name)
    assert inspect.getdoc(found)
    assert name in dir(ew)
    if inspect.isfunction(found):
        for parameter in inspect.signature(found).parameters:
            assert re.search(rf"\b{parameter}\b", found.__doc__ or ""), parameter


def test_every_error_that_is_raised_on_purpose_is_a_name_and_drawn_in_the_tree() -> None:
    from earwitness import errors

    defined = {name for name, kind in vars(errors).items() if inspect.isclass(kind)}
    assert defined == {name for name in NAMES if name.endswith("Error")}
    assert all(f"- {name}" in (errors.__doc__ or "") for name in defined if name != "EarwitnessError")
    assert all(issubclass(getattr(ew, name), ew.EarwitnessError) for name in defined)


def test_a_name_that_there_is_not_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'runn'"):
        ew.runn  # type: ignore[attr-defined]  # noqa: B018


def test_importing_the_package_imports_the_standard_library_alone() -> None:
    program = (
        "import sys; before = set(sys.modules); import earwitness;"
        "print({m.split('.')[0] for m in set(sys.modules) - before} - sys.stdlib_module_names)"
    )
    assert code(program) == "{'earwitness'}"


def test_all_names_together_import_nothing_heavy() -> None:
    program = (
        "import sys, earwitness as ew; [getattr(ew, name) for name in ew.__all__];"
        "heavy = {'torch', 'av', 'soundfile', 'soxr', 'rich', 'typer', 'pydantic', 'kaldialign', 'onnxruntime',"
        " 'psutil', 'huggingface_hub', 'whisper_normalizer'}; print(heavy & sys.modules.keys())"
    )
    assert code(program) == "set()"


def test_no_public_name_is_the_name_of_a_room() -> None:
    assert {path.stem for path in PACKAGE.iterdir()} & set(NAMES) == set()


def test_every_module_can_be_imported_under_another_name() -> None:
    modules = [
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.name not in {"__init__.py", "__main__.py"}
    ]
    lines = "\n".join(f"import {module} as m; assert m.__name__ == {module!r}" for module in modules)
    assert code(f"import earwitness as ew; [getattr(ew, name) for name in ew.__all__]\n{lines}\nprint(len({modules}))")


def test_every_command_has_a_function() -> None:
    page = (ROOT / "docs" / "api.md").read_text("utf-8")
    assert set(re.findall(r"`earwitness (\w+)", page)) | {"import"} == set(COMMANDS)


def options(command: str) -> set[str]:
    """The options of a command by name."""
    name, _, sub = command.partition(" ")
    app: Any = typer.main.get_command(__import__(f"earwitness.cli.{name}", fromlist=["app"]).app)
    command_ = app.commands[sub] if sub else app
    found = {parameter.name for parameter in command_.params if parameter.param_type_name == "option"}
    return {name.rstrip("_") for name in found} - {"as_json", "help"}


@pytest.mark.parametrize(
    ("command", "of_the_command_line"),
    [
        ("run", {"resume", "plan"}),
        ("score", {"errors", "worst"}),
        ("gate", {"github", "update"}),
        ("init", set()),
        ("serve", set()),
        ("deploy", set()),
        ("bundle", set()),
        ("notebook", set()),
        ("models convert", set()),
        ("compare", {"out", "with_matrix", "bars", "wide"}),
        ("robustness", {"out"}),
        ("rescore", set()),
        ("plan", set()),
        ("export", {"sclite", "to", "line_chars", "lines", "least_cue_s", "most_cue_s", "chars_per_s"}),
        ("transcribe", set()),
        ("import_", set()),
        ("analyze slices", set()),
        ("analyze sensitivity", set()),
        ("analyze terms", set()),
        ("analyze pairs", set()),
        ("analyze completeness", set()),
        ("conditions apply", set()),
        ("data check", {"every"}),
        ("data join", set()),
    ],
)
def test_arguments_are_called_as_the_options_of_the_command(command: str, of_the_command_line: set[str]) -> None:
    function = getattr(ew, command.rsplit(maxsplit=1)[-1])
    typed = options(command) - of_the_command_line
    given = set(inspect.signature(function).parameters)
    if "options" in given:
        kinds = {"serve": ew.ServeOptions, "transcribe": ew.ArchiveOptions}
        given |= get_type_hints(kinds.get(command, ew.RunOptions)).keys()
    assert typed <= given, typed - given
