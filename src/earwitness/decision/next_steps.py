"""What was not measured yet and would help the decision, with the command that measures it."""

from __future__ import annotations

from collections.abc import Sequence

from earwitness.decision.candidates import Candidate, repeat_command
from earwitness.decision.decision import GradePart, RuleResult
from earwitness.decision.measures import MEASURES
from earwitness.decision.rules import CATEGORIES, Policy, Rule
from earwitness.records.record import DatasetInfo, Run


def gaps(
    policy: Policy,
    candidate: Candidate,
    results: Sequence[RuleResult],
    parts: Sequence[GradePart],
    missing: Sequence[DatasetInfo],
) -> tuple[str, ...]:
    """Return one sentence for each missing measurement of a candidate.

    Args:
        policy: Its rules are those of ``results``, in order.
        candidate: Whose runs are missing something.
        results: Of its rules.
        parts: Of its grade.
        missing: Datasets that others heard and it did not.
    """
    run = candidate.clean[0].run
    pairs = list(zip(policy.rules, results, strict=True))
    found = [f"{data.name!r}: {repeat_command(run, dataset=data)}" for data in missing]
    found += [_not_measured(name, condition, reason, run) for name, condition, reason in _wanted(pairs, parts)]
    short = [rule.of.words for rule, result in pairs if _lacks_an_interval(rule, result)]
    if short:
        names = ", ".join(dict.fromkeys(short))
        found.append(f"an interval of {names}: add recordings to the data, then {repeat_command(run)}")
    return tuple(found)


def _wanted(
    pairs: Sequence[tuple[Rule, RuleResult]], parts: Sequence[GradePart]
) -> list[tuple[str, str | None, str | None]]:
    """Return unmeasured values that rules, and then the grade, need: measure, condition and reason."""
    by_rules = [(rule.measure, rule.condition, x.reason) for rule, x in pairs if x.outcome == "not measured"]
    graded = [(CATEGORIES[part.category].measure, part.derivation) for part in parts if part.points is None]
    named = {measure for measure, _, _ in by_rules}
    by_grade = [(name, None, derivation) for name, derivation in graded if name not in named]
    once: dict[tuple[str, str | None], tuple[str, str | None, str | None]] = {}
    for wanted in (*by_rules, *by_grade):
        once.setdefault(wanted[:2], wanted)
    return [wanted for wanted in once.values() if wanted[0] != "licence"]


def _not_measured(name: str, condition: str | None, reason: str | None, run: Run) -> str:
    where = f" under {condition}" if condition else ""
    more = ("--condition", condition) if condition else tuple((MEASURES[name].ask or "").split())
    return f"{MEASURES[name].words}{where}: {repeat_command(run, *more) if more else reason}"


def _lacks_an_interval(rule: Rule, result: RuleResult) -> bool:
    is_wanted = rule.of.sampled and rule.by == "interval"
    return is_wanted and result.measured is not None and result.ci95 is None
