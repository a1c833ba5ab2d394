"""A decision as texts for the page and for documents. No arithmetic here: every number stands in the decision."""

from __future__ import annotations

from typing import Any

from earwitness.counts import quantity
from earwitness.decision.decision import Decision, GradePart, RuleResult, Verdict, Winner
from earwitness.decision.winners import NOT_COMPARED
from earwitness.reports.decision import value_words
from earwitness.reports.format import number

SIGNS = {"production": "✓", "conditional": "◐", "research": "△", "rejected": "✕", "undecided": "?"}
"""Beside the word, so that a status is more than a colour."""
RULES_HEADER = ["Rule", "Measured", "Outcome", "Why"]
_RATES = {"error rate", "share"}


def verdict(decision: Decision) -> dict[str, Any]:
    """Return a decision as plain texts."""
    return {
        "chosen": decision.chosen,
        "why": decision.why,
        "policy": decision.policy.name,
        "source": decision.policy.source,
        "created_at": day(decision.created_at),
        "candidates": [_candidate(one) for one in decision.verdicts],
        "winners": [_winner(one) for one in decision.winners],
        "guidance": list(decision.guidance),
    }


def day(moment: str) -> str:
    """Show a moment to the minute.

    >>> day("2026-11-25T01:16:21.123+00:00")
    '2026-11-25 01:16 UTC'
    """
    return f"{moment[:10]} {moment[11:16]} UTC"


def _candidate(one: Verdict) -> dict[str, Any]:
    counts = {outcome: sum(rule.outcome == outcome for rule in one.rules) for outcome in ("passed", "failed")}
    return {
        "name": one.candidate,
        "status": one.status,
        "sign": SIGNS[one.status],
        "grade": one.grade,
        "points": "" if one.grade_points is None else f": {one.grade_points:.0f} of 100 points",
        "reasons": [reason for reason in one.reasons if reason not in one.conditions],
        "conditions": list(one.conditions),
        "tally": f"{quantity(len(one.rules), 'rule')}: {counts['passed']} passed, {counts['failed']} failed",
        "rules_header": RULES_HEADER,
        "rules": [_rule(rule) for rule in one.rules],
        "parts": [_part(part) for part in one.grade_parts],
        "missing": list(one.missing),
    }


def _rule(rule: RuleResult) -> list[str]:
    where = f" ({rule.dataset})" if rule.dataset else ""
    why = rule.reason or ""
    if rule.minutes_needed is not None:
        more = quantity(max(1, round(rule.minutes_needed)), "more minute")
        why = f"{why} About {more} of audio would settle it.".strip()
    kind = "" if rule.kind == "gate" else "target: "
    return [f"{kind}{rule.rule}{where}", value_words(rule), rule.outcome, why]


def _part(part: GradePart) -> str:
    points = "not measured" if part.points is None else f"{part.points:.0f} points"
    return f"{part.category}, weight {number(part.weight)}: {points}. {part.derivation}"


def _winner(winner: Winner) -> dict[str, Any]:
    who = ", ".join(winner.candidates) or "nobody"
    note = winner.note or ""
    tie = len(winner.candidates) > 1 and "tie" not in note and NOT_COMPARED not in note
    return {
        "category": winner.category.replace("_", " "),
        "who": f"{who} (tie)" if tie else who,
        "note": winner.note,
    }
