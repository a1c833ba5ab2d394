"""Makes a Decision from runs and a policy: which models may be served, for what, and why."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from earwitness import __version__
from earwitness.counts import quantity
from earwitness.decision.candidates import Candidate, Candidates, gather
from earwitness.decision.decision import (
    SCHEMA_VERSION,
    CandidateStatus,
    Decision,
    Evidence,
    GradePart,
    PolicyInfo,
    RuleResult,
    Verdict,
    Winner,
)
from earwitness.decision.evidence import pool
from earwitness.decision.grade import UNGRADED, grade, grade_parts
from earwitness.decision.judge import RuleVerdict, evaluate_rule, status_of
from earwitness.decision.measures import MEASURES
from earwitness.decision.next_steps import gaps
from earwitness.decision.rules import CATEGORIES, Policy, Use
from earwitness.decision.unlabelled import NO_REFERENCE, bounds, is_unlabelled
from earwitness.decision.winners import NOT_COMPARED, winner
from earwitness.errors import ComparisonError
from earwitness.records.record import DatasetInfo
from earwitness.records.select import Relabel
from earwitness.records.store import now
from earwitness.scoring.metrics.lengths import length_bands

SERVED: tuple[CandidateStatus, ...] = ("production", "conditional")
"""What may be served."""
_MOST_NAMED = 4
"""From so many tied models on, their number is said, and not their names."""
_ORDER: tuple[CandidateStatus, ...] = ("production", "conditional", "undecided", "research", "rejected")


@dataclass(frozen=True, slots=True)
class _Case:
    """A candidate and its results."""

    candidate: Candidate
    results: tuple[RuleResult, ...]
    parts: tuple[GradePart, ...]
    judged: RuleVerdict

    @property
    def usable(self) -> bool:
        return self.judged.status in SERVED


def decide(
    records: Sequence[Path], policy: Policy, *, out: Path, command: Sequence[str] = (), relabel: Relabel = list
) -> Decision:
    """Judge every candidate among some records by a policy.

    Args:
        records: Paths of records.
        policy: What must hold.
        out: Where the decision will be written: paths of records are given relative to it.
        command: The arguments that asked for it.
        relabel: Puts labels beside the data over the runs.

    Raises:
        ComparisonError: When there is nothing to judge, runs that must not be compared, or a rule about a dataset of
            which there are two.
        RecordError: For a record that cannot be read.
    """
    candidates = gather(records, relabel, policy.terms)
    _refuse_ambiguous(policy, candidates)
    cases = [_case(policy, candidate, candidates) for candidate in candidates.candidates]
    cases.sort(key=lambda case: _place(policy, case))
    verdicts = tuple(_verdict(policy, case, candidates) for case in cases)
    served = [case for case in cases if case.usable]
    winners = _winners(cases)
    return Decision(
        schema_version=SCHEMA_VERSION,
        created_at=now(),
        earwitness=__version__,
        command=tuple(command),
        policy=_policy_info(policy),
        datasets=candidates.datasets,
        verdicts=verdicts,
        chosen=served[0].candidate.label if served else None,
        why=_why(verdicts, winners),
        winners=winners,
        guidance=tuple(_guidance(use, served) for use in policy.uses),
        evidence=tuple(_evidence(candidates.candidates, out)),
        left_out=candidates.left_out,
        bounds=bounds(candidates.candidates),
        target=next((target for case in cases if (target := case.candidate.take("wer").target)), None),
    )


def _policy_info(policy: Policy) -> PolicyInfo:
    return PolicyInfo(policy.name, policy.source, policy.sha256, policy.text, policy.terms, policy.terms_sha256)


def _refuse_ambiguous(policy: Policy, candidates: Candidates) -> None:
    for rule in policy.rules:
        labels = candidates.alike.get(rule.dataset or "")
        if labels:
            raise ComparisonError(
                f"Policy {policy.name!r} has a rule on dataset {rule.dataset!r}, but {len(labels)} datasets have that "
                f"name: {'; '.join(map(repr, labels))}. Name one of these in the policy."
            )


def _case(policy: Policy, candidate: Candidate, candidates: Candidates) -> _Case:
    results = tuple(evaluate_rule(rule, candidate) for rule in policy.rules)
    more = [
        f"not measured on {data.name!r}, on which other candidates ran" for data in _not_heard(candidate, candidates)
    ]
    if all(heard.run.dataset.synthetic for heard in candidate.clean):
        more.append("it ran on synthetic speech only; real speech may give other results")
    if is_unlabelled(candidate):
        more.append(NO_REFERENCE)
    more += dict.fromkeys(heard.label_note for heard in candidate.clean if heard.label_note)
    return _Case(candidate, results, grade_parts(policy, candidate), status_of(policy, candidate, results, more))


def _not_heard(candidate: Candidate, candidates: Candidates) -> list[DatasetInfo]:
    heard = {one.run.dataset.sha256 for one in candidate.clean}
    return [data for data in candidates.clean if data.sha256 not in heard]


def _place(policy: Policy, case: _Case) -> tuple[object, ...]:
    """Return what candidates are sorted by: status, points, and then every measure of the policy in turn."""
    _, given = grade(case.parts)
    oriented = []
    for rule, result in zip(policy.rules, case.results, strict=True):
        value = result.measured if isinstance(result.measured, float) else float("inf")
        oriented.append(-value if rule.of.better == "more" else value if rule.of.better == "less" else 0.0)
    return _ORDER.index(case.judged.status), given is None, -(given or 0.0), *oriented, case.candidate.label


def _verdict(policy: Policy, case: _Case, candidates: Candidates) -> Verdict:
    run = case.candidate.run
    is_open = case.judged.status == "undecided"
    letter, given = (UNGRADED, None) if is_open else grade(case.parts)
    return Verdict(
        candidate=case.candidate.label,
        status=case.judged.status,
        reasons=case.judged.reasons,
        conditions=case.judged.conditions,
        grade=letter,
        grade_points=given,
        grade_parts=case.parts,
        rules=case.results,
        missing=gaps(policy, case.candidate, case.results, case.parts, _not_heard(case.candidate, candidates)),
        model=run.model,
        engine=run.engine,
        device_asked=run.device_asked,
        device_used=run.device_used or "?",
        preset=run.preset,
        settings_asked=run.settings_asked,
        settings_in_force=run.settings_in_force,
        environment=run.environment,
        promise=_promise(case.candidate),
        by_length=length_bands(result.hypothesis for result in pool(case.candidate.clean)),
    )


def _promise(candidate: Candidate) -> dict[str, float]:
    taken = {name: candidate.take(name).value for name in MEASURES}
    return {name: value for name, value in taken.items() if isinstance(value, float)}


def _winners(cases: Sequence[_Case]) -> tuple[Winner, ...]:
    competing = [case.candidate for case in cases if case.judged.status != "rejected"]
    rejected = [case.candidate for case in cases if case.judged.status == "rejected"]
    return tuple(winner(category, competing, rejected) for category in CATEGORIES)


def _guidance(use: Use, cases: Sequence[_Case]) -> str:
    """Return a sentence on the best candidate for a use."""
    fit = [case.candidate for case in cases if _is_fit(case.candidate, use)]
    needs = f"with {' and '.join(rule.short() for rule in use.rules)}" if use.rules else "that may be served"
    if not fit:
        return f"For {use.name}: none {needs}."
    if len(fit) == 1:
        return f"For {use.name}: {fit[0].label}, the only one {needs}."
    return f"For {use.name}: {_best_of(fit, use.best)}."


def _is_fit(candidate: Candidate, use: Use) -> bool:
    return all(evaluate_rule(rule, candidate).outcome == "passed" for rule in use.rules)


def _best_of(candidates: Sequence[Candidate], category: str) -> str:
    """Return the best of several candidates, with their values; or all, with the reason, if none is best."""
    best = winner(category, candidates)
    measure = MEASURES[best.measure]
    if not best.candidates:
        return f"{_or([c.label for c in candidates])}, which {measure.words} does not tell apart ({best.note})"
    values = ", ".join(f"{label} {measure.show(best.values[label])}" for label in best.candidates)
    several = f" ({NOT_COMPARED})" if NOT_COMPARED in (best.note or "") else " (a tie)"
    tie = several if len(best.candidates) > 1 else ""
    return f"{_or(best.candidates)}{tie}, by {measure.words}: {values}"


def _or(labels: Sequence[str]) -> str:
    return " or ".join(labels)


def _why(verdicts: Sequence[Verdict], winners: Sequence[Winner]) -> str:
    first = verdicts[0]
    if first.status not in SERVED:
        return f"The best, {first.candidate}, is {first.status}: {first.reasons[0]}."
    graded = f" Its grade is {first.grade}." if first.grade != UNGRADED else ""
    rank = _rank([verdict for verdict in verdicts if verdict.status in SERVED], winners)
    if first.status == "conditional":
        conditions = quantity(len(first.conditions), "condition")
        return f"It passes every gate that was measured, on {conditions}.{graded}{rank}"
    return f"It passes {_all_rules(first)}.{graded}{rank}"


def _rank(usable: Sequence[Verdict], winners: Sequence[Winner]) -> str:
    """Return how the first model stands to the others that may be served: better, or not told apart by WER."""
    if len(usable) == 1:
        return ""
    first = usable[0]
    accuracy = next(one for one in winners if one.category == "accuracy")
    tied = [one.candidate for one in usable[1:] if one.candidate in accuracy.candidates]
    if first.candidate not in accuracy.candidates or not tied:
        return f" It ranks first of the {len(usable)} models that may be served."
    others = " and ".join(tied) if len(tied) < _MOST_NAMED else quantity(len(tied), "other model")
    second = usable[1]
    by = "points" if first.grade_points != second.grade_points else "the measures of the policy, in its order"
    by = "status" if first.status != second.status else by
    stands = "cannot be compared" if NOT_COMPARED in (accuracy.note or "") else "is tied"
    return f" In WER it {stands} with {others}; of the {len(usable)} models that may be served, it is first by {by}."


def _all_rules(verdict: Verdict) -> str:
    """Return the rules in words; a policy with one gate, or with no target, has no "every"."""
    kinds = [rule.kind for rule in verdict.rules]
    gates = "the one gate of the policy" if kinds.count("gate") == 1 else "every gate"
    return gates + (" and every target" if "target" in kinds else "")


def _evidence(candidates: Sequence[Candidate], out: Path) -> list[Evidence]:
    folder = out.resolve().parent
    found = []
    for candidate in candidates:
        for heard in candidate.runs:
            path = heard.path.resolve()
            shown = path.relative_to(folder) if path.is_relative_to(folder) else path
            found.append(
                Evidence(
                    run_id=heard.run.id,
                    record=shown.as_posix(),
                    record_sha256=hashlib.sha256(heard.path.read_bytes()).hexdigest(),
                    clips_sha256=heard.run.clips_file.sha256,
                    candidate=candidate.label,
                    dataset_sha256=heard.run.dataset.sha256,
                )
            )
    return found
