"""Which reference does the audio of a clip fit, if not its own? Claims that other clips support count more.

A *claim* says that the transcript of one row fits the reference of another row and not its own. A claim is strong if
the texts are long and alike enough to stand alone. A weak one stands only with others: the two rows claim each other's
reference, or a row next to it is off by the same number of rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from earwitness.scoring.align.text_index import TextIndex, letter_distance, letters_of
from earwitness.scoring.findings.clip_texts import ClipTexts

FAR = 0.5
"""Letters of a transcript, as a share, from which it does not fit a reference."""
OFFSETS = (-1, 1, -2, 2, -3, 3)
"""Rows by which a list of texts may be off."""
_NEAR, _GAIN, _LONG = 0.3, 0.3, 6
_WEAK_NEAR, _WEAK_GAIN = 0.45, 0.12
_WIDEST_GAP = 3
_MOST_AT_ENDS = 2
_VERY_FAR = 0.7
_LEAST_LOST = 0.1
_SURE, _LEAST_SURE = 0.1, 3


@dataclass(frozen=True, slots=True)
class Claim:
    """The audio of one row fits the reference of another."""

    row: int
    """Whose audio."""
    other: int
    """Whose reference."""
    distance: float
    """Of the transcript from that reference, in letters, from 0 to 1."""
    own: float
    """Of the nearest transcript from the row's own reference."""
    strong: bool
    """Whether it stands without support."""


@dataclass(frozen=True, slots=True)
class RowRun:
    """Neighbouring rows whose audio fits the reference so many rows away."""

    rows: tuple[int, ...]
    """In order; rows between them that fit their own reference at least as well are not among them."""
    offset: int
    """Rows from the audio to its text: 1 when it is the text of the next row."""


class Matches:
    """Transcripts against all references of a dataset."""

    def __init__(self, clips: Sequence[ClipTexts]) -> None:
        """Compute each clip's distance from its own reference.

        Args:
            clips: Every labelled clip, in the order of the dataset's rows.
        """
        self.clips = clips
        self.references = [each.letters for each in clips]
        self.own = [min(each.distances().values(), default=0.0) for each in clips]
        """By row: of the nearest transcript; 0 for a row without any."""
        self._index = TextIndex(self.references)
        self._alike: dict[str, list[int]] = {}
        for row, text in enumerate(self.references):
            self._alike.setdefault(text, []).append(row)

    def is_far(self, row: int) -> bool:
        """Return whether no transcript of a row fits its reference."""
        return self.own[row] >= FAR

    def is_long(self, row: int) -> bool:
        """Return whether a row's reference and transcripts are long enough to say by themselves that they differ."""
        texts = map(letters_of, self.clips[row].texts.values())
        return min(len(self.references[row]), max(map(len, texts), default=0)) >= _LONG

    def claims(self) -> dict[int, Claim]:
        """Return by row the reference that fits better than its own, if there is one."""
        found = (self._claim(row) for row in range(len(self.clips)) if self.own[row] >= _WEAK_GAIN)
        return {claim.row: claim for claim in found if claim}

    def distance_at(self, row: int, offset: int) -> float:
        """Return how far the nearest transcript of a row is from the reference so many rows away; 1 where none is."""
        other = row + offset
        if not 0 <= other < len(self.clips):
            return 1.0
        texts = map(letters_of, self.clips[row].texts.values())
        return min((letter_distance(text, self.references[other]) for text in texts), default=1.0)

    def claim_at(self, row: int, offset: int) -> Claim | None:
        """Return the claim of a row on the reference so many rows away, if there is one."""
        other = row + offset
        if not 0 <= other < len(self.clips) or not self.references[other]:
            return None
        texts = map(letters_of, self.clips[row].texts.values())
        nearest = min(((letter_distance(text, self.references[other]), text) for text in texts), default=None)
        return None if nearest is None else self._made(row, other, nearest[0], nearest[1])

    def _claim(self, row: int) -> Claim | None:
        same = self._alike[self.references[row]]
        nearest = []
        for text in map(letters_of, self.clips[row].texts.values()):
            found = self._index.nearest(text, same)
            if found is not None:
                nearest.append((found.distance, found.position, text))
        if not nearest:
            return None
        distance, position, text = min(nearest)
        # Of several clips with this text, the one whose own audio does not fit it has lost its audio.
        other = max(self._alike[self.references[position]], key=lambda each: (self.own[each], -each))
        return self._made(row, other, distance, text)

    def _made(self, row: int, other: int, distance: float, text: str) -> Claim | None:
        own = self.own[row]
        gain = own - distance
        if self.references[row] == self.references[other] or distance > _WEAK_NEAR or gain < _WEAK_GAIN:
            return None
        strong = distance <= _NEAR and gain >= _GAIN and own >= FAR and len(text) >= _LONG
        return Claim(row, other, distance, own, strong)


def row_runs(matches: Matches) -> list[RowRun]:
    """Return the runs of rows whose texts are off by the same number of rows, without overlaps, longest first.

    A run takes two claims with one strong one at least. Rows between and at its ends that fit no reference belong to
    it: the text of its last row is often the one that was lost.
    """
    runs: list[RowRun] = []
    for offset in OFFSETS:
        far = (row for row, own in enumerate(matches.own) if own >= _WEAK_GAIN)
        claims = {row: claim for row in far if (claim := matches.claim_at(row, offset))}
        runs += _runs_at(matches, claims, offset)
    kept: list[RowRun] = []
    taken: set[int] = set()
    for run in sorted(runs, key=lambda run: (-len(run.rows), abs(run.offset), run.rows)):
        if taken.isdisjoint(run.rows):
            kept.append(run)
            taken |= set(run.rows)
    return kept


def _runs_at(matches: Matches, claims: Mapping[int, Claim], offset: int) -> list[RowRun]:
    groups: list[list[int]] = []
    for row in sorted(claims):
        if groups and _joined(matches, groups[-1][-1], row, offset):
            groups[-1].append(row)
        else:
            groups.append([row])
    return [
        RowRun(_rows(matches, group, offset), offset) for group in groups if _stands([claims[row] for row in group])
    ]


def _stands(claims: Sequence[Claim]) -> bool:
    """Return whether claims of neighbouring rows make a run: two that are sure and one strong, or three sure ones."""
    sure = [claim for claim in claims if claim.strong or (claim.distance <= _SURE and claim.own >= FAR)]
    return len(sure) >= _LEAST_SURE or (len(sure) == _LEAST_SURE - 1 and any(claim.strong for claim in sure))


def _joined(matches: Matches, before: int, row: int, offset: int) -> bool:
    between = range(before + 1, row)
    return len(between) < _WIDEST_GAP and all(
        matches.is_far(each) or matches.distance_at(each, offset) <= _NEAR for each in between
    )


def _rows(matches: Matches, group: Sequence[int], offset: int) -> tuple[int, ...]:
    """Return the rows of a run: its claims, what lies between and fits its own reference less well, and its ends."""
    inside = [
        row
        for row in range(group[0], group[-1] + 1)
        if row in group or matches.is_far(row) or matches.distance_at(row, offset) < matches.own[row]
    ]
    before, after = _end(matches, group[0], -1, offset), _end(matches, group[-1], 1, offset)
    return (*range(before, group[0]), *inside, *range(group[-1] + 1, after + 1))


def _end(matches: Matches, row: int, step: int, offset: int) -> int:
    """Return the last row of a run in one direction: first rows whose text was lost, then rows that fit nothing.

    The reference of a row whose text was lost is what is said in a row of the run, so its own audio fits it less well.
    """
    lost = abs(offset) if (offset > 0) == (step > 0) else 0
    for n in range(lost + _MOST_AT_ENDS):
        after = row + step
        if not 0 <= after < len(matches.own):
            break
        claim = matches.claim_at(after - offset, offset) if n < lost else None
        if claim is None and not matches.is_long(after):
            break
        least = _VERY_FAR if claim is None else claim.distance + _LEAST_LOST
        if matches.own[after] < least:
            break
        row = after
    return row


def swaps(matches: Matches) -> dict[int, Claim]:
    """Return by row the claims on a row elsewhere: strong ones, and weak ones that two rows make on each other.

    A row that fits no reference, and whose own one is strongly claimed by a row that it could have been swapped with,
    gets the claim in return.
    """
    claims = matches.claims()
    kept = {
        row: claim
        for row, claim in claims.items()
        if claim.strong or (claim.other in claims and claims[claim.other].other == row)
    }
    for claim in list(kept.values()):
        other = claim.other
        if claim.strong and other not in kept and matches.is_far(other):
            back = min(
                (letter_distance(letters_of(words), matches.references[claim.row])
                 for words in matches.clips[other].texts.values()), default=1.0,
            )  # fmt: skip
            kept[other] = Claim(other, claim.row, back, matches.own[other], strong=False)
    return kept
