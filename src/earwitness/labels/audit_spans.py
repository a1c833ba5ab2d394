"""Words of a reference against which families of models agree with each other.

Every transcript is aligned with the reference. Neighbouring differences are one span; families that put the same words
in the same place have agreed. What only looks different is left out: the same letters with spaces elsewhere, accents,
digits against words, and near spellings. Models err alike, too, so a span is a reason to listen, and no correction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from earwitness.scoring.align.edits import align
from earwitness.scoring.align.spans import quick_spans
from earwitness.scoring.align.text_index import letter_distance, letters_of
from earwitness.scoring.findings.clip_texts import ClipTexts, bare_letters

_Words = tuple[str, ...]
_Place = tuple[int, int, _Words]
_FAR = 0.5
_SPELLING = 0.34
_CONTEXT = 4
_SIGNS = frozenset("#*@&+=/%$€£°")


@dataclass(frozen=True, slots=True)
class SpanSuspect:
    """Words of a reference that are probably not what was said."""

    clip_id: str
    """The clip."""
    start: int
    """The first word of the span, counted in normalized words from 0."""
    reference: str
    """The reference's words, normalized; empty where it has none."""
    text: str
    """The words that the models agree on, normalized; empty where they agree that nothing is said."""
    context: str
    """The normalized words around, with the span in brackets."""
    families: tuple[str, ...]
    """The families that agree."""
    n_families: int
    """Families with a transcript of the clip."""
    n_lineages: int
    """Lineages among the families that agree: families of one make some of the same errors."""
    errors: int
    """Errors that all models together would lose if the text were right; what it would change."""


def audit_spans(
    clips: Sequence[ClipTexts],
    families: Mapping[str, str],
    lineages: Mapping[str, str],
    without: Collection[str] = (),
) -> list[SpanSuspect]:
    """Return the spans, those that would change most first.

    With two families or more, a span takes two that agree. With one family, each of its differences is a span, which
    may as well be the model's own error.

    Args:
        clips: Every clip; those without words in the reference are passed over.
        families: The family of each model's weights, by label.
        lineages: The lineage of each family.
        without: Ids of clips that are suspects as a whole.
    """
    left_out = frozenset(without)
    found = [
        suspect
        for each in clips
        if each.reference and each.clip.id not in left_out
        for suspect in _spans(each, families, lineages)
    ]
    return sorted(found, key=lambda one: (-one.errors, -one.n_lineages, -len(one.families), -_distance(one), _id(one)))


def _id(span: SpanSuspect) -> tuple[str, int, str]:
    return span.clip_id, span.start, span.text


def _distance(span: SpanSuspect) -> float:
    return letter_distance(span.reference.replace(" ", ""), span.text.replace(" ", ""))


def _spans(each: ClipTexts, families: Mapping[str, str], lineages: Mapping[str, str]) -> list[SpanSuspect]:
    proposals: dict[_Place, set[str]] = defaultdict(set)
    distances = each.distances()
    for label, words in each.texts.items():
        # A transcript that fits nowhere says nothing about single words.
        if distances[label] < _FAR:
            for place in _differences(each.reference, words):
                # A sign such as # is said as a word, and normalizing takes it away.
                if place[0] < place[1] or not _has_sign(each.clip.reference or ""):
                    proposals[place].add(families[label])
    all_families = {families[label] for label in each.texts}
    needed = min(2, len(set(families.values())))
    return [
        suspect
        for place, voters in proposals.items()
        if len(voters) >= needed and (suspect := _suspect(each, place, voters, all_families, lineages)).errors > 0
    ]


def _suspect(
    each: ClipTexts, place: _Place, voters: Collection[str], all_families: Collection[str], lineages: Mapping[str, str]
) -> SpanSuspect:
    start, end, words = place
    said = each.reference
    corrected = (*said[:start], *words, *said[end:])
    errors = sum(align(said, text).errors - align(corrected, text).errors for text in each.texts.values())
    before, after = said[max(0, start - _CONTEXT) : start], said[end : end + _CONTEXT]
    return SpanSuspect(
        clip_id=each.clip.id,
        start=start,
        reference=" ".join(said[start:end]),
        text=" ".join(words),
        context=" ".join([*before, f"[{' '.join(said[start:end])}]", *after]),
        families=tuple(sorted(voters)),
        n_families=len(all_families),
        n_lineages=len({lineages[family] for family in voters}),
        errors=errors,
    )


def _differences(reference: _Words, text: _Words) -> list[_Place]:
    """Return where a text differs from the reference, neighbouring edits as one, without what only looks different."""
    merged: list[list[int]] = []
    for span in quick_spans(reference, text):
        if span.kind == "equal":
            continue
        if merged and merged[-1][1] == span.reference[0] and merged[-1][3] == span.hypothesis[0]:
            merged[-1][1], merged[-1][3] = span.reference[1], span.hypothesis[1]
        else:
            merged.append([*span.reference, *span.hypothesis])
    places = [(start, end, text[first:last]) for start, end, first, last in merged]
    return [place for place in places if not _looks_different(reference[place[0] : place[1]], place[2])]


def _looks_different(own: _Words, text: _Words) -> bool:
    """Return whether two pieces are one in another spelling."""
    first, second = bare_letters(letters_of(own)), bare_letters(letters_of(text))
    has_digits = [any(letter.isdigit() for letter in letters) for letters in (first, second)]
    if first and second and has_digits[0] != has_digits[1]:
        return True
    return first == second or (bool(first and second) and letter_distance(first, second) < _SPELLING)


def _has_sign(text: str) -> bool:
    return any(letter in _SIGNS for letter in text)
