"""Key terms in words: which were said, recognized and missed, and what was written instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from earwitness.comparison.table import ModelRow
from earwitness.counts import percent, quantity
from earwitness.scoring.metrics.terms import TermCount, TermSubstitutes

TERMS_HEADER = ("Term", "Said", "Recognized", "Missed", "Written instead")
_TEXTS = 3
_WORST = 10


def term_rows(counts: Sequence[TermCount], substitutes: Sequence[TermSubstitutes]) -> list[list[str]]:
    """Return a row for each term under ``TERMS_HEADER``, most missed first.

    >>> term_rows([TermCount("Nagy", 3, 1, 1)], [TermSubstitutes("Nagy", {"nodge": 1, "": 1})])
    [['Nagy', '3', '1', '2', 'nodge, (nothing)']]
    """
    instead = {one.term: one.texts for one in substitutes}
    return [
        [one.term, str(one.said), str(one.found), str(one.said - one.found), instead_words(instead.get(one.term, {}))]
        for one in _most_missed(counts)
    ]


def term_grids(rows: Sequence[ModelRow]) -> list[dict[str, Any]]:
    """Return, for each run with key terms, a line on all of them and a table of each; none without terms."""
    return [
        {
            "label": row.label,
            "line": f"recall {percent(row.terms.recall)}, precision {percent(row.terms.precision)}",
            "header": list(TERMS_HEADER),
            "rows": term_rows(row.terms.counts, row.terms.substitutes),
        }
        for row in rows
        if row.terms is not None
    ]


def missed_lines(label: str, counts: Sequence[TermCount], substitutes: Sequence[TermSubstitutes]) -> list[str]:
    """Return a line for each of the terms that a model missed most, and what it wrote instead.

    >>> missed_lines("one:model", [TermCount("Nagy", 3, 1, 1)], [TermSubstitutes("Nagy", {"nodge": 2})])
    ['one:model missed Nagy in 2 of 3 places; it wrote: nodge (2)']
    """
    instead = {one.term: one.texts for one in substitutes}
    missed = [one for one in _most_missed(counts) if one.found < one.said]
    lines = []
    for one in missed[:_WORST]:
        texts = instead_words(instead.get(one.term, {}))
        places = f"{one.said - one.found} of {quantity(one.said, 'place')}"
        lines.append(f"{label} missed {one.term} in {places}" + (f"; it wrote: {texts}" if texts else ""))
    more = len(missed) - _WORST
    return [*lines, *([f"{label} also missed {quantity(more, 'more term')}"] if more > 0 else [])]


def instead_words(texts: Mapping[str, int]) -> str:
    """Return texts with how often they were written, where that is more than once."""
    each = [(text or "(nothing)") + (f" ({n})" if n > 1 else "") for text, n in texts.items()]
    more = len(each) - _TEXTS
    return ", ".join(each[:_TEXTS]) + (f" and {quantity(more, 'other text')}" if more > 0 else "")


def _most_missed(counts: Sequence[TermCount]) -> list[TermCount]:
    return sorted(counts, key=lambda one: (one.found - one.said, one.term))
