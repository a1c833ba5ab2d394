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
class ModelTexts:
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
class SharedTexts:
    """Several runs over the same clips."""

    clips: tuple[Clip, ...]
    """In the order of the texts."""
    models: tuple[ModelTexts, ...]
    """One a run."""

    @property
    def n_equal(self) -> int:
        """Clips for which all texts are equal."""
        return sum(len(set(texts)) == 1 for texts in zip(*(model.texts for model in self.models), strict=True))

    def families(self) -> tuple[str, ...]:
        """Return each family once."""
        return tuple(dict.fromkeys(model.family for model in self.models))

    def consensus(self) -> list[Words]:
        """Return the consensus of all families, clip by clip."""
        families = [model.family for model in self.models]
        return [consensus(texts, families) for texts in zip(*(model.texts for model in self.models), strict=True)]

    def distances(self, judges: Sequence[ModelTexts], *models: ModelTexts) -> list[list[int]]:
        """Return for each of some models how far it is from what the judges allow, clip by clip."""
        if not judges:
            raise ValueError("There must be a judge.")
        families = [judge.family for judge in judges]
        found: list[list[int]] = [[] for _ in models]
        for n, heard in enumerate(zip(*(judge.texts for judge in judges), strict=True)):
            slots: tuple[Slot, ...] | None = None
            for row, model in zip(found, models, strict=True):
                if all(text == model.texts[n] for text in heard):
                    row.append(0)
                    continue
                slots = lattice(heard, families) if slots is None else slots
                row.append(distance_to_votes(model.texts[n], slots))
        return found


def shared_texts(runs: Mapping[str, tuple[Run, Sequence[ClipResult]]]) -> SharedTexts:
    """Return the texts of some runs, of the clips that all have.

    Runs whose weights have the same sha256 are one family, whatever their names are.

    Args:
        runs: Run and clip results by label; all under the same normalizer.
    """
    by_clip = {label: {result.clip.id: result for result in results} for label, (_, results) in runs.items()}
    _, first = next(iter(runs.values()))
    clips = [result.clip for result in first if all(result.clip.id in found for found in by_clip.values())]
    by_hash: dict[str, str] = {}
    models = []
    for label, (run, _) in runs.items():
        family = family_of(run.model.weights_id)
        if run.model.weights_sha256:
            family = by_hash.setdefault(run.model.weights_sha256, family)
        words = normalizer(run.scoring.normalizer).words
        results = [by_clip[label][clip.id] for clip in clips]
        heard = [result.hypothesis.transcript for result in results]
        models.append(
            ModelTexts(
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
    return SharedTexts(tuple(clips), tuple(models))
