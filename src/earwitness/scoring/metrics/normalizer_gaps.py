"""Differences that the normalizer counts, perhaps unintended: accents; with ``none`` and ``lower``, punctuation; case.

Case is kept apart by ``none`` alone. References typed without accents (``numero``) make an error of every word that a
model spells right (``número``). Folding is not scoring: the rate stands as it was counted, and beside it stands what it
would be without these differences.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from earwitness.scoring.align.edits import align
from earwitness.scoring.text import normalizer
from earwitness.types import Clip, ClipScore, Hypothesis

ScoredText = tuple[Clip, Hypothesis, ClipScore]
_LEAST_POINTS, _LEAST_SHARE, _LEAST_ERRORS = 0.01, 0.1, 3
_SCRIPTS = ("LATIN", "GREEK")
_KINDS = {"lower": ("accents", "punctuation"), "none": ("accents", "case", "punctuation")}
"""What a normalizer leaves apart, where that is more than accents."""


@dataclass(frozen=True, slots=True)
class NormalizerGap:
    """A kind of difference that causes many of the word errors."""

    kind: str
    """``accents``, ``case`` or ``punctuation``."""
    wer: float
    """As it is."""
    wer_folded: float
    """Without this kind of difference."""
    in_references: int
    """Words of the references that have it: an accent, a capital letter, a mark."""
    in_texts: int
    """Words of the model's texts that have it."""


@cache
def without_accents(word: str) -> str:
    """Return a word without the accents of Latin and Greek letters; the marks of other scripts are letters there.

    >>> without_accents("número"), without_accents("contraseña"), without_accents("हिन्दी") == "हिन्दी"
    ('numero', 'contrasena', True)
    """
    kept, base = [], ""
    for letter in unicodedata.normalize("NFD", word):
        if not unicodedata.combining(letter):
            base = letter
        elif unicodedata.name(base, "").startswith(_SCRIPTS):
            continue
        kept.append(letter)
    return unicodedata.normalize("NFC", "".join(kept))


def _without_marks(word: str) -> str:
    return "".join(letter for letter in word if letter.isalnum() or unicodedata.category(letter).startswith("M"))


_FOLDS: Mapping[str, Callable[[str], str]] = {
    "accents": without_accents,
    "case": str.lower,
    "punctuation": _without_marks,
}


def normalizer_gaps(results: Sequence[ScoredText], norm: str) -> tuple[NormalizerGap, ...]:
    """Return the kinds of difference whose folding would lower the WER by a point, or by a tenth of it.

    Args:
        results: Clips with texts and their counts; those without a reference are passed over.
        norm: Name of the normalizer that they were scored with.
    """
    labelled = [
        (clip, hypothesis, score.words) for clip, hypothesis, score in results if score.words and score.words.length
    ]
    length = sum(words.length for _, _, words in labelled)
    errors = sum(words.errors for _, _, words in labelled)
    least = max(_LEAST_ERRORS, min(_LEAST_POINTS * length, _LEAST_SHARE * errors))
    texts = [(clip, hypothesis.transcript.text) for clip, hypothesis, _ in labelled if hypothesis.transcript]
    gaps = []
    for kind in _KINDS.get(norm, ("accents",)):
        candidates = [pair for pair in texts if _may_have_accents(*pair)] if kind == "accents" else texts
        saved, in_references, in_texts = _folded(candidates, norm, _FOLDS[kind])
        if saved >= least:
            gaps.append(NormalizerGap(kind, errors / length, (errors - saved) / length, in_references, in_texts))
    return tuple(gaps)


def _may_have_accents(clip: Clip, text: str) -> bool:
    return not (text.isascii() and (clip.reference or "").isascii())


def _folded(texts: Sequence[tuple[Clip, str]], norm: str, fold: Callable[[str], str]) -> tuple[int, int, int]:
    """Return how many errors folding saves, and how many words of the references and of the texts it changes."""
    rules = normalizer(norm)
    saved = in_references = in_texts = 0
    for clip, text in texts:
        said, heard = (rules.words(side, clip.language) for side in (clip.reference or "", text))
        said_folded, heard_folded = ([fold(word) for word in side] for side in (said, heard))
        changed = [
            sum(before != after for before, after in zip(words, folded, strict=True))
            for words, folded in ((said, said_folded), (heard, heard_folded))
        ]
        in_references, in_texts = in_references + changed[0], in_texts + changed[1]
        if any(changed):
            said_folded, heard_folded = (list(filter(None, side)) for side in (said_folded, heard_folded))
            saved += align(said, heard).errors - align(said_folded, heard_folded).errors
    return saved, in_references, in_texts
