"""A clip's reference and what models made of its audio, normalized once for every question about references."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from earwitness.errors import UsageError
from earwitness.languages import primary
from earwitness.scoring.align.text_index import letter_distance, letters_of
from earwitness.scoring.text import normalizer
from earwitness.scoring.text.number_words import has_number_words, number_words
from earwitness.types import Clip, Hypothesis


@dataclass(frozen=True, slots=True)
class ClipTexts:
    """A labelled clip with the transcripts of several models."""

    clip: Clip
    """With its raw reference."""
    reference: tuple[str, ...]
    """Words of the reference, normalized, with numbers in words; empty for silence."""
    texts: Mapping[str, tuple[str, ...]]
    """Words of each model's transcript, by label of its run, normalized in the same way; without failed clips."""

    raw: Mapping[str, str] = field(default_factory=dict)
    """Letters and digits of each model's raw text, by label: normalizing may take two spellings of one word apart."""

    @property
    def letters(self) -> str:
        """The reference without spaces."""
        return letters_of(self.reference)

    def distances(self) -> dict[str, float]:
        """Return by label how far each transcript is from the reference, in letters, from 0 to 1.

        Of the normalized and the raw texts the nearer ones count: "millionth" and "millions" are alike, while some
        rules write the first in digits and not the second.
        """
        own, raw = self.letters, bare_letters(self.clip.reference or "")
        return {
            label: min(
                letter_distance(letters_of(words), own),
                letter_distance(self.raw[label], raw) if label in self.raw else 1.0,
            )
            for label, words in self.texts.items()
        }


def clip_texts(clip: Clip, hypotheses: Mapping[str, Hypothesis], normalizer_name: str) -> ClipTexts:
    """Normalize a clip's texts.

    A number in digits becomes its most usual wording, in the languages that num2words knows if that is installed: a
    model writes 20 where a reference has "veinte". English normalizers write numbers in digits by themselves.

    Args:
        clip: With or without a reference; without one its words are none.
        hypotheses: By label of the run; failed ones are left out.
        normalizer_name: As in the scoring of the runs.

    >>> from earwitness.types import Transcript
    >>> clip = Clip("a", "", "", 0.0, 1.0, "Pass word!", "en")
    >>> heard = Hypothesis("a", Transcript("password"), None, audio_s=1.0)
    >>> clip_texts(clip, {"m": heard}, "auto").distances()
    {'m': 0.0}
    """
    norm = normalizer(normalizer_name)

    def words(text: str) -> tuple[str, ...]:
        return tuple(in_words(norm.words(text, clip.language), clip.language))

    return ClipTexts(
        clip=clip,
        reference=words(clip.reference or ""),
        texts={
            label: words(hypothesis.transcript.text)
            for label, hypothesis in sorted(hypotheses.items())
            if hypothesis.transcript is not None
        },
        raw={
            label: bare_letters(hypothesis.transcript.text)
            for label, hypothesis in hypotheses.items()
            if hypothesis.transcript is not None
        },
    )


def in_words(words: Sequence[str], language: str | None) -> list[str]:
    """Return words with each number in digits as its most usual wording.

    Args:
        words: Normalized.
        language: Of the clip; English and unknown ones stay as they are.

    >>> in_words(["marque", "20"], "es-MX"), in_words(["press", "20"], "en")
    (['marque', 'veinte'], ['press', '20'])
    """
    code = primary(language)
    if code in (None, "en") or not any(word[:1].isdigit() for word in words):
        return list(words)
    return [part for word in words for part in _wording(word, str(code)).split()]


@cache
def _wording(word: str, language: str) -> str:
    if not word[:1].isdigit():
        return word
    try:
        known = number_words(word, language) if has_number_words(language) else ()
    except UsageError:  # num2words is not installed
        return word
    return known[0].replace("-", " ").casefold() if known else word


def bare_letters(text: str) -> str:
    """Return the letters and digits of a raw text, without case, accents and spaces.

    >>> bare_letters("Où est l'hôtel?")
    'ouestlhotel'
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in text if letter.isalnum()).casefold()


def without_labels(clips: Sequence[ClipTexts], labels: frozenset[str]) -> list[ClipTexts]:
    """Return the clips without the transcripts of some models.

    Args:
        clips: To take them from.
        labels: Of the runs to leave out.
    """
    return [
        replace(each, texts={label: words for label, words in each.texts.items() if label not in labels})
        for each in clips
    ]
