"""The notebook is a real one: it is validated, executed, and its records are taken home."""

from __future__ import annotations

import ast
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from earwitness import weights
from earwitness.engines.catalog import find
from earwitness.reports.notebook import NotebookPlan, notebook

HOLDS = ("cli/notebook.py",)

ROOT = Path(__file__).parents[2]
READY = sorted((ROOT / "notebooks").glob("*.ipynb"))
# In a process of its own, over sockets in files: no port is opened and no warning of Jupyter's is ours.
EXECUTE = """
import sys, nbformat
from nbclient import NotebookClient
from traitlets.config import Config

path, kernel = sys.argv[1:]
found = nbformat.read(path, 4)
config = Config({"KernelManager": {"transport": "ipc"}})
NotebookClient(found, timeout=900, kernel_name=kernel, config=config).execute()
nbformat.write(found, path)
"""


def earwitness(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "earwitness", *arguments]
    return subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=300)


def plan(**more: Any) -> NotebookPlan:
    return NotebookPlan(
        **{"models": ("fake:echo",), "data": ("sample",), "source": "", "command": "earwitness", **more}
    )


def cells(text: str, kind: str) -> dict[str, str]:
    return {cell["id"]: "".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == kind}


def executed(folder: Path, name: str, kernel: str = "python3", **variables: str) -> dict[str, Any]:
    """Executes a notebook in its folder, and returns it with its outputs."""
    command = [sys.executable, "-c", EXECUTE, name, kernel]
    done = subprocess.run(command, cwd=folder, env=os.environ | variables, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads((folder / name).read_text())
    return found


def outputs(found: dict[str, Any], id_: str) -> str:
    (cell,) = (cell for cell in found["cells"] if cell["id"] == id_)
    return json.dumps(cell["outputs"], ensure_ascii=False)


def test_it_is_a_valid_notebook_without_outputs() -> None:
    import nbformat

    found = nbformat.reads(notebook(plan()), 4)  # type: ignore[no-untyped-call]
    nbformat.validate(found)
    code = [cell for cell in found.cells if cell.cell_type == "code"]
    assert [cell.id for cell in code] == ["parameters", "install", "data", "device", "run", "results", "pack"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert code[0].metadata.tags == ["parameters"]


def test_its_parameters_are_the_plan_s_and_nothing_is_left_to_fill_in() -> None:
    text = notebook(
        plan(models=("a:b", 'quo"te:ü'), data=("sample", "study.zip"), options=("--limit", "3"), source="s")
    )
    values: dict[str, Any] = {}
    exec(cells(text, "code")["parameters"], values)
    assert values["MODELS"] == ["a:b", 'quo"te:ü']
    assert values["DATA"] == ["sample", "study.zip"]
    assert (values["OPTIONS"], values["DEVICE"]) == (["--limit", "3"], "auto")
    whole = "".join([*cells(text, "code").values(), *cells(text, "markdown").values()])
    assert "@" not in whole.replace('f"earwitness{wanted} @ {source}"', "")
    for code in cells(text, "code").values():
        ast.parse(code)


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("earwitness==0.1.0", "earwitness[a,b]==0.1.0"),
        ("git+https://example.org/lab/earwitness@abc", "earwitness[a,b] @ git+https://example.org/lab/earwitness@abc"),
        ("/tmp/earwitness-0.1.0-py3-none-any.whl", "/tmp/earwitness-0.1.0-py3-none-any.whl[a,b]"),
    ],
)
def test_whatever_is_installed_comes_with_the_engines_extras(source: str, wanted: str) -> None:
    (function,) = (
        node for node in ast.parse(cells(notebook(plan()), "code")["install"]).body
        if isinstance(node, ast.FunctionDef) and node.name == "requirement"
    )  # fmt: skip
    values: dict[str, Any] = {}
    exec(ast.unparse(function), values)
    assert values["requirement"](source, ["a", "b"]) == wanted


@pytest.mark.parametrize(("device", "accelerator"), [("auto", "GPU"), ("cuda", "GPU"), ("tpu", "TPU"), ("cpu", None)])
def test_colab_is_asked_for_the_machine(device: str, accelerator: str | None) -> None:
    assert json.loads(notebook(plan(device=device)))["metadata"].get("accelerator") == accelerator


def test_the_command_writes_one_that_says_how_it_was_made(tmp_path: Path) -> None:
    arguments = ["notebook", "--model", "faster-whisper:tiny.en", "--data", "sample", "--set", "beam_size=5",
                 "--limit", "3", "--source", "index", "--out", "n.ipynb"]  # fmt: skip
    done = earwitness(tmp_path, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "n.ipynb").read_text()
    assert f"`{shlex.join(['earwitness', *arguments])}`" in cells(text, "markdown")["text-1"]
    assert 'EXTRAS = ["faster-whisper", "report"]' in cells(text, "code")["install"]
    assert json.loads(done.stdout)["installs"].startswith("earwitness==")


def test_engines_without_an_extra_get_an_environment_of_their_own(tmp_path: Path) -> None:
    models = ["--model", "mlx-whisper:tiny.en", "--model", "onnx-asr:whisper-tiny.en"]
    assert earwitness(tmp_path, "notebook", *models, "--data", "sample", "--out", "n.ipynb").returncode == 0
    install = cells((tmp_path / "n.ipynb").read_text(), "code")["install"]
    assert 'EXTRAS = ["report"]' in install
    assert 'ENGINES = ["mlx-whisper", "onnx-asr"]' in install


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "here"], "Data 'here' exists only on this machine. Pack it first: earwitness bundle here"),
        (["--data", "sample"], "Name a model with --model"),
        (["--data", "sample", "--model", "fake:/folder/x"], "are a folder on this machine"),
        (["--data", "sample", "--model", "faster-whisper:base", "--device", "tpu"], "does not run on 'tpu'"),
        (["--data", "sample", "--model", "faster-whisper:bsae"], "Did you mean 'faster-whisper:base"),
    ],
)
def test_what_cannot_work_elsewhere_is_refused_here(tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "here").mkdir()
    done = earwitness(tmp_path, "notebook", *arguments, "--out", "n.ipynb")
    assert done.returncode == 2
    assert message in done.stderr
    assert not (tmp_path / "n.ipynb").exists()


@pytest.mark.parametrize("path", READY, ids=lambda path: path.name)
def test_a_ready_notebook_is_what_its_command_makes(tmp_path: Path, path: Path) -> None:
    first = cells(path.read_text("utf-8"), "markdown")["text-1"]
    command = first.partition("Made by `")[2].partition("`")[0]
    done = earwitness(tmp_path, *shlex.split(command)[1:])
    assert done.returncode == 0, done.stderr
    assert (tmp_path / path.name).read_text("utf-8") == path.read_text("utf-8"), f"Run in notebooks/: {command}"


def test_there_is_a_ready_notebook() -> None:
    assert READY


@pytest.mark.real
def test_executed_start_to_end_with_a_bundle_its_records_come_home(tmp_path: Path) -> None:
    there, home = tmp_path / "there", tmp_path / "home"
    for folder in (there, home):
        folder.mkdir()
    study = ["-m", "fake:echo", "-m", "fake:chat", "--out", "study.zip"]
    assert earwitness(home, "bundle", "sample", "--limit", "3", *study).returncode == 0
    assert earwitness(home, "notebook", "--data", "study.zip", "--out", "n.ipynb").returncode == 0
    for name in ("study.zip", "n.ipynb"):
        (home / name).rename(there / name)
    found = executed(there, "n.ipynb", EARWITNESS_SOURCE="")
    assert "Here: " in outputs(found, "device")
    assert "\\u001b" not in json.dumps(found["cells"])
    assert "# Scorecard" in outputs(found, "results")
    assert "<svg" in outputs(found, "results")
    assert "2 records: records.zip" in outputs(found, "pack")
    assert earwitness(home, "run", "sample", "--limit", "3", "-m", "fake:empty").returncode == 0
    assert earwitness(home, "import", str(there / "records.zip")).returncode == 0
    compared = json.loads(earwitness(home, "compare", "runs", "--matrix", "--json").stdout)
    (table,) = compared["tables"]
    assert {row["model"] for row in table["rows"]} == {"fake:echo", "fake:chat", "fake:empty"}


@pytest.fixture
def borrowed(tmp_path: Path) -> dict[str, str]:
    """A new environment that holds Jupyter's kernel ``borrowed`` and nothing else, and a wheel to install there."""
    pip = ["-m", "pip", "--quiet", "--disable-pip-version-check"]
    quiet: dict[str, Any] = {"check": True, "capture_output": True, "timeout": 900}
    subprocess.run([sys.executable, *pip, "wheel", "--no-deps", "--wheel-dir", tmp_path, ROOT], **quiet)
    (wheel,) = tmp_path.glob("earwitness-*.whl")
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "borrowed"], **quiet)
    python = tmp_path / "borrowed" / "bin" / "python"
    constraints = str(ROOT / "constraints.txt")
    subprocess.run([python, *pip, "install", "-c", constraints, "ipykernel"], **quiet)
    subprocess.run(
        [python, "-m", "ipykernel", "install", "--prefix", tmp_path / "kernels", "--name", "borrowed"], **quiet
    )
    jupyter = str(tmp_path / "kernels" / "share" / "jupyter")
    return {"EARWITNESS_SOURCE": str(wheel), "JUPYTER_PATH": jupyter, "PIP_CONSTRAINT": constraints}


@pytest.mark.real
@pytest.mark.long
def test_on_a_machine_without_earwitness_it_installs_a_wheel_and_measures_a_real_model(
    tmp_path: Path, borrowed: dict[str, str]
) -> None:
    there = tmp_path / "there"
    there.mkdir()
    models = ["--model", "faster-whisper:tiny.en", "--model", "fake:echo"]
    made = earwitness(there, "notebook", *models, "--data", "sample", "--limit", "6", "--out", "n.ipynb")
    assert made.returncode == 0, made.stderr
    found = executed(there, "n.ipynb", "borrowed", **borrowed)
    assert "faster-whisper:tiny.en" in outputs(found, "results")
    assert earwitness(tmp_path, "import", "there/records.zip").returncode == 0
    (table,) = json.loads(earwitness(tmp_path, "compare", "runs", "--matrix", "--json").stdout)["tables"]
    by_model = {row["model"]: row for row in table["rows"]}
    assert by_model.keys() == {"faster-whisper:tiny.en", "fake:echo"}
    assert by_model["faster-whisper:tiny.en"]["scores"]["wer"]["value"] < 0.5
    line = next(line for line in table["matrix"]["lines"] if line["engine"] == "faster-whisper")
    assert [cell["state"] for cell in line["cells"]] == ["measured", "not run", "unsupported", "unsupported"]


@pytest.mark.real
@pytest.mark.engines
@pytest.mark.long
def test_engines_get_environments_of_their_own_on_the_borrowed_machine(
    tmp_path: Path, borrowed: dict[str, str]
) -> None:
    models = ("mlx-whisper:tiny.en", "onnx-asr:whisper-tiny.en")
    there, home, cache = (tmp_path / name for name in ("there", "home", "cache"))
    for folder in (there, home, cache / "weights"):
        folder.mkdir(parents=True)
    for model in models:
        held = weights.locate(find(model))
        if held is None:
            pytest.skip(f"there are no weights of {model!r} here: python tools/export_onnx.py tiny.en")
        (cache / "weights" / held.name).symlink_to(held)
    study = [word for model in models for word in ("--model", model)]
    assert earwitness(home, "bundle", "sample", "--limit", "1", *study, "--out", "study.zip").returncode == 0
    assert earwitness(home, "notebook", "--data", "study.zip", "--out", "n.ipynb").returncode == 0
    for name in ("study.zip", "n.ipynb"):
        (home / name).rename(there / name)
    found = executed(there, "n.ipynb", "borrowed", EARWITNESS_CACHE=str(cache), **borrowed)
    assert "2 records: records.zip" in outputs(found, "pack")
    imported = json.loads(earwitness(home, "import", str(there / "records.zip"), "--json").stdout)
    assert "refused" not in json.dumps(imported)
    (table,) = json.loads(earwitness(home, "compare", "runs", "--json").stdout)["tables"]
    assert {row["model"]: row["scores"]["wer"]["value"] for row in table["rows"]} == dict.fromkeys(models, 0.0)
