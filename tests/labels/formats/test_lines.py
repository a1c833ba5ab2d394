"""Spreadsheets, JSON lines and NeMo manifests: out and back, the labels are the same."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from tests.labels.formats.examples import CLIPS, labels_of_clips

from earwitness.data import load
from earwitness.errors import ManifestError
from earwitness.labels.formats.lines import read, to_csv, to_jsonl, to_nemo
from earwitness.labels.formats.row import exchange_clips, new_labels, to_labels
from earwitness.labels.label import Label

HOLDS = ["row.py"]
LABEL = Label("a", "a" * 64, 0.0, 2.0, "call me back", "text", "ana", "2026-11-30T09:00:00Z")


@given(labels=labels_of_clips())
def test_csv_and_json_lines_give_the_same_labels_back(
    labels: list[Label], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("exchange")
    rows = exchange_clips(CLIPS, labels)
    for path, text in ((folder / "x.csv", to_csv(rows)), (folder / "x.jsonl", to_jsonl(rows))):
        path.write_bytes(text.encode())
        assert set(to_labels(read(path), CLIPS)) == set(labels)


@given(labels=labels_of_clips())
def test_a_nemo_manifest_gives_the_label_of_each_clip_back(
    labels: list[Label], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("exchange") / "x.jsonl"
    rows = [(one.clip, one.labels[0] if one.labels else None) for one in exchange_clips(CLIPS, labels)]
    path.write_text(to_nemo(rows), encoding="utf-8")
    assert set(to_labels(read(path), CLIPS)) == {label for _, label in rows if label is not None}


def test_a_nemo_manifest_is_a_dataset_with_the_references(tmp_path: Path, write_wav: object) -> None:
    assert callable(write_wav)
    clips = [replace(clip, audio_path=str(write_wav(f"{clip.id}.wav", 2.0))) for clip in CLIPS]
    silent = replace(LABEL, text=None, verdict="not speech", clip_id="b")
    path = tmp_path / "x.jsonl"
    path.write_text(to_nemo([(clips[0], LABEL), (clips[1], silent), (clips[2], None)]), encoding="utf-8")
    assert [(clip.id, clip.reference) for clip in load(path).clips] == [("a", "call me back"), ("b", ""), ("c", "")]


def test_a_spreadsheet_that_a_person_filled_in_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('clip_id;text;annotator\na;"call me; back";ana\nb;;\n', encoding="utf-8-sig")
    (label,) = to_labels(read(path), CLIPS)
    assert (label.clip_id, label.text, label.author, label.verdict) == ("a", "call me; back", "ana", "text")
    assert label.audio_sha256 == CLIPS[0].audio_sha256


def test_rows_without_an_author_take_the_one_who_imports(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"audio_filepath": "/elsewhere/b.wav", "text": "new words"}\n', encoding="utf-8")
    (label,) = to_labels(read(path), CLIPS, author="ana")
    assert (label.clip_id, label.author) == ("b", "ana")
    assert label.old_text_sha256 is not None
    with pytest.raises(ManifestError, match=r"x\.jsonl:1 names no author. Say who labelled: --author NAME"):
        to_labels(read(path), CLIPS)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"audio_filepath": "z.wav", "text": "x"}, "names no clip of the dataset"),
        ({"clip_id": "z", "text": "x"}, "is not a label: audio_sha256: Field required"),
        ({"clip_id": "a", "text": "x", "verdict": "nice"}, "is not a label: verdict"),
        ({"clip_id": "a", "text": "x", "time": "noon"}, "is not a label"),
    ],
)
def test_a_row_that_is_no_label_is_refused_by_its_place(row: dict[str, str], why: str, tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    with pytest.raises(ManifestError, match=rf"x\.jsonl:1 {why}"):
        to_labels(read(path), CLIPS, author="ana")


def test_one_file_with_several_clips_needs_an_id_or_a_start(tmp_path: Path) -> None:
    halves = [replace(CLIPS[0], duration_s=1.0), replace(CLIPS[0], id="a2", start_s=1.0, duration_s=1.0)]
    path = tmp_path / "x.jsonl"
    path.write_text('{"audio_filepath": "a.wav", "text": "x"}\n', encoding="utf-8")
    with pytest.raises(ManifestError, match=r"2 clips of the dataset have the audio 'a\.wav'"):
        to_labels(read(path), halves, author="ana")
    path.write_text('{"audio_filepath": "a.wav", "offset": 1.0, "text": "x"}\n', encoding="utf-8")
    assert to_labels(read(path), halves, author="ana")[0].clip_id == "a2"


def test_a_csv_with_broken_cells_is_refused_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("clip_id,text\na,call me, back\n", encoding="utf-8")
    with pytest.raises(ManifestError, match=r"x\.csv:2 has more cells than the header"):
        list(read(path))
    path.write_text("clip_id,text,start_s\na,x,soon\n", encoding="utf-8")
    with pytest.raises(ManifestError, match=r"x\.csv:2: 'start_s' must be a number, not 'soon'"):
        list(read(path))


def test_what_an_overlay_has_is_not_new() -> None:
    assert new_labels([LABEL, replace(LABEL, author="ben")], [LABEL]) == [replace(LABEL, author="ben")]
