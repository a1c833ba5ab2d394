"""A folder is walked without opening a pipe, and what is binary or half there is named while the rest is read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from earwitness import data
from earwitness.errors import ManifestError

Writer = Callable[..., Path]
pytestmark = pytest.mark.skipif(os.name != "posix", reason="there are no named pipes here: run it on Linux")
PIPES = ("b.wav", "a.txt", "metadata.csv", "metadata.jsonl", "notes.csv", "corpus.json", "x.trans.txt.wav")


def test_pipes_in_a_folder_are_passed_over(tmp_path: Path, write_wav: Writer) -> None:
    write_wav("data/a.wav")
    for name in PIPES:
        os.mkfifo(tmp_path / "data" / name)
    (clip,) = data.load(tmp_path / "data").clips
    assert (clip.id, clip.reference) == ("a", None)
    (finding,) = data.check(tmp_path / "data", deep=True)
    assert (finding.severity, "no transcript" in finding.message.lower()) == ("warning", True), finding.message
    assert data.load(tmp_path / "data" / "a.wav").name == "a"


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("manifest.jsonl", {}),
        ("cuts.jsonl", {}),
        ("wav.scp", {"text": "a one\n"}),
        ("text", {"wav.scp": "a a.wav\n"}),
        ("segments", {"wav.scp": "a a.wav\n", "text": "a one\n"}),
        ("a.trans.txt", {}),
    ],
)
def test_a_pipe_in_place_of_a_manifest_is_refused_and_not_waited_for(
    tmp_path: Path, write_wav: Writer, name: str, others: dict[str, str]
) -> None:
    write_wav("a.wav")
    for other, text in others.items():
        (tmp_path / other).write_text(text)
    os.mkfifo(tmp_path / name)
    with pytest.raises(ManifestError, match="is a pipe or a device, not a file"):
        data.load(tmp_path)
    assert any("is a pipe or a device" in finding.message for finding in data.check(tmp_path))


@pytest.mark.parametrize("metadata", ["metadata.csv", "metadata.jsonl", "metadata.tsv"])
def test_a_binary_sidecar_is_an_error_and_the_audio_beside_it_is_looked_at(
    tmp_path: Path, write_wav: Writer, metadata: str
) -> None:
    write_wav("a.wav")
    write_wav("b.wav")
    (tmp_path / "b.wav").write_bytes(b"no audio")
    (tmp_path / metadata).write_bytes(b"\xff\xfe\x00\xd8" * 100)
    (tmp_path / "a.txt").write_bytes((tmp_path / "a.wav").read_bytes())
    findings = data.check(tmp_path)
    errors = {finding.where.removeprefix(f"{tmp_path}/").partition(":")[0] for finding in findings}
    assert {metadata, "a.txt", "b.wav"} <= errors
    with pytest.raises(ManifestError):
        data.load(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x00",
        b"[1]",
        b"{",
        b"[" * 100_000,
        b'{"name": 3, "license": ["x"]}',
        b'{"name": "\\ud83d"}',
        b"\0" * 9,
    ],
)
def test_a_corpus_json_that_says_nothing_of_use_is_passed_over(
    tmp_path: Path, write_wav: Writer, content: bytes
) -> None:
    write_wav("calls/a.wav")
    (tmp_path / "calls" / "corpus.json").write_bytes(content)
    dataset = data.load(tmp_path / "calls")
    assert (dataset.name, dataset.license, dataset.synthetic) == ("calls", "", False)


def test_audio_that_grows_after_it_was_listed_is_read_as_far_as_its_header_states(
    tmp_path: Path, write_wav: Writer
) -> None:
    path = write_wav("a.wav", 1.0)
    before = data.load(path).clips[0]
    with path.open("ab") as file:
        file.write(bytes(32_000))
    after = data.load(path).clips[0]
    assert after.audio_sha256 != before.audio_sha256
    assert after.duration_s == pytest.approx(1.0, abs=0.001)


def test_a_manifest_whose_last_line_is_still_being_written_names_that_line(tmp_path: Path, write_wav: Writer) -> None:
    write_wav("a.wav")
    path = tmp_path / "m.jsonl"
    path.write_text('{"audio_filepath": "a.wav", "text": "one"}\n{"audio_filepath": "a.w')
    assert [finding.where for finding in data.check(path) if finding.severity == "error"] == [f"{path}:2"]
