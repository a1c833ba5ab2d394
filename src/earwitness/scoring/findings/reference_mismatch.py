"""Do the references of a whole dataset belong to its audio? One sentence when they do not.

It takes two things: most transcripts do not fit their references, and something shows that this is not the models'
fault. That is one of these: the transcripts fit the references of other rows; the references, or the transcripts, are
in another language than the dataset says; the durations of the clips fit the transcripts and not the references; or
models of different families agree with each other and not with the references. A model that hears nothing right has
none of these: its transcripts fit no reference at all, and the references still fit the durations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from earwitness.counts import quantity
from earwitness.scoring.align.text_index import letter_distance, letters_of
from earwitness.scoring.findings.clip_texts import ClipTexts
from earwitness.scoring.findings.language_mismatch import foreign
from earwitness.scoring.findings.pace import spoken_letters
from earwitness.scoring.findings.reference_matches import OFFSETS, Claim, Matches

MismatchKind = Literal["rows", "order", "language", "texts"]
_LEAST_CLIPS, _LEAST_LETTERS = 10, 8
_MOST_FIT = 0.5
_MOST = 0.5
_LEAST_FOR_LENGTHS = 20
_LOOSE, _TIGHT = 0.5, 0.8
_ALIKE = 0.35


@dataclass(frozen=True, slots=True)
class ReferenceMismatch:
    """References that do not belong to the audio of their dataset."""

    kind: MismatchKind
    """``rows``: off by some rows; ``order``: of other rows; ``language``: another one; ``texts``: of other audio."""
    n_clips: int
    """Clips whose reference and transcript are long enough to be compared."""
    n_fitting: int
    """Of these, clips of which a transcript fits the reference."""
    how: str
    """What is wrong, as a part of a sentence."""

    def sentence(self, name: str) -> str:
        """Return what is wrong in one sentence.

        Args:
            name: Of the dataset.

        >>> found = ReferenceMismatch("rows", 60, 3, "57 fit the reference of the next row")
        >>> found.sentence("calls")  # doctest: +NORMALIZE_WHITESPACE
        'The references of calls do not belong to its audio: of 60 clips with texts to compare, 3 fit their own
        reference, and 57 fit the reference of the next row.'
        """
        return (
            f"The references of {name} do not belong to its audio: of {quantity(self.n_clips, 'clip')} with texts to "
            f"compare, {self.n_fitting} fit their own reference, and {self.how}."
        )


def reference_mismatch(clips: Sequence[ClipTexts], families: Mapping[str, str]) -> ReferenceMismatch | None:
    """Return what is wrong with the references of a dataset as a whole; ``None`` when nothing shows it.

    Args:
        clips: Every clip, in the order of the dataset's rows.
        families: The family of each model's weights, by label.
    """
    labelled = [each for each in clips if each.reference]
    matches = Matches(labelled)
    rows = [row for row, each in enumerate(labelled) if _is_long(each)]
    far = [row for row in rows if matches.is_far(row)]
    if len(rows) < _LEAST_CLIPS or len(rows) - len(far) > _MOST_FIT * len(rows):
        return None
    long = [labelled[row] for row in rows]
    reason = _reason(matches, far, long, families)
    return None if reason is None else ReferenceMismatch(reason[0], len(rows), len(rows) - len(far), reason[1])


def _reason(
    matches: Matches, far: Sequence[int], long: Sequence[ClipTexts], families: Mapping[str, str]
) -> tuple[MismatchKind, str] | None:
    by_rows = _by_rows(matches, far) or _by_order(matches, far)
    by_text = _by_language(long) or _by_length(long)
    return by_rows or by_text or _by_agreement([matches.clips[row] for row in far], families)


def _is_long(each: ClipTexts) -> bool:
    texts = [letters_of(words) for words in each.texts.values()]
    return len(each.letters) >= _LEAST_LETTERS and any(len(text) >= _LEAST_LETTERS for text in texts)


def _by_rows(matches: Matches, far: Sequence[int]) -> tuple[MismatchKind, str] | None:
    away = Counter(claim.other - claim.row for claim in _strong_claims(matches, far))
    offsets = dict.fromkeys([*OFFSETS, *(offset for offset, _ in away.most_common(1))])
    near = {offset: _claims_at(matches, far, offset) for offset in offsets}
    offset, best = max(near.items(), key=lambda one: (len(one[1]), -abs(one[0])))
    if len(best) <= _MOST * len(far):
        return None
    return "rows", f"{len(best)} fit the reference of {_rows(offset)} ({_example(matches, best[0])})"


def _by_order(matches: Matches, far: Sequence[int]) -> tuple[MismatchKind, str] | None:
    others = _strong_claims(matches, far)
    if len(others) <= _MOST * len(far):
        return None
    return "order", f"{len(others)} fit the reference of another clip ({_example(matches, others[0])})"


def _strong_claims(matches: Matches, far: Sequence[int]) -> list[Claim]:
    claims = matches.claims()
    return [claims[row] for row in far if row in claims and claims[row].strong]


def _claims_at(matches: Matches, far: Sequence[int], offset: int) -> list[Claim]:
    claims = (matches.claim_at(row, offset) for row in far)
    return [claim for claim in claims if claim]


def _rows(offset: int) -> str:
    if abs(offset) == 1:
        return "the next row" if offset > 0 else "the row before"
    return f"the row {abs(offset)} rows {'after' if offset > 0 else 'before'} it"


def _example(matches: Matches, claim: Claim) -> str:
    row, other = matches.clips[claim.row].clip.id, matches.clips[claim.other].clip.id
    return f"the audio of {row!r} has the text of {other!r}"


def _by_language(clips: Sequence[ClipTexts]) -> tuple[MismatchKind, str] | None:
    ((language, n),) = Counter(each.clip.language for each in clips).most_common(1)
    same = [each for each in clips if each.clip.language == language]
    if language is None or n <= _MOST * len(clips):
        return None
    stated = f"the dataset says {language!r}"
    references = foreign(" ".join(each.clip.reference or "" for each in same), language)
    if references is not None:
        return "language", f"the references are in {references!r} and {stated}"
    audio = foreign(" ".join(" ".join(words) for each in same for words in each.texts.values()), language)
    return None if audio is None else ("language", f"the transcripts are in {audio!r} and {stated}")


def _by_length(clips: Sequence[ClipTexts]) -> tuple[MismatchKind, str] | None:
    if len(clips) < _LEAST_FOR_LENGTHS:
        return None
    seconds = [each.clip.duration_s for each in clips]
    own = _correlation([spoken_letters(each.clip.reference or "") for each in clips], seconds)
    texts = [
        min((spoken_letters(letters_of(words)) for words in each.texts.values()), key=lambda n: -n) for each in clips
    ]
    if own > _LOOSE or _correlation(texts, seconds) < _TIGHT:
        return None
    return (
        "texts",
        "the lengths of the transcripts follow the durations of the clips, while those of the references do not",
    )


def _correlation(first: Sequence[float], second: Sequence[float]) -> float:
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 1.0
    return float(np.corrcoef(first, second)[0, 1])


def _by_agreement(far: Sequence[ClipTexts], families: Mapping[str, str]) -> tuple[MismatchKind, str] | None:
    n = sum(_agree(each, families) for each in far)
    if n <= _MOST * len(far):
        return None
    return "texts", f"in {n} of the others models of different families agree on another text"


def _agree(each: ClipTexts, families: Mapping[str, str]) -> bool:
    return any(
        families[first] != families[second] and letter_distance(letters_of(one), letters_of(other)) <= _ALIKE
        for (first, one), (second, other) in combinations(each.texts.items(), 2)
    )
