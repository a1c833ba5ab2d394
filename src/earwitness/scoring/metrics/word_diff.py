"""Compares a transcript with its reference word by word, with times, for display, with the counts of the scores."""

from __future__ import annotations

from dataclasses import dataclass

from earwitness.scoring.align.spans import AlignedSpan, quick_spans, spans
from earwitness.scoring.align.word_times import Anchors, anchors
from earwitness.scoring.metrics.clip import ScoringOptions, reference_words
from earwitness.scoring.text import join_words, normalizer
from earwitness.types import Clip, Hypothesis


@dataclass(frozen=True, slots=True)
class WordDiff:
    """The result of a model for a clip, word by word."""

    words: tuple[str, ...]
    """Normalized: what was counted; empty for a failed clip."""
    said: tuple[str, ...] | None
    """The reference's words that they are held against: of several wordings the nearest; ``None`` without one."""
    spans: tuple[AlignedSpan, ...]
    """The alignment of the two; empty without a reference."""
    anchors: Anchors
    """When the words are heard."""


def words_of_reference(clip: Clip, options: ScoringOptions) -> tuple[str, ...] | None:
    """Return the words of a clip's reference; ``None`` without one, or if they depend on the hypothesis."""
    has_choices = options.alternatives and "{" in (clip.reference or "")
    if clip.reference is None or has_choices or options.numbers or options.spellings:
        return None
    return tuple(normalizer(options.normalizer).words(clip.reference, clip.language))


def writes_no_spaces(clip: Clip, options: ScoringOptions) -> bool:
    """Return whether a clip's words are letters, and stand without spaces between them.

    >>> clip = Clip("c", "", "", 0.0, 1.0, "你好", "zh")
    >>> writes_no_spaces(clip, ScoringOptions()), writes_no_spaces(clip, ScoringOptions("none"))
    (True, False)
    """
    return options.normalizer not in ("lower", "none") and join_words(["", ""], clip.language) == ""


def word_diff(
    clip: Clip, hypothesis: Hypothesis, options: ScoringOptions, reference: tuple[str, ...] | None
) -> WordDiff:
    """Align a transcript with its reference.

    Args:
        clip: With its raw reference.
        hypothesis: A raw text, or a failure, which is aligned as an empty text.
        options: How it was scored. Compounds that were counted as hits show as the errors they would else be.
        reference: What ``words_of_reference`` returned for the clip, so that it is made once for many transcripts.

    >>> clip = Clip("c", "", "", 0.0, 2.0, "one two", "en")
    >>> from earwitness.types import Transcript
    >>> heard = Hypothesis("c", Transcript("one too"), None, audio_s=2.0)
    >>> found = word_diff(clip, heard, ScoringOptions("basic"), None)
    >>> found.words, [span.kind for span in found.spans], found.anchors.points
    (('one', 'too'), ['equal', 'replace'], ((0, 0.0), (2, 2.0)))
    """
    norm = normalizer(options.normalizer)
    transcript = hypothesis.transcript
    words = norm.words(transcript.text, clip.language) if transcript else []
    against = reference
    if against is None and clip.reference is not None:
        against = tuple(reference_words(clip.reference, words, clip.language, options))
    found: list[AlignedSpan] = []
    if against is not None:
        quick = options.method == "levenshtein"
        found = quick_spans(list(against), words) if quick else spans(against, words, options.method)
    when = Anchors("spread", ())
    if transcript and words:
        when = anchors(transcript, words, norm, clip.language, hypothesis.audio_s)
    return WordDiff(tuple(words), against, tuple(found), when)
