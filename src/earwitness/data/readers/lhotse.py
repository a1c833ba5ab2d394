"""Lhotse's cuts: JSONL, plain or gzipped, one MonoCut a line with its recording inside.

A cut is a clip; the texts of its supervisions, in order of time, are its reference. Cuts that are mixed or padded, and
audio that is not a file, are refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from earwitness.data.readers.nemo import lines, parse_object
from earwitness.data.rows import Row, Rows, seconds
from earwitness.errors import ManifestError


def read(path: Path) -> Rows:
    """Yield the rows of a cut set, and an error for each line that is none."""
    for where, line in lines(path):
        try:
            yield _row(where, parse_object(where, line), path.parent)
        except ManifestError as error:
            yield error


def _row(where: str, cut: dict[str, Any], root: Path) -> Row:
    kind = cut.get("type", "MonoCut")
    if kind not in ("MonoCut", "MultiCut"):
        raise ManifestError(f"{where} is a {kind!r}; only MonoCut can be read. Save the cuts' audio first.")
    recording = cut.get("recording")
    if not isinstance(recording, dict) or not recording.get("sources"):
        raise ManifestError(f"{where} has no recording with sources. Save the cuts with their recordings.")
    source = recording["sources"][0]
    if source.get("type") != "file":
        raise ManifestError(f"{where}: audio of type {source.get('type')!r} is not a file. Save it to files first.")
    supervisions = sorted(cut.get("supervisions") or (), key=lambda s: float(s.get("start", 0)))
    texts = [s["text"].strip() for s in supervisions if isinstance(s.get("text"), str)]

    def shared(key: str) -> str | None:
        values = {s.get(key) for s in supervisions}
        return values.pop() if len(values) == 1 else None

    channel = cut.get("channel")
    many = sum(len(s.get("channels", [0])) for s in recording["sources"]) > 1
    custom = {**(cut.get("custom") or {})}
    return Row(
        where=where,
        audio=root / Path(source["source"]).expanduser(),
        name=str(recording.get("id", "")),
        id=None if cut.get("id") is None else str(cut["id"]),
        start_s=seconds(cut.get("start"), "'start'", where) or 0.0,
        duration_s=seconds(cut.get("duration"), "'duration'", where),
        reference=" ".join(text for text in texts if text) if texts else None,
        language=shared("language"),
        speaker=shared("speaker"),
        recording=str(recording.get("id")) if recording.get("id") else None,
        channel=channel if many and isinstance(channel, int) else None,
        tags={str(key): str(value) for key, value in custom.items()},
    )
