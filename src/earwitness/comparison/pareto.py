"""The Pareto front of error rate and speed: the rows that no other row beats in both."""

from __future__ import annotations

from collections.abc import Sequence

from earwitness.comparison.table import ModelRow


def front(rows: Sequence[ModelRow]) -> tuple[str, ...]:
    """Return the labels of the rows on the front, fastest first.

    A row is on the front when no other row is at least as good in WER and in RTF and better in one of them. Only rows
    of one place (``Row.place``) are to be given: seconds of different machines do not compare. Rows without a WER or
    an RTF are on no front.
    """
    known = [(rtf, wer, row.label) for row in rows if (wer := row.wer) is not None and (rtf := _rtf(row)) is not None]
    return tuple(
        label
        for rtf, wer, label in sorted(known)
        if not any((a <= rtf and b <= wer) and (a < rtf or b < wer) for a, b, _ in known)
    )


def _rtf(row: ModelRow) -> float | None:
    return row.run.speed.rtf if row.run.speed else None
