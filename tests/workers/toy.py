"""Wheels, made by hand, of an engine that is not a part of Earwitness, and a pip that looks at nothing else."""

from __future__ import annotations

import importlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from earwitness.engines import registry
from earwitness.engines.base import EngineSpec
from earwitness.files.fetch import cache_dir
from earwitness.types import Settings
from earwitness.workers import environments
from earwitness.workers.worker import Worker

ENGINES = """
import sys
from importlib.util import find_spec

from earwitness.engines.base import DeviceSupport, EngineSpec, settings_in_force
from earwitness.types import Transcript


def spec(name, module, *requirements, python=">=3.11", bare=()):
    cpu = {"cpu": DeviceSupport("supported")}
    return EngineSpec(
        name, "a toy", (module,), (module,), cpu, python=python, requirements=requirements, bare_requirements=bare
    )


class Loaded:
    device = "cpu"

    def __init__(self, spec, settings):
        self.in_force = settings_in_force(spec, settings)

    def transcribe(self, audio, *, language):
        import toylib

        return Transcript(f"{toylib.WORD} in {sys.prefix}; pytest: {find_spec('pytest') is not None}")

    def close(self):
        pass


class Engine:
    def __init__(self, spec):
        self.spec = spec

    def load(self, model, device, settings):
        return Loaded(self.spec, settings)


toy = Engine(spec("toy", "toylib", "toylib", "toy-engine"))
slow = Engine(spec("slow", "slowlib", "toylib", "slowlib @ SLOWLIB", "toy-engine"))
missing = Engine(spec("missing", "nowhere", "toylib", "there-is-no-such-package"))
future = Engine(spec("future", "toylib", "toylib", python=">=3.99"))
crash = Engine(spec("crash", "crashlib", "toylib"))
greedy = Engine(spec("greedy", "greedylib", "toylib", "toy-engine", bare=("greedylib",)))
"""
NAMES = ("toy", "slow", "missing", "future", "crash", "greedy")
ENTRY_POINTS = "[earwitness.engines]\n" + "".join(f"{name} = toy_engine:{name}\n" for name in NAMES)
# A build backend that waits in the middle of the work until it is told to go on.
BACKEND = """
import pathlib, time, zipfile
HERE = pathlib.Path(__file__).parent

def build_wheel(folder, config_settings=None, metadata_directory=None):
    (HERE / "building").touch()
    deadline = time.monotonic() + 60
    while not (HERE / "go").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    name = "slowlib-1.0-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder) / name, "w") as wheel:
        wheel.writestr("slowlib.py", "")
        info = "slowlib-1.0.dist-info"
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: slowlib\\nVersion: 1.0\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return name
"""


def make_wheel(folder: Path, name: str, version: str, files: Mapping[str, str], requires: str = "") -> None:
    """Write a pure wheel, which may require a package."""
    needs = f"Requires-Dist: {requires}\n" if requires else ""
    info = f"{name}-{version}.dist-info"
    parts = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in parts.items():
            wheel.writestr(path, text)


def write_toy(root: Path) -> None:
    """Write ``wheels``, the sources of slowlib, and ``plugin``: the engines as they are installed beside Earwitness."""
    wheels, plugin, slowlib, only_numpy = (root / part for part in ("wheels", "plugin", "slowlib", "only-numpy"))
    for folder in (wheels, plugin, slowlib, only_numpy):
        folder.mkdir()
    engines = ENGINES.replace("SLOWLIB", slowlib.as_uri())
    make_wheel(wheels, "toylib", "1.0", {"toylib.py": "WORD = 'one'\n"})
    make_wheel(wheels, "toylib", "2.0", {"toylib.py": "WORD = 'two'\n"})
    make_wheel(
        wheels,
        "toy_engine",
        "1.0",
        {"toy_engine.py": engines, "toy_engine-1.0.dist-info/entry_points.txt": ENTRY_POINTS},
    )
    make_wheel(wheels, "greedylib", "1.0", {"greedylib.py": ""}, requires="there-is-no-such-package")
    # The numpy of these tests, without the network and without what lies beside it.
    for place in Path(np.__file__).parent.parent.glob("numpy*"):
        if "info" not in place.name:
            (only_numpy / place.name).symlink_to(place)
    make_wheel(wheels, "numpy", "99.0", {"numpy_here.pth": str(only_numpy)})
    (slowlib / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "slowlib"\nversion = "1.0"\n'
    )
    (slowlib / "backend.py").write_text(BACKEND)
    info = plugin / "toy_engine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-engine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    (plugin / "toy_engine.py").write_text(engines)
    (plugin / "crashlib.py").write_text("import os\nos.kill(os.getpid(), 9)\n")


def use_toy(root: Path, patch: pytest.MonkeyPatch) -> None:
    """Make the engines known here and in processes that are started, and let pip find the wheels and nothing else."""
    patch.setenv("EARWITNESS_CACHE", str(root / "cache"))
    patch.setenv("PYTHONPATH", str(root / "plugin"))
    patch.setenv("PIP_CONFIG_FILE", "/dev/null")
    patch.setenv("PIP_NO_INDEX", "1")
    patch.setenv("PIP_FIND_LINKS", str(root / "wheels"))
    patch.setenv("PATH", "/usr/bin:/bin")
    patch.delenv("COLUMNS", raising=False)
    patch.setenv("PYENV_ROOT", str(root / "no-pyenv"))
    patch.delitem(importlib.import_module("sys").modules, "toy_engine", raising=False)
    patch.syspath_prepend(str(root / "plugin"))
    registry.look_again()


def heard(engine: str = "toy") -> str:
    """What a worker of the engine says, which is where it runs."""
    empty = cache_dir() / "empty.f32"
    empty.parent.mkdir(parents=True, exist_ok=True)
    empty.touch()
    with Worker(engine, f"{engine}:x", None, "cpu", Settings(threads=1), budget_s=30) as worker:
        return worker.transcribe(empty, 0, 16_000, None, budget_s=30).transcript.text


def site_packages(spec: EngineSpec) -> Path:
    (found,) = environments.folder_of(spec).glob("lib/python*/site-packages")
    return found


def break_toy(spec: EngineSpec) -> None:
    (site_packages(spec) / "toylib.py").unlink()


def remove_python(spec: EngineSpec) -> None:
    environments.interpreter(environments.folder_of(spec)).unlink()
