"""A dataset of made-up sentences, models that mishear them at a set rate, and faults planted into its references."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from earwitness.scoring.findings.clip_texts import ClipTexts, clip_texts
from earwitness.types import Clip, Hypothesis, Transcript

_STARTS = ["br", "cl", "dr", "fl", "gr", "k", "l", "m", "n", "p", "r", "s", "st", "t", "tr", "v", "w"]
_MIDDLES = ["a", "e", "i", "o", "u", "ai", "ee", "oa", "ou"]
_ENDS = ["b", "ck", "d", "l", "m", "n", "nd", "p", "r", "rt", "st", "t", "x"]
FAMILIES = {"good": "one/good", "fair": "two/fair"}


def sentence(rng: random.Random) -> list[str]:
    """Return four to twelve invented words."""
    return [
        rng.choice(_STARTS) + rng.choice(_MIDDLES) + rng.choice(_ENDS) + rng.choice(["", "er", "ing", "ow"])
        for _ in range(rng.randint(4, 12))
    ]


def misheard(words: Sequence[str], rate: float, rng: random.Random) -> str:
    """Return the words with some replaced by others, left out, or with one more behind them."""
    text = []
    for word in words:
        if rng.random() >= rate:
            text.append(word)
        else:
            text += rng.choice([[], sentence(rng)[:1], [word[:-1] + rng.choice(_ENDS)], [word, *sentence(rng)[:1]]])
    return " ".join(text)


def dataset(n: int = 60, seed: int = 0, **rates: float) -> list[ClipTexts]:
    """Return clips with the transcripts of models, by label and error rate; without any, of two."""
    rng = random.Random(seed)
    clips = []
    for number in range(n):
        words = sentence(rng)
        text = " ".join(words)
        duration_s = 0.4 + 0.07 * len(text) * rng.uniform(0.9, 1.1)
        clip = Clip(f"clip-{number:03d}", "", f"{number:064x}", 0.0, duration_s, text, "en", recording=f"{number}")
        heard = {
            label: Hypothesis(clip.id, Transcript(misheard(words, rate, rng)), None, duration_s)
            for label, rate in (rates or {"good": 0.05, "fair": 0.2}).items()
        }
        clips.append(clip_texts(clip, heard, "multilingual"))
    return clips


def with_text(each: ClipTexts, text: str | None) -> ClipTexts:
    """Return a clip with another reference."""
    return replace(each, reference=tuple((text or "").split()), clip=replace(each.clip, reference=text))


def shifted(clips: Sequence[ClipTexts], first: int, last: int) -> list[ClipTexts]:
    """Return clips of which each from ``first`` to ``last`` has the text of the next one."""
    return [
        with_text(each, clips[row + 1].clip.reference) if first <= row <= last else each
        for row, each in enumerate(clips)
    ]


def exchanged(clips: Sequence[ClipTexts], one: int, other: int) -> list[ClipTexts]:
    """Return clips of which two have each other's text."""
    rows = list(clips)
    rows[one], rows[other] = (
        with_text(clips[one], clips[other].clip.reference),
        with_text(clips[other], clips[one].clip.reference),
    )
    return rows
