"""Checks a dataset before a long run: quickly by manifest and headers, or by decoding everything."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from earwitness.data.audio_remarks import explain
from earwitness.data.clips import ReadProgress, past_the_end
from earwitness.data.dataset import locate, read_rows
from earwitness.data.default_names import clip_id, with_distinct_names
from earwitness.data.rows import DataRow, Remark, there
from earwitness.errors import AudioError, ManifestError
from earwitness.files.fetch import sha256_of

if TYPE_CHECKING:
    from earwitness.audio import AudioInfo

_WORDS_PER_S = 7.0
_SILENT = 1e-4
_UNLABELLED = "unlabelled: there is no reference, so it cannot be scored"
_Text = tuple[Literal["error", "warning"], str]
_NAMES_AND_NUMBERS = re.compile(r"'[^']*'|[0-9][0-9.]*|\S*/\S*")


@dataclass(frozen=True, slots=True)
class DataProblem:
    """An error or a possible error in a dataset."""

    severity: Literal["error", "warning"]
    """Errors make clips fail or scores wrong; warnings are to be looked at."""
    where: str
    """File and line."""
    clip_id: str | None
    """The clip, where it is about one."""
    message: str
    """One sentence."""


def check(
    source: str | Path,
    *,
    deep: bool = False,
    columns: Mapping[str, str] | None = None,
    format: str | None = None,  # noqa: A002
    progress: ReadProgress | None = None,
) -> list[DataProblem]:
    """Return everything that is wrong with a dataset, in the order of its rows.

    Missing and unreadable files, stated durations that do not fit the file, ids that are there twice, one audio under
    two ids, empty references, unlabelled clips (one finding where no clip has a reference), texts without audio, more
    words a second than anybody speaks. ``deep`` decodes every clip: files cut short, NaN samples, speech in the
    manifest where the audio is silent, channels that cancel each other out or differ, packets that cannot be decoded.

    A span is compared with the length of its file only where the container states that length, or ``deep`` counts it.

    Raises:
        DataError: When there is no dataset at all.
    """
    lines = list(read_rows(locate(source), format, columns))
    rows = with_distinct_names([row for row in lines if isinstance(row, DataRow)])
    named = iter(rows)
    dataset = _Dataset(_Files(count=deep), deep)
    findings: list[DataProblem] = []
    for done, line in enumerate(lines, start=1):
        if isinstance(line, ManifestError):
            findings.append(DataProblem("error", str(line).split(" ")[0].strip("':"), None, str(line)))
        elif isinstance(line, Remark):
            findings.append(DataProblem("warning", line.where, None, line.message))
        else:
            findings += dataset.look_at(next(named))
        if progress:
            progress(done, len(lines))
    if not dataset.ids and not any(finding.severity == "error" for finding in findings):
        findings.append(DataProblem("error", str(source), None, "it has no clips"))
    return _without_transcripts(findings, len(rows), str(source))


def _without_transcripts(findings: list[DataProblem], n_clips: int, source: str) -> list[DataProblem]:
    """Return the findings with one for the whole dataset where no clip has a reference, in place of one for each."""
    bare = [finding for finding in findings if finding.message == _UNLABELLED]
    if not bare or len(bare) < n_clips:
        return findings
    rest = [finding for finding in findings if finding.message != _UNLABELLED]
    message = (
        "There are no transcripts, so no model gets an error rate. After earwitness run, earwitness rank compares the "
        "models without them, and earwitness label gives error rates from a few labels."
    )
    return [DataProblem("warning", source, None, message), *rest]


def alike(findings: Iterable[DataProblem]) -> list[list[DataProblem]]:
    """Return the findings in groups that differ only in names and numbers, in the order of their first.

    >>> places = [DataProblem("error", f"m:{n}", None, f"There is no audio file '{n}.wav'.") for n in (1, 2)]
    >>> [len(group) for group in alike([*places, DataProblem("warning", "m:3", "c", "unlabelled")])]
    [2, 1]
    """
    groups: dict[tuple[str, str], list[DataProblem]] = {}
    for finding in findings:
        groups.setdefault((finding.severity, _NAMES_AND_NUMBERS.sub("", finding.message)), []).append(finding)
    return list(groups.values())


class _Files:
    """Headers and hashes of audio files, each read once."""

    def __init__(self, *, count: bool) -> None:
        self._count = count
        self.header = cache(self._header)
        self.sha256 = cache(self._sha256)

    def _header(self, path: Path) -> AudioInfo | AudioError:
        from earwitness.audio import probe

        try:
            return probe(path, count=self._count)
        except AudioError as error:
            return error

    def _sha256(self, path: Path) -> str | OSError | None:
        try:
            return sha256_of(path) if there(path) and path.is_file() else None
        except OSError as error:
            return error


class _Dataset:
    """Checks the rows of one dataset in turn, and keeps what rows are compared by."""

    def __init__(self, files: _Files, deep: bool) -> None:
        self.ids: dict[str, str] = {}
        """Where each id stands first."""
        self._files = files
        self._deep = deep
        self._owners: dict[tuple[str, float, float | None, int | None], str] = {}

    def look_at(self, row: DataRow) -> list[DataProblem]:
        """Return what is wrong with a row by itself or in comparison with earlier rows."""
        identity = clip_id(row)
        return [DataProblem(severity, row.where, identity, text) for severity, text in self._remarks(row, identity)]

    def _remarks(self, row: DataRow, identity: str) -> Iterator[_Text]:
        if identity in self.ids:
            yield "error", f"id {identity!r} is already used at {self.ids[identity]}"
        self.ids.setdefault(identity, row.where)
        yield from _look_at_reference(row)
        yield from _look_at_audio(row, self._files.header(row.audio), self._deep)
        sha256 = self._files.sha256(row.audio)
        if isinstance(sha256, OSError):
            yield "error", f"{str(row.audio)!r} cannot be read: {sha256.strerror or sha256}"
        elif sha256 is not None:
            owner = self._owners.setdefault((sha256, row.start_s, row.duration_s, row.channel), identity)
            if owner != identity:
                yield "warning", f"same audio as clip {owner!r}"


def _look_at_reference(row: DataRow) -> Iterator[_Text]:
    if row.reference is None:
        yield "warning", _UNLABELLED
    elif not row.reference.strip():
        yield "warning", "empty reference: every word heard here will count as invented"


def _look_at_audio(row: DataRow, header: AudioInfo | AudioError, deep: bool) -> Iterator[_Text]:
    if isinstance(header, AudioError):
        yield "error", str(header)
        return
    # A library's guess may be off by half of the file.
    file_s = header.duration_s if header.duration_kind in ("stated", "counted") else None
    if file_s is not None:
        yield from _look_at_end(row, file_s)
    yield from _look_at_pace(row, file_s)
    if deep:
        yield from _look_at_sound(row, _span_s(row, file_s))


def _span_s(row: DataRow, file_s: float | None) -> float | None:
    """Return how much of the file a row takes as it states it, without what its grace cuts off."""
    if row.duration_s is None or file_s is None:
        return row.duration_s
    return row.duration_s - past_the_end(row, file_s)


def _look_at_end(row: DataRow, file_s: float) -> Iterator[_Text]:
    rest_s = file_s - row.start_s
    stated_s = _span_s(row, file_s)
    length_s = rest_s if stated_s is None else stated_s
    if rest_s <= 0 or length_s - rest_s > max(0.1, 0.01 * length_s):
        span = f"{row.start_s:.2f} to {row.start_s + length_s:.2f} s"
        yield "error", f"the manifest speaks of {span}, and the file is {file_s:.2f} s long"
    elif not row.start_s and stated_s is not None and rest_s - length_s > max(0.1, 0.01 * rest_s):
        yield "warning", f"the manifest takes {length_s:.2f} s of a file of {file_s:.2f} s"


def _look_at_pace(row: DataRow, file_s: float | None) -> Iterator[_Text]:
    length_s = _span_s(row, file_s)
    if length_s is None:
        length_s = 0.0 if file_s is None else file_s - row.start_s
    words = len((row.reference or "").split())
    if length_s > 0 and words > 3 and words / length_s > _WORDS_PER_S:
        yield "warning", f"{words} words in {length_s:.2f} s: is this the right reference?"


def _look_at_sound(row: DataRow, span_s: float | None) -> Iterator[_Text]:
    from earwitness.audio import inspect
    from earwitness.audio.channels import CANCEL

    try:
        audio, remarks = inspect(row.audio, start_s=row.start_s, duration_s=span_s, channel=row.channel)
    except AudioError as error:
        yield "error", str(error)
        return
    for remark in remarks:
        yield "warning", explain(remark)
    is_silent = float(np.abs(audio.samples).max(initial=0.0)) < _SILENT
    if is_silent and CANCEL not in remarks and (row.reference or "").strip():
        yield "error", "the audio is silent, and the reference has words"
