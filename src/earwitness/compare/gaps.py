"""What was not measured and would say more, with the command that measures it."""

from __future__ import annotations

from collections.abc import Sequence

from earwitness.compare.candidates import Candidate, repeat_command
from earwitness.compare.decision import GradePart, RuleResult
from earwitness.compare.measures import MEASURES
from earwitness.compare.rules import CATEGORIES, Policy
from earwitness.runs.record import DatasetInfo


def gaps(
    policy: Policy,
    candidate: Candidate,
    results: Sequence[RuleResult],
    parts: Sequence[GradePart],
    not_heard: Sequence[DatasetInfo],
) -> tuple[str, ...]:
    """Return what is missing of a candidate, a sentence each.

    Args:
        policy: Its rules are those of ``results``, in order.
        candidate: Whose runs are missing something.
        results: Of its rules.
        parts: Of its grade.
        not_heard: Datasets that others heard and it did not.
    """
    run = candidate.clean[0].run
    found = [f"{data.name!r}: {repeat_command(run, dataset=data)}" for data in not_heard]
    pairs = list(zip(policy.rules, results, strict=True))
    asked = [(rule.measure, rule.condition, x.reason) for rule, x in pairs if x.outcome == "not measured"]
    graded = [(CATEGORIES[part.category].measure, part.derivation) for part in parts if part.points is None]
    asked += [(name, None, how) for name, how in graded if name not in {measure for measure, _, _ in asked}]
    told: set[tuple[str, str | None]] = set()
    for name, condition, reason in asked:
        if (name, condition) in told or name == "licence":
            continue
        told.add((name, condition))
        where = f" under {condition}" if condition else ""
        more = ("--condition", condition) if condition else tuple((MEASURES[name].ask or "").split())
        found.append(f"{MEASURES[name].words}{where}: {repeat_command(run, *more) if more else reason}")
    short = [
        rule.of.words
        for rule, x in pairs
        if x.measured is not None and x.ci95 is None and rule.of.sampled and rule.by == "interval"
    ]
    if short:
        names = ", ".join(dict.fromkeys(short))
        found.append(f"an interval of {names}: add recordings to the data, then {repeat_command(run)}")
    return tuple(found)
