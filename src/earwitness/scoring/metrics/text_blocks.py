"""Cuts the texts of some recordings into blocks, for what can be said of *these recordings* (``stats/blocks.py``).

Records keep texts, so they are normalized and aligned again, as they were when they were scored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Literal

import numpy as np

from earwitness.scoring.metrics.clip import ScoringInfo
from earwitness.scoring.stats.blocks import FEWEST_WORDS, Blocks, cut_blocks
from earwitness.scoring.stats.clusters import ClusterBy, cluster_of
from earwitness.scoring.stats.passages import GOOD, GOOD_LETTERS, Passage, passages
from earwitness.scoring.text import join_words, normalizer
from earwitness.types import Clip, Hypothesis

TextUnit = Literal["words", "letters"]
LETTERS = 5
"""Letters that stand for a word wherever a length is meant."""
_Texts = Sequence[tuple[Clip, Hypothesis]]


def fewest(unit: TextUnit) -> int:
    """Return how many tokens of the references it takes.

    >>> fewest("words"), fewest("letters")
    (160, 800)
    """
    return FEWEST_WORDS * (LETTERS if unit == "letters" else 1)


def why_no_blocks(scoring: ScoringInfo) -> str | None:
    """Say why texts under a scoring cannot be cut; ``None`` when they can.

    >>> why_no_blocks(ScoringInfo()) is None
    True
    """
    if scoring.compounds or scoring.alternatives:
        option = "compounds" if scoring.compounds else "alternatives"
        return f"texts that are scored with {option} are not cut into blocks; score them without: earwitness rescore"
    return None


def text_blocks(
    systems: Sequence[_Texts],
    scoring: ScoringInfo,
    *,
    unit: TextUnit = "words",
    by: ClusterBy = "recording",
    n_pairs: int = 1,
) -> Blocks:
    """Cut the texts of some systems over the same clips, where all of them are right, and sum them over blocks.

    Args:
        systems: Of each system, every clip with its text; the clips are the same, in the same order. Clips without a
            reference are passed over.
        scoring: How they were scored, without compounds and alternatives (``why_no_blocks``).
        unit: Of what an error rate is: ``letters`` for CER.
        by: What a recording is.
        n_pairs: Pairs of systems that will be tested.

    The clips of one recording are put one behind the other in time; between two of them there may always be a cut.

    >>> from earwitness.types import Transcript
    >>> clip = Clip("a", "", "", 0.0, 100.0, "one two three four " * 75)
    >>> heard = Hypothesis("a", Transcript("one two three for " * 75), None, audio_s=100.0)
    >>> blocks = text_blocks([[(clip, heard)]], ScoringInfo("none"))
    >>> int(blocks.errors.sum()), int(blocks.lengths.sum()), len(blocks.lengths)
    (75, 300, 8)
    """
    rules = normalizer(scoring.normalizer)

    @cache
    def tokens(text: str, language: str | None) -> Sequence[str]:
        words = rules.words(text, language)
        return words if unit == "words" else list(join_words(words, language))

    size, good = (LETTERS, GOOD_LETTERS) if unit == "letters" else (1, GOOD)
    recordings: dict[str, list[tuple[float, list[Passage]]]] = defaultdict(list)
    for lines in zip(*systems, strict=True):
        clip = lines[0][0]
        if clip.reference is None:
            continue
        texts = [hypothesis.transcript.text if hypothesis.transcript else "" for _, hypothesis in lines]
        cut = passages(
            tokens(clip.reference, clip.language),
            [tokens(text, clip.language) for text in texts],
            good=good,
            method="letters" if unit == "letters" else scoring.method,
        )
        recordings[cluster_of(clip, by)].append((clip.start_s, cut))
    ordered = [sorted(clips, key=lambda clip: clip[0]) for clips in recordings.values()]
    joined = [[passage for _, cut in clips for passage in cut] for clips in ordered]
    blocks = cut_blocks(joined, n_pairs=n_pairs, size=size)
    # Nothing to cut has no columns, but still a row for each system.
    return blocks if blocks.n_recordings else replace(blocks, errors=np.zeros((len(systems), 0)))
