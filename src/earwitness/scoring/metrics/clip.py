"""Scores one clip: raw reference and raw hypothesis to counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import partial

from earwitness.errors import UsageError
from earwitness.files.nearest import did_you_mean
from earwitness.files.schema import Strict
from earwitness.languages import has_spaces
from earwitness.scoring.align import alternatives
from earwitness.scoring.align.edits import METHODS, Method, align, align_letters
from earwitness.scoring.findings.detect import findings
from earwitness.scoring.metrics.variants import (
    Spellings,
    equal_wording,
    number_groups,
    number_signature,
    spelling_groups,
    spelling_signature,
)
from earwitness.scoring.text import join_words, normalizer
from earwitness.scoring.text.mixed import counts_by_character, mixed_units
from earwitness.scoring.text.number_words import package_version
from earwitness.types import Clip, ClipScore, Edits, Hypothesis

VERSION = 2


@dataclass(frozen=True, slots=True)
class ScoringInfo(Strict):
    """How hypotheses were scored."""

    normalizer: str = "auto"
    """Name of the normalizer; of a user's own rules, ``rules:`` and the rules themselves as JSON."""
    compounds: bool = False
    """Whether ``white board`` and ``whiteboard`` are equal."""
    method: Method = "levenshtein"
    """How words are aligned: for the fewest errors, or at sclite's costs."""
    alternatives: bool = False
    """Whether ``{a / b}`` in a reference is one wording or the other."""
    numbers: bool = False
    """Whether a number in digits equals its words, in any language with number words."""
    spellings: Spellings = ()
    """Groups of wordings that are equal."""


@dataclass(frozen=True, slots=True)
class ScoringOptions(ScoringInfo):
    """How to score; every option shows in the signature. A normalizer's file of rules is read, and is its rules."""

    rounds: int = 10_000
    """Resamples of the bootstrap."""
    seed: int = 0
    """Of the bootstrap."""

    def __post_init__(self) -> None:
        """Refuse what does not exist and what does not go together, and read a file of rules."""
        object.__setattr__(self, "normalizer", normalizer(self.normalizer).name)
        if self.method not in METHODS:
            hint = did_you_mean(self.method, METHODS)
            raise UsageError(f"There is no alignment {self.method!r}.{hint} There are: {', '.join(METHODS)}.")
        if self.compounds and self.method == "sclite":
            raise UsageError("The alignment of sclite does not support compounds. Leave out one of the two.")
        if self.numbers:
            package_version()

    def signature(self, metric: str) -> str:
        """Return the recipe of a metric.

        >>> ScoringOptions("none").signature("wer").split("|")[:4]
        ['wer', 'norm:none', 'align:levenshtein', 'compounds:off']
        >>> ScoringOptions("none").signature("cer").split("|")[2:]  # doctest: +NORMALIZE_WHITESPACE
        ['spaces:counted', 'alternatives:off', 'empty:insertions', 'failed:as-empty',
         'ci:bootstrap-t-recording-10000-seed0', 'v:2']
        """
        words = f"align:{self.method}|compounds:{'merged' if self.compounds else 'off'}"
        counted = words if not metric.startswith("cer") else "spaces:counted"
        counted += "|units:words-and-characters" if metric.startswith("mixed") else ""
        wording = "best" if self.alternatives else "off"
        equals = number_signature() if self.numbers else ""
        equals += spelling_signature(self.spellings) if self.spellings else ""
        return (
            f"{metric}|norm:{normalizer(self.normalizer).signature}|{counted}|alternatives:{wording}{equals}|empty:insertions"
            f"|failed:as-empty|ci:bootstrap-t-recording-{self.rounds}-seed{self.seed}|v:{VERSION}"
        )


def info_of(options: ScoringOptions) -> ScoringInfo:
    """Return what a record keeps of scoring options: all but the bootstrap's.

    >>> info_of(ScoringOptions("none", rounds=5)) == ScoringInfo("none")
    True
    """
    return ScoringInfo(**{field.name: getattr(options, field.name) for field in fields(ScoringInfo)})


def reference_words(
    reference: str, hypothesis: Sequence[str], language: str | None, options: ScoringOptions
) -> list[str]:
    """Return the words of a raw reference; with alternatives or equal wordings, those nearest to ``hypothesis``.

    >>> options = ScoringOptions("basic", alternatives=True)
    >>> reference_words("I {want to / wanna} go", ["i", "wanna", "go"], "en", options)
    ['i', 'wanna', 'go']
    >>> options = ScoringOptions(numbers=True, spellings=(("OK", "okay"),))
    >>> reference_words("Okay, treinta y uno.", ["ok", "31"], "es", options)
    ['ok', '31']
    """
    words = partial(normalizer(options.normalizer).words, language=language)
    return _nearest_reference(reference, hypothesis, language, options, words)


def _nearest_reference(
    reference: str,
    hypothesis: Sequence[str],
    language: str | None,
    options: ScoringOptions,
    words: alternatives.ToWords,
) -> list[str]:
    if options.alternatives and ("{" in reference or "}" in reference):
        said = alternatives.best_words(alternatives.parse(reference), hypothesis, words, options.method)
    else:
        said = words(reference)
    if not (options.numbers or options.spellings) or said == list(hypothesis):
        return said
    groups = spelling_groups(options.spellings, words)
    groups += number_groups((said, hypothesis), language, words) if options.numbers else []

    def counts(wording: Sequence[str]) -> tuple[int, int]:
        edits = align(wording, hypothesis, compounds=options.compounds, method=options.method)
        letters = align_letters(join_words(list(wording), language), join_words(list(hypothesis), language))
        return edits.errors, letters.errors

    return equal_wording(said, hypothesis, groups, counts, options.method)


def _mixed(clip: Clip, text: str, options: ScoringOptions) -> Edits | None:
    """Return the edits of the mixed error rate; ``None`` where they are those of words."""
    reference = clip.reference
    if reference is None or (has_spaces(clip.language) and not counts_by_character(reference + text)):
        return None
    words = partial(normalizer(options.normalizer).spaced_words, language=clip.language)
    heard = words(text)
    said = _nearest_reference(reference, heard, clip.language, options, words)
    return align(mixed_units(said), mixed_units(heard), compounds=options.compounds, method=options.method)


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

    Raises:
        ScoringError: For a reference with alternatives whose braces do not match.
    """
    norm = normalizer(options.normalizer)
    transcript = hypothesis.transcript
    text = transcript.text if transcript else ""
    heard = norm.words(text, clip.language)
    said = None if clip.reference is None else reference_words(clip.reference, heard, clip.language, options)
    found = findings(clip, transcript, (said, heard), hypothesis.audio_s, norm, speech) if transcript else ()
    return ClipScore(
        clip_id=clip.id,
        words=None if said is None else align(said, heard, compounds=options.compounds, method=options.method),
        chars=None
        if said is None
        else align_letters(join_words(said, clip.language), join_words(heard, clip.language)),
        failed=not hypothesis.ok,
        hypothesis_words=len(heard),
        flags=tuple(dict.fromkeys(one.kind for one in found)),
        findings=found,
        mixed=_mixed(clip, text, options),
    )
