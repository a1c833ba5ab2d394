"""How much the notation of numbers costs a model: its errors if 23 and twenty-three differ, and if they are equal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from earwitness.scoring.align.edits import align
from earwitness.scoring.metrics.clip import ScoringOptions, reference_words
from earwitness.scoring.text import normalizer
from earwitness.scoring.text.number_words import has_number_words
from earwitness.types import Clip, Edits, Hypothesis


@dataclass(frozen=True, slots=True)
class NumberGain:
    """The errors of a model's texts with and without equal numbers."""

    plain: Edits
    """Digits and words differ."""
    equal: Edits
    """A number in digits equals its words; never more errors."""
    n_clips: int
    """Clips with fewer errors."""


def number_gain(pairs: Iterable[tuple[Clip, Hypothesis]], options: ScoringOptions) -> NumberGain | None:
    """Return the errors with and without equal numbers; ``None`` if no clip is in a language with number words.

    Args:
        pairs: Clips and what a model made of them; clips without a reference are left out.
        options: How to count otherwise.

    >>> from earwitness.types import Transcript
    >>> clip = Clip("c", "", "", 0.0, 1.0, "Marque uno o dos", "es")
    >>> gain = number_gain([(clip, Hypothesis("c", Transcript("marque 1 o 2"), None, audio_s=1.0))], ScoringOptions())
    >>> gain.plain.errors, gain.equal.errors, gain.n_clips
    (2, 0, 1)

    Raises:
        UsageError: When num2words is not installed.
    """
    without, with_numbers = replace(options, numbers=False), replace(options, numbers=True)
    plain = equal = Edits()
    n_clips, is_known = 0, False
    for clip, hypothesis in pairs:
        if clip.reference is None:
            continue
        is_known = is_known or has_number_words(clip.language)
        text = hypothesis.transcript.text if hypothesis.transcript else ""
        words = normalizer(options.normalizer).words(text, clip.language)
        before, after = (
            align(
                reference_words(clip.reference, words, clip.language, way),
                words,
                compounds=options.compounds,
                method=options.method,
            )
            for way in (without, with_numbers)
        )
        plain, equal, n_clips = plain + before, equal + after, n_clips + (after.errors < before.errors)
    return NumberGain(plain, equal, n_clips) if is_known else None
