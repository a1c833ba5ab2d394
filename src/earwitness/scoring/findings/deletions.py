"""Long runs of deleted words, from the alignment with the reference."""

from __future__ import annotations

from collections.abc import Sequence

from earwitness.scoring.align.chunks import MOST
from earwitness.scoring.align.edits import align
from earwitness.scoring.align.spans import AlignedSpan, spans
from earwitness.scoring.findings.kinds import CUT_TAIL, DROPPED_WORDS
from earwitness.types import Finding

LEAST_RUN = 5
"""Deleted words in a row that make a finding."""
LEAST_TAIL = 4
"""The same at the end."""
Times = Sequence[tuple[float, float]]


def dropped_words(
    reference: Sequence[str], hypothesis: Sequence[str], times: Times | None, audio_s: float
) -> list[Finding]:
    """Return each run of deleted words that is long enough, with its expected place.

    One word between two deletions does not end a run: a small word of what was dropped often finds a partner by chance.
    A text without words has no runs; it is empty.

    Args:
        reference: Normalized words of the reference.
        hypothesis: Normalized words of the hypothesis.
        times: From and to of every word heard, or of the segment that it is in; ``None`` when unknown.
        audio_s: Length of the clip.

    >>> said = "please enter the number of your account and then press the pound key".split()
    >>> [(found.kind, found.detail) for found in dropped_words(said, "please enter the number".split(), None, 5.0)]
    [('cut_tail', '9 words missing at the end: of your account and then press …')]
    """
    if not hypothesis or _too_few(reference, hypothesis):
        return []
    found = []
    for first, last, at, n_deleted in _runs(spans(reference, hypothesis)):
        is_tail = last == len(reference) and at[1] == len(hypothesis)
        if n_deleted < (LEAST_TAIL if is_tail else LEAST_RUN):
            continue
        where = "at the end" if is_tail else "at the beginning" if first == 0 else "in the middle"
        missing = " ".join(reference[first : first + 6]) + (" …" if last - first > 6 else "")
        start_s, end_s = _place(at, times, len(hypothesis), audio_s)
        kind = CUT_TAIL if is_tail else DROPPED_WORDS
        found.append(Finding(kind, start_s, end_s, f"{n_deleted} words missing {where}: {missing}"))
    return found


def _too_few(reference: Sequence[str], hypothesis: Sequence[str]) -> bool:
    """Return whether so few words were deleted that no run can be long enough; the alignment itself takes longer.

    Short texts have one split of the errors, and so one number of deletions. A long one is aligned in pieces.
    """
    if len(reference) < LEAST_TAIL:
        return True
    return max(len(reference), len(hypothesis)) <= MOST and align(reference, hypothesis).deletions < LEAST_TAIL


def _runs(alignment: Sequence[AlignedSpan]) -> list[tuple[int, int, tuple[int, int], int]]:
    """From and to in the reference, the same in the hypothesis, and how many words were deleted."""
    runs: list[tuple[int, int, tuple[int, int], int]] = []
    for span in alignment:
        if span.kind != "delete":
            continue
        (begin, end), (at, _) = span.reference, span.hypothesis
        if runs and begin - runs[-1][1] <= 1 and at - runs[-1][2][1] <= 1:
            first, _, before, deleted = runs[-1]
            runs[-1] = first, end, (before[0], at), deleted + end - begin
        else:
            runs.append((begin, end, (at, at), end - begin))
    return runs


def _place(at: tuple[int, int], times: Times | None, n_heard: int, audio_s: float) -> tuple[float | None, float | None]:
    if times is None or len(times) != n_heard:
        return None, None
    before = times[at[0] - 1] if at[0] else (0.0, 0.0)
    after = times[at[1]] if at[1] < n_heard else (audio_s, audio_s)
    if before == after:
        return before
    return before[1], max(before[1], after[0])
