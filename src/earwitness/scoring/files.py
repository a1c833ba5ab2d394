"""Transcript files for ``earwitness score``: plain lines, JSONL, and sclite's trn, stm and ctm.

Plain lines pair by their number, stm and ctm by recording, channel and time, the others by id. An empty line is an
empty transcript.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from earwitness.errors import ScoringError
from earwitness.scoring import ctm, stm, trn

Format = Literal["plain", "trn", "jsonl", "stm"]
FORMATS: tuple[Format, ...] = get_args(Format)
_OBJECT = re.compile(r'\s*\{\s*["}]')
_REFERENCE_KEYS = ("text", "reference", "ref")
_HYPOTHESIS_KEYS = ("pred_text", "hypothesis", "hyp", "prediction", "text")
_ID_KEYS = ("id", "utt_id", "audio_filepath")


class Pair(NamedTuple):
    """What was said and what was heard."""

    id: str
    """From the files, or made of line numbers or times."""
    reference: str
    """Raw."""
    hypothesis: str | None
    """Raw; ``None`` when there is none, and that is a failure."""
    recording: str
    """What pairs are clustered by: with stm the recording, else the pair itself."""
    segment: stm.Segment | None = None
    """With stm: the reference's, with its times and its speaker."""
    words: tuple[ctm.Word, ...] = ()
    """With stm: those of the hypothesis, with their times."""


def read_pairs(
    reference: Path,
    hypothesis: Path,
    *,
    format: Format | None = None,  # noqa: A002 - the word that users type
    missing_as_empty: bool = False,
) -> list[Pair]:
    """Return the pairs in the order of the reference.

    Args:
        reference: The file of what was said.
        hypothesis: The file of what was heard. The same JSONL file may be both, with ``text`` and ``pred_text``. With
            an stm it is a ctm.
        format: Of both files; ``None`` finds out.
        missing_as_empty: A reference without hypothesis gives ``None``, a failure, instead of an error.

    Raises:
        ScoringError: When the files cannot be read or paired; counts or ids are named.
    """
    if (format or sniff(reference)) == "stm":
        return _timed(reference, hypothesis)
    said = _read(reference, format or sniff(reference), _REFERENCE_KEYS)
    heard = _read(hypothesis, format or sniff(hypothesis), _HYPOTHESIS_KEYS)
    if isinstance(said, list) is not isinstance(heard, list):
        raise ScoringError(f"{str(reference)!r} and {str(hypothesis)!r} are of different formats. Use --format.")
    if isinstance(said, list) and len(said) != len(heard):
        raise ScoringError(
            f"{str(reference)!r} has {len(said)} lines and {str(hypothesis)!r} has {len(heard)}; "
            "plain lines pair by number. Give them ids (trn or JSONL), or repair the shorter one."
        )
    return paired(said, heard, missing_as_empty=missing_as_empty)


def paired(
    said: Sequence[str] | Mapping[str, str],
    heard: Sequence[str | None] | Mapping[str, str],
    *,
    missing_as_empty: bool = False,
) -> list[Pair]:
    """Return pairs of texts that are there already: two lists by number, two mappings by id.

    Args:
        said: References.
        heard: Hypotheses; ``None`` in a list is a failure.
        missing_as_empty: A reference whose id has no hypothesis gives ``None``, a failure, instead of an error.

    Raises:
        ScoringError: When they cannot be paired; counts or ids are named.

    >>> paired(["one", "two"], ["one", None])[1][:3]
    ('line 2', 'two', None)
    """
    if isinstance(said, Mapping) and isinstance(heard, Mapping):
        _refuse_unpaired(said, heard, missing_as_empty=missing_as_empty)
        return [Pair(key, text, heard.get(key), key) for key, text in said.items()]
    if isinstance(said, Mapping) or isinstance(heard, Mapping):
        raise ScoringError("One side has ids and the other has none. Give both as lists, or both by id.")
    if len(said) != len(heard):
        raise ScoringError(f"There are {len(said)} references and {len(heard)} hypotheses; lists pair by number.")
    return [Pair(f"line {n}", *pair, f"line {n}") for n, pair in enumerate(zip(said, heard, strict=True), start=1)]


def _timed(reference: Path, hypothesis: Path) -> list[Pair]:
    segments = list(stm.read(str(reference), _lines(reference)))
    heard = ctm.by_segment(segments, ctm.read(str(hypothesis), _lines(hypothesis)))
    return [
        Pair(
            id=f"{s.recording}-{s.channel}-{s.start_s:.2f}",
            reference=s.text,
            hypothesis=" ".join(word.text for word in words),
            recording=s.recording,
            segment=s,
            words=tuple(words),
        )
        for s, words in zip(segments, heard, strict=True)
        if not s.ignored
    ]


def sniff(path: Path) -> Format:
    """Return a format: stm by the name, JSONL by the first line, trn when every line ends with an id in brackets."""
    if path.suffix == ".stm":
        return "stm"
    lines = [line for line in _lines(path) if line.strip()]
    if lines and _OBJECT.match(lines[0]):
        return "jsonl"
    return "trn" if lines and trn.looks_like(line for line in lines if not line.startswith(";;")) else "plain"


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
    rows = trn.read(str(path), lines) if kind == "trn" else _objects(path, lines, keys)
    for where, key, text in rows:
        if key in found:
            raise ScoringError(f"{where}: id {key!r} is there already. Rename one.")
        found[key] = text
    return found


def _objects(path: Path, lines: Sequence[str], keys: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            where = f"{path}:{number}"
            yield where, *_parse(where, line, keys)


def _parse(where: str, line: str, keys: Sequence[str]) -> tuple[str, str]:
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
