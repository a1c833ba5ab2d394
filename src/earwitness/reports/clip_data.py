"""Clips as data in the page: a small index of columns that loads at once, and texts that load when shown.

Each is JSON, compressed and written in base64, so no byte of a transcript can be taken for markup. The layout is told
here alone and read by ``page/data.js`` alone.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from earwitness.comparison.study import Board
from earwitness.comparison.word_diff import AlignedSpan, ClipDiff, WordDiff, diffs
from earwitness.records.record import ClipResult
from earwitness.reports.sounds import Sound
from earwitness.types import Clip

CHUNK = 500
"""Clips in a piece."""
_KINDS = {"equal": "=", "replace": "r", "delete": "d", "insert": "i"}
_MOST_VALUES = 200
FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ClipTable:
    """The clips of one dataset as data of the page."""

    index: str
    """Columns."""
    pieces: tuple[str, ...]
    """Texts, ``CHUNK`` clips each."""
    sounds: Mapping[int, str]
    """Sound by the clip's number."""


def clip_table(board: Board, sounds: Mapping[str, Sound]) -> ClipTable:
    """Return the clips of a dataset as data.

    Args:
        board: The dataset.
        sounds: By clip id.
    """
    columns = _Columns([row.label for row in board.table.rows])
    pieces = []
    heard: dict[int, str] = {}
    everything = diffs(board.results, board.table.rows[0].run.scoring)
    while some := list(islice(everything, CHUNK)):
        rows = []
        for diff in some:
            sound = sounds[diff.clip.id]
            if sound.webm is not None:
                heard[len(columns.ids)] = base64.b64encode(sound.webm).decode()
            tags = _about(diff.clip)
            columns.add(diff, tags, sound)
            rows.append(_texts(diff, tags, columns.labels, sound))
        pieces.append(compress(rows))
    return ClipTable(compress(columns.plain()), tuple(pieces), heard)


def compress(value: Any) -> str:
    """Return JSON as base64 of gzip; the same value gives the same text."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=6, mtime=0)).decode()


class _Columns:
    """The columns for sorting and filtering."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = labels
        self.ids: list[str] = []
        self._duration_s: list[float] = []
        self._length: list[int | None] = []
        self._errors: list[list[int | None]] = [[] for _ in labels]
        self._wall_s: list[list[float | None]] = [[] for _ in labels]
        self._flags: list[list[int]] = [[] for _ in labels]
        self._kinds: dict[str, int] = {FAILED: 0}
        self._silent: list[int] = []
        self._reasons: dict[str, int] = {}
        self._tags: list[Mapping[str, str]] = []
        self._files: list[list[Any]] = []

    def add(self, diff: ClipDiff, tags: Mapping[str, str], sound: Sound) -> None:
        clip = diff.clip
        self.ids.append(clip.id)
        self._duration_s.append(round(clip.duration_s, 2))
        words = next((line.score.words for line, _ in diff.heard.values()), None)
        self._length.append(None if words is None else words.length)
        for place, label in enumerate(self.labels):
            result = diff.heard[label][0] if label in diff.heard else None
            counted = result.score.words if result else None
            wall_s = result.hypothesis.wall_s if result else None
            self._errors[place].append(None if counted is None else counted.errors)
            self._wall_s[place].append(None if wall_s is None else round(wall_s, 4))
            self._flags[place].append(self._bits(result))
        reason = sound.reason
        self._silent.append(-1 if reason is None else self._reasons.setdefault(reason, len(self._reasons)))
        self._tags.append(tags)
        self._files.append([f"{clip.audio_sha256}{clip.channel}{clip.audio_path}", round(clip.start_s, 3)])

    def _bits(self, result: ClipResult | None) -> int:
        if result is None or not (result.score.flags or result.score.failed):
            return 0
        kinds = [*result.score.flags, *([FAILED] if result.score.failed else [])]
        return sum(1 << self._kinds.setdefault(kind, len(self._kinds)) for kind in dict.fromkeys(kinds))

    def plain(self) -> dict[str, Any]:
        files = {name: number for number, name in enumerate(dict.fromkeys(name for name, _ in self._files))}
        return {
            "ids": self.ids,
            "duration": self._duration_s,
            "length": self._length,
            "errors": self._errors,
            "wall": self._wall_s,
            "flags": self._flags,
            "kinds": list(self._kinds),
            "silent": self._silent,
            "reasons": list(self._reasons),
            "tags": list(self._tag_columns()),
            "file": [files[name] for name, _ in self._files],
            "start": [start_s for _, start_s in self._files],
        }

    def _tag_columns(self) -> Iterator[dict[str, Any]]:
        """Tags that divide the clips; one with a value for every clip divides nothing."""
        for name in dict.fromkeys(name for tags in self._tags for name in tags):
            values: dict[str, int] = {}
            at = [values.setdefault(tags[name], len(values)) if name in tags else -1 for tags in self._tags]
            if len(values) <= _MOST_VALUES and (len(values) > 1 or -1 in at):
                yield {"name": name, "values": list(values), "at": at}


def _texts(diff: ClipDiff, tags: Mapping[str, str], labels: Sequence[str], sound: Sound) -> dict[str, Any]:
    clip = diff.clip
    return {
        "ref": clip.reference,
        "said": _words(diff.said, clip.reference),
        "tags": tags,
        "speech": None if diff.speech is None else [[round(a, 2), round(b, 2)] for a, b in diff.speech],
        "heard": [_heard(*diff.heard[label], diff.said) if label in diff.heard else None for label in labels],
        **({"unspaced": True} if diff.unspaced else {}),
        **({"link": sound.link} if sound.link else {}),
    }


def _about(clip: Clip) -> dict[str, str]:
    own = {"language": clip.language, "speaker": clip.speaker, "recording": clip.recording}
    return {name: value for name, value in own.items() if value} | dict(clip.tags)


def _heard(line: ClipResult, diff: WordDiff, reference: tuple[str, ...] | None) -> dict[str, Any]:
    hypothesis, score = line.hypothesis, line.score
    text = hypothesis.transcript.text if hypothesis.transcript else ""
    found: dict[str, Any] = {"text": text}
    words = _words(diff.words, text)
    if words is not None:
        found["words"] = words
    if diff.said != reference:
        found["said"] = _words(diff.said, None)
    if score.words is not None:
        edits = score.words
        found["edits"] = [edits.hits, edits.substitutions, edits.deletions, edits.insertions]
        found["ops"] = "".join(f"{_size(span)}{_KINDS[span.kind]}" for span in diff.spans)
    if diff.anchors.points:
        found["by"] = diff.anchors.source
        found["at"] = [[word, round(at_s, 2)] for word, at_s in diff.anchors.points]
    if score.findings:
        found["findings"] = [
            [one.kind, _rounded(one.start_s), _rounded(one.end_s), one.detail] for one in score.findings
        ]
    if hypothesis.failure is not None:
        found["failure"] = f"{hypothesis.failure.stage}, {hypothesis.failure.kind}: {hypothesis.failure.message}"
    return found


def _size(span: AlignedSpan) -> int:
    (said_from, said_to), (heard_from, heard_to) = span.reference, span.hypothesis
    return max(said_to - said_from, heard_to - heard_from)


def _words(words: Sequence[str] | None, raw: str | None) -> str | None:
    """Words with a space between; ``None`` where there are none or splitting the raw text gives the same."""
    if words is None:
        return None
    return None if raw is not None and raw.split() == list(words) else " ".join(words)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
