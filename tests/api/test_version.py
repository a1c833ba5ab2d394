"""The version: read from the git tag by the build, and there without a build too."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import earwitness as ew

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "earwitness"


def imported_from(folder: Path) -> str:
    """The version that a Python sees which has the standard library and this folder, and nothing else."""
    program = f"import sys; sys.path.insert(0, {str(folder)!r}); import earwitness; print(earwitness.__version__)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_package_that_was_never_built_has_a_version_and_a_built_one_has_that_of_the_build(tmp_path: Path) -> None:
    (tmp_path / "earwitness").mkdir()
    shutil.copy(PACKAGE / "__init__.py", tmp_path / "earwitness")
    assert imported_from(tmp_path) == "0.0.0"
    (tmp_path / "earwitness" / "_version.py").write_text('__version__ = "7.8.9"\n')
    assert imported_from(tmp_path) == "7.8.9"


def test_the_command_prints_the_version_of_the_package() -> None:
    done = subprocess.run([sys.executable, "-m", "earwitness", "--version"], capture_output=True, text=True)
    assert done.stdout == f"earwitness {ew.__version__}\n"


@pytest.mark.real
@pytest.mark.parametrize(
    ("tag", "expected"), [("v7.8.9", "7.8.9"), pytest.param(None, "0.0.1.dev1", marks=pytest.mark.long)]
)
def test_the_wheel_has_the_version_of_the_tag(tmp_path: Path, tag: str | None, expected: str) -> None:
    source = tmp_path / "source"
    shutil.copytree(PACKAGE, source / "src" / "earwitness", ignore=shutil.ignore_patterns("_version.py", "__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, source)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    commands = [["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"], *([["tag", tag]] if tag else [])]
    for command in commands:
        subprocess.run([*git, *command], cwd=source, check=True)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), "."]
    subprocess.run(pip, cwd=source, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name == f"earwitness-{expected}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as zipped:
        zipped.extractall(tmp_path / "unpacked")
    assert imported_from(tmp_path / "unpacked") == expected
