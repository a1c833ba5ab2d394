"""One clip: raw reference and raw hypothesis to counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from earwitness.scoring.align import align
from earwitness.scoring.findings import findings
from earwitness.text import joined, normalizer
from earwitness.types import Clip, ClipScore, Hypothesis

VERSION = 1


@dataclass(frozen=True, slots=True)
class ScoringOptions:
    """How to score; every option shows in the signature."""

    normalizer: str = "auto"
    """Name of the normalizer."""
    compounds: bool = False
    """Whether ``white board`` and ``whiteboard`` are equal."""
    rounds: int = 10_000
    """Resamples of the bootstrap."""
    seed: int = 0
    """Of the bootstrap."""

    def signature(self, metric: str) -> str:
        """Return the recipe of a metric.

        >>> ScoringOptions("none").signature("wer")
        'wer|norm:none|compounds:off|empty:insertions|failed:as-empty|ci:bootstrap-t-recording-10000-seed0|v:1'
        """
        compounds = "merged" if self.compounds else "off"
        counted = "compounds:" + compounds if metric.startswith("wer") else "spaces:counted"
        return (
            f"{metric}|norm:{normalizer(self.normalizer).signature}|{counted}|empty:insertions|failed:as-empty"
            f"|ci:bootstrap-t-recording-{self.rounds}-seed{self.seed}|v:{VERSION}"
        )


def score_clip(
    clip: Clip,
    hypothesis: Hypothesis,
    options: ScoringOptions,
    speech: Sequence[tuple[float, float]] | None = None,
) -> ClipScore:
    """Count one clip's edits and findings.

    A failed clip is scored as if its text were empty. A reference without words, be it ``""`` or a remark in brackets
    that normalizing takes away, makes every word of the hypothesis an insertion. An unlabelled clip has no counts.

    Args:
        clip: With its raw reference.
        hypothesis: A raw text, or a failure; a failure is counted as such, and has no findings.
        options: How to count.
        speech: Where somebody speaks, in seconds from the clip's beginning; ``None`` when unknown. It changes findings,
            and no count.
    """
    norm = normalizer(options.normalizer)
    transcript = hypothesis.transcript
    heard = norm.words(transcript.text if transcript else "", clip.language)
    said = None if clip.reference is None else norm.words(clip.reference, clip.language)
    found = findings(clip, transcript, (said, heard), hypothesis.audio_s, norm, speech) if transcript else ()
    return ClipScore(
        clip_id=clip.id,
        words=None if said is None else align(said, heard, compounds=options.compounds),
        chars=None if said is None else align(joined(said, clip.language), joined(heard, clip.language)),
        failed=not hypothesis.ok,
        hypothesis_words=len(heard),
        flags=tuple(dict.fromkeys(one.kind for one in found)),
        findings=found,
    )
