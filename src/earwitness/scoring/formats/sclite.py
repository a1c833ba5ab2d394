"""Writes the compared words for NIST's sclite: trn, and stm and ctm if there are times.

The words are the normalized ones, so that sclite counts what was counted here. A ctm needs a time for each of them. An
engine's times of words are taken where they fit the normalized words one by one; else the words of a segment share its
time evenly, as is the custom where an engine gives times of segments alone. Words without any time are not given one:
there is then no ctm, and a reason.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from earwitness.errors import ScoringError
from earwitness.files.atomic import write_text
from earwitness.scoring.align import alternatives
from earwitness.scoring.align.word_times import Anchors, anchors
from earwitness.scoring.formats import ctm, stm, trn
from earwitness.scoring.metrics.clip import ScoringOptions
from earwitness.scoring.text import normalizer
from earwitness.types import Clip, Hypothesis

CHANNEL, LABELS = "channel", "labels"
"""Tags of a clip that came out of an stm: what a ``Clip`` has no other place for."""
_COMMAND = "sctk sclite -s -e utf-8 -i rm"
_NOBODY = "unknown"
_NO_LABELS = "<o>"
_LEAST_S = 0.01
_NO_WORD = "@"
_MARKS = frozenset(";\\*{}" + _NO_WORD)
_TO_WIDE, _TO_PRIVATE = 0xFEE0, 0xE000
_UNREADABLE = re.compile(r"[\s;()]")


@dataclass(frozen=True, slots=True)
class ScliteFiles:
    """Files for sclite."""

    trn: tuple[Path, Path]
    """References and hypotheses, a clip a line; clips without a reference are left out."""
    stm: Path | None
    """References with speaker and times; ``None`` where clips have no times."""
    ctm: Path | None
    """Words that were heard, with times; ``None`` where not all of them have one."""
    notes: tuple[str, ...]
    """A sentence for a file that is not there, for how times of words were had, for how sclite counts otherwise."""

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that run sclite on them."""
        asked = [f"{_COMMAND} -r {self.trn[0]} trn -h {self.trn[1]} trn"]
        if self.stm is not None and self.ctm is not None:
            asked.append(f"{_COMMAND} -r {self.stm} stm -h {self.ctm} ctm")
        return tuple(asked)


class _Compared(NamedTuple):
    clip: Clip
    said: str | None
    """Normalized words, in sclite's notation; ``None`` without a reference."""
    heard: list[str]
    when: Anchors


def write_sclite(texts: Sequence[tuple[Clip, Hypothesis]], options: ScoringOptions, folder: Path) -> ScliteFiles:
    """Write the compared words into a new folder: ``ref.trn``, ``hyp.trn``, ``ref.stm``, ``hyp.ctm``.

    In the stm a clip's recording is its audio file, its speaker ``unknown`` where the dataset names none, and a clip
    without a reference a stretch that is not scored. A time outside of its clip is moved to the clip's edge.

    Args:
        texts: Raw. Clips of two files without audio have their channel and labels as tags, and 0 s without times.
        options: How they were scored.
        folder: Where to.

    Raises:
        ScoringError: When two ids become one (sclite knows neither white space nor brackets in them).
        FileError: When a file cannot be written.
    """
    signs = _signs(texts)
    rows = [_compared(clip, hypothesis, options, signs) for clip, hypothesis in texts]
    said, heard = folder / "ref.trn", folder / "hyp.trn"
    timed, spoken = folder / "ref.stm", folder / "hyp.ctm"
    for path, lines in zip((said, heard), _trn(rows), strict=True):
        _write(path, lines)
    notes = [*_counted_otherwise(options), *_written_otherwise(signs)]
    if not rows or any(row.clip.duration_s <= 0 for row in rows):
        notes.insert(0, "No stm and no ctm: the texts have no times.")
        return _only(ScliteFiles((said, heard), None, None, tuple(notes)), timed, spoken)
    segments = _segments(rows)
    _write(timed, map(stm.line_of, sorted(segments, key=lambda s: (s.recording, s.channel, s.start_s))))
    words, reason = _words(rows, segments)
    if reason is not None:
        return _only(ScliteFiles((said, heard), timed, None, (reason, *notes)), spoken)
    how = _how(rows)
    in_order = sorted(words, key=lambda word: (word.recording, word.channel, word.start_s))
    _write(spoken, [f";; {how}", *map(ctm.line_of, in_order)])
    return ScliteFiles((said, heard), timed, spoken, (how, *notes))


def _signs(texts: Sequence[tuple[Clip, Hypothesis]]) -> dict[int, str]:
    """Return a replacement for each character that sclite reads as a mark of its own."""
    raw = [clip.reference or "" for clip, _ in texts]
    raw += [hypothesis.transcript.text for _, hypothesis in texts if hypothesis.transcript]
    letters = frozenset().union(*map(frozenset, raw))
    signs: dict[int, str] = {}
    for mark in letters & _MARKS:
        wide, private = chr(ord(mark) + _TO_WIDE), chr(ord(mark) + _TO_PRIVATE)
        sign = next((sign for sign in (wide, private) if sign not in letters), None)
        if sign is None:
            raise ScoringError(
                f"The texts have {mark!r}, which sclite reads as a mark of its own, and both characters that "
                f"could replace it, {wide!r} and {private!r}. Remove one of them."
            )
        signs[ord(mark)] = sign
    return signs


def _written_otherwise(signs: Mapping[int, str]) -> Iterator[str]:
    if signs:
        marks = ", ".join(f"{chr(mark)} as {sign}" for mark, sign in sorted(signs.items()))
        yield f"Characters that sclite takes for marks of its own are written otherwise: {marks}."


def _compared(clip: Clip, hypothesis: Hypothesis, options: ScoringOptions, signs: Mapping[int, str]) -> _Compared:
    norm = normalizer(options.normalizer)

    def words(text: str) -> list[str]:
        return [_sclite_word(word, signs) for word in norm.words(text, clip.language)]

    transcript = hypothesis.transcript
    heard = words(transcript.text) if transcript else []
    said = clip.reference
    if said is not None:
        text = alternatives.write(alternatives.parse(said), words) if options.alternatives else None
        said = text if text is not None else " ".join(words(said))
    when = Anchors("words", ())
    if transcript and heard:
        when = anchors(transcript, norm.words(transcript.text, clip.language), norm, clip.language, clip.duration_s)
    return _Compared(clip, said, heard, when)


def _sclite_word(word: str, signs: Mapping[int, str]) -> str:
    if not signs:
        return word
    # '@' is a mark only where it is a word.
    return word.translate(signs) if word == _NO_WORD else word.translate({**signs, ord(_NO_WORD): _NO_WORD})


def _trn(rows: Sequence[_Compared]) -> tuple[list[str], list[str]]:
    labelled = [(row.clip.id, row.said, " ".join(row.heard)) for row in rows if row.said is not None]
    said = [trn.line_of(id_, text) for id_, text, _ in labelled]
    heard = [trn.line_of(id_, text) for id_, _, text in labelled]
    if len({line[line.rindex("(") :] for line in said}) < len(said):
        raise ScoringError("Two ids become one without white space and brackets, which sclite cannot read. Rename one.")
    return said, heard


def _segments(rows: Sequence[_Compared]) -> list[stm.StmSegment]:
    names = _recordings([row.clip for row in rows])
    return [
        stm.StmSegment(
            recording=names[clip.audio_path or clip.recording],
            channel=str((clip.channel or 0) + 1) if clip.audio_path else clip.tags[CHANNEL],
            speaker=_UNREADABLE.sub("_", clip.speaker or _NOBODY),
            start_s=round(clip.start_s, 3),
            end_s=round(clip.start_s + clip.duration_s, 3),
            text=stm.IGNORED if said is None else said,
            labels=(not clip.audio_path and clip.tags[LABELS]) or _NO_LABELS,
        )
        for clip, said, _, _ in rows
    ]


def _recordings(clips: Sequence[Clip]) -> dict[str, str]:
    """Return the recording name of each audio file: that of the file, with a number if two are alike."""
    names: dict[str, str] = {}
    for clip in clips:
        key = clip.audio_path or clip.recording
        if key not in names:
            stem = _UNREADABLE.sub("_", Path(key).stem if clip.audio_path else key)
            taken = set(names.values())
            names[key] = next(
                name for n in range(1, len(taken) + 2) if (name := stem if n == 1 else f"{stem}-{n}") not in taken
            )
    return names


def _words(rows: Sequence[_Compared], segments: Sequence[stm.StmSegment]) -> tuple[list[ctm.Word], str | None]:
    """Return the words with their times, or why there are none."""
    without = [row.clip.id for row in rows if row.heard and row.when.source == "spread"]
    if without:
        return [], f"No ctm: the engine gave no times for {len(without)} of {len(rows)} clips, such as {without[0]!r}."
    words = [word for row, segment in zip(rows, segments, strict=True) for word in _of_clip(row, segment)]
    dealt = ctm.by_segment(segments, words)
    for row, theirs in zip(rows, dealt, strict=True):
        if [word.text for word in theirs] != row.heard:
            return [], (
                f"No ctm: clip {row.clip.id!r} has its time in common with another of its channel, and a word's time "
                "would not say whose it is."
            )
    return words, None


def _of_clip(row: _Compared, segment: stm.StmSegment) -> Iterator[ctm.Word]:
    points = row.when.points
    for (first, start_s), (end, end_s) in pairwise(points):
        each_s = (end_s - start_s) / max(1, end - first)
        for number in range(first, end):
            # A word without length at the very beginning would be taken for one of the segment before.
            length_s = max(_LEAST_S, each_s)
            at_s = min(segment.start_s + start_s + (number - first) * each_s, segment.end_s - length_s)
            at_s = round(max(at_s, segment.start_s), 3)
            yield ctm.Word(segment.recording, segment.channel, at_s, round(length_s, 3), row.heard[number])


def _how(rows: Sequence[_Compared]) -> str:
    found = Counter(row.when.source for row in rows if row.heard)
    own, shared = found["words"], found["segments"]
    if not own and not shared:
        return "No word was heard."
    if not shared:
        return f"Times of words are the engine's own, in {_clips(own)}."
    head = f"Times of words: spread evenly over the engine's segments in {_clips(shared)}"
    return head + (f", the engine's own in {own}." if own else ".")


def _clips(n: int) -> str:
    return "1 clip" if n == 1 else f"{n} clips"


def _counted_otherwise(options: ScoringOptions) -> Iterator[str]:
    if options.compounds:
        yield "sclite knows no compounds, which were merged here: it has more errors."
    if options.numbers or options.spellings:
        yield "sclite does not know equal numbers and spellings, which were taken here: it may have more errors."
    if not options.compounds and options.method != "sclite":
        yield "sclite may have more errors, as it does not look for the fewest: for its very counts, --align sclite."


def _only(files: ScliteFiles, *others: Path) -> ScliteFiles:
    """Remove earlier files that could be mistaken for these."""
    for path in others:
        path.unlink(missing_ok=True)
    return files


def _write(path: Path, lines: Iterable[str]) -> None:
    write_text(path, "".join(f"{line}\n" for line in lines))
