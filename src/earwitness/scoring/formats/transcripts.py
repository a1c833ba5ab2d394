"""Transcript files for ``earwitness score``: plain lines, JSONL, Kaldi's text, and sclite's trn, stm and ctm.

Plain lines pair by their number, stm and ctm by recording, channel and time, the others by id. An empty line is an
empty transcript.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from earwitness.errors import ScoringError
from earwitness.scoring.formats import ctm, jsonl, kaldi, nist, stm, trn
from earwitness.scoring.text.lines import read_lines

TranscriptFormat = Literal["plain", "trn", "jsonl", "stm", "kaldi"]
FORMATS: tuple[TranscriptFormat, ...] = get_args(TranscriptFormat)
_OBJECT = re.compile(r'\s*\{\s*["}]')


class TextPair(NamedTuple):
    """A reference and a hypothesis."""

    id: str
    """From the files, or made of line numbers or times."""
    reference: str
    """Raw."""
    hypothesis: str | None
    """Raw; ``None`` when there is none, and that is a failure."""
    recording: str
    """What pairs are clustered by: with stm the recording, else the pair itself."""
    segment: stm.StmSegment | None = None
    """With stm: the reference's, with its times and its speaker."""
    words: tuple[ctm.Word, ...] = ()
    """With stm: those of the hypothesis, with their times."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """The pairs of two files."""

    pairs: tuple[TextPair, ...]
    """In the order of the reference, without those that the reference says are not scored."""
    format: TranscriptFormat
    """Of the reference."""
    ignored: int = 0
    """How many were left out because the reference says ``IGNORE_TIME_SEGMENT_IN_SCORING``."""
    notes: tuple[str, ...] = ()
    """A sentence for each thing that was assumed."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How two files are read."""

    format: TranscriptFormat | None = None
    """Of both files; ``None`` finds out."""
    encoding: str | None = None
    """Of both files; ``None`` for UTF-8, or UTF-16 by its byte order mark."""
    missing_as_empty: bool = False
    """Whether a reference without hypothesis gives ``None``, a failure, instead of an error."""
    optional: bool = False
    """Whether a word in brackets may be left out in trn and stm, as with ``sclite -D``."""


def read_pairs(reference: Path, hypothesis: Path, options: ReadOptions = ReadOptions()) -> Pairs:
    """Return the pairs of two files.

    Args:
        reference: The file of references.
        hypothesis: The file of hypotheses. The same JSONL file may be both, with ``text`` and ``pred_text``. With an
            stm it is a ctm.
        options: How they are read.

    Raises:
        ScoringError: When the files cannot be read or paired; counts or ids are named.
    """
    said, heard = read_lines(reference, options.encoding), read_lines(hypothesis, options.encoding)
    kind = options.format or sniff(reference, said)
    if kind == "stm":
        return _timed((reference, said), (hypothesis, heard), options)
    other = options.format or sniff(hypothesis, heard)
    notes = []
    if options.format is None and kind == other == "plain":
        kind, note = kaldi.sniff(said, heard)
        other = kind
        notes += [note] if note else []
    texts = _texts(reference, said, kind, options, as_reference=None)
    answers = _texts(hypothesis, heard, other, options, as_reference=reference)
    if isinstance(texts, dict) and isinstance(answers, dict):
        answers, renamed = _folded(texts, answers)
        notes += [renamed] if renamed else []
    elif isinstance(texts, dict) or isinstance(answers, dict):
        raise ScoringError(f"{str(reference)!r} and {str(hypothesis)!r} are of different formats. Use --format.")
    elif len(texts) != len(answers):
        raise ScoringError(
            f"{str(reference)!r} has {len(texts)} lines and {str(hypothesis)!r} has {len(answers)}; "
            "plain lines are paired by number. Give them ids (trn or JSONL), or repair the shorter one."
        )
    pairs = pair_texts(texts, answers, missing_as_empty=options.missing_as_empty)
    kept = tuple(pair for pair in pairs if not nist.is_ignored(pair.reference))
    return Pairs(kept, kind, len(pairs) - len(kept), tuple(notes))


def pair_texts(
    references: Sequence[str] | Mapping[str, str],
    hypotheses: Sequence[str | None] | Mapping[str, str],
    *,
    missing_as_empty: bool = False,
) -> list[TextPair]:
    """Return pairs of texts in memory: two lists by number, or two mappings by id.

    Args:
        references: References.
        hypotheses: Hypotheses; ``None`` in a list is a failure.
        missing_as_empty: A reference whose id has no hypothesis gives ``None``, a failure, instead of an error.

    Raises:
        ScoringError: When they cannot be paired; counts or ids are named.

    >>> pair_texts(["one", "two"], ["one", None])[1][:3]
    ('line 2', 'two', None)
    """
    if isinstance(references, Mapping) and isinstance(hypotheses, Mapping):
        _refuse_unpaired(references, hypotheses, missing_as_empty=missing_as_empty)
        return [TextPair(key, text, hypotheses.get(key), key) for key, text in references.items()]
    if isinstance(references, Mapping) or isinstance(hypotheses, Mapping):
        raise ScoringError("One side has ids and the other has none. Give both as lists, or both by id.")
    if len(references) != len(hypotheses):
        raise ScoringError(
            f"There are {len(references)} references and {len(hypotheses)} hypotheses; lists are paired by position."
        )
    return [
        TextPair(f"line {n}", *pair, f"line {n}")
        for n, pair in enumerate(zip(references, hypotheses, strict=True), start=1)
    ]


def sniff(path: Path, lines: Sequence[str]) -> TranscriptFormat:
    """Return a format: stm by the name, JSONL by the first line, trn when every line ends with an id in brackets."""
    if path.suffix == ".stm":
        return "stm"
    filled = [line for line in lines if line.strip()]
    if filled and _OBJECT.match(filled[0]):
        return "jsonl"
    return "trn" if filled and trn.looks_like(line for line in filled if not line.startswith(";;")) else "plain"


def _timed(reference: tuple[Path, list[str]], hypothesis: tuple[Path, list[str]], options: ReadOptions) -> Pairs:
    segments = list(stm.read(str(reference[0]), reference[1]))
    heard = ctm.by_segment(segments, ctm.read(str(hypothesis[0]), hypothesis[1]))
    pairs = [
        TextPair(
            id=f"{s.recording}-{s.channel}-{s.start_s:.2f}",
            reference=nist.translate(s.text, optional=options.optional),
            hypothesis=" ".join(nist.translate(word.text) for word in words),
            recording=s.recording,
            segment=s,
            words=tuple(words),
        )
        for s, words in zip(segments, heard, strict=True)
        if not s.ignored
    ]
    short = sum(segment.start_s == segment.end_s for segment in segments)
    notes = (f"{short} segment{'s have' if short > 1 else ' has'} no length.",) if short else ()
    return Pairs(tuple(pairs), "stm", len(segments) - len(pairs), notes)


def _texts(
    path: Path, lines: list[str], kind: TranscriptFormat, options: ReadOptions, *, as_reference: Path | None
) -> list[str] | dict[str, str]:
    """Return the texts of one side; ``as_reference`` is the file of the references, if these are hypotheses."""
    if kind == "plain":
        return lines
    if kind == "jsonl":
        rows = jsonl.references(path, lines) if as_reference is None else jsonl.hypotheses(path, lines, as_reference)
    elif kind == "kaldi":
        rows = kaldi.read(str(path), lines)
    elif kind == "trn":
        optional = options.optional and as_reference is None
        rows = (
            (where, id_, nist.translate(text, optional=optional)) for where, id_, text in trn.read(str(path), lines)
        )
    else:
        raise ScoringError(f"{str(path)!r} is an stm, and an stm is a reference only. Give a ctm beside an stm.")
    found: dict[str, str | None] = {}
    for where, id_, text in rows:
        if id_ in found:
            raise ScoringError(f"{where}: id {id_!r} occurs twice. Rename one.")
        found[id_] = text
    return {id_: text for id_, text in found.items() if text is not None}


def _folded(references: Mapping[str, str], hypotheses: Mapping[str, str]) -> tuple[dict[str, str], str | None]:
    """Return hypotheses under the ids of references, a difference in case aside, as sclite takes them; and a note."""
    by_fold = {id_.casefold(): id_ for id_ in references if id_ not in hypotheses}
    found: dict[str, str] = {}
    renamed = []
    for id_, text in hypotheses.items():
        own = id_ if id_ in references else by_fold.pop(id_.casefold(), id_)
        renamed += [id_] if own != id_ else []
        found[own] = text
    if not renamed:
        return found, None
    count = "1 id was" if len(renamed) == 1 else f"{len(renamed)} ids were"
    return found, f"{count} paired although the case of letters differs, such as {renamed[0]!r}."


def _refuse_unpaired(references: Mapping[str, str], hypotheses: Mapping[str, str], *, missing_as_empty: bool) -> None:
    extra = [key for key in hypotheses if key not in references]
    missing = [] if missing_as_empty else [key for key in references if key not in hypotheses]
    for count, keys, advice in (
        ("hypotheses without reference", extra, "Remove them."),
        ("references without hypothesis", missing, "Count them as failed with --missing-as-empty."),
    ):
        if keys:
            named = ", ".join(map(repr, keys[:3])) + (", …" if len(keys) > 3 else "")
            one = count.replace("hypotheses", "hypothesis", 1).replace("references", "reference", 1)
            head = f"There is 1 {one}" if len(keys) == 1 else f"There are {len(keys)} {count}"
            raise ScoringError(f"{head}: {named}. {advice}")
