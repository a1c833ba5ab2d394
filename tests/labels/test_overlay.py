"""The overlay loses nothing: not when many write at once, not when a writer is killed, not when it is read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earwitness.data import load
from earwitness.errors import FileError, RecordError
from earwitness.files.schema import to_json
from earwitness.labels.label import Label
from earwitness.labels.overlay import append_label, overlay_path, read_labels

HOLDS = ["files/lock.py"]
HELLO = Label("a", "f" * 64, 0.0, 1.0, "hello", "text", "ana", "2026-11-30T09:00:00Z")


def test_what_is_appended_is_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "new" / "calls.labels.jsonl"
    labels = [HELLO, replace(HELLO, text="two\nlines, ünïcode \u2028 and 🎧"), replace(HELLO, clip_id="b")]
    for label in labels:
        append_label(path, label)
    assert read_labels(path).labels == tuple(labels)
    assert read_labels(path).remarks == ()
    assert path.read_bytes().count(b"\n") == 3


def test_a_file_that_is_not_there_has_no_labels(tmp_path: Path) -> None:
    assert read_labels(tmp_path / "no.labels.jsonl").labels == ()


@given(cut=st.integers(0, len(to_json(HELLO).encode())))
def test_a_last_line_cut_anywhere_costs_only_itself(cut: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("cut") / "calls.labels.jsonl"
    append_label(path, HELLO)
    line = to_json(replace(HELLO, clip_id="b")).encode()
    path.write_bytes(path.read_bytes() + line[:cut])
    before = path.read_bytes()
    is_whole = cut >= len(line) - 1
    assert [label.clip_id for label in read_labels(path).labels] == ["a", *(["b"] if is_whole else [])]
    append_label(path, replace(HELLO, clip_id="c"))
    read = read_labels(path)
    assert [label.clip_id for label in read.labels] == ["a", *(["b"] if is_whole else []), "c"]
    assert len(read.remarks) == int(0 < cut < len(line) - 1)
    assert path.read_bytes().startswith(before)


def test_many_threads_append_at_once_and_no_line_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "calls.labels.jsonl"
    labels = [replace(HELLO, clip_id=str(number), text="word " * 3000) for number in range(80)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda label: append_label(path, label), labels))
    read = read_labels(path)
    assert sorted(int(label.clip_id) for label in read.labels) == list(range(80))
    assert read.remarks == ()


def test_processes_append_at_once_and_no_line_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "calls.labels.jsonl"
    code = (
        "import sys; from pathlib import Path; from dataclasses import replace;"
        "from earwitness.labels.label import Label; from earwitness.labels.overlay import append_label;"
        "hello = Label('a', '', 0.0, 1.0, 'x' * 9000, 'text', sys.argv[2], '2026-11-30T09:00:00Z');"
        "[append_label(Path(sys.argv[1]), replace(hello, clip_id=str(n))) for n in range(25)]"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(path), name]) for name in ("ana", "ben", "cem")]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    read = read_labels(path)
    assert len({(label.clip_id, label.author) for label in read.labels}) == len(read.labels) == 75
    assert read.remarks == ()


def test_a_line_of_json_that_is_no_label_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "calls.labels.jsonl"
    path.write_text(to_json(HELLO) + '{"clip_id": "b"}\n', encoding="utf-8")
    with pytest.raises(RecordError, match=r"calls\.labels\.jsonl:2 is not a label: audio_sha256: Field required"):
        read_labels(path)


def test_labels_of_a_newer_version_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "calls.labels.jsonl"
    path.write_text(json.dumps({"schema_version": 99, "word": "new"}) + "\n", encoding="utf-8")
    with pytest.raises(RecordError, match="has schema version 99; this Earwitness reads up to 1"):
        read_labels(path)


def test_a_folder_is_not_an_overlay(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="cannot be read as labels: it is a folder"):
        read_labels(tmp_path)
    with pytest.raises(FileError, match="Cannot write"):
        append_label(tmp_path, HELLO)


def test_the_hash_is_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "calls.labels.jsonl"
    append_label(path, HELLO)
    first = read_labels(path).sha256
    append_label(path, HELLO)
    assert first != read_labels(path).sha256


@pytest.mark.parametrize(
    ("data", "overlay"),
    [
        ("calls.jsonl", "calls.labels.jsonl"),
        ("some/calls.jsonl.gz", "some/calls.labels.jsonl"),
        ("calls.2026-11.csv", "calls.2026-11.labels.jsonl"),
        ("call.wav", "call.labels.jsonl"),
        ("telephony-en", "telephony-en.labels.jsonl"),
        ("telephony-en-v1.2", "telephony-en-v1.2.labels.jsonl"),
    ],
)
def test_an_overlay_lies_beside_its_data(data: str, overlay: str) -> None:
    assert overlay_path(data).as_posix() == overlay


def test_the_overlay_of_a_folder_is_inside_it_and_no_reader_takes_it_for_data(
    tmp_path: Path, write_wav: object
) -> None:
    assert callable(write_wav)
    write_wav("calls/a.wav")
    folder = tmp_path / "calls"
    before = load(folder)
    append_label(overlay_path(folder), HELLO)
    assert overlay_path(folder).parent == folder
    assert load(folder) == before


def test_a_disk_that_is_full_is_an_error_and_not_a_lost_label(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "calls.labels.jsonl"
    append_label(path, HELLO)
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, line: write(descriptor, line[:10]))
    with pytest.raises(FileError, match="the disk took 10 of"):
        append_label(path, replace(HELLO, clip_id="b"))
    monkeypatch.undo()
    append_label(path, replace(HELLO, clip_id="b"))
    assert [label.clip_id for label in read_labels(path).labels] == ["a", "b"]
