"""Labels as flat rows of plain values, which every format of exchange is made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import PurePosixPath

from earwitness.errors import ManifestError
from earwitness.files.schema import plain, validate
from earwitness.labels.label import LABEL_SCHEMA_VERSION, Label, moment, now, text_sha256
from earwitness.labels.span_id import parent_id
from earwitness.labels.units import units_in
from earwitness.types import Clip

PlainValue = str | float | bool | None
FIELDS = tuple(field.name for field in fields(Label) if field.name != "schema_version")
"""Of a label, in order."""
REST = (
    "audio_sha256", "start_s", "duration_s", "draft", "draft_source", "draft_model", "old_text_sha256",
    "second_opinion", "adjudication", "note", "client_id",
)  # fmt: skip
"""Fields for which other tools have no place of their own."""


@dataclass(frozen=True, slots=True)
class LabelRow:
    """A label as a file states it; what it leaves out is taken from the clip."""

    where: str
    """File and line, for messages."""
    values: Mapping[str, object]
    """By name of a field; a field that is not there, or ``None``, is not stated."""
    audio: str | None = None
    """The audio file, where the row names no clip."""


@dataclass(frozen=True, slots=True)
class ExchangeClip:
    """A clip with its labels, on the way to another tool."""

    clip: Clip
    """As it was read."""
    labels: tuple[Label, ...]
    """Current ones, one for each author; none for an unlabelled clip."""


def exchange_clips(clips: Iterable[Clip], labels: Iterable[Label]) -> list[ExchangeClip]:
    """Return clips with their labels, in the order of the clips; a labelled span follows its clip.

    Args:
        clips: Of a dataset.
        labels: Current ones.
    """
    by_clip: dict[str, list[Label]] = {}
    spans: dict[str, dict[str, None]] = {}
    for label in labels:
        by_clip.setdefault(label.clip_id, []).append(label)
        spans.setdefault(parent_id(label.clip_id) or "", {})[label.clip_id] = None
    rows = []
    for clip in clips:
        rows.append(ExchangeClip(clip, tuple(by_clip.get(clip.id, ()))))
        for span in spans.get(clip.id, {}):
            first = by_clip[span][0]
            rows.append(ExchangeClip(_span(clip, first), tuple(by_clip[span])))
    return rows


def _span(clip: Clip, label: Label) -> Clip:
    return replace(
        clip,
        id=label.clip_id,
        start_s=label.start_s,
        duration_s=label.duration_s,
        reference=None,
        recording=clip.recording or clip.id,
        duration_kind="manifest",
    )


def to_row(label: Label) -> dict[str, PlainValue]:
    """Return a label's fields as plain values, without the version of the layout."""
    values: dict[str, PlainValue] = plain(label)
    return {name: values[name] for name in FIELDS}


def to_labels(rows: Iterable[LabelRow], clips: Sequence[Clip], *, author: str | None = None) -> list[Label]:
    """Return the labels of rows, completed from the clips that they name.

    A row without a text and a verdict is no label, but a clip that nobody has labelled yet.

    Args:
        rows: Of a file.
        clips: Of the dataset; the id of a span says where it lies.
        author: Of rows that name nobody.

    Raises:
        ManifestError: For a row of no clip or of several, without an author, or that is no label; the place is named.
    """
    rows = list(rows)
    by_id = units_in(clips, [str(row.values.get("clip_id")) for row in rows])
    by_audio = _by_audio(clips)
    time = now()
    labels = []
    for row in rows:
        values = {name: value for name, value in row.values.items() if value is not None}
        if "verdict" not in values and not values.get("text"):
            continue
        clip = by_id.get(str(values.get("clip_id")))
        if clip is None and row.audio is not None and "clip_id" not in values:
            clip = _clip_of(row, by_audio)
        if "clip_id" not in values and clip is None:
            raise ManifestError(f"{row.where} names no clip of the dataset. Add the clip's id or its audio file.")
        if "author" not in values and author is None:
            raise ManifestError(f"{row.where} names no author. Say who labelled: --author NAME")
        labels.append(_label(row.where, values, clip, author, time))
    return labels


def _label(where: str, values: Mapping[str, object], clip: Clip | None, author: str | None, time: str) -> Label:
    usual: dict[str, object] = {"verdict": "text", "author": author, "time": time, "text": None}
    if clip is not None:
        usual |= {
            "clip_id": clip.id,
            "audio_sha256": clip.audio_sha256,
            "start_s": clip.start_s,
            "duration_s": clip.duration_s,
            "old_text_sha256": text_sha256(clip.reference),
        }
    if clip is not None and "time" in values and "audio_sha256" in values:
        del usual["old_text_sha256"]  # a row of ours that states none had none
    stated = usual | dict(values) | {"schema_version": LABEL_SCHEMA_VERSION}
    if stated["text"] == "" and stated["verdict"] != "text":
        stated["text"] = None  # an empty cell
    if stated.get("draft") == "" and stated.get("draft_source", "empty") == "empty":
        stated["draft"] = None
    return validate(Label, stated, f"{where} is not a label", remedy="Correct it.", error=ManifestError)


def _by_audio(clips: Iterable[Clip]) -> dict[str, list[Clip]]:
    names: dict[str, list[Clip]] = {}
    for clip in clips:
        path = PurePosixPath(clip.audio_path)
        for name in {str(path), path.name}:
            names.setdefault(name, []).append(clip)
    return names


def _clip_of(row: LabelRow, by_audio: Mapping[str, Sequence[Clip]]) -> Clip | None:
    path = PurePosixPath(row.audio or "")
    clips = by_audio.get(str(path)) or by_audio.get(path.name) or ()
    start_s = row.values.get("start_s")
    if isinstance(start_s, float):
        clips = [clip for clip in clips if abs(clip.start_s - start_s) < 0.05]
    if len(clips) > 1:
        raise ManifestError(
            f"{row.where}: {len(clips)} clips of the dataset have the audio {path.name!r}. Add the clip's id."
        )
    return clips[0] if clips else None


def new_labels(labels: Iterable[Label], old: Iterable[Label]) -> list[Label]:
    """Return the labels that an overlay does not have yet: importing a file twice adds nothing.

    A label that says what the same person's newest one of the clip says is not new, whatever its time: rows without a
    time get that of the import.

    Args:
        labels: From a file.
        old: Of the overlay.
    """
    by_time = sorted(old, key=lambda label: moment(label.time))
    keys = {_content(label) for label in by_time}
    newest = {_place(label): (label.text, label.verdict) for label in by_time}
    return [
        label
        for label in labels
        if _content(label) not in keys and newest.get(_place(label)) != (label.text, label.verdict)
    ]


def _place(label: Label) -> tuple[object, ...]:
    return label.clip_id, label.author, label.adjudication


def _content(label: Label) -> tuple[object, ...]:
    return label.clip_id, label.author, label.text, label.verdict, moment(label.time), label.adjudication
