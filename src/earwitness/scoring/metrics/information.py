"""MER and WIL, rates that other tools print beside WER.

Morris, Maier and Green 2004, "From WER and RIL to MER and WIL: improved evaluation measures for connected speech
recognition", Interspeech. Both come from summed counts and depend on how many words are hits.
"""

from __future__ import annotations

from collections.abc import Sequence

from earwitness.scoring.metrics.clip import ScoringOptions
from earwitness.scoring.metrics.summary import sum_counts
from earwitness.types import ClipScore, Edits, Score

_NO_INTERVAL = "no interval: WER has one, and is the rate to judge by"


def match_error_rate(edits: Edits) -> float | None:
    """Return (S + D + I) / (H + S + D + I): the share of aligned places that are wrong; ``None`` without a word.

    >>> match_error_rate(Edits(hits=3, substitutions=1, insertions=1)), match_error_rate(Edits(insertions=2))
    (0.4, 1.0)
    >>> match_error_rate(Edits()) is None
    True
    """
    places = edits.hits + edits.errors
    return edits.errors / places if places else None


def word_information_lost(edits: Edits) -> float | None:
    """Return 1 - H / N * H / P, of N words in the reference and P in the hypothesis; ``None`` without a word.

    >>> word_information_lost(Edits(hits=3, substitutions=1, insertions=1)), word_information_lost(Edits(insertions=2))
    (0.55, 1.0)
    """
    n_heard = edits.hits + edits.substitutions + edits.insertions
    if not edits.length and not n_heard:
        return None
    return 1 - edits.hits**2 / (edits.length * n_heard) if edits.length and n_heard else 1.0


def mer_and_wil(scores: Sequence[ClipScore], options: ScoringOptions) -> tuple[Score, Score]:
    """Return ``mer`` and ``wil`` of a corpus, clips without a reference left out and failed ones as empty text."""
    labelled = [(score, score.words) for score in scores if score.words is not None]
    edits = sum_counts([words for _, words in labelled])
    n_failed = sum(score.failed for score, _ in labelled)

    def score(metric: str, value: float | None) -> Score:
        reason = "there are no words" if value is None else _NO_INTERVAL
        signature = options.signature(metric)
        return Score(metric, value, "ratio", signature, len(labelled), n_failed, reason=reason, edits=edits)

    return score("mer", match_error_rate(edits)), score("wil", word_information_lost(edits))
