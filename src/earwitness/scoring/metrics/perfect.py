"""The share of perfect clips: those in which every word is right and none is added.

It is sentence accuracy, one less the sentence error rate of sclite and Kaldi, with a clip as the sentence. Who cuts
recordings into longer clips gets a lower share from the same texts: compare shares over the same clips alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from earwitness.scoring.metrics.clip import ScoringOptions
from earwitness.scoring.stats.clusters import cluster_of
from earwitness.scoring.stats.exact_intervals import share_interval
from earwitness.types import Clip, ClipScore, Score


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


def perfect_share(pairs: Sequence[tuple[Clip, ClipScore]], options: ScoringOptions) -> Score:
    """Return the share of perfect clips among those with a reference, an empty reference included.

    The interval is Clopper and Pearson's, with as many trials as recordings (``exact_intervals.py``).

    >>> from earwitness.types import Edits
    >>> clips = [Clip(name, "", "", 0.0, 1.0, "yes") for name in "abcd"]
    >>> counts = [Edits(hits=1), Edits(hits=1), Edits(hits=1), Edits(substitutions=1)]
    >>> scores = [ClipScore(clip.id, edits, None, False, 1) for clip, edits in zip(clips, counts)]
    >>> score = perfect_share(list(zip(clips, scores)), ScoringOptions())
    >>> score.value, [round(end, 3) for end in score.ci95]
    (0.75, [0.194, 0.994])
    """
    labelled = [(clip, score) for clip, score in pairs if score.words is not None]
    value, ci95 = None, None
    if labelled:
        value = sum(is_perfect(score) for _, score in labelled) / len(labelled)
        ci95 = share_interval(value, len({cluster_of(clip) for clip, _ in labelled}))
    # Every option that can change a count of words is in the recipe of WER; its interval is another.
    recipe, _, _ = options.signature("wer").removeprefix("wer|").partition("|ci:")
    return Score(
        metric="perfect_share",
        value=value,
        unit="ratio",
        signature=f"perfect_share|{recipe}|ci:clopper-pearson-recording|v:1",
        n_clips=len(labelled),
        n_failed=sum(score.failed for _, score in labelled),
        ci95=ci95,
        reason=None if labelled else "no clip has a reference",
    )
