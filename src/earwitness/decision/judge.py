"""Judges a candidate by a policy: evaluates every rule, and derives the status."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from earwitness.counts import every, quantity
from earwitness.decision.candidates import Candidate
from earwitness.decision.decision import CandidateStatus, RuleOutcome, RuleResult
from earwitness.decision.evidence import MeasuredValue, pool
from earwitness.decision.groups import unjudged, unjudged_words
from earwitness.decision.rules import COMMERCIAL, Policy, Rule
from earwitness.scoring.findings.kinds import CHAT_ANSWER
from earwitness.scoring.findings.wer_cause import cause

_NON_COMMERCIAL = re.compile(r"\bnc\b|non-?\s?commercial|research[ -]only|academic", re.IGNORECASE)
_ALLOWS = re.compile(
    r"(mit|isc|zlib|unlicense|cc0[\w.-]*|cc-by(-sa)?(-[\d.]+)?|"
    r"(apache|bsd|mpl)([- ](license|version|[\d.]+|clause),?)*)"
    r"( licen[cs]e)?",
    re.IGNORECASE,
)
"""Licences that are known here to allow commercial use, by SPDX name."""


_Pairs = Sequence[tuple[Rule, RuleResult]]


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """The results of all rules for a candidate."""

    status: CandidateStatus
    """What it may be used for."""
    reasons: tuple[str, ...]
    """Why, most important first."""
    conditions: tuple[str, ...]
    """Under which it may be used; empty unless ``conditional``."""


def evaluate_rule(rule: Rule, candidate: Candidate) -> RuleResult:
    """Evaluate one rule for one candidate."""
    value = measure_of(rule, candidate)
    outcome, reason = _outcome(rule, value)
    if outcome in ("passed", "failed") and (drifted := _drift_leaves_open(rule, candidate, value)):
        outcome, reason = "undecided", drifted
    if outcome == "passed" and (few := _group_leaves_open(rule, value)):
        outcome, reason = "undecided", few
    elif unjudged(value.groups) and value.value is not None:
        reason = "; ".join(filter(None, (reason, unjudged_words(rule.slice or "", value.groups))))
    inside = outcome == "undecided" or (outcome == "passed" and not _proven(rule, value.ci95) and value.ci95)
    minutes = value.minutes_to(rule.limit) if inside and isinstance(rule.limit, float) else None
    return RuleResult(
        kind=rule.kind,
        rule=rule.words(value.target),
        measure=rule.measure,
        limit=rule.limit if isinstance(rule.limit, float) else rule.limit_words(),
        unit=rule.of.unit,
        measured=value.value,
        ci95=value.ci95,
        outcome=outcome,
        reason=reason,
        minutes_needed=minutes,
        dataset=rule.dataset,
        by=rule.by,
        evidence=value.evidence,
        slice=rule.slice,
        groups=value.groups,
        target=value.target,
    )


def measure_of(rule: Rule, candidate: Candidate) -> MeasuredValue:
    """Return the measured value for a rule, or why it was not measured."""
    used = candidate.run.device_used or "?"
    if rule.device is not None and rule.device not in (used, used.partition(":")[0]):
        return MeasuredValue(None, reason=f"it ran on {used}, and speed holds only where it was measured")
    case = candidate.case(dataset=rule.dataset, condition=rule.condition)
    if not case.runs:
        what = f"on {rule.dataset!r}" if rule.dataset else "on clean audio"
        what += f" under {rule.condition}" if rule.condition else ""
        return MeasuredValue(None, reason=f"it was not run {what}")
    return candidate.take(
        rule.measure, dataset=rule.dataset, condition=rule.condition, slice_=rule.slice, target=rule.target
    )


def _outcome(rule: Rule, evidence: MeasuredValue) -> tuple[RuleOutcome, str | None]:
    if evidence.value is None:
        return "not measured", evidence.reason
    if isinstance(rule.limit, tuple):
        return _licence(rule.limit, str(evidence.value))
    value = float(evidence.value)
    low, high = evidence.ci95 if evidence.ci95 is not None and rule.by == "interval" else (value, value)
    at_most = rule.bound == "at most"
    if high <= rule.limit if at_most else low >= rule.limit:
        return "passed", evidence.reason
    if low > rule.limit if at_most else high < rule.limit:
        return "failed", evidence.reason
    if at_most and value == low == 0 and rule.measure != "wer_gap":
        return "passed", f"nothing was seen, and up to {rule.of.show(high)} cannot be excluded"
    return "undecided", evidence.reason


def _group_leaves_open(rule: Rule, value: MeasuredValue) -> str | None:
    """Explain that a group that cannot be judged may break a limit, since it does so as measured; else ``None``."""
    judged = [group.rate for group in value.groups if group.ci95 is not None and group.rate is not None]
    beyond = []
    for group in unjudged(value.groups):
        if group.rate is None or not judged or not isinstance(rule.limit, float):
            continue
        gap = max(group.rate - min(judged), max(judged) - group.rate)
        if (gap if rule.measure == "wer_gap" else group.rate) > rule.limit:
            beyond.append(group)
    return unjudged_words(rule.slice or "", beyond) if beyond else None


def _drift_leaves_open(rule: Rule, candidate: Candidate, value: MeasuredValue) -> str | None:
    """Explain that the drift of the machine leaves a limit of speed open; ``None`` if it does not."""
    if rule.of.about != "speed" or rule.of.unit == "bytes" or not isinstance(value.value, float | int):
        return None
    runs = candidate.case(dataset=rule.dataset, condition=rule.condition).runs
    drifts = [heard.run.drift for heard in runs if heard.run.drift is not None and heard.run.drift.large]
    if not drifts or not isinstance(rule.limit, float):
        return None
    least = min(drift.around_median[0] for drift in drifts)
    most = max(drift.around_median[1] for drift in drifts)
    times = (least, most) if rule.of.better == "more" else (1 / most, 1 / least)
    low, high = (value.value * end for end in times)
    if not low <= rule.limit <= high:
        return None
    return f"the machine drifted, which leaves open {rule.of.show(low)} to {rule.of.show(high)}"


def _proven(rule: Rule, ci95: tuple[float, float] | None) -> bool:
    """Whether a passing rule passes over the whole interval."""
    if rule.by == "value" or not rule.of.sampled or isinstance(rule.limit, tuple):
        return True
    if ci95 is None:
        return False
    return ci95[1] <= rule.limit if rule.bound == "at most" else ci95[0] >= rule.limit


def _licence(licences: Sequence[str], text: str) -> tuple[RuleOutcome, str | None]:
    if text in licences:
        return "passed", None
    if COMMERCIAL not in licences:
        return "failed", "the policy does not name it"
    if _NON_COMMERCIAL.search(text):
        return "failed", "it does not allow commercial use"
    if _ALLOWS.fullmatch(text):
        return "passed", None
    unknown = f"it is not known here whether {text!r} allows commercial use: read it, and name it in the policy"
    return "not measured", unknown


def status_of(
    policy: Policy, candidate: Candidate, results: Sequence[RuleResult], more: Sequence[str] = ()
) -> RuleVerdict:
    """Return the status that follows from the rules.

    ``rejected`` when a gate fails, ``research`` when every gate that fails stays within its ``research`` limit or
    fails for a licence that is not for commerce, ``undecided`` when an interval straddles a gate or accuracy was not
    measured, ``conditional`` when something is missed or missing that is no gate's failure, and else ``production``.

    Args:
        policy: Its rules are those of ``results``, in order.
        candidate: For what its texts say.
        results: Of ``evaluate_rule``.
        more: Conditions that follow from the data and not from a rule.
    """
    pairs = list(zip(policy.rules, results, strict=True))
    gates = [(rule, result) for rule, result in pairs if rule.kind == "gate"]
    return (
        _where_a_gate_fails(gates, candidate)
        or _where_a_gate_is_open(gates, candidate)
        or _where_all_gates_pass(gates, pairs, candidate, more)
    )


def _where_a_gate_fails(gates: _Pairs, candidate: Candidate) -> RuleVerdict | None:
    failed = [(rule, result) for rule, result in gates if result.outcome == "failed"]
    if not failed:
        return None
    beyond = [pair for pair in failed if not _of_use_for_research(*pair)]
    within = [pair for pair in failed if pair not in beyond]
    why = [_failure(rule, result, candidate) for rule, result in (*beyond, *within)]
    return RuleVerdict("rejected" if beyond else "research", (*_answering(candidate), *why), ())


def _where_a_gate_is_open(gates: _Pairs, candidate: Candidate) -> RuleVerdict | None:
    straddled = [(rule, result) for rule, result in gates if result.outcome == "undecided"]
    unknown = [(rule, result) for rule, result in gates if result.outcome == "not measured"]
    if len(unknown) < len(gates):
        unknown = [(rule, result) for rule, result in unknown if rule.measure in ("wer", "cer")]
    if not straddled and not unknown:
        return None
    why = [_straddle(rule, result) for rule, result in straddled]
    why += [f"{rule.of.words} was not measured: {result.reason}" for rule, result in unknown]
    return RuleVerdict("undecided", (*why, *_above_all(candidate)), ())


def _where_all_gates_pass(gates: _Pairs, pairs: _Pairs, candidate: Candidate, more: Sequence[str]) -> RuleVerdict:
    conditions = [*_conditions(pairs, candidate), *more]
    if conditions:
        n_measured = sum(result.outcome != "not measured" for _, result in gates)
        passed = every(n_measured, "measured gate" if n_measured < len(gates) else "gate", "pass")
        return RuleVerdict("conditional", (passed, *conditions, *_above_all(candidate)), tuple(conditions))
    numbers = ((len(gates), "gate"), (len(pairs) - len(gates), "target"))
    return RuleVerdict("production", (" and ".join(every(n, rules, "pass") for n, rules in numbers if n),), ())


def _of_use_for_research(rule: Rule, result: RuleResult) -> bool:
    if rule.measure == "licence":
        return bool(_NON_COMMERCIAL.search(str(result.measured)))
    if rule.research is None or not isinstance(result.measured, float):
        return False
    return result.measured <= rule.research if rule.bound == "at most" else result.measured >= rule.research


def _failure(rule: Rule, result: RuleResult, candidate: Candidate) -> str:
    sentence = f"{value_words(rule, result)}, and the gate is {rule.bound} {rule.limit_words()}"
    if rule.measure == "licence":
        sentence = f"licence {result.measured!r}: {result.reason}"
    elif result.ci95 is None and rule.of.sampled and rule.by == "interval":
        sentence += f" ({result.reason})"
    elif rule.of.names_causes and result.reason:
        sentence += f"; {result.reason}"
    if rule.research is not None and _of_use_for_research(rule, result):
        sentence += f"; for research it may be up to {rule.of.show(rule.research)}"
    if rule.measure == "wer" and rule.condition is None and rule.dataset is None:
        told = cause([line.score for line in pool(candidate.clean)])
        sentence += f". {told}" if told else ""
    return sentence


def _answering(candidate: Candidate) -> list[str]:
    """Put a model that answers instead of transcribing first, which matters more than any limit."""
    lines = pool(candidate.clean)
    answers = sum(CHAT_ANSWER in line.score.flags for line in lines)
    if 2 * answers <= len(lines):
        return []
    return [f"it answers instead of transcribing, in {answers} of {quantity(len(lines), 'clip')}"]


def _above_all(candidate: Candidate) -> list[str]:
    told = cause([line.score for line in pool(candidate.clean)])
    return [told] if told else []


def _straddle(rule: Rule, result: RuleResult) -> str:
    tells = result.ci95 is None or rule.of.names_causes or "drifted" in (result.reason or "")
    why = result.reason if tells else None
    more = _settled(result) or f"; {why or 'what would settle it is unknown'}"
    limit = f"{rule.kind}, {rule.bound} {rule.limit_words()},"
    if result.groups and _proven(rule, result.ci95):
        return f"{value_words(rule, result)} is within the {limit} but {why}"
    return f"{value_words(rule, result)}, and the {limit} lies inside{more}"


def _settled(result: RuleResult) -> str:
    if result.minutes_needed is None:
        return ""
    more = quantity(max(1, round(result.minutes_needed)), "more minute")
    like = "of these recordings" if result.target == "these recordings" else "like these"
    return f"; about {more} {like} would settle it"


def _conditions(pairs: _Pairs, candidate: Candidate) -> list[str]:
    found = []
    by_value: dict[str, list[str]] = {}
    for rule, result in pairs:
        what = _what(rule, result)
        found += _unjudged(rule, result)
        if result.outcome == "not measured":
            found.append(f"{what} not measured: {result.reason}")
        elif result.outcome == "failed":
            found.append(_missed(rule, result))
        elif result.outcome == "undecided":
            found.append(f"target open: {_straddle(rule, result)}")
        elif result.ci95 is not None and not _proven(rule, result.ci95):
            found.append(f"{value_words(rule, result)}: {result.reason}{_settled(result)}")
        elif not _proven(rule, result.ci95):
            by_value.setdefault((result.reason or "").removeprefix("no interval: "), []).append(what)
    found += _few_recordings(pairs, candidate)
    for reason, names in by_value.items():
        of = " and ".join(dict.fromkeys(names))
        found.append(
            f"measured on {quantity(_recordings(candidate), 'recording')}: no interval of {of}"
            f"{f', since {reason}' if reason else ''}; add more"
        )
    return list(dict.fromkeys(found))


def _what(rule: Rule, result: RuleResult) -> str:
    """Return what a rule is about, without its dataset."""
    by = " of these recordings" if result.target == "these recordings" else ""
    by += f" by {rule.slice}" if rule.slice else ""
    return rule.of.words + by + (f" under {rule.condition}" if rule.condition else "")


def _unjudged(rule: Rule, result: RuleResult) -> list[str]:
    """Return the groups that a rule passes without, which are a condition."""
    if result.outcome != "passed" or not unjudged(result.groups):
        return []
    return [unjudged_words(rule.slice or "", result.groups)]


def _missed(rule: Rule, result: RuleResult) -> str:
    who = f"; {result.reason}" if rule.of.names_causes and result.reason else ""
    return f"target missed: {value_words(rule, result)}, wished {rule.bound} {rule.limit_words()}{who}"


def _few_recordings(pairs: _Pairs, candidate: Candidate) -> list[str]:
    """Return the condition that error rates are of these recordings, where no rule asked for that."""
    rates = [
        rule.of.words
        for rule, result in pairs
        if result.target == "these recordings" and rule.target is None and result.ci95 is not None
    ]
    if not rates:
        return []
    speakers = {line.clip.speaker for line in pool(candidate.clean)}
    of = f" of {quantity(len(speakers), 'speaker')}" if None not in speakers else ""
    names = " and ".join(dict.fromkeys(rates))
    where = quantity(_recordings(candidate), "recording")
    return [f"measured on {where}{of}: the {names} is of these recordings, and others may be harder; add more"]


def _recordings(candidate: Candidate) -> int:
    return len({line.clip.recording or line.clip.id for line in pool(candidate.clean)})


def value_words(rule: Rule, result: RuleResult) -> str:
    """Return a measured value in words, such as ``WER 24.1 % [20.3, 28.0]``."""
    where = f" on {rule.dataset!r}" if rule.dataset else ""
    return f"{_what(rule, result)}{where} {rule.of.show_with_interval(result.measured, result.ci95)}"
