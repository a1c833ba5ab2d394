"""JSON lines: one object a line, as NeMo, Lhotse and Hugging Face write them; plain or packed with gzip."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from earwitness.data.lines import manifest_text, number_lines
from earwitness.data.rows import Remark, show
from earwitness.errors import ManifestError

_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
Object = dict[str, Any]


def objects(path: Path) -> Iterator[tuple[str, Object] | Remark | ManifestError]:
    """Yield place and object of each line that is not blank, and an error for each line that holds none.

    Half of a surrogate pair, as cutting a text in the middle of an emoji leaves it, is no character and cannot be
    written to a file: it becomes U+FFFD, and a remark says where.

    Raises:
        ManifestError: When the file cannot be read as text, or is empty.
    """
    text = manifest_text(path)
    halves: list[str] = []
    for position, (number, line) in enumerate(number_lines(text)):
        where = f"{path}:{number}"
        try:
            data = parse(where, line)
        except ManifestError as error:
            whole = None if position else _as_one_document(path, text)
            yield whole or error
            if whole:
                return
            continue
        if _ESCAPED_SURROGATE.search(line):
            clean = _without_halves(data)
            halves += [where] if clean != data else []
            data = clean
        yield where, data
    if halves:
        more = f", and on {len(halves) - 1} more lines" if len(halves) > 1 else ""
        yield Remark(halves[0], f"half of a character (a lone surrogate such as \\ud83d) is read as U+FFFD{more}.")


def first_object(path: Path) -> Object:
    """Return the object of the first line that holds one; an empty one where there is none.

    Raises:
        ManifestError: When the file cannot be read as text.
    """
    return next((found[1] for found in objects(path) if isinstance(found, tuple)), {})


def parse(where: str, line: str) -> Object:
    """Return a line's JSON object.

    Raises:
        ManifestError: When it is not JSON, not an object, or has a key twice.
    """
    try:
        data = _DECODER.decode(line)
    except json.JSONDecodeError as error:
        raise ManifestError(f"{where} is not JSON: {error.msg} at column {error.colno}. Correct the line.") from None
    except KeyError as error:
        raise ManifestError(f"{where} has the key {show(error.args[0])} twice. Remove one.") from None
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"{where} is not JSON that can be read: {error}. Correct the line.") from None
    if not isinstance(data, dict):
        raise ManifestError(f"{where} is JSON, but not an object in braces. Correct the line.")
    return data


def _once(pairs: list[tuple[str, Any]]) -> Object:
    data = dict(pairs)
    if len(data) < len(pairs):
        keys = [key for key, _ in pairs]
        raise KeyError(next(key for key in keys if keys.count(key) > 1))
    return data


# With a hook, json.loads makes a decoder of its own for every line.
_DECODER = json.JSONDecoder(object_pairs_hook=_once)


def _without_halves(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, list):
        return [_without_halves(one) for one in value]
    if isinstance(value, dict):
        return {_without_halves(key): _without_halves(one) for key, one in value.items()}
    return value


def _as_one_document(path: Path, text: str) -> ManifestError | None:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, list) and len(list(number_lines(text))) == 1:
        return None
    kind = "array" if isinstance(data, list) else "document over several lines"
    remedy = f"jq -c '.[]' {path.name} > {path.stem}.jsonl" if isinstance(data, list) else f"jq -c . {path.name}"
    return ManifestError(f"{str(path)!r} is one JSON {kind}; one object on each line is expected. Convert it: {remedy}")
