"""Explains a word error rate above 100 %: which clips have more words than their reference."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from earwitness.counts import percentage, quantity
from earwitness.scoring.findings.kinds import KINDS
from earwitness.types import ClipScore, Edits

_REASONS = [
    (name, kind.cause[1]) for name, kind in sorted(KINDS.items(), key=lambda row: row[1].cause or ()) if kind.cause
]
"""In the order in which a clip with several findings is counted, once."""
_OTHER = "text that nobody said"


def cause(scores: Sequence[ClipScore]) -> str | None:
    """Return in words why the error rate of one clip, or of many, is above 100 %; ``None`` when it is not.

    An error rate above 100 % means that more words were inserted than were heard right. The insertions of a clip are
    given to its first finding in the order silence, chat answer, loop, language, ghost phrase, no speech, and where it
    has none, to text that nobody said; the causes are named from the largest on.

    >>> looped = ClipScore("a", Edits(hits=2, insertions=38), None, False, 40, ("repeated_ngram",))
    >>> cause([looped, ClipScore("b", Edits(hits=4), None, False, 4)])
    'WER is 633 % because 38 words were inserted where 6 were said: 38 in 1 clip with a loop'
    """
    labelled = [(score, score.words) for score in scores if score.words is not None]
    total = sum((words for _, words in labelled), Edits())
    if total.rate is None or total.rate <= 1:
        return None
    inserted: dict[str, list[int]] = defaultdict(list)
    for score, words in labelled:
        if words.insertions:
            clip = next((reason for kind, reason in _REASONS if kind in score.flags), _OTHER)
            inserted[clip].append(words.insertions)
    parts = sorted(inserted.items(), key=lambda part: -sum(part[1]))
    named = "; ".join(f"{sum(n)} in {quantity(len(n), 'clip')} with {reason}" for reason, n in parts)
    verb = "was" if total.insertions == 1 else "were"
    said = "was" if total.length == 1 else "were"
    return (
        f"WER is {percentage(total.rate, digits=0)} because {quantity(total.insertions, 'word')} {verb} inserted "
        f"where {total.length} {said} said: {named}"
    )
