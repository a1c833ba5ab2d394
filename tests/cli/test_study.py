"""The study file: strict to read, planned before it runs, done once however often it is asked for."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import chdir
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest

from earwitness.cli import main
from earwitness.data import bundle
from earwitness.engines.catalog import models
from earwitness.errors import UsageError
from earwitness.options import options_of
from earwitness.records import store
from earwitness.runs.bundle_study import read_study
from earwitness.runs.spec import RunOptions, RunSpec
from earwitness.runs.study_file import StudyData, StudyFile, Variant, read, specs
from earwitness.server.spec import ServeOptions, ServeSpec

HOLDS = ("init.py", "runs/bundle_study.py", "runs/study_file.py")


@dataclass(frozen=True, slots=True)
class Done:
    """A command that ended."""

    returncode: int
    stdout: str
    stderr: str


Cli = Callable[..., Done]
OK = "[study]\ndata = ['sample']\nmodels = ['a:b']\n"
TEMPLATE = Path(__file__).parents[2] / "src" / "earwitness" / "api" / "study.toml"


@pytest.fixture
def cli(tmp_path: Path, cache: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    """Commands in this process: workers are real, and the study is read anew each time."""

    def run(*arguments: str | Path, cwd: Path = tmp_path) -> Done:
        models.cache_clear()
        with chdir(cwd):
            code = main([str(argument) for argument in arguments])
        return Done(code, *capfd.readouterr())

    yield run
    models.cache_clear()


def write(folder: Path, text: str) -> Path:
    path = folder / "earwitness.toml"
    path.write_text(text, encoding="utf-8")
    return path


def script(folder: Path, **answers: dict[str, Any]) -> None:
    """A scripted model that answers by the number of seconds of a clip."""
    folder.mkdir(exist_ok=True)
    by_samples = {str(16_000 * int(key[1:])): value for key, value in answers.items()}
    (folder / "script.json").write_text(json.dumps(by_samples))


def outcomes(done: Done) -> list[str]:
    assert done.returncode == 0, done.stderr
    return [answer["outcome"] for answer in json.loads(done.stdout)]


def records(folder: Path) -> list[Path]:
    return store.find_records([folder / "runs"])


def test_the_types_for_editors_are_those_of_the_options() -> None:
    for spec, keywords in ((RunSpec, RunOptions), (ServeSpec, ServeOptions)):
        apart = {"models"} if spec is RunSpec else set()
        assert options_of(spec).keys() - apart == keywords.__annotations__.keys()


def test_what_init_writes_runs_as_it_stands_and_is_never_written_over(cli: Cli, tmp_path: Path) -> None:
    assert cli("init").returncode == 0
    before = (tmp_path / "earwitness.toml").read_text("utf-8")
    assert 'models = ["fake:echo", "fake:chat"]' in before
    assert outcomes(cli("run", "--json")) == ["done", "done"]
    again = cli("init")
    assert again.returncode == 2
    assert "already exists" in again.stderr
    assert cli("init", "--force").returncode == 0
    assert (tmp_path / "earwitness.toml").read_text("utf-8") == before


def test_what_init_writes_explains_every_key_and_shows_the_default(tmp_path: Path) -> None:
    text = TEMPLATE.read_text("utf-8").replace("@MODELS@", '["fake:echo"]')
    path = write(tmp_path, text)
    plain = read(path)
    for field in fields(StudyFile):
        assert re.search(rf"^(# )?{field.name}\b", text, re.MULTILINE), field.name
    assert all(f"{field.name} = " in text for field in (*fields(StudyData), *fields(Variant)))
    path.write_text(
        re.sub(r"^# (?=[a-z_]+ = )(?!policy|speech|terms)", "", text.partition("# Models of your own")[0], flags=re.M)
    )
    assert read(path) == plain


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[study]\nmodles = []", "has an unknown key 'study.modles'. Did you mean 'models'?"),
        ("[study]\ndata = [{ source = 'x', limt = 1 }]", "unknown key 'study.data.1.limt'. Did you mean 'limit'?"),
        ("[study]\nmodels = [{ id = 'a:b', setings = {} }]", "'study.models.1.setings'. Did you mean 'settings'?"),
        ("[study]\ndata = ['sample']\nmodels = [{ preset = 'native' }]", "needs 'study.models.1.id'."),
        (f"{OK}[study.scoring]\nnormaliser = 'x'", "Did you mean 'normalizer'?"),
        (f"{OK}warmup = 'two'", "'study.warmup' must be a whole number, and it is 'two'."),
        (f"{OK}clean = 1", "'study.clean' must be true or false, and it is 1."),
        (f"{OK}preset = 'fast'", "'study.preset' must be 'matched' or 'native', and it is 'fast'."),
        ("[study]\ndata = ['sample']\nmodels = []", "[study] names no models."),
        ("[study]\ndata = 'sample'\nmodels = ['a:b']", "'study.data' must be a list, and it is 'sample'."),
        ("[[model]]\n", "has no table [study]"),
        ("[study", "is not TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_study_file_is_one_sentence_with_the_file(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(write(tmp_path, text))
    assert message in str(caught.value)
    assert repr(str(tmp_path / "earwitness.toml")) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_table_is_refused_by_every_command(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, "[studdy]\n")
    done = cli("run", "sample", "--model", "fake:echo")
    assert (done.returncode, done.stderr) == (
        2, "'earwitness.toml' has an unknown table 'studdy'. Did you mean 'study'?\n"
    )  # fmt: skip


def test_models_have_settings_presets_and_devices_of_their_own(tmp_path: Path) -> None:
    study = read(
        write(
            tmp_path,
            """
            [study]
            data = ["a", { source = "b", limit = 3, tags = { kind = "speech" }, language = "de", channel = 1 }]
            models = ["fake:echo", { id = "fake:m", preset = "native", settings = { vad = true }, devices = ["cpu"] }]
            devices = ["auto", "cuda"]
            settings = { beam_size = 5 }
            measure = ["latency"]
            [study.scoring]
            align = "sclite"
            """,
        )
    )
    found = list(specs(study, ("run",)))
    assert [(r.sources, r.device, r.preset, dict(r.settings)) for r in found[:3]] == [
        (("a",), "auto", "matched", {"beam_size": 5}),
        (("a",), "cuda", "matched", {"beam_size": 5}),
        (("a",), "cpu", "native", {"beam_size": 5, "vad": True}),
    ]
    assert len(found) == 6
    last = found[-1]
    assert (last.limit, last.tags, last.language, last.channel) == (3, {"kind": "speech"}, "de", 1)
    assert (last.measure, last.align, last.command) == (("latency",), "sclite", ("run",))


def test_the_keys_of_an_earlier_version_are_still_read(tmp_path: Path) -> None:
    study = read(write(tmp_path, f"{OK}timeout = 9\n[study.scoring]\nalign = 'sclite'\n"))
    assert (study.timeout_s, study.align) == (9.0, "sclite")
    with pytest.raises(UsageError, match=r"has an unknown key 'study.scoring'"):
        read(write(tmp_path, f"{OK}scoring = 1\n"))
    with pytest.raises(UsageError, match=r"warmup must be at least 0, not -1"):
        list(specs(read(write(tmp_path, f"{OK}warmup = -1\n")), ()))


def test_a_study_is_done_once_and_what_changed_is_done_anew(cli: Cli, tmp_path: Path, three_clips: Path) -> None:
    study = '[study]\ndata = ["three.jsonl"]\nmodels = ["fake:echo", "fake:chat"]\n'
    write(tmp_path, study)
    assert outcomes(cli("run", "--json")) == ["done", "done"]
    assert outcomes(cli("run", "--json")) == ["skipped", "skipped"]
    told = cli("run")
    assert told.stdout.startswith("skipped: fake:echo on three: WER ")
    assert len(records(tmp_path)) == 2
    write(tmp_path, study + 'settings = { beam_size = 2 }\n[study.scoring]\nnormalizer = "basic"\n')
    assert outcomes(cli("run", "--json")) == ["done", "done"]
    write(tmp_path, study)
    edited = next(path for path in records(tmp_path) if store.read_run(path).settings_asked.beam_size == 1)
    lines = store.clips_path(edited)
    lines.write_text(lines.read_text("utf-8").replace("seconds", "minutes").replace("sorry", "glad"), encoding="utf-8")
    assert sorted(outcomes(cli("run", "--json"))) == ["done", "skipped"]
    three_clips.write_text(three_clips.read_text("utf-8").replace("two words", "other words"), encoding="utf-8")
    assert outcomes(cli("run", "--json")) == ["done", "done"]
    write(tmp_path, study.replace('"fake:chat"', '"fake:empty"') + 'conditions = ["mulaw"]\n')
    assert outcomes(cli("run", "--json")) == ["skipped", "done", "done", "done"]


def test_a_record_of_another_machine_is_no_answer(cli: Cli, tmp_path: Path, three_clips: Path) -> None:
    write(tmp_path, '[study]\ndata = ["three.jsonl"]\nmodels = ["fake:echo"]\n')
    assert outcomes(cli("run", "--json")) == ["done"]
    (path,) = records(tmp_path)
    record = json.loads(path.read_text("utf-8"))
    record["environment"]["cores"] += 1
    path.write_text(json.dumps(record), encoding="utf-8")
    assert outcomes(cli("run", "--json")) == ["done"]


def test_the_study_is_found_from_a_folder_below_and_its_paths_are_its_own(
    cli: Cli, tmp_path: Path, three_clips: Path
) -> None:
    script(tmp_path / "m", _1={"text": "one"}, _2={"text": "two words"}, _3={"text": "three little words"})
    rows = '[[model]]\nid = "fake:mine"\nengine = "fake"\nweights_id = "mine"\nsources = ["path:m"]\n'
    write(tmp_path, f'[study]\ndata = ["three.jsonl"]\nmodels = ["fake:mine", "fake:./m"]\n{rows}')
    below = tmp_path / "some" / "where"
    below.mkdir(parents=True)
    done = cli("run", cwd=below)
    assert done.returncode == 0, done.stderr
    assert f"In {tmp_path}:" in done.stderr
    assert [store.read_run(path).score("wer").value for path in records(tmp_path)] == [0.0, 0.0]  # type: ignore[union-attr]
    assert not (below / "runs").exists()
    assert outcomes(cli("run", "--json", cwd=below)) == ["skipped", "skipped"]
    assert cli("run", tmp_path / "three.jsonl", "-m", "fake:mine", cwd=below).returncode == 0
    assert outcomes(cli("run", "--json", "--out", "mine", cwd=below)) == ["done", "done"]
    assert (below / "mine").is_dir()


def test_options_typed_without_data_are_refused_by_name(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, '[study]\ndata = ["sample"]\nmodels = ["fake:echo"]\n')
    for typed in (("--model", "fake:chat"), ("--set", "beam_size=2"), ("--no-clean",), ("--budget-s", "9")):
        done = cli("run", *typed)
        assert done.returncode == 2
        assert done.stderr.startswith(f"{typed[0].replace('no-', '')} needs DATA: without it, the options come from ")
    assert not (tmp_path / "runs").exists()


def test_without_a_study_the_way_to_one_is_told(cli: Cli, tmp_path: Path) -> None:
    done = cli("run")
    assert done.returncode == 2
    assert "Write a study file: earwitness init" in done.stderr
    write(tmp_path, "")
    assert "has no table [study]" in cli("run").stderr


def test_a_device_that_is_not_here_is_said_and_the_rest_is_run(cli: Cli, tmp_path: Path, three_clips: Path) -> None:
    write(tmp_path, '[study]\ndata = ["three.jsonl"]\nmodels = ["fake:echo"]\ndevices = ["cpu", "tpu"]\n')
    done = cli("run", "--json")
    assert outcomes(done) == ["done", "not run here"]
    assert "tpu" in json.loads(done.stdout)[1]["reason"]
    write(tmp_path, '[study]\ndata = ["three.jsonl"]\nmodels = ["fake:echo"]\ndevices = ["tpu"]\n')
    assert cli("run").returncode == 2


def test_what_is_asked_twice_is_refused(cli: Cli, tmp_path: Path, three_clips: Path) -> None:
    write(tmp_path, '[study]\ndata = ["three.jsonl"]\nmodels = ["fake:echo", { id = "fake:echo" }]\n')
    done = cli("run")
    assert (done.returncode, done.stderr) == (
        2, "The study has fake:echo on three twice. Remove one, or give it other settings.\n"
    )  # fmt: skip


def test_everything_is_refused_before_anything_is_run(cli: Cli, tmp_path: Path, three_clips: Path) -> None:
    write(tmp_path, '[study]\ndata = ["three.jsonl", "nowhere.jsonl"]\nmodels = ["fake:echo"]\n')
    assert cli("run").returncode == 2
    write(tmp_path, '[study]\ndata = ["three.jsonl"]\nmodels = ["fake:echo"]\nmeasure = ["speed"]\n')
    assert "There is no protocol 'speed'" in cli("run").stderr
    assert not (tmp_path / "runs").exists()


def test_a_record_that_cannot_be_read_is_named_and_stops_nobody(cli: Cli, tmp_path: Path, three_clips: Path) -> None:
    write(tmp_path, '[study]\ndata = ["three.jsonl"]\nmodels = ["fake:echo"]\n')
    assert outcomes(cli("run", "--json")) == ["done"]
    (path,) = records(tmp_path)
    path.write_text(path.read_text("utf-8").replace('"schema_version": 1', '"schema_version": 99'), encoding="utf-8")
    done = cli("run", "--json")
    assert outcomes(done) == ["done"]
    assert "has schema version 99" in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="there are no POSIX signals here: run it on Linux")
def test_a_study_killed_at_work_goes_on_and_comes_to_the_same_scores(
    cli: Cli, tmp_path: Path, three_clips: Path
) -> None:
    slow: dict[str, dict[str, Any]] = {
        f"_{n}": {"text": text, "sleep_s": 1.0} for n, text in ((1, "one"), (2, "to words"), (3, "little"))
    }
    script(tmp_path / "a", **slow)
    script(tmp_path / "b", **slow)
    write(tmp_path, '[study]\ndata = ["three.jsonl"]\nmodels = ["fake:./a", "fake:./b", "fake:echo"]\nwarmup = 0\n')
    quiet = subprocess.DEVNULL
    command = [sys.executable, "-m", "earwitness", "run", "--one-by-one"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=quiet, stderr=quiet)
    deadline = time.monotonic() + 120
    while lines_written(tmp_path, "b") < 1:
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert outcomes(cli("run", "--json")) == ["skipped", "resumed", "done"]
    assert len(records(tmp_path)) == 3
    killed = scores(tmp_path)
    (tmp_path / "runs").rename(tmp_path / "killed")
    assert outcomes(cli("run", "--json")) == ["done", "done", "done"]
    assert scores(tmp_path) == killed
    assert outcomes(cli("run", "--json")) == ["skipped", "skipped", "skipped"]


def lines_written(root: Path, model: str) -> int:
    return sum(path.read_bytes().count(b"\n") for path in root.glob(f"runs/*-{model}/asr/*.clips.jsonl"))


def scores(root: Path) -> dict[str, Any]:
    runs = [store.read_run(path) for path in records(root)]
    assert {run.status for run in runs} == {"complete"}
    return {run.model.id: run.scores for run in runs}


def test_a_bundle_carries_what_is_measured(cli: Cli, tmp_path: Path, three_clips: Path) -> None:
    done = cli("bundle", three_clips, "-m", "fake:echo", "--measure", "latency", "--budget-s", "9", "--out", "b.zip")
    assert done.returncode == 0, done.stderr
    study = read_study(bundle.read(tmp_path / "b.zip"))
    assert (study.measure, study.budget_s) == (("latency",), 9.0)
    (answer,) = json.loads(cli("run", "b.zip", "--json").stdout)
    assert answer["measurements"]["latency"] is not None
    assert store.read_run(tmp_path / answer["record"]).measure.budget_s == 9.0
    (bare,) = json.loads(cli("run", "b.zip", "--budget-s", "8", "--json").stdout)
    assert store.read_run(tmp_path / bare["record"]).measure.budget_s == 8.0
    refused = cli("bundle", three_clips, "-m", "fake:echo", "--measure", "speed", "--out", "c.zip")
    assert (refused.returncode, (tmp_path / "c.zip").exists()) == (2, False)
