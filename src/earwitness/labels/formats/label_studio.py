"""Label Studio: tasks in its JSON, with annotations in both directions, and its ``ASR_MANIFEST`` on the way back.

A clip becomes a task; a label becomes an annotation of it, and an unlabelled clip a task without any. Fields for which
Label Studio has no place are in the task's data, and under ``earwitness`` in the annotation. Where a tool drops the
latter, they get their usual values on the way back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from earwitness.data.readers.jsonlines import objects
from earwitness.errors import ManifestError
from earwitness.labels.formats.row import REST, ExchangeClip, LabelRow, PlainValue, to_row
from earwitness.labels.label import Label, LabelVerdict, text_sha256

CONFIG = """<View>
  <Audio name="audio" value="$audio"/>
  <TextArea name="transcription" toName="audio" rows="4" editable="true" maxSubmissions="1"/>
  <Choices name="verdict" toName="audio" choice="single" required="false">
    <Choice value="unintelligible"/>
    <Choice value="not speech"/>
    <Choice value="wrong audio"/>
    <Choice value="several speakers"/>
  </Choices>
</View>
"""
"""The labelling interface that the tasks are made for."""
_VERDICTS = get_args(LabelVerdict)
_OF_TASK = ("audio_sha256", "start_s", "duration_s", "old_text_sha256")


def tasks(clips: Iterable[ExchangeClip], drafts: Mapping[str, str], audio_prefix: str = "") -> str:
    """Return tasks for Label Studio's import, as one JSON document.

    Args:
        clips: With their labels.
        drafts: Texts to correct, by clip: they become predictions.
        audio_prefix: What stands before the path of the audio, such as an address.
    """
    made = [_task(one, drafts.get(one.clip.id), audio_prefix) for one in clips]
    return json.dumps(made, ensure_ascii=False, indent=1) + "\n"


def _task(one: ExchangeClip, draft: str | None, audio_prefix: str) -> dict[str, Any]:
    clip = one.clip
    return {
        "data": {
            "audio": audio_prefix + clip.audio_path,
            "clip_id": clip.id,
            "audio_sha256": clip.audio_sha256,
            "start_s": clip.start_s,
            "duration_s": clip.duration_s,
            "old_text_sha256": text_sha256(clip.reference),
            "reference": clip.reference,
            "language": clip.language,
        },
        "annotations": [_annotation(label) for label in one.labels],
        "predictions": [] if draft is None else [{"model_version": "draft", "result": [_text(draft)]}],
    }


def _annotation(label: Label) -> dict[str, Any]:
    row = to_row(label)
    result = [] if label.text is None else [_text(label.text)]
    if label.verdict != "text":
        choice = {"from_name": "verdict", "to_name": "audio", "type": "choices", "value": {"choices": [label.verdict]}}
        result.append(choice)
    return {
        "completed_by": {"email": label.author},
        "created_at": label.time,
        "lead_time": label.seconds_spent,
        "result": result,
        "earwitness": {name: row[name] for name in REST},
    }


def _text(text: str) -> dict[str, Any]:
    return {"from_name": "transcription", "to_name": "audio", "type": "textarea", "value": {"text": [text]}}


def read(path: Path) -> Iterator[LabelRow]:
    """Yield a row for each annotation of Label Studio's JSON, or for each line of its ``ASR_MANIFEST``.

    Annotations that were skipped or are empty are passed over.

    Raises:
        ManifestError: When it is neither; the place is named.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        data = None
    if not isinstance(data, list):
        yield from _manifest(path)
        return
    for number, task in enumerate(data, start=1):
        where = f"{path}: task {number}"
        if not isinstance(task, dict) or not isinstance(task.get("data"), dict):
            raise ManifestError(f"{where} has no 'data'. Export from Label Studio as JSON, not as JSON-MIN.")
        for annotation in task.get("annotations") or []:
            if isinstance(annotation, dict) and not annotation.get("was_cancelled"):
                yield LabelRow(
                    where, _values(task["data"], annotation, where), _text_or_none(task["data"].get("audio"))
                )


def _values(data: Mapping[str, Any], annotation: Mapping[str, Any], where: str) -> dict[str, object]:
    text, verdict = _answer(annotation.get("result") or [], where)
    own = annotation.get("earwitness")
    values: dict[str, object] = {name: data[name] for name in ("clip_id", *_OF_TASK) if data.get(name) is not None}
    values |= own if isinstance(own, dict) else {}
    if text is None and verdict is None:
        return values
    return values | {
        "text": text,
        "verdict": verdict or "text",
        "author": _author(annotation.get("completed_by")),
        "time": annotation.get("updated_at") or annotation.get("created_at"),
        "seconds_spent": annotation.get("lead_time"),
    }


def _answer(result: Sequence[Any], where: str) -> tuple[str | None, str | None]:
    texts: list[str] = []
    verdict = None
    for item in result:
        value = item.get("value") if isinstance(item, dict) else None
        if not isinstance(value, dict):
            raise ManifestError(f"{where}: an annotation has a result without a 'value'. Export it again as JSON.")
        texts += [text for text in _several(value.get("text")) if isinstance(text, str)]
        verdict = next((choice for choice in _several(value.get("choices")) if choice in _VERDICTS), verdict)
    return ("\n".join(texts) if texts else None), verdict


def _several(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _author(completed_by: object) -> PlainValue:
    if isinstance(completed_by, dict):
        return str(completed_by.get("email") or completed_by.get("id"))
    return None if completed_by is None else str(completed_by)


def _manifest(path: Path) -> Iterator[LabelRow]:
    for found in objects(path):
        if isinstance(found, ManifestError):
            raise found
        if not isinstance(found, tuple):
            continue
        where, row = found
        if "audio_filepath" not in row:
            raise ManifestError(f"{where} has no 'audio_filepath'. Export from Label Studio as JSON or ASR_MANIFEST.")
        yield LabelRow(
            where,
            {"text": _text_or_none(row.get("text")), "author": _author(row.get("annotator"))},
            row["audio_filepath"],
        )


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None
