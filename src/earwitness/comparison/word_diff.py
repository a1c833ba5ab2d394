"""The words and times of every model for every clip, to show side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from earwitness.records.record import ClipResult
from earwitness.records.rescore import options_of
from earwitness.scoring import ScoringInfo
from earwitness.scoring.align.spans import AlignedSpan
from earwitness.scoring.metrics.word_diff import WordDiff, word_diff, words_of_reference, writes_no_spaces
from earwitness.types import Clip

__all__ = ["AlignedSpan", "ClipDiff", "WordDiff", "diffs"]


@dataclass(frozen=True, slots=True)
class ClipDiff:
    """One clip with the result of every model."""

    clip: Clip
    """As in the record of the first model that has it."""
    speech: tuple[tuple[float, float], ...] | None
    """Where somebody speaks, in seconds; ``None`` when that was not looked for."""
    said: tuple[str, ...] | None
    """The reference's words, of several wordings those of the first model; ``None`` without a reference."""
    unspaced: bool
    """Whether the words are letters, and stand without spaces between them."""
    heard: Mapping[str, tuple[ClipResult, WordDiff]]
    """By label of the run: the line of the record, and its words; without the runs that lack the clip."""


def diffs(results: Mapping[str, Sequence[ClipResult]], scoring: ScoringInfo) -> Iterator[ClipDiff]:
    """Yield every clip in the order of the records.

    Args:
        results: Clip results by label of the run, under the same scoring.
        scoring: How they were scored.
    """
    options = options_of(scoring)
    by_id = {label: {result.clip.id: result for result in rows} for label, rows in results.items()}
    for clip_id in dict.fromkeys(key for rows in by_id.values() for key in rows):
        lines = {label: rows[clip_id] for label, rows in by_id.items() if clip_id in rows}
        clip = next(iter(lines.values())).clip
        known = words_of_reference(clip, options)
        heard = {label: (line, word_diff(clip, line.hypothesis, options, known)) for label, line in lines.items()}
        yield ClipDiff(
            clip=clip,
            speech=next((line.speech for line in lines.values() if line.speech is not None), None),
            said=next((words.said for _, words in heard.values()), None),
            unspaced=writes_no_spaces(clip, options),
            heard=heard,
        )
