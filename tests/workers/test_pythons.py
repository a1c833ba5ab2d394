"""Interpreters are programs here that are really run; most of them only claim to be one."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from earwitness.errors import EngineError
from earwitness.workers.pythons import find_python, probe

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no shell here: run it on Linux")
THIS = ".".join(map(str, sys.version_info[:3]))
Place = Callable[..., Path]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Puts a program into the test's folder that says it is a Python; nothing else is found."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))

    def put(name: str, version: str, *, pip: bool = True) -> Path:
        path = tmp_path / name
        says(path, json.dumps([str(path), version, pip]))
        return path

    return put


def says(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{text}'\n")
    path.chmod(0o755)


def test_this_python_is_taken_if_it_fits(place: Place) -> None:
    place("bin/python3.11", "3.11.0")
    found = find_python(">=3.11")
    assert (found.path, found.version, found.has_pip) == (Path(sys.executable), THIS, True)


def test_of_those_on_the_path_the_oldest_that_fits_is_taken(place: Place) -> None:
    for minor in (19, 18, 17):
        place(f"bin/python3.{minor}", f"3.{minor}.2")
    assert find_python(">=3.18").version == "3.18.2"


def test_the_feature_version_of_the_lock_comes_before_this_one(place: Place) -> None:
    place("bin/python3.19", "3.19.2")
    assert find_python(">=3.11", like="3.19.0").version == "3.19.2"
    assert find_python(">=3.11", like="3.18.0").version == THIS


def test_pyenv_s_versions_are_found(place: Place) -> None:
    path = place("pyenv/versions/3.18.4/bin/python", "3.18.4")
    assert find_python(">=3.18").path == path


def test_the_windows_launcher_s_list_is_read(place: Place, tmp_path: Path) -> None:
    path = place("Program Files/python.exe", "3.18.1")
    says(tmp_path / "bin" / "py", f" -V:3.18 *        {path}\n -V:3.10          C:\\gone\\python.exe")
    assert find_python(">=3.18").path == path


def test_uv_s_pythons_are_found_and_need_no_pip(place: Place, tmp_path: Path) -> None:
    path = place("uv/python", "3.18.1", pip=False)
    says(tmp_path / "bin" / "uv", str(path))
    assert find_python(">=3.18", uv=tmp_path / "bin" / "uv").path == path


def test_a_python_without_pip_is_left_aside_and_named(place: Place) -> None:
    place("bin/python3.18", "3.18.1", pip=False)
    with pytest.raises(EngineError, match=r"here: .*3\.18\.1 without pip"):
        find_python(">=3.18")


def test_where_there_is_none_one_sentence_says_what_to_type(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for platform, command in (
        ("linux", r"pip install uv && uv python install 3\.18"),
        ("darwin", r"brew install python@3\.18"),
        ("win32", r"winget install Python\.Python\.3\.18"),
    ):
        monkeypatch.setattr(sys, "platform", platform)
        with pytest.raises(EngineError, match=rf"Python >=3\.18 is needed.*\(here: {THIS}\)\. Run: {command}"):
            find_python(">=3.18")


def test_a_program_that_is_no_python_is_none(tmp_path: Path) -> None:
    says(tmp_path / "python", "hello")
    assert probe(tmp_path / "python") is None
    assert probe(tmp_path / "nowhere") is None
