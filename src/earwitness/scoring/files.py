"""Transcript files for ``earwitness score``: plain lines, sclite's trn, and JSONL.

Plain lines pair by their number, the others by id. An empty line is an empty transcript.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from earwitness.errors import ScoringError

Format = Literal["plain", "trn", "jsonl"]
FORMATS: tuple[Format, ...] = ("plain", "trn", "jsonl")
_TRN = re.compile(r"^(.*?)\s*\(([^()]*)\)\s*$")
_REFERENCE_KEYS = ("text", "reference", "ref")
_HYPOTHESIS_KEYS = ("pred_text", "hypothesis", "hyp", "prediction", "text")
_ID_KEYS = ("id", "utt_id", "audio_filepath")


def read_pairs(
    reference: Path,
    hypothesis: Path,
    *,
    format: Format | None = None,  # noqa: A002 - the word that users type
    missing_as_empty: bool = False,
) -> list[tuple[str, str, str | None]]:
    """Return id, reference and hypothesis of each pair, in the order of the reference.

    Args:
        reference: The file of what was said.
        hypothesis: The file of what was heard. The same JSONL file may be both, with ``text`` and ``pred_text``.
        format: Of both files; ``None`` finds out.
        missing_as_empty: A reference without hypothesis gives ``None``, a failure, instead of an error.

    Raises:
        ScoringError: When the files cannot be read or paired; counts or ids are named.
    """
    said = _read(reference, format or sniff(reference), _REFERENCE_KEYS)
    heard = _read(hypothesis, format or sniff(hypothesis), _HYPOTHESIS_KEYS)
    if isinstance(said, list) and isinstance(heard, list):
        if len(said) != len(heard):
            raise ScoringError(
                f"{str(reference)!r} has {len(said)} lines and {str(hypothesis)!r} has {len(heard)}; "
                "plain lines pair by number. Give them ids (trn or JSONL), or repair the shorter one."
            )
        return [(f"line {n}", r, h) for n, (r, h) in enumerate(zip(said, heard, strict=True), start=1)]
    if isinstance(said, list) or isinstance(heard, list):
        raise ScoringError(f"{str(reference)!r} and {str(hypothesis)!r} are of different formats. Use --format.")
    _refuse_unpaired(said, heard, missing_as_empty=missing_as_empty)
    return [(key, text, heard.get(key)) for key, text in said.items()]


def sniff(path: Path) -> Format:
    """Return a file's format: JSONL by its first line, trn when every line ends with an id in brackets."""
    lines = [line for line in _lines(path) if line.strip()]
    if lines and lines[0].lstrip().startswith("{"):
        return "jsonl"
    return "trn" if lines and all(_TRN.match(line) for line in lines) else "plain"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise ScoringError(f"There is no file {str(path)!r}. Check the path.") from None
    except IsADirectoryError:
        raise ScoringError(f"{str(path)!r} is a folder. Name a file of transcripts.") from None
    except UnicodeDecodeError as error:
        raise ScoringError(f"{str(path)!r} is not UTF-8 (byte {error.start}). Convert it.") from None


def _read(path: Path, kind: Format, keys: Sequence[str]) -> list[str] | dict[str, str]:
    lines = _lines(path)
    if kind == "plain":
        return lines
    found: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        key, text = _parse(f"{path}:{number}", line, kind, keys)
        if key in found:
            raise ScoringError(f"{path}:{number}: id {key!r} is there already. Rename one.")
        found[key] = text
    return found


def _parse(where: str, line: str, kind: Format, keys: Sequence[str]) -> tuple[str, str]:
    if kind == "trn":
        match = _TRN.match(line)
        if match is None:
            raise ScoringError(f"{where} does not end with an id in brackets, as trn needs. Correct the line.")
        return match[2], match[1]
    try:
        data = json.loads(line)
    except json.JSONDecodeError as error:
        raise ScoringError(f"{where} is not JSON: {error.msg} at column {error.colno}. Correct the line.") from None
    if not isinstance(data, dict):
        raise ScoringError(f"{where} is JSON, but not an object in braces. Correct the line.")
    key = next((data[name] for name in _ID_KEYS if data.get(name) is not None), None)
    text = next((data[name] for name in keys if isinstance(data.get(name), str)), None)
    if key is None or text is None:
        needs = "'id'" if key is None else " or ".join(map(repr, keys))
        raise ScoringError(f"{where} has no {needs}. Every line needs an id and a text.")
    return str(key), text


def _refuse_unpaired(said: Mapping[str, str], heard: Mapping[str, str], *, missing_as_empty: bool) -> None:
    extra = [key for key in heard if key not in said]
    missing = [] if missing_as_empty else [key for key in said if key not in heard]
    for what, keys, advice in (
        ("hypotheses without reference", extra, "Remove them."),
        ("references without hypothesis", missing, "Count them as failed with --missing-as-empty."),
    ):
        if keys:
            named = ", ".join(map(repr, keys[:3])) + (", …" if len(keys) > 3 else "")
            raise ScoringError(f"There are {len(keys)} {what}: {named}. {advice}")
