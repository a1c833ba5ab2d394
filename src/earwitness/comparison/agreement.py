"""Who agrees with whom, and what that says about runs without references.

Three kinds of statement, of falling strength:

- *proven*: what the distances of texts bound, for any reference (``scoring/metrics/disagreement.py``); with a WER that
  the user knows one model not to exceed, also error rates of the others and ranks;
- *tested*: of two models, the one nearer to independent witnesses, which are families of other lineages than both, by a
  permutation test over recordings. It assumes that the witnesses' errors favour neither of the two;
- *estimated*: the distance of each model to the votes of the other families. It misses errors that models share.

Ranks rest on the first two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from earwitness.comparison.listening import DisputedClip, clips_to_hear
from earwitness.comparison.pair_agreement import PairAgreement, pair_agreements
from earwitness.comparison.table import Table
from earwitness.comparison.texts import ModelTexts, SharedTexts, shared_texts
from earwitness.engines.families import shared_lineages
from earwitness.errors import UsageError
from earwitness.files.nearest import did_you_mean
from earwitness.records.record import ClipResult, DatasetInfo, Run
from earwitness.records.store import read_clips
from earwitness.scoring.findings.kinds import KINDS, WORDS_ON_SILENCE
from earwitness.scoring.metrics.disagreement import why_no_bound
from earwitness.scoring.stats.bootstrap_t import rate_interval
from earwitness.scoring.stats.clusters import cluster_of
from earwitness.scoring.stats.ranks import PairVerdict, ranks

FEWEST_OTHERS = 2
"""Other families that it takes for a vote."""
SHARED_ERRORS = (
    "Agreement is not correctness: an error that models share is not counted here. When two language models are "
    "both wrong, they agree in about 60 % of cases, and better models more often (Kim et al., ICML 2025)."
)
_ROUNDS = 4000


@dataclass(frozen=True, slots=True)
class ModelAgreement:
    """One run, and how far it is from the others."""

    label: str
    """The run."""
    record: Path
    """Its record."""
    family: str
    """Of its weights."""
    lineage: str
    """What shares training data with them."""
    n_words: int
    """Words in its texts, normalized."""
    n_failed: int
    """Clips without a transcript, which count as silence."""
    errors: int | None
    """Edits to the nearest text that the other families' votes allow; ``None`` with ``reason``."""
    rate: float | None
    """These, divided by the words of the consensus of all families: an estimate of the WER that misses shared errors,
    and words about which the others are divided."""
    ci95: tuple[float, float] | None
    """Its interval over recordings."""
    reason: str | None
    """Why there is no rate, or no interval."""
    judges: tuple[str, ...]
    """The other families."""
    rank: str
    """The ranks that proofs and tests leave open, such as ``1`` or ``1–3``."""
    findings: Mapping[str, int]
    """Clips with a finding that needs no reference, by kind."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """The runs over one dataset, without a look at its references."""

    dataset: DatasetInfo
    """What they transcribed."""
    n_clips: int
    """Clips that all have."""
    n_recordings: int
    """Recordings of these."""
    n_equal: int
    """Clips for which all texts are equal."""
    n_words: int
    """Words in the consensus of all families."""
    normalizer: str
    """What made words of the texts."""
    models: tuple[ModelAgreement, ...]
    """Nearest to the others first."""
    pairs: tuple[PairAgreement, ...]
    """Every two, in the same order."""
    premises: Mapping[str, float]
    """WER that a model does not exceed, by label, as the user knows."""
    unbounded: str | None
    """Why nothing is proven; ``None`` if bounds hold."""
    caveats: tuple[str, ...]
    """What to keep in mind, a sentence each."""
    to_hear: tuple[DisputedClip, ...]
    """Clips that a person should hear first."""


_BY_REFERENCE = frozenset({WORDS_ON_SILENCE})
"""Findings that only a reference can show."""
LabelledRuns = Sequence[tuple[str, Path, Run, Sequence[ClipResult]]]


def agreement(rows: LabelledRuns, *, premises: Mapping[str, float] | None = None, most: int = 10) -> Agreement:
    """Say who agrees with whom.

    Args:
        rows: Label, record, run and clip results of runs over the same dataset, under the same scoring.
        premises: A WER, as a ratio, that a model is known not to exceed, by label.
        most: Clips in ``to_hear``.

    Raises:
        UsageError: For a premise about a run that is not there, or that is no ratio from 0 to 1.
    """
    premises = dict(premises or {})
    _refuse_premises(premises, [label for label, *_ in rows])
    shared = shared_texts({label: (run, results) for label, _, run, results in rows})
    lengths = [len(text) for text in shared.consensus()]
    unbounded = next((why for _, _, run, _ in rows if (why := why_no_bound(run.scoring))), None)
    estimates = {model.label: _estimate(shared, model, lengths) for model in shared.models}
    order = sorted(shared.models, key=lambda model: (_nearness(estimates[model.label]), model.label))
    pairs = pair_agreements(shared, order, lengths, premises, bounded=unbounded is None)
    places = {model.label: place for place, model in enumerate(order)}
    verdicts = [_verdict(pair, places) for pair in pairs]
    rank_of = dict(zip(places, map(str, ranks(len(order), verdicts)), strict=True))
    by_label = {label: (path, run, results) for label, path, run, results in rows}
    return Agreement(
        dataset=rows[0][2].dataset,
        n_clips=len(shared.clips),
        n_recordings=len(set(map(cluster_of, shared.clips))),
        n_equal=shared.n_equal,
        n_words=sum(lengths),
        normalizer=rows[0][2].scoring.normalizer,
        models=tuple(
            _model(model, estimates[model.label], rank_of[model.label], by_label[model.label]) for model in order
        ),
        pairs=pairs,
        premises=premises,
        unbounded=unbounded,
        caveats=_caveats(shared),
        to_hear=clips_to_hear(shared, [(pair.first, pair.second) for pair in pairs if pair.order is None], most),
    )


def _refuse_premises(premises: Mapping[str, float], labels: Sequence[str]) -> None:
    for label, wer in premises.items():
        if label not in labels:
            raise UsageError(f"There is no run {label!r} whose WER could be known.{did_you_mean(label, labels)}")
        if not 0 <= wer < 1:
            raise UsageError(f"The WER of {label!r} must be a ratio from 0 to 1, such as 0.1 for 10 %, not {wer!r}.")


@dataclass(frozen=True, slots=True)
class _Estimate:
    errors: list[int] | None
    rate: float | None
    ci95: tuple[float, float] | None
    reason: str | None
    judges: tuple[str, ...]


def _estimate(shared: SharedTexts, model: ModelTexts, lengths: Sequence[int]) -> _Estimate:
    judges = [other for other in shared.models if other.family != model.family]
    families = tuple(dict.fromkeys(judge.family for judge in judges))
    if len(families) < FEWEST_OTHERS:
        reason = f"a vote takes {FEWEST_OTHERS} other families of weights, and there {_are(len(families))}"
        return _Estimate(None, None, None, reason, families)
    (errors,) = shared.distances(judges, model)
    if not sum(lengths):
        return _Estimate(errors, None, None, "the consensus has no words", families)
    interval = rate_interval(errors, lengths, list(map(cluster_of, shared.clips)), rounds=_ROUNDS)
    return _Estimate(errors, sum(errors) / sum(lengths), interval.ci95, interval.reason, families)


def _are(n: int) -> str:
    return f"{'is' if n == 1 else 'are'} {n or 'none'}"


def _nearness(estimate: _Estimate) -> float:
    return float("inf") if estimate.rate is None else estimate.rate


def _verdict(pair: PairAgreement, places: Mapping[str, int]) -> PairVerdict:
    return PairVerdict(places[pair.first], places[pair.second], -1.0, 0.0 if pair.order else None)


def _model(
    model: ModelTexts, estimate: _Estimate, rank: str, row: tuple[Path, Run, Sequence[ClipResult]]
) -> ModelAgreement:
    path, _, results = row
    flags = [flag for result in results for flag in result.score.flags]
    return ModelAgreement(
        label=model.label,
        record=path,
        family=model.family,
        lineage=model.lineage,
        n_words=sum(map(len, model.texts)),
        n_failed=model.n_failed,
        errors=None if estimate.errors is None else sum(estimate.errors),
        rate=estimate.rate,
        ci95=estimate.ci95,
        reason=estimate.reason,
        judges=estimate.judges,
        rank=rank,
        findings={kind: flags.count(kind) for kind in KINDS if kind in flags and kind not in _BY_REFERENCE},
    )


def _caveats(shared: SharedTexts) -> tuple[str, ...]:
    return (
        *_same_weights(shared),
        *shared_lineages(shared.families()),
        *([SHARED_ERRORS] if len(shared.families()) > 1 else ()),
    )


def _same_weights(shared: SharedTexts) -> list[str]:
    labels = {family: [v.label for v in shared.models if v.family == family] for family in shared.families()}
    return [
        f"{', '.join(some[:-1])} and {some[-1]} have the same weights, {family}, and share one vote."
        for family, some in labels.items()
        if len(some) > 1
    ]


def of_table(table: Table, results: Mapping[str, Sequence[ClipResult]] | None = None) -> Agreement | None:
    """Return who agrees with whom in a table without references; ``None`` with references, or for a single run.

    Args:
        table: The runs.
        results: Clip results by label, where they were read already.
    """
    scores = [row.run.score("wer") for row in table.rows]
    if len(table.rows) < 2 or any(score is None or score.n_clips for score in scores):
        return None
    read = results or {row.label: read_clips(row.record) for row in table.rows}
    return agreement([(row.label, row.record, row.run, read[row.label]) for row in table.rows])
