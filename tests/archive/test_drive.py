"""An archive: everything is written once, whatever is in the folder and whenever the process dies."""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
import soundfile
from tests.conftest import tone

import earwitness as ew
from earwitness.archive.journal import FILE, open_journal
from earwitness.archive.recipe import Recipe, with_enough
from earwitness.engines.catalog import find
from earwitness.errors import UsageError
from earwitness.records.environment import usable_cores
from earwitness.runs.pool import PoolSpec

HOLDS = (
    "channels.py", "inputs.py", "item_queue.py", "journal.py", "output.py", "plan.py", "recipe.py", "spec.py",
    "summary.py", "cli/transcribe.py", "api/transcribe.py", "files/remote.py",
)  # fmt: skip


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    """Ten recordings in two folders, of 0.1 to 1.0 s."""
    for n in range(10):
        path = tmp_path / "calls" / f"day{n % 2}" / f"c{n}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, tone((n + 1) / 10), 16_000)
    return tmp_path / "calls"


def run(*audio: Path | str, **options: Any) -> ew.ArchiveSummary:
    wanted: Any = {"model": "fake:echo", "speech": False} | options
    return ew.transcribe(list(map(str, audio)), **wanted)


def outputs(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_every_format_is_written_and_a_second_call_has_nothing_to_do(calls: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    summary = run(calls, out=out, formats=["txt", "srt", "vtt", "tsv", "json", "jsonl"])
    assert (summary.n_texts, summary.n_left, summary.failures, summary.is_good) == (10, 0, (), True)
    assert summary.audio_s == pytest.approx(5.5)
    made = outputs(out)
    assert len(made) == 10 * 5 + 1
    assert made["day1/c1.txt"] == b"heard 0.20 seconds\n"
    rows = [json.loads(line) for line in made["transcripts.jsonl"].splitlines()]
    assert [row["audio_filepath"] for row in rows] == [str(path) for path in sorted(calls.rglob("*.wav"))]
    again = run(calls, out=out, formats=["txt", "srt", "vtt", "tsv", "json", "jsonl"])
    assert (again.n_texts, again.n_skipped, again.n_rewritten, again.device) == (0, 10, 0, None)
    assert outputs(out) == made


def test_another_format_or_layout_needs_no_engine(calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    run(calls, out=out)
    monkeypatch.setattr("earwitness.runs.local_pool.LocalPool.__init__", None)
    assert run(calls, out=out, formats=["txt", "srt"]).n_rewritten == 10
    assert run(calls, out=out, formats=["srt"], line_chars=8).n_rewritten == 10
    assert (out / "day0" / "c0.srt").read_text().splitlines()[2:4] == ["heard", "0.10"]


def test_what_changed_is_transcribed_again_and_what_was_touched_is_not(calls: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(calls, out=out)
    os.utime(calls / "day0" / "c0.wav", (1, 1))
    soundfile.write(calls / "day1" / "c1.wav", tone(2.0), 16_000)
    summary = run(calls, out=out)
    assert (summary.n_texts, summary.n_skipped) == (1, 9)
    assert (out / "day1" / "c1.txt").read_text() == "heard 2.00 seconds\n"
    assert run(calls, out=out, model="fake:loop").n_texts == 10


def test_other_settings_are_refused_with_resume(calls: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to resume"):
        run(calls, out=tmp_path / "out", resume=True)
    run(calls, out=tmp_path / "out")
    assert run(calls, out=tmp_path / "out", resume=True).n_skipped == 10
    with pytest.raises(UsageError, match="made with another model"):
        run(calls, out=tmp_path / "out", resume=True, model="fake:empty")


def test_a_reference_beside_a_recording_is_never_written_over(calls: Path) -> None:
    (calls / "day0" / "c0.txt").write_text("what was said")
    with pytest.raises(UsageError, match=r"c0\.txt' would be written over"):
        run(calls)
    assert run(calls, formats="srt").n_texts == 10
    assert (calls / "day1" / "c1.srt").exists()
    assert (calls / "day0" / "c0.txt").read_text() == "what was said"


def test_an_edited_output_is_kept_and_said(calls: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(calls, out=out)
    (out / "day0" / "c0.txt").write_text("corrected by a person")
    assert run(calls, out=out).n_edited == 1
    assert run(calls, out=out, model="fake:loop").n_edited == 1
    assert (out / "day0" / "c0.txt").read_text() == "corrected by a person"
    assert run(calls, out=out, model="fake:loop", force=True).n_rewritten == 1
    assert (out / "day0" / "c0.txt").read_text() != "corrected by a person"


def test_names_that_a_file_system_may_take_for_one_have_outputs_of_their_own(tmp_path: Path) -> None:
    for name, seconds in (("a.wav", 0.1), ("a.flac", 0.2), ("A.ogg", 0.3), ("sub/a.wav", 0.4)):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, tone(seconds), 16_000)
    run(tmp_path / "in", out=tmp_path / "out")
    made = outputs(tmp_path / "out")
    assert made.keys() == {"a.wav.txt", "a.flac.txt", "A.ogg.txt", "sub/a.txt"}
    assert made["sub/a.txt"] == b"heard 0.40 seconds\n"


def test_files_patterns_and_manifests_are_one_list_without_doubles(calls: Path, tmp_path: Path) -> None:
    rows = [{"audio_filepath": "day0/c0.wav", "offset": 0.02, "duration": 0.05, "text": ""}, {"bad": 1}]
    manifest = calls / "spans.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    summary = run(calls / "day0", f"{calls}/*/c0.wav", calls / "day0" / "c2.wav", manifest, out=tmp_path / "out")
    assert (summary.n_texts, summary.n_twice) == (6, 2)
    assert "spans.jsonl:2" in summary.remarks[0]
    assert (tmp_path / "out" / "day0" / "c0_0.02-0.07.txt").read_text() == "heard 0.05 seconds\n"


HOSTILE = {
    "empty.wav": b"",
    "broken.mp3": b"\xff\xfb" + b"x" * 500,
    "header.wav": b"RIFF\xff\xff\xff\xffWAVEfmt ",
    "text.flac": b"this is not audio\n" * 20,
}


def test_a_folder_with_what_people_have_in_folders(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for n in range(300):
        soundfile.write(folder / f"c{n:03}.wav", np.zeros(160 + n, np.float32), 16_000)
    for name, content in HOSTILE.items():
        (folder / name).write_bytes(content)
    (folder / "loop").symlink_to(folder)
    (folder / "double.wav").symlink_to(folder / "c000.wav")
    (folder / "gone.wav").symlink_to(folder / "not-there.wav")
    os.mkfifo(folder / "pipe.wav")
    (folder / "folder.wav").mkdir()
    (folder / "bad\nname\x1b[31m.wav").write_bytes((folder / "c001.wav").read_bytes())
    (folder / "locked.wav").write_bytes((folder / "c002.wav").read_bytes())
    (folder / "locked.wav").chmod(0)
    summary = run(folder, out=tmp_path / "out", formats=["txt", "jsonl"])
    failed = {Path(one.source).name for one in summary.failures}
    assert failed - {"locked.wav"} == {*HOSTILE, "gone.wav", "pipe.wav"}  # root may read what is locked
    assert summary.n_texts + len(failed) == 300 + len(HOSTILE) + 4
    assert summary.n_twice == 1
    assert all(one.failure.stage == "audio" and "\n" not in one.failure.message for one in summary.failures)
    assert summary.is_good
    again = run(folder, out=tmp_path / "out")
    assert (again.n_texts, len(again.failures)) == (0, len(failed))
    assert not run(folder / "empty.wav", out=tmp_path / "other").is_good


def test_a_worker_that_dies_costs_one_recording(calls: Path, tmp_path: Path) -> None:
    summary = run(calls, out=tmp_path / "out", model="fake:crash", max_failures=3)
    assert (summary.stop, summary.is_good) == ("failures", False)
    assert len(summary.failures) == 4
    assert summary.n_left == 6
    assert "SIGKILL" in summary.failures[0].failure.message


def test_time_and_disk_have_limits(calls: Path, tmp_path: Path) -> None:
    summary = run(calls, out=tmp_path / "out", budget_s=0)
    assert (summary.stop, summary.n_texts + summary.n_left) == ("budget", 10)
    assert 1 <= summary.n_texts < 10
    assert run(calls, out=tmp_path / "out").n_skipped == summary.n_texts
    full = run(calls, out=tmp_path / "full", min_free_mb=1e12)
    assert (full.stop, full.n_texts) == ("disk", 1)


def test_channels_are_split_unless_they_hold_the_same(tmp_path: Path) -> None:
    wave = tone(0.5, channels=2)
    wave[:, 1] = tone(0.5, hz=700.0)[:, 0]
    (tmp_path / "in").mkdir()
    soundfile.write(tmp_path / "in" / "call.wav", wave, 16_000)
    soundfile.write(tmp_path / "in" / "dual.wav", tone(0.5, channels=2), 16_000)
    soundfile.write(tmp_path / "in" / "mono.wav", tone(0.5), 16_000)
    assert run(tmp_path / "in", out=tmp_path / "out", channels="split", formats=["txt", "jsonl"]).n_texts == 4
    texts = outputs(tmp_path / "out")
    assert texts.keys() == {"call.channel-0.txt", "call.channel-1.txt", "dual.txt", "mono.txt", "transcripts.jsonl"}
    assert [json.loads(line).get("channel") for line in texts["transcripts.jsonl"].splitlines()] == [0, 1, None, None]
    assert run(tmp_path / "in", out=tmp_path / "out", channels="split").n_skipped == 4
    summary = run(tmp_path / "in", out=tmp_path / "one", channels="1")
    assert (summary.n_texts, [Path(f.source).name for f in summary.failures]) == (2, ["mono.wav"])


def test_two_processes_do_not_write_into_one_folder(calls: Path, tmp_path: Path) -> None:
    with open_journal(tmp_path / "out"), pytest.raises(UsageError, match="Another earwitness transcribe is at work"):
        run(calls, out=tmp_path / "out")


COMMAND = [sys.executable, "-m", "earwitness", "transcribe", "--model", "fake:slow", "--no-speech", "--workers", "1"]


def test_parts_that_other_machines_did_are_taken_over_as_if_one_had_done_all(calls: Path, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    formats = ["txt", "json", "jsonl"]
    run(calls, out=whole, formats=formats)
    done = [run(calls, out=parts, formats=formats, shard=f"{n}/3") for n in (3, 1, 2)]
    assert sum(summary.n_texts for summary in done) == 10
    assert min(summary.n_texts for summary in done) >= 1
    again = run(calls, out=parts, formats=formats, shard="2/3")
    assert (again.n_texts, again.n_skipped) == (0, done[2].n_texts)
    joined = run(calls, out=parts, formats=formats)
    assert (joined.n_texts, joined.n_skipped) == (0, 10)
    made = {name: content for name, content in outputs(parts).items() if "-of-" not in name}
    assert made == outputs(whole)
    rows = b"".join((parts / f"transcripts.{n}-of-3.jsonl").read_bytes() for n in (1, 2, 3))
    assert rows == (whole / "transcripts.jsonl").read_bytes()


def test_a_part_at_work_is_not_taken_over(calls: Path, tmp_path: Path) -> None:
    with (
        open_journal(tmp_path / "out", "1/2"),
        pytest.raises(UsageError, match="is at work in .* on its shard 1/2. Wait for it"),
    ):
        run(calls, out=tmp_path / "out")
    with pytest.raises(UsageError, match="'3/2' is not a shard"):
        run(calls, shard="3/2")


def test_a_killed_process_resumes_to_the_same_bytes_and_leaves_no_process(calls: Path, tmp_path: Path) -> None:
    formats = ["--to", "srt", "--to", "json", "--to", "jsonl"]
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    subprocess.run([*COMMAND, str(calls), "--out", str(whole), *formats], check=True, capture_output=True)
    for n_lines in (2, 7):
        process = subprocess.Popen(
            [*COMMAND, str(calls), "--out", str(torn), *formats], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        journal = torn / FILE
        while not journal.exists() or journal.read_bytes().count(b"\n") < n_lines:
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with (torn / FILE).open("ab") as file:
        file.write(b'{"line": {"key": "half')
    (torn / "day0" / ".c0.srt.123.tmp").write_text("half")
    done = subprocess.run(
        [*COMMAND, str(calls), "--out", str(torn), "--resume", "--json", *formats],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert json.loads(done.stdout)["n_skipped"] > 2
    assert outputs(torn) == outputs(whole)
    assert [path.name for path in torn.rglob("*.tmp")] == []


def test_ctrl_c_keeps_what_is_finished(calls: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, str(calls), "--out", str(tmp_path / "out")], stderr=subprocess.PIPE, text=True
    )
    journal = tmp_path / "out" / FILE
    while not journal.exists() or not journal.read_bytes():
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    assert "give the same command again" in said
    assert "Traceback" not in said


def test_an_address_is_read_and_its_credentials_are_shown_nowhere(
    tmp_path: Path, write_wav: Callable[..., Path]
) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe("/bucket/calls/a.wav", write_wav("a.wav", 0.3).read_bytes())
    memory.pipe("/bucket/calls/b.wav", b"not audio")
    memory.pipe("/bucket/calls/notes.txt", b"x")
    seen: list[ew.ArchiveProgress] = []
    out = tmp_path / "out"
    summary = run("memory://bucket/calls/", out=out, formats=["txt", "json", "jsonl"], progress=seen.append)
    assert (summary.n_texts, [one.source for one in summary.failures]) == (1, ["memory:///bucket/calls/b.wav"])
    assert (out / "bucket" / "calls" / "a.txt").read_text() == "heard 0.30 seconds\n"
    with pytest.raises(UsageError, match="Give a folder"):
        run("memory://bucket/calls/")


def test_credentials_in_an_address_are_used_and_shown_nowhere(
    tmp_path: Path, write_wav: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    write_wav("site/a.wav", 0.3)
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers.get("Authorization")))
            super().do_GET()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=tmp_path / "site")) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        at, out = f"user:secret@127.0.0.1:{server.server_port}", tmp_path / "out"
        seen: list[ew.ArchiveProgress] = []
        address = f"http://{at}/a.wav?token=secret"
        summary = run(address, out=out, formats=["txt", "json", "jsonl"], progress=seen.append)
        assert summary.n_texts == 1
        with pytest.raises(ew.DataError) as caught:
            run(f"http://{at}/nothing.wav?token=secret", out=out)
        server.shutdown()
    assert asked[-1] == ("/nothing.wav?token=secret", "Basic dXNlcjpzZWNyZXQ=")
    printed = capsys.readouterr()
    said = [str(caught.value), *map(str, seen), repr(summary), printed.out, printed.err]
    said += [content.decode() for content in outputs(out).values()]
    assert not any("secret" in text for text in [*said, (out / FILE).read_text()])


def test_mistakes_are_one_sentence(calls: Path) -> None:
    for options, said in (
        ({"model": None}, "Give one of --decision"),
        ({"formats": "str"}, "There is no format 'str'. Did you mean 'srt'?"),
        ({"channels": "left"}, "--channels is mix, split or the number"),
        ({"model": "fake:echo", "accept": True}, "need --decision"),
        ({"model": "fake:nothing"}, "fake:nothing"),
    ):
        with pytest.raises(ew.EarwitnessError, match=said.replace("?", r"\?")):
            run(calls, **options)
    with pytest.raises(ew.EarwitnessError, match="no such path"):
        run(calls / "nothing")
    with pytest.raises(UsageError, match="There is no audio"):
        run(make_empty(calls))


def make_empty(folder: Path) -> Path:
    path = folder / "none"
    path.mkdir()
    return path


def test_a_decision_is_kept_to_or_refused_in_a_sentence(calls: Path, three_clips: Path, tmp_path: Path) -> None:
    records = ew.run(three_clips, "fake:echo", out=tmp_path / "runs", speech=False)
    path = tmp_path / "decision.json"
    ew.decide(records, out=path)
    decision: Any = {"model": None, "decision": path, "candidate": "fake:echo"}
    summary = run(calls, out=tmp_path / "out", **decision)
    assert summary.n_texts == 10
    assert {check.measure for check in summary.promise} >= {"failed_share", "empty_share"}
    with pytest.raises(UsageError, match="Leave out --set"):
        run(calls, out=tmp_path / "out", **decision, device="cpu")
    changed = json.loads(path.read_text())
    changed["verdicts"][0]["settings_in_force"]["beam_size"] = 5
    changed["verdicts"][0]["device_used"] = "cuda:0"
    path.write_text(json.dumps(changed))
    with pytest.raises(ew.EngineError, match=r"is on 'cpu' here, and was measured on 'cuda:0'.* beam_size=1"):
        run(calls, out=tmp_path / "other", **decision)
    assert outputs(tmp_path / "other") == {}
    summary = run(calls, out=tmp_path / "other", **decision, accept=True)
    assert (summary.n_texts, len(summary.remarks)) == (10, 2)


def test_few_recordings_get_few_workers_unless_somebody_said_how_many() -> None:
    spec = PoolSpec(find("faster-whisper:tiny.en"), None, None, settings=ew.Settings(threads=1))
    flexible = Recipe(spec, 4, is_flexible=True)
    assert with_enough(flexible, 1).workers == 1
    assert with_enough(flexible, 1).pool.settings.threads == usable_cores()
    assert with_enough(flexible, 9) == flexible
    assert with_enough(flexible, 1).key == flexible.key
    assert with_enough(Recipe(spec, 4), 1) == Recipe(spec, 4)
