"""Are the references of a dataset right? Suspects, and what the models' error rates and their order are without them.

Nothing is dropped silently: each model's rate stands as it is, without the suspects, and, where people have labelled,
with corrected references. A model is not helped by its own vote: the suspects that are left out of its rate are those
that the other families name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from earwitness.comparison.ranking import rank
from earwitness.counts import NOTHING
from earwitness.labels.audit_clips import Audited, ClipSuspect, audit_clips
from earwitness.labels.audit_order import AuditDraw, CorrectedRate, audit_order, corrected_rate
from earwitness.labels.audit_spans import SpanSuspect, audit_spans
from earwitness.records.record import ClipResult
from earwitness.records.rescore import options_of, score_result
from earwitness.records.run_texts import families_of, lineages_of, texts_of_runs
from earwitness.records.select import RunWithClips
from earwitness.scoring.findings.clip_texts import ClipTexts, without_labels
from earwitness.scoring.findings.reference_mismatch import reference_mismatch
from earwitness.scoring.metrics.summary import sum_counts
from earwitness.scoring.stats.bootstrap_t import Interval, rate_interval
from earwitness.types import Edits, Score

ONE_FAMILY = "only one family of models has transcripts, and a model is no witness of its own"


@dataclass(frozen=True, slots=True)
class ModelAudit:
    """One model's error rate under the references as they are, and under better ones."""

    label: str
    """The run."""
    as_is: Score
    """WER on all clips."""
    without: Score | None
    """WER without the suspects that other families name; ``None`` with ``reason``."""
    n_left_out: int
    """Clips that were left out for that."""
    corrected: CorrectedRate | None
    """WER on corrected references; ``None`` without labels."""
    rank: str
    """Rank as it is."""
    rank_without: str
    """Rank on the clips that nobody suspects."""
    reason: str | None = None
    """Why there is no rate without suspects."""


@dataclass(frozen=True, slots=True)
class Audit:
    """The audit of a dataset's references."""

    dataset: str
    """Name of the dataset."""
    n_clips: int
    """Clips with words in the reference and at least one transcript."""
    families: tuple[str, ...]
    """Families of models that bore witness."""
    mismatch: str | None
    """Why the references as a whole do not belong to the audio, in one sentence; ``None`` where nothing shows it."""
    clips: tuple[ClipSuspect, ...]
    """Clips whose reference is probably wrong, those with the most errors at stake first."""
    spans: tuple[SpanSuspect, ...]
    """Words that are probably wrong, those that would change most first."""
    models: tuple[ModelAudit, ...]
    """Lowest WER as it is first."""
    order: tuple[AuditDraw, ...]
    """In which order to check clips by ear."""
    order_changes: bool
    """Whether the models stand in another order without the suspects."""
    remarks: tuple[str, ...] = ()
    """What else to know, one sentence each."""


def audit_runs(
    runs: Sequence[RunWithClips],
    name: str,
    *,
    references: Mapping[str, str | None] | None = None,
    remarks: Sequence[str] = (),
    progress: Audited | None = None,
) -> Audit:
    """Audit the references of some runs.

    Args:
        runs: Over the same data, scored in the same way, with distinct labels.
        name: Of the dataset.
        references: Corrected references by clip id, from people's labels.
        remarks: To pass on.
        progress: Called with how many clips are done, of how many.
    """
    families = families_of(runs)
    texts = [each for each in texts_of_runs(runs) if each.reference and each.texts]
    suspects = audit_clips(texts, families, progress)
    ids = {one.clip_id for one in suspects}
    mismatch = reference_mismatch(texts, families)
    order = audit_order([each.clip.id for each in texts], ids)
    rates = _Rates(texts, families, order, references or {})
    before, after = _ranks(runs, frozenset()), _ranks(runs, ids)
    return Audit(
        dataset=name,
        n_clips=len(texts),
        families=tuple(sorted(set(families.values()))),
        mismatch=None if mismatch is None else mismatch.sentence(name),
        clips=tuple(suspects),
        spans=tuple(audit_spans(texts, families, lineages_of(runs), ids)),
        models=tuple(rates.of(run, before, after) for run in sorted(runs, key=lambda run: [*before].index(run.label))),
        order=tuple(order),
        order_changes=[*before] != [*after],
        remarks=tuple(remarks),
    )


class _Rates:
    """Error rates of each model, with the suspects that the others name."""

    def __init__(
        self,
        texts: Sequence[ClipTexts],
        families: Mapping[str, str],
        order: Sequence[AuditDraw],
        references: Mapping[str, str | None],
    ) -> None:
        self._texts = texts
        self._families = families
        self._order = order
        self._references = references
        self._suspects: dict[str, frozenset[str]] = {}

    def of(self, run: RunWithClips, before: Mapping[str, str], after: Mapping[str, str]) -> ModelAudit:
        family = self._families[run.label]
        alone = set(self._families.values()) == {family}
        named = frozenset[str]() if alone else self._named_without(family)
        return ModelAudit(
            label=run.label,
            as_is=wer_without(run, ()),
            without=None if alone else wer_without(run, named),
            n_left_out=len(named),
            corrected=self._corrected(run),
            rank=before.get(run.label, NOTHING),
            rank_without=after.get(run.label, NOTHING),
            reason=ONE_FAMILY if alone else None,
        )

    def _named_without(self, family: str) -> frozenset[str]:
        if family not in self._suspects:
            own = frozenset(label for label, other in self._families.items() if other == family)
            others = {label: other for label, other in self._families.items() if other != family}
            found = audit_clips([each for each in without_labels(self._texts, own) if each.texts], others)
            self._suspects[family] = frozenset(one.clip_id for one in found)
        return self._suspects[family]

    def _corrected(self, run: RunWithClips) -> CorrectedRate | None:
        if not self._references:
            return None
        counts: dict[str, tuple[int, int]] = {}
        corrected: dict[str, tuple[int, int]] = {}
        for result in run.results:
            counts[result.clip.id] = _counts(result)
            if result.clip.id in self._references:
                corrected[result.clip.id] = _counts(with_reference(result, self._references[result.clip.id], run))
        order = [draw for draw in self._order if draw.clip_id in counts]
        return corrected_rate(order, counts, corrected)


def _counts(result: ClipResult) -> tuple[int, int]:
    words = result.score.words
    return (0, 0) if words is None else (words.errors, words.length)


def with_reference(result: ClipResult, reference: str | None, run: RunWithClips) -> ClipResult:
    """Return a line of a record scored against another reference; without one, as it is.

    Args:
        result: The line.
        reference: The new raw text; ``None`` for a clip of which nobody could say what was spoken.
        run: Whose line it is.
    """
    if reference is None or reference == result.clip.reference:
        return result
    clip = replace(result.clip, reference=reference)
    return score_result(clip, result.hypothesis, run.run.scoring, result.speech)


def wer_without(run: RunWithClips, clip_ids: Collection[str]) -> Score:
    """Return a run's WER without some clips.

    Args:
        run: With counts.
        clip_ids: To leave out.
    """
    left_out = frozenset(clip_ids)
    kept = [result for result in run.results if result.score.words is not None and result.clip.id not in left_out]
    edits = [result.score.words or Edits() for result in kept]
    total = sum_counts(edits)
    interval = Interval(None, "the references have no words")
    if total.length:
        recordings = [result.clip.recording or result.clip.id for result in kept]
        interval = rate_interval([each.errors for each in edits], [each.length for each in edits], recordings)
    return Score(
        metric="wer",
        value=total.rate,
        unit="ratio",
        signature=options_of(run.run.scoring).signature("wer"),
        n_clips=len(kept),
        n_failed=sum(result.score.failed for result in kept),
        ci95=interval.ci95,
        reason=interval.reason,
        edits=total,
    )


def _ranks(runs: Sequence[RunWithClips], clip_ids: Collection[str]) -> dict[str, str]:
    left_out = frozenset(clip_ids)
    kept = {run.label: [each for each in run.results if each.clip.id not in left_out] for run in runs}
    ranking = rank(kept)
    return {label: NOTHING if ranking.why_none else str(ranks) for label, ranks in ranking.ranks.items()}
