"""What ``data check`` says of sound: lengths that nobody states, channels that do not go together, lost packets."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.audio.generated import written
from tests.audio.test_length import FILES
from tests.conftest import tone

from earwitness import data
from earwitness.audio import probe
from earwitness.data.audio_remarks import explain, summarize
from earwitness.data.checks import DataProblem

HOLDS = ("audio_remarks.py",)


def manifest(folder: Path, *rows: Mapping[str, object]) -> Path:
    path = folder / "m.jsonl"
    path.write_text("".join(json.dumps({"text": "one", **row}) + "\n" for row in rows))
    return path


def messages(path: Path, *, deep: bool) -> list[str]:
    return [finding.message for finding in data.check(path, deep=deep)]


GUESSED = ["chained.opus", "chained.ogg", "xing.mp3", "stream.aac"]


@pytest.mark.parametrize("name", GUESSED)
def test_a_span_is_not_compared_with_a_guessed_length(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(FILES[name][0]())
    assert probe(tmp_path / name).duration_kind in ("guessed", None)
    length_s = probe(tmp_path / name, count=True).duration_s
    assert length_s is not None
    rows = (
        {"audio_filepath": name, "duration": length_s, "id": "all"},
        {"audio_filepath": name, "offset": length_s - 0.3, "duration": 0.2, "id": "end"},
    )
    assert messages(manifest(tmp_path, *rows), deep=False) == []
    assert messages(manifest(tmp_path, *rows), deep=True) == []


@pytest.mark.parametrize("name", GUESSED)
def test_deep_counts_the_length_and_compares_it(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(FILES[name][0]())
    path = manifest(tmp_path, {"audio_filepath": name, "duration": 9.0})
    assert messages(path, deep=False) == []
    speaks, cut = messages(path, deep=True)
    assert speaks.startswith("the manifest speaks of 0.00 to 9.00 s, and the file is ")
    assert "the manifest states 9.00 s" in cut


def test_the_pace_of_a_stated_span_is_looked_at_without_the_length_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.aac").write_bytes(FILES["stream.aac"][0]())
    path = manifest(tmp_path, {"audio_filepath": "a.aac", "duration": 0.5, "text": "a b c d e f g"})
    assert messages(path, deep=False) == ["7 words in 0.50 s: is this the right reference?"]


def test_channels_that_cancel_out_or_differ_are_warned_of(tmp_path: Path) -> None:
    one, other = tone(1.0, hz=300.0)[:, 0], tone(1.0, hz=410.0)[:, 0]
    for name, right in (("call", other), ("opposite", -one), ("same", one), ("left", 0 * one)):
        soundfile.write(tmp_path / f"{name}.wav", np.stack([one, right], axis=1), 16_000, subtype="FLOAT")
    rows = [{"audio_filepath": f"{name}.wav", "id": name} for name in ("call", "opposite", "same", "left")]
    chosen = [{"audio_filepath": "call.wav", "id": f"call-{n}", "channel": n} for n in (0, 1)]
    path = manifest(tmp_path, *rows, *chosen)
    assert data.check(path) == []
    assert data.check(path, deep=True) == [
        DataProblem("warning", f"{path}:1", "call", explain("channels_differ")),
        DataProblem("warning", f"{path}:2", "opposite", explain("channels_cancel")),
    ]


def test_each_clip_is_judged_by_its_own_span(tmp_path: Path) -> None:
    one, other = tone(1.0, hz=300.0)[:, 0], tone(1.0, hz=410.0)[:, 0]
    both = np.concatenate([np.stack([one, one], axis=1), np.stack([one, other], axis=1)])
    soundfile.write(tmp_path / "a.wav", both, 16_000)
    first = {"audio_filepath": "a.wav", "duration": 1.0, "id": "first", "offset": 0.0}
    second = {**first, "id": "second", "offset": 1.0}
    findings = data.check(manifest(tmp_path, first, second), deep=True)
    assert [finding.clip_id for finding in findings if finding.message == explain("channels_differ")] == ["second"]


def test_packets_that_cannot_be_decoded_are_warned_of(tmp_path: Path) -> None:
    content = bytearray(written("adts", "aac"))
    place = content.index(content[:2], len(content) // 3)
    content[place + 7 : place + 60] = b"\xff\x00" * 26 + b"\xff"
    (tmp_path / "a.aac").write_bytes(content)
    found = messages(manifest(tmp_path, {"audio_filepath": "a.aac"}), deep=True)
    assert explain("packets_skipped") in found


def test_a_file_of_many_rows_is_opened_and_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from earwitness import audio
    from earwitness.audio import fence
    from earwitness.files import fetch

    soundfile.write(tmp_path / "a.wav", tone(1.0), 16_000)
    calls: list[str] = []

    def sha256_of(path: Path) -> str:
        calls.append("hash")
        return fetch.sha256_of(path)

    def header(path: Path, *, count: bool) -> audio.AudioInfo:
        calls.append("header")
        return fence.probe(path, count=count)

    monkeypatch.setattr(sys.modules["earwitness.data.checks"], "sha256_of", sha256_of)
    monkeypatch.setattr(audio, "probe", header)
    rows = [{"audio_filepath": "a.wav", "offset": n / 10, "duration": 0.1, "id": str(n)} for n in range(1, 9)]
    assert data.check(manifest(tmp_path, *rows)) == []
    assert sorted(calls) == ["hash", "header"]


def test_a_summary_counts_the_clips_of_each_remark_and_names_three() -> None:
    clips = [(f"c{n}", ["channels_differ"] if n % 2 else []) for n in range(10)]
    (line,) = summarize([*clips, ("x", [])])
    assert line.startswith("5 of 11 clips: the channels hold different sound")
    assert "('c1', 'c3', 'c5', …)" in line
    meaning, remedy = explain("channels_differ").split(". ", 1)
    assert meaning in line
    assert line.endswith(remedy)
    assert summarize([("a", ["a_remark_of_tomorrow"])]) == []
