"""Runs are real here: real processes are killed, real disks are full, and every result is still there."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import psutil
import pytest

from earwitness.errors import RecordError
from earwitness.records import store
from earwitness.records.record import ClipResult, Run
from earwitness.types import Clip, ClipScore, DecodedSegment, Hypothesis, Transcript

HOLDS = (
    "drive.py", "session.py", "transcribe.py", "cli/rescore.py", "cli/run.py", "cli/run_output.py", "engines/fake.py",
)  # fmt: skip

Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    def run(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "earwitness", *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, **options)

    return run


def script(folder: Path, **answers: dict[str, Any]) -> str:
    """A fake model that answers by the number of seconds of a clip; ``other`` for the rest."""
    folder.mkdir(exist_ok=True)
    by_samples = {"*" if key == "other" else str(16_000 * int(key[1:])): value for key, value in answers.items()}
    (folder / "script.json").write_text(json.dumps(by_samples))
    return f"fake:{folder}"


def only_record(root: Path) -> Path:
    (path,) = store.find_records([root / "runs"])
    return path


def record(root: Path) -> Run:
    return store.read_run(only_record(root))


def texts(root: Path) -> dict[str, str | None]:
    return {
        result.clip.id: result.hypothesis.transcript.text if result.hypothesis.transcript else None
        for result in store.read_clips(only_record(root))
    }


def test_a_run_leaves_a_record_that_fits_its_published_schema(cli: Cli, three_clips: Path, tmp_path: Path) -> None:
    model = script(tmp_path / "m", _1={"text": "one"}, _2={"text": "too words"}, _3={"text": "three little words"})
    done = cli("run", three_clips, "--model", model)
    assert done.returncode == 0, done.stderr
    run = record(tmp_path)
    assert run.status == "complete"
    assert texts(tmp_path) == {"clip1": "one", "clip2": "too words", "clip3": "three little words"}
    wer = run.score("wer")
    assert wer is not None
    assert wer.value == pytest.approx(1 / 6)
    assert (run.device_asked, run.device_used) == ("auto", "cpu")
    assert run.settings_in_force["threads"] == 1
    assert run.speed is not None
    assert run.speed.n_timed == 3
    assert run.workers is not None
    assert (run.workers.n_warmup, run.workers.n_started) == (1, 1)
    docs = Path(__file__).parents[2] / "docs" / "schema"
    path = only_record(tmp_path)
    jsonschema.validate(json.loads(path.read_text()), json.loads((docs / "run.json").read_text()))
    for line in store.clips_path(path).read_text().splitlines():
        jsonschema.validate(json.loads(line), json.loads((docs / "clip-result.json").read_text()))


def test_one_bad_clip_of_each_kind_does_not_end_the_run(cli: Cli, tmp_path: Path, three_clips: Path) -> None:
    model = script(tmp_path / "m", _1={"model": "crash"}, _2={"model": "error"}, _3={"text": "three little words"})
    with three_clips.open("a") as manifest:
        manifest.write('{"audio_filepath": "gone.wav", "text": "x", "id": "gone", "duration": 1}\n')
        (tmp_path / "bad.wav").write_text("not audio")
        manifest.write('{"audio_filepath": "bad.wav", "text": "x", "id": "bad"}\n')
    done = cli("run", three_clips, "--model", model)
    assert done.returncode == 0, done.stderr
    failures = {r.clip.id: r.hypothesis.failure for r in store.read_clips(only_record(tmp_path))}
    assert {id_: (f.stage, f.kind) for id_, f in failures.items() if f} == {
        "clip1": ("transcribe", "crash"),
        "clip2": ("transcribe", "error"),
        "gone": ("audio", "error"),
        "bad": ("audio", "error"),
    }
    run = record(tmp_path)
    assert run.score("failed_clips").value == 4  # type: ignore[union-attr]
    assert run.speed is not None
    assert run.speed.n_timed == 1


def test_a_hang_is_cut_off_by_the_budget(cli: Cli, tmp_path: Path, three_clips: Path) -> None:
    model = script(tmp_path / "m", _1={"model": "hang"}, other={"text": "x"})
    done = cli("run", three_clips, "--model", model, "--timeout", "1", "--warmup", "0", "--set", "threads=1")
    assert done.returncode == 0, done.stderr
    failure = store.read_clips(only_record(tmp_path))[0].hypothesis.failure
    assert failure is not None
    assert failure.kind == "timeout"
    assert "No answer within 10 s" in failure.message  # ten times its one second of audio


def test_a_model_that_always_dies_fails_the_run_and_exits_1(cli: Cli, tmp_path: Path, three_clips: Path) -> None:
    done = cli("run", three_clips, "--model", "fake:crash", "--json")
    assert done.returncode == 1
    (answer,) = json.loads(done.stdout)
    assert answer["status"] == "failed"
    assert "3 workers died one after the other" in answer["failure"]["message"]
    assert len(store.read_clips(only_record(tmp_path))) == 3


def waiting_for(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def started(tmp_path: Path, *arguments: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "earwitness", *map(str, arguments)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, cwd=tmp_path, text=True, **quiet)  # type: ignore[call-overload,no-any-return]


def lines_written(root: Path) -> int:
    files = list((root / "runs").rglob("*.clips.jsonl")) if (root / "runs").exists() else []
    return files[0].read_bytes().count(b"\n") if files else 0


@pytest.mark.skipif(os.name != "posix", reason="there are no POSIX signals here: run it on Linux")
@pytest.mark.parametrize("kill_after", [0, 1, 2])
def test_killed_at_any_clip_and_resumed_the_scores_are_the_same(
    cli: Cli, tmp_path: Path, three_clips: Path, kill_after: int
) -> None:
    answers = {f"_{n}": {"text": text, "sleep_s": 0.4} for n, text in ((1, "one"), (2, "to words"), (3, "little"))}
    model = script(tmp_path / "m", **answers)
    process = started(tmp_path, "run", three_clips, "--model", model, "--warmup", "0")
    waiting_for(lambda: (tmp_path / "runs").exists() and lines_written(tmp_path) >= kill_after)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = lines_written(tmp_path)
    records = list((tmp_path / "runs").rglob("*.json"))
    if records:  # killed before the record was begun, there is nothing to resume
        assert record(tmp_path).status == "running"
        with store.clips_path(records[0]).open("ab") as clips:
            clips.write(b'{"clip": {"id": "clip2", "audio_pa')  # as a full disk or a power cut would leave it
        done = cli("run", "--resume")
        assert done.returncode == 0, done.stderr
        assert record(tmp_path).resumed == 1
    else:
        (tmp_path / "runs").rename(tmp_path / "unbegun")
        assert cli("run", three_clips, "--model", model).returncode == 0
    assert lines_written(tmp_path) == 3 >= before
    resumed = record(tmp_path)
    (tmp_path / "runs").rename(tmp_path / "resumed")
    assert cli("run", three_clips, "--model", model).returncode == 0
    assert resumed.scores == record(tmp_path).scores
    assert resumed.status == "complete"
    assert cli("run", "--resume").stderr.strip() == "Nothing to do: every record is complete."


@pytest.mark.skipif(os.name != "posix", reason="there are no POSIX signals here: run it on Linux")
@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_everything_at_once_and_the_record_can_be_resumed(
    cli: Cli, tmp_path: Path, three_clips: Path, signal_: signal.Signals
) -> None:
    model = script(tmp_path / "m", _1={"text": "one"}, _2={"model": "hang"}, _3={"text": "x"})
    process = started(tmp_path, "run", three_clips, "--model", model, "--warmup", "0")
    waiting_for(lambda: lines_written(tmp_path) == 1)
    workers = psutil.Process(process.pid).children(recursive=True)
    assert workers
    process.send_signal(signal_)
    assert process.wait(timeout=120) == 130
    assert not any(worker.is_running() for worker in workers)
    assert record(tmp_path).status == "interrupted"
    script(tmp_path / "m", _1={"text": "one"}, _2={"text": "two words"}, _3={"text": "three little words"})
    done = cli("run", "--resume")
    assert "the weights changed since" in done.stderr  # the script is this model's weights
    assert done.returncode == 2


@pytest.fixture
def interrupted(tmp_path: Path, three_clips: Path) -> tuple[str, str]:
    """A run of three clips that Ctrl-C ended after the first: its model, and what it printed."""
    model = script(tmp_path / "m", _1={"text": "one"}, _2={"model": "hang"}, _3={"text": "x"})
    command = [sys.executable, "-m", "earwitness", "run", str(three_clips), "--model", model, "--warmup", "0"]
    process = subprocess.Popen(command, cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    waiting_for(lambda: lines_written(tmp_path) == 1)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 130
    return model, out


def test_ctrl_c_says_what_is_kept_and_how_to_go_on(interrupted: tuple[str, str], tmp_path: Path) -> None:
    model, out = interrupted
    path = only_record(tmp_path).relative_to(tmp_path)
    assert f"Interrupted. Finished clips are kept ({model} on three: 1 of 3 clips)." in out
    assert f"To continue: earwitness run --resume {path}" in out


def test_a_run_typed_again_with_resume_goes_on(
    cli: Cli, interrupted: tuple[str, str], tmp_path: Path, three_clips: Path
) -> None:
    model, _ = interrupted
    path = only_record(tmp_path)
    store.write_run(path, replace(record(tmp_path), limits=replace(record(tmp_path).limits, timeout_floor_s=1.0)))
    other = cli("run", three_clips, "--model", model, "--resume")
    assert other.returncode == 2
    assert "was begun with other limits than this command has." in other.stderr
    done = cli("run", three_clips, "--model", model, "--warmup", "0", "--timeout", "1", "--resume")
    assert done.returncode == 0, done.stderr
    assert only_record(tmp_path) == path
    assert (record(tmp_path).status, record(tmp_path).resumed) == ("complete", 1)
    again = cli("run", three_clips, "--model", model, "--warmup", "0", "--timeout", "1", "--resume")
    assert again.returncode == 0, again.stderr
    assert "Nothing to do" in again.stderr


def test_resume_of_what_was_never_begun_is_refused(cli: Cli, tmp_path: Path, three_clips: Path) -> None:
    done = cli("run", three_clips, "--model", "fake:echo", "--resume")
    assert done.returncode == 2
    assert "There is no interrupted run of this command in 'runs'. To start one, leave out --resume." in done.stderr


def test_a_record_that_is_being_written_is_not_resumed_twice(cli: Cli, tmp_path: Path, three_clips: Path) -> None:
    model = script(tmp_path / "m", other={"model": "hang"})
    process = started(tmp_path, "run", three_clips, "--model", model, "--warmup", "0")
    try:
        waiting_for(lambda: bool(list((tmp_path / "runs").rglob("*.json"))) if (tmp_path / "runs").exists() else False)
        done = cli("run", "--resume")
        assert done.returncode == 2
        assert f"is being written by process {process.pid}" in done.stderr
    finally:
        process.terminate()
        process.wait()


def test_changed_data_are_not_mixed_into_an_old_record(cli: Cli, tmp_path: Path, three_clips: Path) -> None:
    assert cli("run", three_clips, "--model", "fake:crash").returncode == 1
    three_clips.write_text(three_clips.read_text().replace("two words", "other words"))
    done = cli("run", "--resume")
    assert done.returncode == 2
    assert "cannot be resumed: the data changed since" in done.stderr


@pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="there is no /dev/full here, which stands for a full disk: run it on Linux"
)
def test_a_full_disk_is_one_sentence_and_loses_nothing(
    tmp_path: Path, three_clips: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from earwitness.cli import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(store, "append", full_after(2, store.append))
    assert main(["run", str(three_clips), "--model", "fake:echo"]) == 2
    assert "the disk is full. Free some space, then run: earwitness run --resume" in capsys.readouterr().err
    assert len(store.read_clips(only_record(tmp_path))) == 2
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert main(["run", "--resume"]) == 0
    assert record(tmp_path).status == "complete"
    assert len(store.read_clips(only_record(tmp_path))) == 3


def full_after(n_lines: int, append: Callable[..., None]) -> Callable[..., None]:
    """Really writes to a full device once so many lines are written."""
    calls = iter(range(100))

    def appended(file: Any, result: Any) -> None:
        if next(calls) < n_lines:
            append(file, result)
        else:
            with Path("/dev/full").open("wb") as full:
                append(full, result)

    return appended


def test_a_folder_that_cannot_be_written_is_one_sentence(cli: Cli, tmp_path: Path, three_clips: Path) -> None:
    (tmp_path / "runs").write_text("a file where a folder should be")
    done = cli("run", three_clips, "--model", "fake:echo")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("Cannot write 'runs/fake-echo/asr': Not a directory. Choose")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "is not a run record"),
        ('{"schema_version": 99}', "has schema version 99; this Earwitness reads up to 1. Upgrade it."),
        ('{"schema_version": 1, "id": 5}', "does not fit the record's schema: "),
        ("[]", "does not fit the record's schema"),
    ],
)
def test_a_record_that_cannot_be_read_says_why(tmp_path: Path, content: str, sentence: str) -> None:
    path = tmp_path / "r.json"
    path.write_text(content)
    with pytest.raises(RecordError, match=sentence):
        store.read_run(path)


def test_two_runs_in_one_second_get_two_records(tmp_path: Path) -> None:
    paths = {store.new_record_path(tmp_path) for _ in range(5)}
    assert len(paths) == 5


def test_rescoring_names_its_parent_and_changes_no_text(cli: Cli, tmp_path: Path, three_clips: Path) -> None:
    model = script(tmp_path / "m", _1={"text": "One!"}, _2={"text": "two words"}, _3={"text": "three little words"})
    assert cli("run", three_clips, "--model", model).returncode == 0
    first = only_record(tmp_path)
    done = cli("rescore", "runs", "--normalizer", "none", "--json")
    (made,) = json.loads(done.stdout)
    old, new = store.read_run(first), store.read_run(tmp_path / made)
    assert new.parent == old.id
    assert (old.score("wer").value, new.score("wer").value) == (0.0, pytest.approx(1 / 6))  # type: ignore[union-attr]
    strip = [(r.clip, r.hypothesis) for r in store.read_clips(first)]
    assert strip == [(r.clip, r.hypothesis) for r in store.read_clips(tmp_path / made)]
    same = cli("rescore", str(first), "--json")
    assert store.read_run(tmp_path / json.loads(same.stdout)[0]).scores == old.scores


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "Name some data"),
        (("sample",), "Name a model with --model"),
        (("sample", "-m", "faster-whisper:tini.en"), "Did you mean 'faster-whisper:tiny.en'"),
        (("sample", "-m", "fake:echo", "--set", "beamsize=2"), "Did you mean 'beam_size'"),
        (("sample", "-m", "fake:echo", "--device", "tpu"), "does not run on 'tpu'"),
        (("sample", "-m", "fake:echo", "--tag", "kind"), "is not KEY=VALUE"),
        (("sample", "-m", "fake:echo", "--tag", "kind=opera"), "has no clips left"),
        (("sample", "-m", "fake:echo", "--normalizer", "basik"), "Did you mean 'basic'"),
        (("nowhere/", "-m", "fake:echo"), "There is no data 'nowhere/'"),
    ],
)
def test_what_cannot_work_is_refused_in_one_sentence_before_the_first_clip(
    cli: Cli, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    done = cli("run", *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "runs").exists()


def test_a_record_keeps_a_segment_without_what_its_decoder_said() -> None:
    segment = DecodedSegment(0.0, 1.0, "hello", avg_logprob=-0.5, tokens=(1, 2))
    line = io.BytesIO()
    store.append(
        line,
        ClipResult(
            Clip("a", "/a.wav", "0" * 64, 0.0, 1.0, None),
            Hypothesis("a", Transcript("hello", (segment,)), None, audio_s=1.0),
            ClipScore("a", None, None, failed=False, hypothesis_words=1),
        ),
    )
    row = json.loads(line.getvalue())
    jsonschema.validate(row, store.clips_schema())
    assert row["hypothesis"]["transcript"]["segments"] == [{"start_s": 0.0, "end_s": 1.0, "text": "hello"}]
