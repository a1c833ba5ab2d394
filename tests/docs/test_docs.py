"""What the documents show runs, word for word."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"]


def blocks(path: Path, language: str) -> dict[str, str]:
    """Code blocks of a language, by title or by number."""
    found = re.findall(
        rf"^```{language}(?: title=(\S+))?\n(.*?)^```", path.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    return {title or str(number): code for number, (title, code) in enumerate(found)}


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_examples_in_the_documents_are_true(path: Path) -> None:
    found = doctest.testfile(str(path), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert found.failed == 0


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?://|#|mailto:)([^)#]+)", path.read_text("utf-8")):
        assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_commands_in_the_documents_exist(path: Path) -> None:
    from earwitness.cli import COMMANDS

    for command in re.findall(r"^(?:\$ )?earwitness ([a-z]+)", path.read_text("utf-8"), re.MULTILINE):
        assert command in COMMANDS


def test_the_published_schemas_are_those_of_the_code() -> None:
    done = subprocess.run(
        [sys.executable, "tools/publish_schema.py", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + "Run: python tools/publish_schema.py"


@pytest.fixture
def page_files(tmp_path: Path) -> Path:
    """The files of docs/add-an-engine.md, written where a reader would write them."""
    page = ROOT / "docs" / "add-an-engine.md"
    for language in ("python", "toml"):
        for title, code in blocks(page, language).items():
            (tmp_path / title).write_text(code, encoding="utf-8")
    return tmp_path


def run_babble(folder: Path, installed: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    command = [sys.executable, "-m", "earwitness", "run", "sample", "--model", "babble:loud", "--limit", "3"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_engine_on_the_page_runs(page_files: Path) -> None:
    project = tomllib.loads((page_files / "pyproject.toml").read_text("utf-8"))["project"]
    info = page_files / "installed" / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    lines = ["[earwitness.engines]", *(f"{k} = {v}" for k, v in project["entry-points"]["earwitness.engines"].items())]
    (info / "entry_points.txt").write_text("\n".join(lines))
    (page_files / "babble.py").rename(page_files / "installed" / "babble.py")
    assert "babble:loud on sample[:3]: WER" in run_babble(page_files, page_files / "installed")


@pytest.mark.real
def test_the_engine_on_the_page_can_be_installed_with_pip(page_files: Path) -> None:
    target = page_files / "installed"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), "."]
    subprocess.run(command, cwd=page_files, check=True, capture_output=True)
    assert "babble:loud on sample[:3]: WER" in run_babble(page_files, target)


@pytest.mark.real
def test_the_walk_to_a_borrowed_machine_and_back_runs(tmp_path: Path) -> None:
    from earwitness import weights
    from earwitness.engines.catalog import find

    for model in ("faster-whisper:tiny.en", "faster-whisper:base"):
        weights.pull(find(model))
    commands = "".join(blocks(ROOT / "docs" / "borrowed-machines.md", "console").values()).splitlines()
    assert len(commands) == 8
    for command in commands:
        arguments = command.removeprefix("$ earwitness ").split()
        done = subprocess.run(
            [sys.executable, "-m", "earwitness", *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=900
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
    assert "imported: " in subprocess.run(
        [sys.executable, "-m", "earwitness", "import", "records.zip", "--out", "elsewhere"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    ).stdout  # fmt: skip
    assert "Models and devices" in (tmp_path / "scorecard.md").read_text("utf-8")
