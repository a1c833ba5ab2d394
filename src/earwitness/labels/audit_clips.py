"""Clips whose reference is probably wrong as a whole, one verdict each, with its evidence in a sentence.

In this order, and the first that fits is the verdict: two clips with the same audio and different texts; rows whose
texts are off by the same number of rows; audio that fits another clip's reference; a reference or an audio file cut
short; families of models that agree with each other and not with the reference; a text in another language; a duration
in which nobody can say the text, while a transcript fits it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from earwitness.counts import percentage, quantity
from earwitness.labels.audit_cuts import cut_of
from earwitness.scoring.align.edits import align
from earwitness.scoring.align.text_index import letter_distance, letters_of
from earwitness.scoring.findings.clip_texts import ClipTexts
from earwitness.scoring.findings.language_mismatch import foreign
from earwitness.scoring.findings.pace import pace_of, spoken_letters
from earwitness.scoring.findings.reference_matches import FAR, Claim, Matches, row_runs, swaps

SuspectKind = Literal["duplicate", "row_shift", "swap", "wrong_audio", "cut_reference", "cut_audio", "language", "pace"]
Audited = Callable[[int, int], None]
_ALIKE, _LONG = 0.35, 6
_PACE_FAR, _PACE_TIMES = 4.0, 3
_LEAST_PACE = 8
"""Letters of a reference whose pace says something: an abbreviation of four is said letter by letter."""
_SHOWN_WORDS = 12


@dataclass(frozen=True, slots=True)
class ClipSuspect:
    """A clip whose reference is probably not what is said in it."""

    clip_id: str
    """The clip."""
    kind: SuspectKind
    """What is wrong."""
    evidence: str
    """Why, in one sentence."""
    score: float
    """How strong the evidence is, from 0 to 1; comparable within a kind."""
    errors: int
    """Word errors that even the nearest transcript has against this reference."""
    other: str | None = None
    """The clip whose reference fits, or that has the same audio; ``None`` where there is none."""


def audit_clips(
    clips: Sequence[ClipTexts], families: Mapping[str, str], progress: Audited | None = None
) -> list[ClipSuspect]:
    """Return the suspects, those with the most errors at stake first.

    Args:
        clips: Every clip, in the order of the dataset's rows; those without words in the reference are passed over.
        families: The family of each model's weights, by label: models of one family are one witness.
        progress: Called with how many clips are done, of how many.
    """
    labelled = [each for each in clips if each.reference]
    audit = _Audit(labelled, families)
    found = []
    for row, each in enumerate(labelled):
        suspect = audit.look_at(row)
        if suspect is not None:
            found.append(suspect)
        if progress:
            progress(row + 1, len(labelled))
        del each
    return sorted(found, key=lambda one: (-one.errors, -one.score, one.clip_id))


class _Audit:
    """What is known of all clips, from which each gets its verdict."""

    def __init__(self, clips: Sequence[ClipTexts], families: Mapping[str, str]) -> None:
        self.clips = clips
        self.families = families
        self.pace = pace_of(
            [spoken_letters(each.clip.reference or "") for each in clips], [each.clip.duration_s for each in clips]
        )
        self.matches = Matches(clips)
        self.runs = {row: run for run in row_runs(self.matches) for row in run.rows}
        self.swaps = swaps(self.matches)
        self.duplicates = _duplicates(clips, self.matches)

    def look_at(self, row: int) -> ClipSuspect | None:
        verdicts = (
            self._duplicate,
            self._row_shift,
            self._swap,
            self._cut,
            self._wrong_audio,
            self._language,
            self._pace,
        )
        return next((found for verdict in verdicts if (found := verdict(row))), None)

    def _made(self, row: int, kind: SuspectKind, evidence: str, score: float, other: int | None = None) -> ClipSuspect:
        each = self.clips[row]
        errors = min((align(each.reference, words).errors for words in each.texts.values()), default=0)
        id_of_other = None if other is None else self.clips[other].clip.id
        return ClipSuspect(each.clip.id, kind, evidence, round(min(1.0, max(0.0, score)), 3), errors, id_of_other)

    def _duplicate(self, row: int) -> ClipSuspect | None:
        other = self.duplicates.get(row)
        if other is None:
            return None
        name = self.clips[other].clip.id
        return self._made(row, "duplicate", f"It has the same audio as {name!r} and another text.", 1.0, other)

    def _row_shift(self, row: int) -> ClipSuspect | None:
        run = self.runs.get(row)
        if run is None:
            return None
        claim = self.matches.claim_at(row, run.offset)
        of_run = f"in a run of {quantity(len(run.rows), 'row')} that are off in the same way"
        other = row + run.offset
        if claim is None:
            own = percentage(self.matches.own[row], digits=0)
            evidence = f"{own} of its letters differ from its reference, and it is {of_run}."
            return self._made(row, "row_shift", evidence, self.matches.own[row])
        evidence = f"Its audio fits the reference {_rows_away(run.offset)}, {self._fit(claim)}; it is {of_run}."
        return self._made(row, "row_shift", evidence, claim.own - claim.distance, other)

    def _swap(self, row: int) -> ClipSuspect | None:
        claim = self.swaps.get(row)
        if claim is None:
            return None
        evidence = f"Its audio fits the reference of another clip, {self._fit(claim)}."
        if claim.distance >= FAR:
            name = self.clips[claim.other].clip.id
            evidence = f"Its reference is what is said in {name!r}, and no transcript of it fits its reference."
        return self._made(row, "swap", evidence, max(claim.own - claim.distance, claim.own / 2), claim.other)

    def _fit(self, claim: Claim) -> str:
        near, own = percentage(claim.distance, digits=0), percentage(claim.own, digits=0)
        return f"{self.clips[claim.other].clip.id!r} ({near} of the letters differ; {own} from its own reference)"

    def _wrong_audio(self, row: int) -> ClipSuspect | None:
        if not self.matches.is_far(row):
            return None
        pairs = combinations(sorted(self.clips[row].texts.items()), 2)
        agreeing = [
            (letter_distance(letters_of(a), letters_of(b)), letters_of(a), " ".join(a))
            for (first, a), (second, b) in pairs
            if self.families[first] != self.families[second]
        ]
        nearest = min(agreeing, default=(1.0, "", ""))
        if nearest[0] > _ALIKE or len(nearest[1]) < _LONG:
            return None
        evidence = (
            f"Models of different families agree on {_quoted(nearest[2])}, and "
            f"{percentage(self.matches.own[row], digits=0)} of its letters differ from the reference."
        )
        return self._made(row, "wrong_audio", evidence, self.matches.own[row] - nearest[0])

    def _cut(self, row: int) -> ClipSuspect | None:
        cut = cut_of(self.clips[row], self.families, self.pace)
        if cut is None:
            return None
        rest = _quoted(" ".join(cut.rest))
        share = len(letters_of(cut.rest)) / max(1, len(self.clips[row].letters))
        if cut.what == "reference":
            evidence = f"The reference lacks its {cut.place}: the audio also has {rest}."
            return self._made(row, "cut_reference", evidence, min(1.0, share) - cut.distance)
        evidence = f"The audio lacks its {cut.place}: {rest} of the reference is not in it, and it is too short for it."
        return self._made(row, "cut_audio", evidence, share - cut.distance)

    def _language(self, row: int) -> ClipSuspect | None:
        clip = self.clips[row].clip
        other = foreign(clip.reference or "", clip.language)
        if other is None:
            return None
        evidence = f"The reference looks like {other!r}, and the dataset says {clip.language!r}."
        return self._made(row, "language", evidence, 1.0)

    def _pace(self, row: int) -> ClipSuspect | None:
        each = self.clips[row]
        if self.pace is None or not self.matches.is_far(row) or len(each.letters) < _LEAST_PACE:
            return None
        own = self.pace.deviation(spoken_letters(each.clip.reference or ""), each.clip.duration_s)
        texts = [text for words in each.texts.values() if len(text := letters_of(words)) >= _LONG]
        others = [abs(self.pace.deviation(spoken_letters(text), each.clip.duration_s)) for text in texts]
        near = min(others, default=_PACE_FAR)
        if abs(own) < _PACE_FAR or near > abs(own) / _PACE_TIMES:
            return None
        rate = len(each.reference) / each.clip.duration_s
        evidence = (
            f"The reference has {rate:.1f} words a second, far from what the other clips have, "
            "and a transcript of the right length differs from it."
        )
        return self._made(row, "pace", evidence, self.matches.own[row])


def _rows_away(offset: int) -> str:
    if abs(offset) == 1:
        return "of the next row" if offset > 0 else "of the row before"
    return f"{abs(offset)} rows {'after' if offset > 0 else 'before'} its own"


def _quoted(text: str) -> str:
    words = text.split()
    return repr(" ".join(words[:_SHOWN_WORDS]) + (" ..." if len(words) > _SHOWN_WORDS else ""))


def _duplicates(clips: Sequence[ClipTexts], matches: Matches) -> dict[int, int]:
    """Return by row another row with the same audio and another text, but for a row that its transcripts fit better."""
    groups: dict[tuple[str, float, float, int | None], list[int]] = defaultdict(list)
    for row, each in enumerate(clips):
        clip = each.clip
        if clip.audio_sha256:
            groups[clip.audio_sha256, clip.start_s, clip.duration_s, clip.channel].append(row)
    found: dict[int, int] = {}
    for rows in groups.values():
        for row in rows:
            others = [other for other in rows if matches.references[other] != matches.references[row]]
            better = [other for other in others if matches.own[other] < matches.own[row]]
            equal = [other for other in others if matches.own[other] == matches.own[row]]
            if better or equal:
                found[row] = min(better or equal, key=lambda other: (matches.own[other], other))
    return found
