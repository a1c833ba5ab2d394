"""JSONL manifests as NeMo writes them: one object a line, paths relative to the manifest.

Keys are known by the names of ``columns.NAMES``, NeMo's own first; any other key becomes a tag.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from earwitness.data.readers.columns import roles, without_text
from earwitness.data.readers.jsonlines import Object, first_object, objects
from earwitness.data.rows import DataRow, Places, Remark, Rows, channel, seconds, show
from earwitness.errors import ManifestError

KNOWN = frozenset(
    ["audio_filepath", "text", "duration", "offset", "lang", "language", "id", "speaker", "recording", "channel"]
)
"""What the manifests that Earwitness writes say of every clip."""
_NOTHING: Mapping[str, str] = MappingProxyType({})


def read(path: Path, columns: Mapping[str, str] = _NOTHING) -> Rows:
    """Yield the rows of a manifest, and an error for each invalid line.

    Args:
        path: The manifest.
        columns: Keys that the user names, by role.
    """
    known: dict[tuple[str, ...], dict[str, str]] = {}
    n_rows = 0
    places = Places(path.parent)
    for found in objects(path):
        if not isinstance(found, tuple):
            yield found
            continue
        where, data = found
        keys = tuple(data)
        if keys not in known:
            known[keys] = roles(keys, columns)
        try:
            yield _row(where, data, known[keys], places)
            n_rows += 1
        except ManifestError as error:
            yield error
    if n_rows and not any("text" in place for place in known.values()):
        yield Remark(str(path), without_text(tuple(dict.fromkeys(key for keys in known for key in keys))))


def names_audio(path: Path, columns: Mapping[str, str] = _NOTHING) -> bool:
    """Return whether the first line names an audio file.

    Raises:
        ManifestError: When the file cannot be read as text.
    """
    return "audio" in roles(tuple(first_object(path)), columns)


def _row(where: str, data: Object, place: Mapping[str, str], places: Places) -> DataRow:
    if "audio" not in place:
        raise ManifestError(
            f"{where} has no 'audio_filepath' among {', '.join(data) or 'no keys'}. "
            "Every line needs the path of its audio."
        )
    given = data[place["audio"]]
    if not isinstance(given, str):
        raise ManifestError(f"{where}: {place['audio']!r} must be the path of an audio file, not {show(given)}.")
    audio, name = places.find(given, where)

    def number(role: str) -> float | None:
        return seconds(data.get(place.get(role, "")), repr(place.get(role)), where)

    start_s = number("start") or 0.0
    used = set(place.values())
    return DataRow(
        where=where,
        audio=audio,
        name=name,
        id=_text(data, place.get("id"), where, numbers=True),
        start_s=start_s,
        duration_s=length(start_s, number("duration"), number("end"), where),
        reference=_text(data, place.get("text"), where),
        language=_text(data, place.get("language"), where) or None,
        speaker=_text(data, place.get("speaker"), where, numbers=True) or None,
        recording=_text(data, place.get("recording"), where, numbers=True) or None,
        channel=channel(data.get(place.get("channel", "")), repr(place.get("channel")), where),
        tags={key: _tag(value) for key, value in data.items() if key not in used and value is not None},
    )


def length(start_s: float, duration_s: float | None, end_s: float | None, where: str) -> float | None:
    """Return how long a span is that states its duration, its end, or neither.

    Raises:
        ManifestError: For an end that is not after the start.
    """
    if duration_s is not None or end_s is None:
        return duration_s
    if end_s <= start_s:
        raise ManifestError(f"{where} ends at {end_s:g} s, not after its start at {start_s:g} s. Correct the line.")
    return end_s - start_s


def _text(data: Object, key: str | None, where: str, *, numbers: bool = False) -> str | None:
    value = None if key is None else data.get(key)
    if value is None or isinstance(value, str):
        return value
    if numbers and isinstance(value, int):
        return str(value)
    raise ManifestError(f"{where}: {key!r} must be text, not {show(value)}. Correct the line.")


def _tag(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
