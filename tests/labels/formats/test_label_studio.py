"""Label Studio gets tasks and gives annotations back: out and back, the labels are the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from tests.labels.formats.examples import CLIPS, labels_of_clips

from earwitness.errors import ManifestError
from earwitness.labels.formats.label_studio import CONFIG, read, tasks
from earwitness.labels.formats.row import exchange_clips, to_labels
from earwitness.labels.label import Label


@given(labels=labels_of_clips())
def test_out_and_back_gives_the_same_labels(labels: list[Label], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("exchange") / "tasks.json"
    path.write_text(tasks(exchange_clips(CLIPS, labels), {}), encoding="utf-8")
    assert set(to_labels(read(path), CLIPS)) == set(labels)


def write(path: Path, data: object) -> Path:
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def annotation(who: object, text: str | None, choice: str | None = None, **more: object) -> dict[str, object]:
    result: list[object] = []
    if text is not None:
        item = {"from_name": "transcription", "to_name": "audio", "type": "textarea", "value": {"text": [text]}}
        result.append({"id": "x1", "origin": "manual", **item})
    if choice is not None:
        value = {"choices": [choice]}
        result.append({"from_name": "verdict", "to_name": "audio", "type": "choices", "value": value})
    times = {"created_at": "2026-11-30T09:00:00.123456Z", "updated_at": "2026-11-30T09:01:00.123456Z"}
    return {"id": 7, "completed_by": who, "was_cancelled": False, "lead_time": 12.5, "result": result, **times, **more}


def test_two_annotators_of_a_task_come_in_as_two_labels(tmp_path: Path) -> None:
    annotations = [annotation(1, "call me"), annotation({"id": 2, "email": "ben@example.org"}, "call him")]
    path = write(tmp_path / "export.json", [{"id": 1, "data": {"audio": "/files/a.wav"}, "annotations": annotations}])
    ana, ben = to_labels(read(path), CLIPS)
    assert (ana.clip_id, ana.author, ana.text, ana.seconds_spent) == ("a", "1", "call me", 12.5)
    assert (ben.clip_id, ben.author, ben.text) == ("a", "ben@example.org", "call him")
    assert ana.time == "2026-11-30T09:01:00.123456Z"
    assert ana.audio_sha256 == CLIPS[0].audio_sha256


def test_choices_are_verdicts_and_skipped_or_empty_annotations_are_none(tmp_path: Path) -> None:
    annotations = [
        annotation(1, None, "not speech"),
        annotation(2, "two people", "several speakers"),
        annotation(3, "skipped", was_cancelled=True),
        annotation(4, None),
    ]
    path = write(tmp_path / "export.json", [{"data": {"clip_id": "b", "audio": "x"}, "annotations": annotations}])
    labels = to_labels(read(path), CLIPS)
    found = [(label.author, label.text, label.verdict) for label in labels]
    assert found == [("1", None, "not speech"), ("2", "two people", "several speakers")]


def test_a_draft_becomes_a_prediction(tmp_path: Path) -> None:
    first, second, *_ = json.loads(tasks(exchange_clips(CLIPS, []), {"a": "call me"}, "http://127.0.0.1:8080"))
    assert first["predictions"][0]["result"][0]["value"] == {"text": ["call me"]}
    assert first["data"]["audio"] == "http://127.0.0.1:8080/calls/a.wav"
    assert second["predictions"] == []
    assert "earwitness" not in str(write(tmp_path / "x", first["data"]).read_text(encoding="utf-8"))


def test_the_interface_names_what_the_results_name() -> None:
    assert 'name="transcription" toName="audio"' in CONFIG
    assert 'name="verdict" toName="audio"' in CONFIG
    assert "$audio" in CONFIG


def test_an_asr_manifest_is_read_and_its_annotators_kept(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    rows = [
        {"audio_filepath": "/data/upload/1/a.wav", "duration": 2.0, "text": "call me", "annotator": "ana@example.org"},
        {"audio_filepath": "/data/upload/1/b.wav", "duration": 2.0, "text": "back", "annotator": "ben@example.org"},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    labels = to_labels(read(path), CLIPS)
    found = [(label.clip_id, label.text, label.author) for label in labels]
    assert found == [("a", "call me", "ana@example.org"), ("b", "back", "ben@example.org")]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('[{"audio": "a.wav", "transcription": "x"}]', "task 1 has no 'data'. Export from Label Studio as JSON"),
        ('{"text": "x"}', "has no 'audio_filepath'. Export from Label Studio as JSON or ASR_MANIFEST"),
        ("[1", "is not JSON"),
        ('[{"data": {"clip_id": "a"}, "annotations": [{"result": ["x"]}]}]', "without a 'value'"),
    ],
)
def test_what_is_neither_form_is_refused_by_its_place(content: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ManifestError, match=why):
        list(read(path))
