"""Environments are real here, made of wheels made by hand: workers run in them, and they are broken and removed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.workers.toy import NAMES, break_toy, heard, remove_python

from earwitness.cli import main
from earwitness.engines.base import EngineSpec
from earwitness.engines.registry import get_engine
from earwitness.errors import EngineNotInstalledError
from earwitness.types import Settings
from earwitness.workers import environments
from earwitness.workers.environments import place_of, python_of, stamp_of
from earwitness.workers.worker import Worker

HOLDS = ("leash.py", "self_test.py", "cli/engines.py")

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="there are no symbolic links and no POSIX signals here: run it on Linux"
)


def test_a_worker_runs_in_the_environment_and_sees_nothing_of_this_one(installed: EngineSpec) -> None:
    folder = environments.folder_of(installed)
    assert heard() == f"two in {folder}; pytest: False"
    assert python_of(installed) == folder / "bin" / "python"


def test_the_stamp_says_what_was_made(installed: EngineSpec) -> None:
    stamp = stamp_of(installed)
    assert stamp is not None
    assert stamp.packages == {"numpy": "99.0", "toy_engine": "1.0", "toylib": "2.0"}
    assert stamp.python == ".".join(map(str, sys.version_info[:3]))
    assert stamp.requirements == ("toylib", "toy-engine", "numpy>=2.0")
    assert (stamp.devices, stamp.lock_sha256, stamp.made_with) == (("cpu",), None, "pip")
    assert 1_000 < stamp.size_bytes < 1_000_000


def test_an_engine_that_this_python_has_is_used_in_place(
    installed: EngineSpec, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "plugin" / "toylib.py").write_text("WORD = 'here'\n")
    assert place_of(installed) == "here"
    assert python_of(installed) == Path(sys.executable)
    assert heard().startswith(f"here in {sys.prefix}; pytest: True")
    assert main(["engines", "install", "toy"]) == 0
    assert "already has its packages" in capsys.readouterr().err


def test_a_python_that_does_not_fit_is_not_used_though_it_has_the_modules(toy: EngineSpec, tmp_path: Path) -> None:
    (tmp_path / "plugin" / "toylib.py").write_text("")
    with pytest.raises(EngineNotInstalledError, match=r"\(it needs Python >=3.99, and this is 3\."):
        python_of(get_engine("future").spec)


def test_what_is_not_installed_is_refused_before_a_run(toy: EngineSpec, tmp_path: Path) -> None:
    row = {"id": "toy:x", "engine": "toy", "summary": "", "weights_id": "", "license": ""}
    lines = [f"{key} = {json.dumps(value)}" for key, value in row.items()]
    (tmp_path / "earwitness.toml").write_text("\n".join(["[[model]]", *lines, 'languages = ["*"]', ""]))
    command = [sys.executable, "-m", "earwitness", "run", "sample", "--model", "toy:x"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    told = "Engine 'toy' is not installed here (no module 'toylib'). Run: earwitness engines install toy\n"
    assert (done.returncode, done.stderr) == (2, told)
    assert not (tmp_path / "runs").exists()


def test_the_list_says_where_each_engine_is_and_what_to_type(
    installed: EngineSpec, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["engines", "list", "--json"]) == 0
    rows = {row["engine"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["fake"]["place"] == "here"
    assert (rows["toy"]["place"], rows["toy"]["packages"]) == ("own", {"toylib": "2.0"})
    assert rows["toy"]["size_bytes"] == rows["toy"]["environment"]["size_bytes"] > 0
    assert rows["slow"]["place"] is None
    assert rows["slow"]["remedy"] == "earwitness engines install slow"
    assert main(["engines", "list"]) == 0
    table = capsys.readouterr().out
    assert "own environment" in table
    assert "no module 'slowlib'" in table


def test_a_broken_environment_is_found_by_the_check(
    installed: EngineSpec, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("earwitness.api.engines.engine_names", lambda: NAMES)
    assert main(["engines", "check"]) == 1  # of all that are installed; the one that kills itself is among them
    assert capsys.readouterr().out.startswith("toy: works: Python 3.")
    assert main(["engines", "check", "toy"]) == 0
    break_toy(installed)
    capsys.readouterr()
    assert main(["engines", "check", "toy"]) == 1
    told = capsys.readouterr().out
    assert "toy: does not work: ModuleNotFoundError: No module named 'toylib'. Run: earwitness engines install" in told
    assert main(["engines", "check", "toy", "--json"]) == 1
    (answer,) = json.loads(capsys.readouterr().out)
    assert (answer["engine"], answer["works"], answer["devices"]) == ("toy", False, [])


def test_an_environment_whose_python_is_gone_is_none(installed: EngineSpec) -> None:
    remove_python(installed)
    assert stamp_of(installed) is None
    failed = environments.check(installed).failed
    assert failed is not None
    assert "Run: earwitness engines install toy" in failed


def test_an_import_that_kills_the_process_is_told_as_that(toy: EngineSpec) -> None:
    assert environments.check(get_engine("crash").spec).failed == "its imports were killed by signal SIGKILL"


def test_removing_leaves_nothing_that_could_be_used(installed: EngineSpec) -> None:
    assert environments.remove(installed)
    assert not environments.remove(installed)
    assert not environments.folder_of(installed).exists()
    with pytest.raises(EngineNotInstalledError, match=r"no module 'toylib'.*Run: earwitness engines install toy$"):
        heard()


def test_a_newer_earwitness_needs_no_new_environment(installed: EngineSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    before = environments.variables_for(python_of(installed))["PYTHONPATH"]
    monkeypatch.setattr(environments, "__version__", "99.0")
    assert environments.variables_for(python_of(installed))["PYTHONPATH"] != before
    assert heard().startswith("two in ")


def test_the_package_beside_earwitness_gives_way_to_the_environment_s_own(
    installed: EngineSpec, tmp_path: Path
) -> None:
    # The user's PYTHONPATH belongs to this Python and would mix its packages into another.
    (tmp_path / "plugin" / "toylib.py").write_text("WORD = 'leaked'\n")
    tested = environments.self_test(installed, environments.interpreter(environments.folder_of(installed)))
    assert tested.failed is None
    assert tested.distributions is not None
    assert "earwitness" not in tested.distributions
    assert len(tested.distributions) == 3


@pytest.mark.real
def test_pocketsphinx_hears_the_same_in_an_environment_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from earwitness import data, weights
    from earwitness.audio import decode
    from earwitness.data import corpora
    from earwitness.engines.catalog import find

    corpora.pull("librivox-mini")
    folder = weights.pull(find("pocketsphinx:en-us"))
    samples = decode(data.load("librivox-mini").clips[0].audio_path).samples
    clip = tmp_path / "clip.f32"
    samples.tofile(clip)

    def text() -> tuple[str, str]:
        with Worker("pocketsphinx", "pocketsphinx:en-us", folder, "cpu", Settings(threads=1)) as worker:
            answer = worker.transcribe(clip, len(samples), 16_000, "en", budget_s=120)
            return answer.transcript.text, worker.info.packages["pocketsphinx"]

    in_place = text()
    monkeypatch.setenv("EARWITNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)  # which makes it a module that is not here
    spec = get_engine("pocketsphinx").spec
    with pytest.raises(EngineNotInstalledError):
        text()
    assert main(["engines", "install", "--pip", "pocketsphinx"]) == 0
    assert place_of(spec) == "own"
    assert text() == in_place
