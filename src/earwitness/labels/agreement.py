"""How far people agree who labelled the same clips, and which clips a second person should label."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from earwitness.files.schema import Strict
from earwitness.labels.label import Label, current_labels
from earwitness.labels.settle import same_words


@dataclass(frozen=True, slots=True)
class LabellerPair(Strict):
    """Two people over the clips that both labelled."""

    first: str
    """One author."""
    second: str
    """The other."""
    n_clips: int
    """Clips that both labelled."""
    n_equal: int
    """Of these, clips with equal verdicts, or words that are equal after normalizing."""
    n_texts: int
    """Clips for which both wrote a text, or found that nobody speaks."""
    errors: int
    """Word edits between the texts of these."""
    n_words: tuple[int, int]
    """Words that each of them wrote for these."""
    n_same_draft: int
    """Clips for which both were shown the same draft, which makes them agree more than they would."""

    @property
    def equal_share(self) -> float:
        """Share of clips on which both agree."""
        return self.n_equal / self.n_clips

    @property
    def wer(self) -> float | None:
        """Word edits over the mean number of words, so that neither is the truth; ``None`` where nobody wrote any."""
        return 2 * self.errors / sum(self.n_words) if sum(self.n_words) else None


def agreement(
    labels: Iterable[Label], *, normalizer: str = "auto", languages: Mapping[str, str | None] | None = None
) -> tuple[LabellerPair, ...]:
    """Compare every two people over the clips that both labelled, by name. Adjudications are left out.

    Args:
        labels: Of an overlay, in the order of its lines.
        normalizer: As for scores.
        languages: Of clips; ``None`` where unknown.

    >>> one = Label("a", "", 0.0, 1.0, "call me back", "text", "ana", "2026-11-30T09:00:00Z")
    >>> two = Label("a", "", 0.0, 1.0, "Call me, Jack.", "text", "ben", "2026-11-30T09:00:00Z")
    >>> [(pair.first, pair.second, pair.errors, pair.wer) for pair in agreement([one, two])]
    [('ana', 'ben', 1, 0.3333333333333333)]
    """
    by_author: dict[str, dict[str, Label]] = defaultdict(dict)
    for (clip_id, author, is_adjudication), label in current_labels(labels).items():
        if not is_adjudication:
            by_author[author][clip_id] = label
    pairs = []
    for first, second in combinations(sorted(by_author), 2):
        both = [(by_author[first][key], by_author[second][key]) for key in by_author[first] if key in by_author[second]]
        if both:
            pairs.append(_pair(both, normalizer, languages or {}))
    return tuple(pairs)


def _pair(both: Sequence[tuple[Label, Label]], normalizer: str, languages: Mapping[str, str | None]) -> LabellerPair:
    from earwitness.scoring.align.edits import align
    from earwitness.scoring.text import normalizer as rules

    same = same_words(normalizer, languages)
    words = rules(normalizer).words
    texts = [
        (words(one.reference, languages.get(one.clip_id)), words(two.reference, languages.get(two.clip_id)))
        for one, two in both
        if one.reference is not None and two.reference is not None
    ]
    return LabellerPair(
        first=both[0][0].author,
        second=both[0][1].author,
        n_clips=len(both),
        n_equal=sum(same(one, two) for one, two in both),
        n_texts=len(texts),
        errors=sum(align(one, two).errors for one, two in texts),
        n_words=(sum(len(one) for one, _ in texts), sum(len(two) for _, two in texts)),
        n_same_draft=sum(one.draft is not None and one.draft == two.draft for one, two in both),
    )


def wants_second_opinion(clip_id: str, share: float, seed: int = 0) -> bool:
    """Return whether a second person should label a clip.

    Chance chooses a share of all clips, by the clip's id and the seed, so that the choice stays the same while labels
    come in, and does not depend on what was written.

    Args:
        clip_id: Of the clip.
        share: Of the clips, 0 to 1.
        seed: Of the choice.

    >>> [wants_second_opinion("a", share) for share in (0.0, 1.0)]
    [False, True]
    """
    digest = hashlib.sha256(f"{seed}:{clip_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < share
