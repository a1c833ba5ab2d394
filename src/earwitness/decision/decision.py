"""The decision: the status of each model, rule by rule, with the record behind every number.

A *candidate* is what can be served: a model on an engine, with its weights, its settings and its device. Whatever is
judged of it is judged over all runs of that candidate that were given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from earwitness.files.schema import Strict
from earwitness.records.record import DatasetInfo, EngineInfo, Environment, ModelInfo
from earwitness.scoring.metrics.group_rates import GroupRate
from earwitness.scoring.metrics.lengths import LengthBand
from earwitness.types import Settings, Target

SCHEMA_VERSION = 1
CandidateStatus = Literal["production", "conditional", "research", "rejected", "undecided"]
RuleOutcome = Literal["passed", "failed", "undecided", "not measured"]


@dataclass(frozen=True, slots=True)
class Evidence(Strict):
    """A record that numbers were taken from."""

    run_id: str
    """Of the run."""
    record: str
    """Path of the record, relative to the decision's file where it is below it or beside it."""
    record_sha256: str
    """Of the record's bytes when the decision was made."""
    clips_sha256: str | None
    """Of its clips file, as the record was sealed with."""
    candidate: str
    """Label of the candidate that ran."""
    dataset_sha256: str
    """Of the dataset that was heard."""


@dataclass(frozen=True, slots=True)
class RuleResult(Strict):
    """The result of one rule of the policy for one candidate."""

    kind: Literal["gate", "target"]
    """A gate must hold; a target is wished."""
    rule: str
    """In words, such as ``WER at most 20.0 % (upper end of the interval)``."""
    measure: str
    """What is measured, such as ``wer`` or ``latency_p95_s``."""
    limit: float | str
    """In the measure's unit; text for a rule about something that is no number, such as a licence."""
    unit: str
    """``error rate``, ``difference of rates``, ``share``, ``ratio``, ``s``, ``bytes``, ``words/min`` or ``times real
    time``; empty for text."""
    measured: float | str | None
    """``None`` when it was not measured; then ``reason`` says why. The text of a licence that is not known here is
    given, with the outcome ``not measured``."""
    ci95: tuple[float, float] | None
    """95 % interval of it; ``None`` where there is none."""
    outcome: RuleOutcome
    """``undecided`` when the limit lies inside the interval, unless nothing at all was seen of what it limits: that
    passes, with the interval's upper end as a condition."""
    reason: str | None = None
    """Why it is not measured, has no interval, or what failed in words."""
    minutes_needed: float | None = None
    """How many more minutes of audio like this would settle it, for a rule whose limit lies inside the interval;
    ``None`` when no amount would, or it is unknown."""
    dataset: str | None = None
    """Name of the dataset, for a rule that is about one; ``None`` for all clean ones together."""
    by: Literal["interval", "value"] = "interval"
    """Whether the whole interval had to be on the allowed side, or the value alone."""
    evidence: tuple[str, ...] = ()
    """Ids of the runs that the number was taken from."""
    slice: str | None = None
    """What the clips are grouped by, for a measure of groups, such as ``accent``."""
    groups: tuple[GroupRate, ...] = ()
    """Every group of the slice, worst first, with intervals that hold at once; those without one were not judged."""
    target: Target | None = None
    """What an error rate and its interval are of; ``None`` for another measure, and in older decisions."""


@dataclass(frozen=True, slots=True)
class GradePart(Strict):
    """The contribution of one category to the grade."""

    category: str
    """Such as ``accuracy``."""
    weight: float
    """Of the category in the policy; those of the parts that were measured are scaled to sum to 1."""
    points: float | None
    """0 to 100; ``None`` when not measured, and then the part is left out and said to be missing."""
    derivation: str
    """How the points were made, with numbers, in one line."""


@dataclass(frozen=True, slots=True)
class Verdict(Strict):
    """The verdict on one candidate, with everything needed to serve it as measured."""

    candidate: str
    """Label, unique in the decision: the model, with device or settings where several share it."""
    status: CandidateStatus
    """What it may be used for under the policy."""
    reasons: tuple[str, ...]
    """Why, most important first, a sentence each."""
    conditions: tuple[str, ...]
    """Under which it may be used; empty unless ``conditional``."""
    grade: str
    """``A+`` to ``F``; ``-`` when there is too little to grade."""
    grade_points: float | None
    """0 to 100, before it became a letter."""
    grade_parts: tuple[GradePart, ...]
    """What the points were made of."""
    rules: tuple[RuleResult, ...]
    """Every rule of the policy, in its order."""
    missing: tuple[str, ...]
    """What was not measured and would say more, with the command that measures it."""
    model: ModelInfo
    """Which weights."""
    engine: EngineInfo
    """Which code."""
    device_asked: str
    """As given to the runs."""
    device_used: str
    """Where the parameters really were."""
    preset: str
    """What the settings began from."""
    settings_asked: Settings
    """How to decode, as asked for: what a server asks its worker for."""
    settings_in_force: Mapping[str, Any]
    """How it was decoded, as the engine reported it: what a server checks its worker against."""
    environment: Environment
    """On what machine the speed was measured."""
    promise: Mapping[str, float]
    """What a server can hold itself to, by measure, such as ``wer``, ``rtf``, ``latency_p95_s``, ``empty_share``;
    only what was measured."""
    by_length: tuple[LengthBand, ...] = ()
    """How fast clips of a length were, the shortest first: what a server holds the speed of such clips to. Empty when
    no five clips are nearly of one length."""


@dataclass(frozen=True, slots=True)
class Winner(Strict):
    """The best of a category; several if they cannot be separated."""

    category: str
    """``accuracy``, ``latency``, ``throughput``, ``memory``, ``cold_start``, ``completeness`` or ``robustness``."""
    measure: str
    """By which it was judged."""
    candidates: tuple[str, ...]
    """Labels; more than one is a tie, none means that there is no winner, and ``note`` says why."""
    values: Mapping[str, float]
    """Every candidate's value, where there is one."""
    note: str | None = None
    """What to keep in mind, such as why it is a tie or who was left out."""


@dataclass(frozen=True, slots=True)
class PolicyInfo(Strict):
    """The policy of a decision."""

    name: str
    """As the policy calls itself."""
    source: str
    """Name of a shipped policy, or the path of a file."""
    sha256: str
    """Of its bytes."""
    text: str
    """The policy itself, so that the decision can be made again."""
    terms: tuple[str, ...] = ()
    """Its key terms, for the same reason."""
    terms_sha256: str | None = None
    """Of the file of the terms, or of those in the policy, one a line; ``None`` without any."""


@dataclass(frozen=True, slots=True)
class Decision(Strict):
    """Models judged by one policy over the same data."""

    schema_version: int
    """Of this layout."""
    created_at: str
    """ISO 8601, UTC."""
    earwitness: str
    """Version that decided."""
    command: tuple[str, ...]
    """The arguments that asked for it."""
    policy: PolicyInfo
    """The policy of a decision."""
    datasets: tuple[DatasetInfo, ...]
    """What was heard, clean and under conditions."""
    verdicts: tuple[Verdict, ...]
    """Best first: by status, then by grade, then by the measures of the rules, then by label."""
    chosen: str | None
    """Label of the one to serve: the first in ``production``, else the first ``conditional``; ``None`` when no
    candidate may be served."""
    why: str
    """Why that one, or why none, in a sentence."""
    winners: tuple[Winner, ...]
    """By category."""
    guidance: tuple[str, ...]
    """Which candidate for which use, a sentence each."""
    evidence: tuple[Evidence, ...] = ()
    """Every record that a number was taken from."""
    left_out: tuple[str, ...] = ()
    """A sentence for each record that was given and is not taken into account, such as one changed by hand."""
    bounds: tuple[str, ...] = ()
    """Without references: what the distances between the texts say of the error rates, a sentence each."""
    target: Target | None = None
    """What the error rates are of, over all data together; ``None`` without any, and in older decisions, whose error
    rates are of recordings like these."""
