"""Scoring: words against words, into counts, into numbers with intervals and signatures. Knows no engine."""

from earwitness.scoring.metrics.clip import ScoringInfo, ScoringOptions, score_clip
from earwitness.scoring.metrics.information import mer_and_wil
from earwitness.scoring.metrics.summary import summarize

__all__ = ["ScoringInfo", "ScoringOptions", "mer_and_wil", "score_clip", "summarize"]
