"""JSONL transcripts: one object per line, with an id and a text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from earwitness.errors import ScoringError

REFERENCE_KEYS = ("text", "reference", "ref")
HYPOTHESIS_KEYS = ("pred_text", "hypothesis", "hyp", "prediction")
_ID_KEYS = ("id", "utt_id", "audio_filepath")
JsonRow = tuple[str, str, str | None]
"""Place, id and text."""


def references(path: Path, lines: Sequence[str]) -> Iterator[JsonRow]:
    """Yield the references of a file: the first of ``REFERENCE_KEYS`` that has a text.

    Raises:
        ScoringError: For a line that is no object, or has no id or no text.
    """
    for where, row in _rows(path, lines):
        text = next((row[key] for key in REFERENCE_KEYS if isinstance(row.get(key), str)), None)
        if text is None:
            raise _lacks(where, " or ".join(map(repr, REFERENCE_KEYS)))
        yield where, _id(where, row), text


def hypotheses(path: Path, lines: Sequence[str], reference: Path) -> Iterator[JsonRow]:
    """Yield the hypotheses of a file: the first of ``HYPOTHESIS_KEYS`` that a row has, ``None`` for null or none.

    In a file in which no row has any of these keys, ``text`` is the hypothesis, unless the file is the reference too.

    Raises:
        ScoringError: For a line that is no object or has no id, a hypothesis that is no text, or a file of references
            alone.
    """
    rows = list(_rows(path, lines))
    keys: tuple[str, ...] = HYPOTHESIS_KEYS
    if not any(key in row for _, row in rows for key in keys):
        if path.exists() and reference.exists() and path.samefile(reference):
            raise ScoringError(
                f"{str(path)!r} has no hypotheses: no line has {' or '.join(map(repr, keys))}, and its 'text' is the "
                "reference."
            )
        keys = ("text",)
    for where, row in rows:
        text = next((row[key] for key in keys if row.get(key) is not None), None)
        if text is not None and not isinstance(text, str):
            raise ScoringError(f"{where}: the hypothesis must be text, not {text!r}. Correct the line.")
        yield where, _id(where, row), text


def _rows(path: Path, lines: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield f"{path}:{number}", _object(f"{path}:{number}", line)


def _object(where: str, line: str) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except json.JSONDecodeError as error:
        raise ScoringError(f"{where} is not JSON: {error.msg} at column {error.colno}. Correct the line.") from None
    except ValueError:  # of Python, which turns no number of more than 4,300 digits into an integer
        raise ScoringError(f"{where} has a number of too many digits. Write it in quotation marks.") from None
    except RecursionError:
        raise ScoringError(f"{where} is nested too deeply. Correct the line.") from None
    if not isinstance(data, dict):
        raise ScoringError(f"{where} is JSON, but not an object in braces. Correct the line.")
    return data


def _id(where: str, row: dict[str, Any]) -> str:
    key = next((row[name] for name in _ID_KEYS if row.get(name) is not None), None)
    if key is None:
        raise _lacks(where, "'id'")
    return str(key)


def _lacks(where: str, needs: str) -> ScoringError:
    return ScoringError(f"{where} has no {needs}. Every line needs an id and a text.")
