"""Decisions by a policy that a test writes as text."""

from __future__ import annotations

from pathlib import Path

from earwitness.decision.decide import decide
from earwitness.decision.decision import Decision
from earwitness.decision.policy import parse


def ruling(text: str, *records: Path) -> Decision:
    """Judge records by a policy."""
    return decide(records, parse(text, "p.toml"), out=records[0].parent / "decision.json")
