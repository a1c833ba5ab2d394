"""A toy engine: known and not installed, or with its environment whole."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.workers.toy import use_toy, write_toy

from earwitness.cli import main
from earwitness.engines import registry
from earwitness.engines.base import EngineSpec
from earwitness.engines.registry import get_engine
from earwitness.files.fetch import cache_dir
from earwitness.workers import install


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the toy and its whole environment, made once."""
    root = tmp_path_factory.mktemp("made")
    write_toy(root)
    with pytest.MonkeyPatch.context() as patch:
        use_toy(root, patch)
        patch.setattr(install, "find_uv", lambda: None)
        assert main(["engines", "install", "toy"]) == 0
    registry.look_again()
    return root


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineSpec]:
    """The toy's spec; its environment is not made."""
    write_toy(tmp_path)
    use_toy(tmp_path, monkeypatch)
    monkeypatch.setattr(install, "find_uv", lambda: None)
    yield get_engine("toy").spec
    registry.look_again()


@pytest.fixture
def installed(toy: EngineSpec, made: Path) -> EngineSpec:
    """The toy's spec; a copy of its environment is there."""
    shutil.copytree(made / "cache", cache_dir(), symlinks=True)
    return toy
