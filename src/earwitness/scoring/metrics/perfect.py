"""The share of perfect clips: those in which every word is right and none is added.

It is sentence accuracy, one less the sentence error rate of sclite and Kaldi, with a clip as the sentence. Who cuts
recordings into longer clips gets a lower share from the same texts: compare shares over the same clips alone.
"""

from __future__ import annotations

from earwitness.scoring.metrics.clip import ScoringOptions
from earwitness.scoring.stats.exact_intervals import share_interval
from earwitness.types import ClipScore, Score


def is_perfect(score: ClipScore) -> bool:
    """Return whether a transcript has every word of the reference, after normalizing, and no other.

    A failed clip never is, not even one in which nobody speaks; an unlabelled one is not known to be.

    >>> from earwitness.types import Edits
    >>> right, wrong = Edits(hits=3), Edits(hits=3, insertions=1)
    >>> [is_perfect(ClipScore("a", words, None, False, 3)) for words in (right, wrong, Edits(), None)]
    [True, False, True, False]
    >>> is_perfect(ClipScore("a", Edits(), None, True, 0))
    False
    """
    return score.words is not None and not score.failed and score.words.errors == 0


def perfect_share(n_perfect: int, n_clips: int, n_failed: int, n_recordings: int, options: ScoringOptions) -> Score:
    """Return the share of perfect clips.

    The interval is Clopper and Pearson's, with as many trials as recordings (``exact_intervals.py``).

    Args:
        n_perfect: Clips for which ``is_perfect`` holds.
        n_clips: Those with a reference, an empty reference included.
        n_failed: Of these, clips without a transcript.
        n_recordings: That these are of.
        options: How they were scored.

    >>> score = perfect_share(3, 4, 0, 4, ScoringOptions())
    >>> score.value, [round(end, 3) for end in score.ci95]
    (0.75, [0.194, 0.994])
    """
    value, ci95 = None, None
    if n_clips:
        value = n_perfect / n_clips
        ci95 = share_interval(value, n_recordings)
    # Every option that can change a count of words is in the recipe of WER; its interval is another.
    recipe, _, _ = options.signature("wer").removeprefix("wer|").partition("|ci:")
    return Score(
        metric="perfect_share",
        value=value,
        unit="ratio",
        signature=f"perfect_share|{recipe}|ci:clopper-pearson-recording|v:1",
        n_clips=n_clips,
        n_failed=n_failed,
        ci95=ci95,
        reason=None if n_clips else "no clip has a reference",
    )
