"""Installations really happen here, of wheels made by hand: killed, gone on with, mended, moved to another lock."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from filelock import FileLock
from tests.workers.toy import break_toy, heard, remove_python, site_packages, use_toy

from earwitness.cli import main
from earwitness.engines.base import EngineSpec
from earwitness.engines.registry import engine_names, get_engine
from earwitness.errors import EngineError
from earwitness.files.fetch import sha256_of
from earwitness.workers import environments, install
from earwitness.workers.environments import STAMP, place_of

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="there are no symbolic links and no POSIX signals here: run it on Linux"
)


def lock_toylib(folder: Path, patch: pytest.MonkeyPatch, version: str, size_bytes: int = 1000) -> None:
    folder.mkdir(exist_ok=True)
    patch.setattr(install, "LOCKS", folder)
    header = f"# python: {sys.version.split()[0]}\n# platform: here\n# size_bytes: {size_bytes}\n"
    (folder / "toy.txt").write_text(f"{header}toylib=={version}\n")


def test_what_is_whole_is_left_as_it_is(installed: EngineSpec) -> None:
    said: list[str] = []
    before = (environments.folder_of(installed) / STAMP).stat().st_mtime_ns
    install.install(install.plan(installed), said.append)
    assert said == []
    assert (environments.folder_of(installed) / STAMP).stat().st_mtime_ns == before


@pytest.mark.real
@pytest.mark.parametrize("harm", [break_toy, remove_python])
def test_what_is_broken_is_mended_by_another_install(installed: EngineSpec, harm: Any) -> None:
    harm(installed)
    install.install(install.plan(installed))
    assert environments.check(installed).failed is None


def test_a_package_that_was_written_half_is_installed_again(installed: EngineSpec) -> None:
    (environments.folder_of(installed) / STAMP).unlink()
    break_toy(installed)
    (site_packages(installed) / "toylib-2.0.dist-info" / "RECORD").unlink()
    install.install(install.plan(installed))
    assert heard().startswith("two in ")


@pytest.mark.usefixtures("toy")
def test_a_bare_requirement_is_installed_without_what_it_requires() -> None:
    greedy = get_engine("greedy").spec
    stamp = install.install(install.plan(greedy))
    assert {"greedylib", "toylib"} <= stamp.packages.keys()
    assert stamp.requirements == ("toylib", "toy-engine", "greedylib", "numpy>=2.0")
    assert heard("greedy").startswith("two in ")


def installing(engine: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "earwitness", "engines", "install", "--pip", engine]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def until(true: Any, within_s: float = 120.0) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def processes_on(folder: Path) -> list[int]:
    running = psutil.process_iter(["pid", "cmdline"])
    return [p.pid for p in running if any(str(folder) in part for part in p.info["cmdline"] or ())]


@pytest.mark.parametrize(
    "how",
    [
        signal.SIGKILL,
        pytest.param(signal.SIGINT, marks=pytest.mark.real),
        pytest.param(signal.SIGTERM, marks=pytest.mark.long),
    ],
)
def test_killed_in_the_middle_an_installation_leaves_no_process_and_is_gone_on_with(
    toy: EngineSpec, tmp_path: Path, how: signal.Signals
) -> None:
    slow = get_engine("slow").spec
    folder = environments.folder_of(slow)
    process = installing("slow")
    assert process.stderr is not None
    with process.stderr:
        until((tmp_path / "slowlib" / "building").exists)
        process.send_signal(how)
        process.wait(20)
    until(lambda: not processes_on(folder))
    assert folder.is_dir()
    assert not (folder / STAMP).exists()
    assert place_of(slow) is None
    begun = (folder / "pyvenv.cfg").stat()
    (tmp_path / "slowlib" / "go").touch()
    assert main(["engines", "install", "slow"]) == 0
    assert (folder / "pyvenv.cfg").stat().st_mtime_ns == begun.st_mtime_ns
    assert heard("slow") == f"two in {folder}; pytest: False"


def test_a_second_installation_waits_for_the_first(installed: EngineSpec) -> None:
    lock = FileLock(environments.engines_dir() / ".toy.lock")
    lock.acquire()
    process = installing("toy")
    assert process.stderr is not None
    with process.stderr:
        lines = [next(process.stderr) for _ in range(5)]
        assert "another process is installing or removing it; waiting" in lines[-1]
        with pytest.raises(EngineError, match="'toy' is being installed or removed by another process"):
            environments.remove(installed)
        lock.release()
        assert process.wait(30) == 0


def test_a_disk_that_is_too_small_is_told_before_anything_is_made(
    toy: EngineSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lock_toylib(tmp_path / "locks", monkeypatch, "1.0", size_bytes=10**18)
    assert main(["engines", "install", "toy"]) == 2
    told = capsys.readouterr().err
    assert "toy: toylib, toy-engine, numpy>=2.0; 1 locked packages" in told
    assert f"into {environments.folder_of(toy)}" in told
    assert "about 1000000000.0 GB (measured on here);" in told
    assert re.search(r"'toy' needs 1500000000\.0 GB to be installed, but only \d+\.\d GB are free at .*cache", told)
    assert not environments.folder_of(toy).exists()


def test_the_lock_chooses_versions_and_another_lock_changes_them(
    installed: EngineSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock_toylib(tmp_path / "locks", monkeypatch, "1.0")
    assert heard().startswith("two in ")
    stamp = install.install(install.plan(installed))
    assert (stamp.packages["toylib"], stamp.lock_sha256) == ("1.0", sha256_of(tmp_path / "locks" / "toy.txt"))
    assert heard().startswith("one in ")


def test_constraints_of_the_user_s_own_environment_do_not_contradict_a_lock(
    installed: EngineSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "constraints.txt").write_text("toylib==2.0\n")
    for name in ("PIP_CONSTRAINT", "UV_CONSTRAINT"):
        monkeypatch.setenv(name, str(tmp_path / "constraints.txt"))
    lock_toylib(tmp_path / "locks", monkeypatch, "1.0")
    assert install.install(install.plan(installed)).packages["toylib"] == "1.0"


def test_what_cannot_be_installed_is_told_with_the_log_and_the_way_on(
    toy: EngineSpec, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["engines", "install", "missing"]) == 2
    told = capsys.readouterr().err
    log = environments.log_of(get_engine("missing").spec)
    assert "without a lock" in told
    assert "size unknown; " in told
    assert "'missing' could not be installed: ERROR: Could not find a version that satisfies" in told
    assert told.endswith(f"The log: {str(log)!r}. To continue: earwitness engines install missing\n")
    assert "there-is-no-such-package" in log.read_text()


def test_without_the_right_python_one_sentence_says_what_to_install(toy: EngineSpec) -> None:
    with pytest.raises(EngineError, match=r"^Engine 'future' cannot be installed: Python >=3\.99 is needed") as told:
        install.plan(get_engine("future").spec)
    assert sys.version.split()[0] in str(told.value)


def test_a_python_that_is_named_and_does_not_do_is_refused(toy: EngineSpec, tmp_path: Path) -> None:
    with pytest.raises(
        EngineError, match=r"'toy' cannot be installed: Python >=3\.11 is needed, and '/bin/true' is not"
    ):
        install.plan(toy, python=Path("/bin/true"))
    bare = tmp_path / "python"
    bare.write_text(f"#!/bin/sh\necho '{json.dumps([str(bare), '3.12.0', False])}'\n")
    bare.chmod(0o755)
    with pytest.raises(EngineError, match="has no pip, and there is no uv here"):
        install.plan(toy, python=bare)


def test_a_cache_that_cannot_be_written_is_told_in_a_sentence(
    toy: EngineSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("EARWITNESS_CACHE", str(tmp_path / "file"))
    with pytest.raises(EngineError, match=r"Cannot write in '.*file': Not a directory\. Set EARWITNESS_CACHE"):
        install.install(install.plan(toy))


def test_an_engine_that_needs_nothing_gets_no_environment() -> None:
    with pytest.raises(EngineError, match="'fake' needs no packages of its own"):
        install.plan(get_engine("fake").spec)


FAKE_UV = """#!{python}
import json, subprocess, sys
arguments = sys.argv[1:]
with open({log!r}, "a") as log:
    log.write(json.dumps(arguments) + "\\n")
match arguments:
    case ["python", "find", *_]:
        sys.exit(1)
    case ["venv", "--python", python, folder]:
        command = [python, "-m", "venv", "--without-pip", folder]
    case ["pip", "install", "--python", python, "--compile-bytecode", *rest]:
        command = [{python!r}, "-m", "pip", "--python", python, "install", *rest]
sys.exit(subprocess.run(command).returncode)
"""


def test_uv_makes_the_environment_where_it_is_present(
    toy: EngineSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    use_toy(tmp_path, monkeypatch)
    programs, log = tmp_path / "programs", tmp_path / "uv.log"
    programs.mkdir()
    (programs / "uv").write_text(FAKE_UV.format(python=sys.executable, log=str(log)))
    (programs / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    todo = install.plan(toy)
    assert todo.uv == programs / "uv"
    assert install.install(todo).made_with == "uv"
    assert heard().startswith("two in ")
    assert [json.loads(line)[0] for line in log.read_text().splitlines()] == ["venv", "pip"]
    assert install.plan(toy, uv=False).uv is None


@pytest.mark.parametrize("name", [name for name in engine_names() if (install.LOCKS / f"{name}.txt").exists()])
def test_a_lock_that_is_shipped_belongs_to_the_engine_as_it_is(name: str) -> None:
    spec = get_engine(name).spec
    lock = install.lock_of(spec)
    assert lock is not None
    lines = lock.path.read_text(encoding="utf-8").splitlines()
    assert f"# requirements: {', '.join((*spec.requirements, *spec.bare_requirements, *install.ALWAYS))}" in lines
    pinned = {line.partition("==")[0].lower().replace("_", "-") for line in lines if not line.startswith("#")}
    assert {package.lower().replace("_", "-") for package in spec.packages} <= pinned
    assert lock.n_packages == len(pinned)
    assert lock.size_bytes > 1_000_000


def test_a_lock_with_half_a_header_is_refused(toy: EngineSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock_toylib(tmp_path / "locks", monkeypatch, "1.0")
    (tmp_path / "locks" / "toy.txt").write_text("# python: 3.11.7\ntoylib==1.0\n")
    with pytest.raises(EngineError, match="has no valid header: 'size_bytes'"):
        install.lock_of(toy)
