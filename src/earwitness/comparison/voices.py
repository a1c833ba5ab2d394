"""The texts of several runs over the same clips, normalized, with the family of each run's weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from earwitness.engines.families import family_of, lineage_of
from earwitness.records.record import ClipResult, Run
from earwitness.scoring.align.consensus import Slot, Words, consensus, distance_to_votes, lattice
from earwitness.scoring.text import normalizer
from earwitness.types import Clip


@dataclass(frozen=True, slots=True)
class Voice:
    """What one run says about every clip."""

    label: str
    """Of the run."""
    family: str
    """Of its weights."""
    lineage: str
    """What shares training data with them."""
    texts: tuple[Words, ...]
    """Normalized words, a text for each clip; none for a clip that failed."""
    n_failed: int
    """Clips without a transcript, which count as silence."""


@dataclass(frozen=True, slots=True)
class Choir:
    """Several runs over the same clips."""

    clips: tuple[Clip, ...]
    """In the order of the texts."""
    voices: tuple[Voice, ...]
    """One a run."""

    def families(self) -> tuple[str, ...]:
        """Return each family once."""
        return tuple(dict.fromkeys(voice.family for voice in self.voices))

    def consensus(self) -> list[Words]:
        """Return the consensus of all families, clip by clip."""
        families = [voice.family for voice in self.voices]
        return [consensus(texts, families) for texts in zip(*(voice.texts for voice in self.voices), strict=True)]

    def distances(self, judges: Sequence[Voice], *voices: Voice) -> list[list[int]]:
        """Return for each of some voices how far it is from what the judges allow, clip by clip."""
        if not judges:
            raise ValueError("There must be a judge.")
        families = [judge.family for judge in judges]
        found: list[list[int]] = [[] for _ in voices]
        for n, heard in enumerate(zip(*(judge.texts for judge in judges), strict=True)):
            slots: tuple[Slot, ...] | None = None
            for row, voice in zip(found, voices, strict=True):
                if all(text == voice.texts[n] for text in heard):
                    row.append(0)
                    continue
                slots = lattice(heard, families) if slots is None else slots
                row.append(distance_to_votes(voice.texts[n], slots))
        return found


def choir(runs: Mapping[str, tuple[Run, Sequence[ClipResult]]]) -> Choir:
    """Return the texts of some runs, of the clips that all have.

    Runs whose weights have the same sha256 are one family, whatever their names are.

    Args:
        runs: Run and clip results by label; all under the same normalizer.
    """
    by_clip = {label: {result.clip.id: result for result in results} for label, (_, results) in runs.items()}
    _, first = next(iter(runs.values()))
    clips = [result.clip for result in first if all(result.clip.id in found for found in by_clip.values())]
    by_hash: dict[str, str] = {}
    voices = []
    for label, (run, _) in runs.items():
        family = family_of(run.model.weights_id)
        if run.model.weights_sha256:
            family = by_hash.setdefault(run.model.weights_sha256, family)
        words = normalizer(run.scoring.normalizer).words
        results = [by_clip[label][clip.id] for clip in clips]
        heard = [result.hypothesis.transcript for result in results]
        voices.append(
            Voice(
                label=label,
                family=family,
                lineage=lineage_of(family),
                texts=tuple(
                    tuple(words(text.text, clip.language)) if text else ()
                    for text, clip in zip(heard, clips, strict=True)
                ),
                n_failed=sum(text is None for text in heard),
            )
        )
    return Choir(tuple(clips), tuple(voices))
