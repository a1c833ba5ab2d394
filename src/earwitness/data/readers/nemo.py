"""JSONL manifests as NeMo writes them: one object a line, paths relative to the manifest.

Keys: ``audio_filepath`` (needed), ``text``, ``duration``, ``offset``, ``lang`` or ``language``, ``id``, ``speaker``,
and two of our own, ``recording`` and ``channel``. Any other key becomes a tag. A manifest that ends in ``.gz`` is
unpacked.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from earwitness.data.rows import Row, Rows, inside, seconds, text_lines
from earwitness.errors import ManifestError

KNOWN = frozenset(
    ["audio_filepath", "text", "duration", "offset", "lang", "language", "id", "speaker", "recording", "channel"]
)


def read(path: Path) -> Rows:
    """Yield the rows of a manifest, and an error for each line that is none."""
    for where, line in lines(path):
        try:
            yield _row(where, line, path.parent)
        except ManifestError as error:
            yield error


def lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield place and text of each line that is not blank."""
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield f"{path}:{number}", line
        return
    for number, line in text_lines(path):
        yield f"{path}:{number}", line


def parse_object(where: str, line: str) -> dict[str, Any]:
    """Return a line's JSON object.

    Raises:
        ManifestError: When it is not JSON, or not an object.
    """
    try:
        data = json.loads(line)
    except json.JSONDecodeError as error:
        raise ManifestError(f"{where} is not JSON: {error.msg} at column {error.colno}. Correct the line.") from None
    if not isinstance(data, dict):
        raise ManifestError(f"{where} is JSON, but not an object in braces. Correct the line.")
    return data


def _row(where: str, line: str, root: Path) -> Row:
    data = parse_object(where, line)
    given = data.get("audio_filepath")
    if not isinstance(given, str) or not given:
        raise ManifestError(f"{where} has no 'audio_filepath'. Every line needs the path of its audio.")
    audio = root / Path(given).expanduser()
    channel = data.get("channel")
    if channel is not None and (not isinstance(channel, int) or channel < 0):
        raise ManifestError(f"{where}: 'channel' must be a whole number from 0, not {channel!r}. Correct the line.")
    return Row(
        where=where,
        audio=audio,
        name=inside(audio, root),
        id=_text(data, "id", where),
        start_s=seconds(data.get("offset"), "'offset'", where) or 0.0,
        duration_s=seconds(data.get("duration"), "'duration'", where),
        reference=_text(data, "text", where),
        language=_text(data, "lang", where) or _text(data, "language", where) or None,
        speaker=_text(data, "speaker", where) or None,
        recording=_text(data, "recording", where) or None,
        channel=channel,
        tags={key: _tag(value) for key, value in data.items() if key not in KNOWN and value is not None},
    )


def _text(data: dict[str, Any], key: str, where: str) -> str | None:
    value = data.get(key)
    if value is None or isinstance(value, str):
        return value
    if key != "text" and isinstance(value, int):
        return str(value)
    raise ManifestError(f"{where}: {key!r} must be text, not {value!r}. Correct the line.")


def _tag(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
