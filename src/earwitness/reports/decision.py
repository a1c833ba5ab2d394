"""A decision in words, for the command line, the page and documents: tables and sentences, and no arithmetic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from earwitness.counts import NOTHING, duration, percentage, quantity
from earwitness.decision.decision import Decision, GradePart, RuleResult, Verdict, Winner
from earwitness.decision.grade import UNGRADED
from earwitness.decision.measures import MEASURES
from earwitness.decision.rules import Policy, Rule
from earwitness.decision.winners import NOT_COMPARED
from earwitness.scoring.metrics.group_rates import GroupRate

HEADER = ("Candidate", "Status", "Grade", "WER", "Open")
RULES_HEADER = ("Rule", "Measured", "Outcome", "Why")
SIGNS = {"production": "✓", "conditional": "◐", "research": "△", "rejected": "✕", "undecided": "?"}
"""Beside the word, so that a status is more than a colour."""

_GROUPS = 12
_SAMPLED = frozenset(name for name, measure in MEASURES.items() if measure.sampled)


def rows(decision: Decision) -> list[tuple[str, ...]]:
    """Return a row for each candidate, best first."""
    return [
        (v.candidate, v.status, NOTHING if v.grade == UNGRADED else v.grade, wer(v), _open(v))
        for v in decision.verdicts
    ]


def answer(decision: Decision) -> str:
    """Return what to serve, and why, in two sentences."""
    return f"{recommendation(decision)}. {decision.why}"


def recommendation(decision: Decision) -> str:
    """Return what to serve."""
    return f"Serve {decision.chosen}" if decision.chosen else "None of the models may be served"


def audio_line(decision: Decision) -> str:
    """Return what it rests on: the data, where synthetic speech is named, and the policy."""
    each = [
        f"{data.name} ({quantity(data.n_clips, 'clip')}, {duration(data.audio_s)}"
        f"{', synthetic speech' if data.synthetic else ''})"
        for data in decision.datasets
    ]
    of = f"; WER of {decision.target}" if decision.target else ""
    return f"Measured on {', '.join(each)}{of}; policy {decision.policy.name}"


def wer(verdict: Verdict) -> str:
    """Return a candidate's WER with its interval."""
    rule = next((rule for rule in verdict.rules if rule.measure == "wer" and rule.measured is not None), None)
    if rule is not None:
        return value_words(rule)
    value = verdict.promise.get("wer")
    return NOTHING if value is None else MEASURES["wer"].show(value)


def value_words(rule: RuleResult) -> str:
    """Return what a rule found, with its interval."""
    return MEASURES[rule.measure].show_with_interval(rule.measured, rule.ci95)


def _open(verdict: Verdict) -> str:
    groups: dict[str, list[str]] = {}
    for rule in verdict.rules:
        if rule.outcome != "passed":
            groups.setdefault(f"{rule.kind} {rule.outcome}", []).append(MEASURES[rule.measure].words)
        elif rule.by == "interval" and rule.ci95 is None and rule.measure in _SAMPLED:
            groups.setdefault("no interval", []).append(MEASURES[rule.measure].words)
    return "; ".join(f"{what}: {', '.join(dict.fromkeys(names))}" for what, names in groups.items()) or "all pass"


def verdict_lines(verdict: Verdict) -> list[str]:
    """Return why a candidate is what it is, what its grade was made of, and what is missing."""
    machine = verdict.environment
    where = f"on {verdict.device_used} of {machine.cpu}, {quantity(machine.cores, 'core')}"
    graded = "not graded" if verdict.grade == UNGRADED else f"grade {verdict.grade}"
    found = [f"{verdict.candidate}: {verdict.status}, {graded}; {where}"]
    found += [f"  {reason}" for reason in verdict.reasons]
    found += [f"  {line}" for line in group_lines(verdict)]
    found += [f"  {line}" for line in grade_lines(verdict)]
    found += [f"  missing: {gap}" for gap in verdict.missing]
    return found


def grade_lines(verdict: Verdict) -> list[str]:
    """Return the points of a grade, and what they were made of; no grade has a line that says so."""
    parts = verdict.grade_parts
    if not parts:
        return []
    known = [part for part in parts if part.points is not None]
    equal = len({part.weight for part in parts}) == 1
    head = "no grade; points by category:"
    if verdict.grade_points is not None:
        head = f"grade {verdict.grade}: {verdict.grade_points:.1f} of 100 points"
        head += f", the mean of {len(known)} of {quantity(len(parts), 'category', 'categories')}" if parts[1:] else ""
        head += ", which count the same" if equal and known[1:] else ""
    lines = [f"  {part.category}: {part.derivation}" if equal else f"  {part_line(part)}" for part in known]
    missing = [f"{part.category.replace('_', ' ')}" for part in parts if part.points is None]
    return [head, *lines, *([f"  not measured: {', '.join(missing)}"] if missing else [])]


def group_lines(verdict: Verdict) -> list[str]:
    """Return the groups that rules are about, worst first, each slice once."""
    found: list[str] = []
    done = set()
    for rule in verdict.rules:
        key = (rule.slice, rule.dataset, rule.rule.partition(" under ")[2].partition(" at ")[0])
        if not rule.groups or key in done:
            continue
        done.add(key)
        n_judged = sum(group.ci95 is not None for group in rule.groups)
        found.append(f"WER by {rule.slice}, with intervals for {quantity(n_judged, 'group')} at once:")
        found += [f"  {_group(group)}" for group in rule.groups[:_GROUPS]]
        more = len(rule.groups) - _GROUPS
        found += [f"  and {quantity(more, 'more group')}"] if more > 0 else []
    return found


def _group(group: GroupRate) -> str:
    size = f"{quantity(group.n_recordings, 'recording')}, {quantity(group.n_clips, 'clip')}"
    why = f"; not judged: {group.reason}" if group.ci95 is None else ""
    return f"{group.value}: {percentage(group.rate, group.ci95)} ({size}){why}"


def reasons(verdict: Verdict) -> list[str]:
    """Return why a candidate is what it is, without what it is only if it holds."""
    return [reason for reason in verdict.reasons if reason not in verdict.conditions]


def tally(verdict: Verdict) -> str:
    """Return how many rules a candidate passed, how many it failed, and what became of the others."""
    outcomes = Counter({"passed": 0, "failed": 0})
    outcomes.update(rule.outcome for rule in verdict.rules)
    each = ", ".join(f"{n} {outcome}" for outcome, n in outcomes.items())
    return f"{quantity(len(verdict.rules), 'rule')}: {each}"


def rule_rows(verdict: Verdict) -> list[list[str]]:
    """Return a row for each rule, under ``RULES_HEADER``."""
    return [_rule_row(rule) for rule in verdict.rules]


def _rule_row(rule: RuleResult) -> list[str]:
    where = f" ({rule.dataset})" if rule.dataset else ""
    why = rule.reason or ""
    if rule.minutes_needed is not None:
        more = quantity(max(1, round(rule.minutes_needed)), "more minute")
        why = f"{why} About {more} of audio would settle it.".strip()
    kind = "" if rule.kind == "gate" else "target: "
    return [f"{kind}{rule.rule}{where}", value_words(rule), rule.outcome, why]


def part_line(part: GradePart) -> str:
    """Return what a category gives to a grade."""
    return f"{part.category} (weight {part.weight:g}): {part.derivation}"


def winner_names(one: Winner) -> str:
    """Return who is best in a category, and whether it is a tie where the note does not say."""
    who, note = ", ".join(one.candidates) or "none", one.note or ""
    return f"{who} (tie)" if len(one.candidates) > 1 and "tie" not in note and NOT_COMPARED not in note else who


def winner_line(one: Winner) -> str:
    """Return who is best in a category."""
    measure = MEASURES[one.measure]
    name = one.category.replace("_", " ")
    note = f" ({one.note})" if one.note else ""
    if not one.candidates:
        return f"{name}: nobody{note}"
    each = ", ".join(
        f"{label} {measure.show(one.values[label])}" if label in one.values else label for label in one.candidates
    )
    return f"{name}: {each}{note}"


def explanation(policy: Policy) -> list[str]:
    """Return a policy's rules, weights and uses in words."""
    found = [f"{policy.name}: {policy.summary}" if policy.summary else policy.name]
    for kind, heading in (("gate", "Must hold:"), ("target", "Wished:")):
        rules = [rule for rule in policy.rules if rule.kind == kind]
        found += [heading, *(f"  {line}" for rule in rules for line in _rule_lines(rule))] if rules else []
    found += _terms_line(policy)
    found.append("Counts in the grade:")
    for weight in policy.weights:
        show = MEASURES[weight.measure].show
        how = " in its logarithm" if weight.scale == "log" else ""
        found.append(
            f"  {weight.category}, weight {weight.weight:g}: {MEASURES[weight.measure].words}, 100 points at "
            f"{show(weight.full)}, none at {show(weight.zero)}, a straight line{how} between"
        )
    found += ["Guidance is given for:"] if policy.uses else []
    for use in policy.uses:
        needs = f", with {_and([rule.words() for rule in use.rules])}" if use.rules else ""
        found.append(f"  {use.name}: the best in {use.best.replace('_', ' ')}{needs}")
    return found


def _terms_line(policy: Policy) -> list[str]:
    if not policy.terms:
        return []
    more = " …" if len(policy.terms) > _GROUPS else ""
    return [f"Key terms ({len(policy.terms)}): {', '.join(policy.terms[:_GROUPS])}{more}"]


def _rule_lines(rule: Rule) -> list[str]:
    research = f"; for research up to {rule.of.show(rule.research)}" if rule.research is not None else ""
    return [f"{rule.words()}{research}", *([f"  {rule.why}"] if rule.why else [])]


def _and(parts: Sequence[str]) -> str:
    return " and ".join(parts)
