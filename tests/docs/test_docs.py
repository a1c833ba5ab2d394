"""What the documents show runs, word for word."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import socket
import subprocess
import sys
import tomllib
from dataclasses import MISSING, fields
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.contract.servers import Asked, Says, samples_in, server

from earwitness.records import store
from earwitness.types import Segment

ROOT = Path(__file__).parents[2]
DOCS = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"]


def blocks(path: Path, language: str) -> dict[str, str]:
    """Code blocks of a language, by title or by number."""
    found = re.findall(
        rf'^```{language}(?: title="(\S+)")?\n(.*?)^```', path.read_text("utf-8"), re.DOTALL | re.MULTILINE
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
    from earwitness.cli.commands import COMMANDS

    for command in re.findall(r"^(?:\$ )?earwitness ([a-z]+)", path.read_text("utf-8"), re.MULTILINE):
        assert command in COMMANDS


@pytest.mark.parametrize(
    "tool",
    [
        "publish_schema.py",
        "publish_devices.py",
        "publish_measures.py",
        "publish_deploy.py",
        "publish_normalizers.py",
        "publish_reference.py",
    ],
)
def test_what_is_published_is_what_the_code_says(tool: str) -> None:
    done = subprocess.run([sys.executable, f"tools/{tool}", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + f"Run: python tools/{tool}"


def test_the_published_settings_are_those_of_the_engines() -> None:
    done = subprocess.run(
        [sys.executable, "tools/publish_settings.py", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr + "Run: python tools/publish_settings.py"


@pytest.mark.parametrize("title", ["command-row.toml", "server-row.toml"])
def test_the_rows_on_the_page_of_settings_are_rows(title: str, tmp_path: Path) -> None:
    (tmp_path / "earwitness.toml").write_text(blocks(ROOT / "docs" / "settings.md", "toml")[title], encoding="utf-8")
    code = (
        "from earwitness.engines.catalog import models; from earwitness.engines.registry import *;"
        "row = models()[-1]; require_options(get_engine(row.engine).spec, row.id, row.options); print(row.id)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(("command:", "openai-api:"))


def test_the_policy_on_the_page_is_one() -> None:
    from earwitness.decision.policy import parse

    policy = parse(blocks(ROOT / "docs" / "policy.md", "toml")["ours.toml"], "ours.toml")
    assert len(policy.text.splitlines()) == 10
    assert len(policy.rules) == 4


def test_every_key_of_a_policy_is_on_the_page() -> None:
    page = (ROOT / "docs" / "policy.md").read_text("utf-8")
    for key in ("name", "summary", "[gates]", "[targets]", "[weights]", "[[use]]", "at_most", "at_least", "research",
                "by", "dataset", "condition", "device", "why", "licence"):  # fmt: skip
        assert f"`{key}`" in page


def test_the_decision_on_the_page_is_the_one_that_is_made(tmp_path: Path) -> None:
    from tests.comparison.study import write_study

    write_study(tmp_path / "study" / "runs")
    done = subprocess.run(
        [sys.executable, "-m", "earwitness", "decide", "study/runs"],
        cwd=tmp_path,
        env={**os.environ, "COLUMNS": "240"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    printed = [" ".join(line.split()) for line in done.stdout.splitlines()]
    shown = blocks(ROOT / "docs" / "policy.md", "text")["example"].splitlines()
    assert [line for line in shown if " ".join(line.split()) not in printed] == []


def test_the_rules_on_the_page_of_metrics_do_what_the_page_says(tmp_path: Path) -> None:
    from earwitness.scoring.text import normalizer

    page = ROOT / "docs" / "metrics.md"
    file = tmp_path / "rules.toml"
    file.write_text(blocks(page, "toml")["rules.toml"], encoding="utf-8")
    text, words = re.findall(r'^"(.+)" is `(.+)` under these', page.read_text("utf-8"), re.MULTILINE)[0]
    assert normalizer(str(file)).words(text, "en") == words.split()


def test_the_server_on_the_page_of_the_api_serves_and_ends(tmp_path: Path) -> None:
    (tmp_path / "serve.py").write_text(blocks(ROOT / "docs" / "api.md", "python")["serve_two_seconds.py"])
    done = subprocess.run([sys.executable, "serve.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    first, last = done.stdout.splitlines()
    assert first.startswith("listening on http://127.0.0.1:")
    assert last == "done"
    assert '"server has ended"' in done.stderr


def written(page: str, folder: Path) -> Path:
    """The files of a page, written where a reader would write them."""
    for language in ("python", "toml"):
        for title, code in blocks(ROOT / "docs" / page, language).items():
            (folder / title).write_text(code, encoding="utf-8")
    return folder


def installed(folder: Path) -> Path:
    """What pip would make of the project in a folder: its module, and its metadata with the entry points."""
    tables = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
    project = tables["project"]
    target = folder / "installed"
    info = target / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    lines = ["[earwitness.engines]", *(f"{k} = {v}" for k, v in project["entry-points"]["earwitness.engines"].items())]
    (info / "entry_points.txt").write_text("\n".join(lines))
    (module,) = tables["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    (folder / module).rename(target / module)
    return target


def run_model(model: str, folder: Path, target: Path, **environment: str) -> str:
    command = [sys.executable, "-m", "earwitness", "run", "sample", "--model", model, "--limit", "3"]
    around = {**os.environ, "PYTHONPATH": str(target), **environment}
    done = subprocess.run(command, cwd=folder, env=around, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def babble(tmp_path: Path) -> Path:
    return written("add-an-engine.md", tmp_path)


def test_the_engine_on_the_page_runs(babble: Path) -> None:
    assert "babble:loud on sample[:3]: WER" in run_model("babble:loud", babble, installed(babble))


@pytest.mark.real
@pytest.mark.long
def test_the_engine_on_the_page_can_be_installed_with_pip(babble: Path) -> None:
    target = babble / "installed"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), "."]
    subprocess.run(command, cwd=babble, check=True, capture_output=True)
    assert "babble:loud on sample[:3]: WER" in run_model("babble:loud", babble, target)


def test_the_cloud_vendor_on_the_page_runs_against_a_server_that_answers_like_it(tmp_path: Path) -> None:
    def answer(asked: Asked) -> Says:
        samples_in(asked.body)
        words = [{"word": "hello", "punctuated_word": "Hello.", "start": 0.1, "end": 0.4, "confidence": 0.9}]
        best = {"transcript": "Hello.", "confidence": 0.9, "words": words}
        return Says({"metadata": {}, "results": {"channels": [{"alternatives": [best]}]}}, wait_s=0.05)

    folder = written("cloud-vendor.md", tmp_path)
    with server(answer) as (url, seen):
        row = (folder / "earwitness.toml").read_text("utf-8")
        (folder / "earwitness.toml").write_text(row.replace('"nova-3" }', f'"nova-3", base_url = "{url}" }}'))
        run_model("deepgram:nova-3", folder, installed(folder), DEEPGRAM_API_KEY="secret-key-of-the-test")
    assert {asked.path for asked in seen} == {"/v1/listen?model=nova-3&punctuate=true&language=en"}
    assert {asked.headers["authorization"] for asked in seen} == {"Token secret-key-of-the-test"}
    (path,) = store.find_records([folder / "runs"])
    run, results = store.read_run(path), store.read_clips(path)
    assert (run.device_used, run.model.options) == ("remote", {"model": "nova-3", "base_url": url})
    for result in results:
        transcript = result.hypothesis.transcript
        assert transcript is not None
        assert (transcript.text, transcript.words) == ("Hello.", (Segment(0.1, 0.4, "Hello."),))
        assert transcript.network_s is not None
        assert result.hypothesis.wall_s is not None
        assert result.hypothesis.wall_s - transcript.network_s >= 0.05
    assert "secret-key-of-the-test" not in path.read_text() + store.clips_path(path).read_text()


@pytest.mark.real
@pytest.mark.long
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


def test_the_walk_on_the_page_of_the_pipeline_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from earwitness.cli import main
    from earwitness.engines.catalog import models

    written("pipeline.md", tmp_path)
    monkeypatch.chdir(tmp_path)
    models.cache_clear()
    for command in "".join(blocks(ROOT / "docs" / "pipeline.md", "console").values()).splitlines():
        arguments = shlex.split(command.removeprefix("$ earwitness "))
        if "--sql" in arguments and find_spec("duckdb") is None:
            continue
        if arguments[0] == "gate":  # a busy machine is no fault of the page
            arguments += ["--slower", "1000"]
        assert main(arguments) == 0, f"{command}: {capfd.readouterr()}"
    models.cache_clear()
    assert "The gate is open" in (tmp_path / "gate.md").read_text("utf-8")
    assert len(store.find_records([tmp_path / "runs"])) == 2


def test_the_page_of_the_pipeline_names_every_key_and_every_column() -> None:
    from earwitness.records.query import TABLES
    from earwitness.runs.study_file import StudyData, StudyFile, Variant

    page = (ROOT / "docs" / "pipeline.md").read_text("utf-8")
    keys = {field.name: field.default for field in fields(StudyFile)}
    for name, default in keys.items():
        shown = re.search(rf"^\| `{name}` \| (?:`(.*?)`)? ?\|", page, re.MULTILINE)
        assert shown, name
        if shown[1] is not None and default is not MISSING:
            expected = list(default) if isinstance(default, tuple) else default
            assert tomllib.loads(f"x = {shown[1]}")["x"] == expected, name
    for kind in (StudyData, Variant):
        assert all(f"`{field.name}`" in page for field in fields(kind))
    for table, columns in TABLES.items():
        assert f"| `{table}` | {', '.join(f'`{name}`' for name in columns)} |" in page


@pytest.mark.real
def test_the_commands_on_the_page_about_watching_run(tmp_path: Path) -> None:
    from tests.server.serving import running, write_decision

    write_decision(tmp_path / "decision.json", "fake:slow", promise={"wer": 2.0})
    page = (ROOT / "docs" / "watching.md").read_text("utf-8")
    lines = [line.split() for line in re.findall(r"^\$ earwitness (.+)$", page, re.MULTILINE)]
    shown = [line for line in lines if "--every" not in line]
    assert {line[0] for line in shown} == {"load", "canary", "deploy"}
    with running(tmp_path / "server", "--model", "fake:slow", "--workers", "2") as server:
        for line in shown:
            shorter = {"http://127.0.0.1:8000": server.url, "10": "0.2", "1,4": "4,8"}
            quick = [shorter.get(word, word) for word in line]
            quick += ["--limit", "2"] if line[0] != "deploy" else ["--no-hashes"]
            # In so short a time 114 requests that sleep 50 ms are not answered, and without them nothing can be told.
            quick += ["--budget-s", "2"] if line[0] == "load" else []
            done = subprocess.run(
                [sys.executable, "-m", "earwitness", *quick], cwd=tmp_path, capture_output=True, text=True, timeout=60
            )
            assert done.returncode == (1 if line[0] == "load" else 0), done.stderr
            assert ("it cannot be told from so few requests" in " ".join(done.stdout.split())) == (line[0] == "load")
    assert (tmp_path / "deployment" / "README.md").exists()


@pytest.mark.real
def test_the_collector_on_the_page_about_watching_prints_what_a_request_took(tmp_path: Path) -> None:
    from tests.server.serving import running, until

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    code = blocks(ROOT / "docs" / "watching.md", "python")["collector.py"].replace("4318", port)
    with (
        (tmp_path / "printed").open("w") as file,
        subprocess.Popen([sys.executable, "-c", code], stdout=file) as collector,
    ):
        try:
            around = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}", "OTEL_BSP_SCHEDULE_DELAY": "50"}
            with running(tmp_path, "--model", "fake:echo", "--workers", "1", around=around) as server:
                assert server.hear().status == 200
                until(lambda: len((tmp_path / "printed").read_text("utf-8").splitlines()) == 5)
        finally:
            collector.kill()
    printed = [line.split() for line in (tmp_path / "printed").read_text("utf-8").splitlines()]
    assert len({line[0] for line in printed}) == 1
    assert {line[1] for line in printed} == {"upload", "decode", "queue", "transcribe", "POST"}
