"""Looks a dataset over before hours are spent on it: quickly by manifest and headers, or deep, decoding everything."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np

from earwitness.data.load import Progress, locate, past_the_end, read_rows
from earwitness.data.naming import clip_id, with_distinct_names
from earwitness.data.rows import Remark, Row, there
from earwitness.errors import AudioError, ManifestError
from earwitness.fetch import sha256_of

_WORDS_PER_S = 7.0
_SILENT = 1e-4
_NAMES_AND_NUMBERS = re.compile(r"'[^']*'|[0-9][0-9.]*|\S*/\S*")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is, or may be, wrong with a dataset."""

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
    report: Progress | None = None,
) -> list[Finding]:
    """Return everything that is wrong with a dataset, in the order of its rows.

    Missing and unreadable files, stated durations that do not fit the file, ids that are there twice, one audio under
    two ids, empty references, unlabelled clips, texts without audio, more words a second than anybody speaks. ``deep``
    decodes every clip: files cut short, NaN samples, speech in the manifest where the audio is silent.

    Raises:
        DataError: When there is no dataset at all.
    """
    found = list(read_rows(locate(source), format, columns))
    named = iter(with_distinct_names([row for row in found if isinstance(row, Row)]))
    findings: list[Finding] = []
    ids: dict[str, str] = {}
    heard: dict[tuple[str, float, float | None, int | None], str] = {}
    sha256 = cache(sha256_of)
    for done, one in enumerate(found, start=1):
        if isinstance(one, ManifestError):
            findings.append(Finding("error", str(one).split(" ")[0].strip("':"), None, str(one)))
            continue
        if isinstance(one, Remark):
            findings.append(Finding("warning", one.where, None, one.message))
            continue
        row = next(named)
        identity = clip_id(row)
        if identity in ids:
            findings.append(
                Finding("error", row.where, identity, f"id {identity!r} is there already, at {ids[identity]}")
            )
        ids.setdefault(identity, row.where)
        findings += [Finding(severity, row.where, identity, text) for severity, text in _look(row, deep)]
        try:
            content = sha256(row.audio) if there(row.audio) and row.audio.is_file() else None
        except OSError as error:
            content = None
            message = f"{str(row.audio)!r} cannot be read: {error.strerror or error}"
            findings.append(Finding("error", row.where, identity, message))
        if content is not None:
            key = (content, row.start_s, row.duration_s, row.channel)
            if heard.setdefault(key, identity) != identity:
                findings.append(Finding("warning", row.where, identity, f"same audio as clip {heard[key]!r}"))
        if report:
            report(done, len(found))
    if not ids and not any(finding.severity == "error" for finding in findings):
        findings.append(Finding("error", str(source), None, "there is not one clip in it"))
    return findings


def alike(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Return the findings in groups that say the same but for names and numbers, in the order of their first.

    >>> places = [Finding("error", f"m:{n}", None, f"There is no audio file '{n}.wav'.") for n in (1, 2)]
    >>> [len(group) for group in alike([*places, Finding("warning", "m:3", "c", "unlabelled")])]
    [2, 1]
    """
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.severity, _NAMES_AND_NUMBERS.sub("", finding.message)), []).append(finding)
    return list(groups.values())


def _look(row: Row, deep: bool) -> Iterator[tuple[Literal["error", "warning"], str]]:
    from earwitness.audio import decode, probe

    if row.reference is None:
        yield "warning", "unlabelled: there is no reference, so it cannot be scored"
    elif not row.reference.strip():
        yield "warning", "empty reference: every word heard here will count as invented"
    try:
        file_s = probe(row.audio).duration_s
        if file_s is not None:
            yield from _look_at_times(row, file_s)
        if deep:
            duration_s = row.duration_s
            if duration_s is not None and file_s is not None:
                duration_s -= past_the_end(row, file_s)
            samples = decode(row.audio, start_s=row.start_s, duration_s=duration_s, channel=row.channel).samples
            if (row.reference or "").strip() and float(np.abs(samples).max()) < _SILENT:
                yield "error", "the audio is silent, and the reference has words"
    except (AudioError, ManifestError) as error:
        yield "error", str(error)


def _look_at_times(row: Row, file_s: float) -> Iterator[tuple[Literal["error", "warning"], str]]:
    rest_s = file_s - row.start_s
    length_s = rest_s if row.duration_s is None else row.duration_s - past_the_end(row, file_s)
    if rest_s <= 0 or length_s - rest_s > max(0.1, 0.01 * length_s):
        span = f"{row.start_s:.2f} to {row.start_s + length_s:.2f} s"
        yield "error", f"the manifest speaks of {span}, and the file is {file_s:.2f} s long"
    elif not row.start_s and row.duration_s is not None and rest_s - length_s > max(0.1, 0.01 * rest_s):
        yield "warning", f"the manifest takes {length_s:.2f} s of a file of {file_s:.2f} s"
    words = len((row.reference or "").split())
    if length_s > 0 and words > 3 and words / length_s > _WORDS_PER_S:
        yield "warning", f"{words} words in {length_s:.2f} s: is this the right reference?"
