"""A run over a folder in which nearly everything is wrong: every clip has a result, and every reader of it is well."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from tests.audio.decoders import every_decoder_dies
from tests.conftest import tone
from tests.runs.jobs import job

from earwitness.audio import fence
from earwitness.data import load
from earwitness.data.audio_remarks import explain
from earwitness.records import store
from earwitness.runs.drive import start

pytestmark = pytest.mark.skipif(
    os.name != "posix", reason="there are no named pipes and no POSIX signals here: run it on Linux"
)
HEARD = "one \ud83d \x1b[2J\x9b31m </script><script>alert(1)</script> \x00 \u202e three"
IDS = ("\x1b[31mred\x07", "up/../../down\nline", "l" * 5000, "<b>\"'</script><script>alert(2)</script>")
ORDERS = set("\x1b\x07\x9b\x00\u202e")


@pytest.fixture
def hostile(tmp_path: Path, write_wav: Callable[..., Path]) -> Path:
    """A manifest of files that are no audio, and of texts and ids that give orders."""
    write_wav("data/good.wav")
    folder = tmp_path / "data"
    os.mkfifo(folder / "pipe.wav")
    (folder / "folder.wav").mkdir()
    (folder / "loop.wav").symlink_to("loop.wav")
    (folder / "dangling.wav").symlink_to("gone.wav")
    (folder / "empty.wav").touch()
    (folder / "noise.wav").write_bytes(np.random.default_rng(0).bytes(5000))
    (folder / "half.wav").write_bytes((folder / "good.wav").read_bytes()[:9000])
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(folder)
        listener.bind("socket.wav")
    os.chdir(tmp_path)
    names = ("pipe", "folder", "loop", "dangling", "empty", "noise", "half", "socket", "missing")
    rows: list[dict[str, Any]] = [{"audio_filepath": f"{name}.wav", "id": name, "text": "one"} for name in names]
    rows.append({"audio_filepath": "/dev/zero", "id": "device", "text": "one"})
    rows += [{"audio_filepath": "good.wav", "id": id_, "text": HEARD.replace("\ud83d", "")} for id_ in IDS]
    rows.append({"audio_filepath": "good.wav", "id": "late", "text": "one", "offset": 1e300})
    rows.append({"audio_filepath": "good.wav", "id": "long", "text": "one", "duration": 1e300})
    rows.append({"audio_filepath": "good.wav", "id": "channel", "text": "one", "channel": 10**30})
    manifest = folder / "manifest.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return manifest


@pytest.fixture
def cli(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "earwitness", *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)

    return run


def the_record(root: Path) -> Path:
    return next(path for path in (root / "runs").rglob("*.json"))


def test_every_clip_of_a_hostile_folder_has_a_result_and_all_that_reads_them_is_well(
    hostile: Path, tmp_path: Path, cli: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "script.json").write_text(json.dumps({"*": {"text": HEARD}}))
    done = cli("run", hostile, "--model", f"fake:{tmp_path / 'm'}", "--warmup", "0")
    assert done.returncode == 0, done.stderr
    results = {result.clip.id: result for result in store.read_clips(the_record(tmp_path))}
    failures = {id_: result.hypothesis.failure for id_, result in results.items()}
    assert {id_ for id_, failure in failures.items() if failure is None} == set(IDS)
    assert len(failures) == len(IDS) + 13
    for id_, failure in failures.items():
        if failure is not None:
            assert (failure.stage, failure.kind, failure.detail) == ("audio", "error", None), id_
            assert re.match(r"'[^']+' |There is no audio file '", failure.message), failure.message
    text = results[IDS[0]].hypothesis.transcript
    assert text is not None
    assert text.text == HEARD.replace("\ud83d", "\ufffd"), "half a character is marked, all else is kept"
    for command in (
        ("data", "show", hostile),
        ("compare", "runs"),
        ("analyze", "completeness", "runs"),
        ("report", "runs", "--out", "page"),
        ("decide", "runs"),
        ("data", "show", hostile, "--json"),
    ):
        done = cli(*command)
        assert "Traceback" not in done.stderr, command
        assert not ORDERS & set(done.stdout + done.stderr), command
    page = (tmp_path / "page" / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    packed = [gzip.decompress(base64.b64decode(one)) for one in re.findall(r"H4sI[A-Za-z0-9+/=]{40,}", page)]
    assert any(b"alert(1)" in one for one in packed), "the text is in the page, out of reach of its parser"


@pytest.mark.skipif(
    shutil.which("setpriv") is None,
    reason="there is no setpriv here, and nothing is forbidden to root: apt-get install util-linux",
)
def test_files_and_folders_without_permission_are_failures_of_their_clips(tmp_path: Path) -> None:
    rows = []
    (tmp_path / "closed").mkdir()
    for name in ("open.wav", "forbidden.wav", "closed/a.wav"):
        soundfile.write(tmp_path / name, tone(1.0), 16_000)
        rows.append(json.dumps({"audio_filepath": name, "id": name, "text": "one"}) + "\n")
    (tmp_path / "m.jsonl").write_text("".join(rows))
    (tmp_path / "forbidden.wav").chmod(0)
    (tmp_path / "closed").chmod(0)
    command = ["setpriv", "--bounding-set", "-all", sys.executable, "-m", "earwitness"]
    done = subprocess.run(
        [*command, "run", "m.jsonl", "--model", "fake:echo"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    (tmp_path / "open.wav").chmod(0)
    page = subprocess.run(
        [*command, "report", "runs", "--out", "page"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    (tmp_path / "closed").chmod(0o700)
    assert page.returncode == 0, page.stderr
    assert "3 of 3 clips without sound" in page.stderr
    assert done.returncode == 0, done.stderr
    failures = {r.clip.id: r.hypothesis.failure for r in store.read_clips(the_record(tmp_path))}
    assert failures["open.wav"] is None
    for name in ("forbidden.wav", "closed/a.wav"):
        failure = failures[name]
        assert failure is not None
        assert "ermission denied" in failure.message, failure.message


@pytest.fixture
def three(tmp_path: Path, three_clips: Path) -> Iterator[Path]:
    fence.close()
    yield three_clips
    fence.close()


def outcomes(record: Path) -> dict[str, tuple[str, str] | None]:
    failures = {result.clip.id: result.hypothesis.failure for result in store.read_clips(record)}
    return {id_: (one.stage, one.kind) if one else None for id_, one in failures.items()}


def test_a_decoder_that_dies_at_a_clip_is_that_clips_failure_and_the_run_goes_on(three: Path, tmp_path: Path) -> None:
    made = job(tmp_path / "m", three, {"*": {"text": "one"}})
    with every_decoder_dies() as spare_others:
        record = start(made, tmp_path / "runs", lambda *_: spare_others())
    assert outcomes(record) == {"clip1": ("audio", "crash"), "clip2": None, "clip3": None}
    assert store.read_run(record).status == "complete"


def test_a_decoder_that_hangs_at_a_clip_is_that_clips_failure(
    three: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fence, "PATIENCE_S", 5.0)
    made = job(tmp_path / "m", three, {"*": {"text": "one"}})

    def stop(done: int, *_: object) -> None:
        if done == 1:
            (decoder,) = fence.idle()
            os.kill(decoder, signal.SIGSTOP)

    record = start(made, tmp_path / "runs", stop)
    assert outcomes(record) == {"clip1": None, "clip2": ("audio", "timeout"), "clip3": None}
    failure = store.read_clips(record)[1].hypothesis.failure
    assert failure is not None
    assert "2.wav' made the decoder hang" in failure.message


def test_a_file_that_vanishes_midway_is_its_clips_failure(three: Path, tmp_path: Path) -> None:
    made = job(tmp_path / "m", three, {"*": {"text": "one"}})

    def remove(done: int, *_: object) -> None:
        if done == 1:
            (tmp_path / "2.wav").unlink()

    record = start(made, tmp_path / "runs", remove)
    assert outcomes(record) == {"clip1": None, "clip2": ("audio", "error"), "clip3": None}


@pytest.mark.parametrize("name", ["a\\u0000.wav", "a" * 300])
def test_a_path_that_no_file_can_have_is_refused_with_its_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "m.jsonl").write_text(f'{{"audio_filepath": "{name}"}}\n')
    with pytest.raises(ValueError, match="m.jsonl:1 has 'a.* for the path of its audio"):
        load(tmp_path / "m.jsonl")


@pytest.mark.parametrize("key", ["text", "id", "recording", "speaker", "x"])
def test_half_a_character_is_marked_and_told_with_its_line(tmp_path: Path, key: str) -> None:
    (tmp_path / "m.jsonl").write_text(f'{{"audio_filepath": "a.wav", "{key}": "b\\ud83d"}}\n')
    dataset = load(tmp_path / "m.jsonl")
    clip = dataset.clips[0]
    assert "b\ufffd" in (clip.reference, clip.id, clip.recording, clip.speaker, clip.tags.get("x"))
    assert any("m.jsonl:1: half of a character" in remark for remark in dataset.remarks)


def test_a_name_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(1.0), 16_000)
    (tmp_path / "a.wav").rename(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav"))
    with pytest.raises(ValueError, match=r"the name of the audio file '.*caf\\udce9.wav' is not UTF-8. Rename"):
        load(tmp_path)


def test_a_stereo_call_mixed_to_its_mean_is_told_once_and_stands_in_the_record(
    tmp_path: Path, cli: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    one, other = tone(1.0, hz=300.0)[:, 0], tone(1.0, hz=410.0)[:, 0]
    rows = []
    for name, right in (("call", other), ("opposite", -one), ("same", one)):
        soundfile.write(tmp_path / f"{name}.wav", np.stack([one, right], axis=1), 16_000, subtype="FLOAT")
        rows.append(json.dumps({"audio_filepath": f"{name}.wav", "text": "one", "id": name}) + "\n")
    (tmp_path / "calls.jsonl").write_text("".join(rows))
    models = [f"fake:{tmp_path / name}" for name in "mn"]
    for model in models:
        Path(model.removeprefix("fake:")).mkdir()
        (Path(model.removeprefix("fake:")) / "script.json").write_text('{"*": {"text": "one"}}')
    done = cli("run", tmp_path / "calls.jsonl", "--model", models[0], "--model", models[1])
    assert done.stderr.count("calls: 1 of 3 clips: the channels hold different sound, such as two speakers") == 1
    assert done.stderr.count("calls: 1 of 3 clips: the channels cancel each other out") == 1
    assert "run with --channel 0" in done.stderr
    checked = cli("data", "check", tmp_path / "calls.jsonl", "--deep").stdout
    for remark in ("channels_differ", "channels_cancel"):
        meaning, remedy = explain(remark).split(". ", 1)
        assert f"{meaning}. {remedy}" in checked
        assert meaning in done.stderr
        assert remedy in done.stderr
    results = store.read_clips(the_record(tmp_path))
    remarks = {result.clip.id: result.hypothesis.audio_remarks for result in results}
    assert remarks == {"call": ("channels_differ",), "opposite": ("channels_cancel",), "same": ()}
    done = cli("run", tmp_path / "calls.jsonl", "--model", models[0], "--channel", "1")
    assert "channels" not in done.stderr
