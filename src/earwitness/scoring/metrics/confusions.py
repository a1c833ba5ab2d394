"""The most frequent errors, word by word: what was said, what was written instead, and how often.

Words are those that were counted: normalized, and paired by the alignment of the scores. Of several alignments with as
few errors, the aligner takes one; a pair that is seen once says little, one that is seen often is a habit of the model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest

from earwitness.scoring.metrics.clip import ScoringOptions
from earwitness.scoring.metrics.word_diff import word_diff
from earwitness.types import Clip, Hypothesis


@dataclass(frozen=True, slots=True, order=True)
class Confusion:
    """One kind of error: a word, and what stands in its place."""

    reference: str
    """The word that was said; empty for an insertion."""
    hypothesis: str
    """The word that was written; empty for a deletion."""

    @property
    def kind(self) -> str:
        """``substitution``, ``deletion`` or ``insertion``."""
        if not self.reference:
            return "insertion"
        return "substitution" if self.hypothesis else "deletion"


def confusions(pairs: Iterable[tuple[Clip, Hypothesis]], options: ScoringOptions) -> Counter[Confusion]:
    """Count every confusion of one model; clips without a reference are passed over, failed clips count as empty.

    Compounds that were counted as hits show as the errors they would else be.

    Args:
        pairs: Clips with raw texts.
        options: How they were scored.

    >>> from earwitness.types import Transcript
    >>> pair = Clip("c", "", "", 0.0, 2.0, "one two three", "en"), Hypothesis("c", Transcript("one too"), None, 2.0)
    >>> confusions([pair], ScoringOptions("basic")).most_common()
    [(Confusion(reference='two', hypothesis='too'), 1), (Confusion(reference='three', hypothesis=''), 1)]
    """
    found: Counter[Confusion] = Counter()
    for clip, hypothesis in pairs:
        if clip.reference is None:
            continue
        diff = word_diff(clip, hypothesis, options, None)
        said = diff.said or ()
        for span in diff.spans:
            if span.kind != "equal":
                old, new = said[slice(*span.reference)], diff.words[slice(*span.hypothesis)]
                found.update(Confusion(a, b) for a, b in zip_longest(old, new, fillvalue=""))
    return found
