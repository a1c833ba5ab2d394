"""The overlay: a file of labels beside the untouched data. It is appended to and never rewritten.

One label a line, as JSON. Several people and processes may append at once. A line that a kill cut short is passed over
when the file is read, with a remark, and the next label begins on a line of its own.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from earwitness.data.rows import AUDIO_SUFFIXES, LABELS
from earwitness.errors import FileError, RecordError
from earwitness.files.atomic import write_errors
from earwitness.files.lock import exclusive
from earwitness.files.schema import read_bytes, require_version, schema_of, to_json, validate
from earwitness.labels.label import LABEL_SCHEMA_VERSION, Label

IN_FOLDER = f"earwitness{LABELS}"
"""The overlay of a folder, inside it; readers of data pass it over."""

PLAN = ".plan.json"
"""How the name of a plan beside an overlay ends."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """The labels of a file, as they stand in it."""

    path: Path
    """The file."""
    labels: tuple[Label, ...]
    """In the order of the lines, replaced and withdrawn ones too."""
    sha256: str
    """Of the file's bytes."""
    remarks: tuple[str, ...] = ()
    """A sentence for each line that is passed over."""


def overlay_path(data: str | Path) -> Path:
    """Return where the labels of a dataset are kept, whether they are there or not.

    A file has its overlay beside it, a folder inside it. What has only a name, such as a corpus, has its overlay in the
    working folder.

    Args:
        data: As ``load`` takes it; a path need not exist.

    >>> overlay_path("calls/march.jsonl").as_posix(), overlay_path("telephony-en").as_posix()
    ('calls/march.labels.jsonl', 'telephony-en.labels.jsonl')
    """
    from earwitness.data.bundle import split

    inside = split(data)
    if inside is not None:
        archive, name = inside
        return archive.with_name(".".join(filter(None, [archive.stem, name])) + LABELS)
    path = Path(data).expanduser()
    if path.is_dir():
        return path / IN_FOLDER
    stem = path.name.removesuffix(".gz")
    suffix = Path(stem).suffix
    known = suffix.lower() in {".jsonl", ".json", ".ndjson", ".csv", ".tsv", *AUDIO_SUFFIXES}
    return path.with_name((stem.removesuffix(suffix) if known else stem) + LABELS)


def plan_path(overlay: Path) -> Path:
    """Return where the plan lies by which the clips of an overlay were chosen: beside it.

    >>> plan_path(Path("calls/march.labels.jsonl")).as_posix()
    'calls/march.plan.json'
    """
    return overlay.with_name(overlay.name.removesuffix(".jsonl").removesuffix(".labels") + PLAN)


def append_label(path: Path, label: Label) -> None:
    """Append a label, and return once it is on the disk.

    The line is written at once, under the file's lock, so that lines of several writers do not mix.

    Args:
        path: The overlay; it and its folder are made.
        label: The label.

    Raises:
        FileError: When it cannot be written; what was there before still is.
    """
    line = to_json(label).encode()
    with write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        try:
            with exclusive(descriptor):
                _append(descriptor, line, path)
        finally:
            os.close(descriptor)


def _append(descriptor: int, line: bytes, path: Path) -> None:
    size = os.fstat(descriptor).st_size
    if size:
        os.lseek(descriptor, size - 1, os.SEEK_SET)
        line = line if os.read(descriptor, 1) == b"\n" else b"\n" + line
    written = os.write(descriptor, line)
    if written != len(line):
        raise FileError(
            f"Cannot write {str(path)!r}: the disk took {written} of {len(line)} bytes. Free some space, then retry."
        )
    os.fsync(descriptor)


def read_labels(path: Path) -> Overlay:
    """Read an overlay; a file that is not there has no labels.

    Raises:
        RecordError: For a file that cannot be read, or a line that is JSON but not a label, or a newer Earwitness's.
    """
    try:
        content = read_bytes(path)
    except FileNotFoundError:
        content = b""
    except OSError as error:
        why = "it is a folder" if error.errno == errno.EISDIR else error.strerror
        raise RecordError(f"{str(path)!r} cannot be read as labels: {why}. Name the file.") from None
    labels: list[Label] = []
    remarks: list[str] = []
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            data = json.loads(line.decode())
        except (ValueError, RecursionError):
            remarks.append(f"{path}:{number} is passed over: it is no whole line of JSON, as a kill leaves it.")
            continue
        labels.append(_label(data, f"{path}:{number}"))
    return Overlay(path, tuple(labels), hashlib.sha256(content).hexdigest(), tuple(remarks))


def label_schema() -> dict[str, Any]:
    """Return the JSON Schema of a line of an overlay."""
    return schema_of(Label, "Earwitness label")


def _label(data: object, where: str) -> Label:
    require_version(data, "schema_version", LABEL_SCHEMA_VERSION, f"{where} has schema version")
    return validate(Label, data, f"{where} is not a label", remedy="Correct the line, or name another overlay.")
