"""Scoring: aligns words, counts errors, and computes rates with intervals and signatures. Independent of engines."""

from earwitness.scoring.metrics.clip import ScoringInfo, ScoringOptions, score_clip
from earwitness.scoring.metrics.information import mer_and_wil
from earwitness.scoring.metrics.summary import summarize

__all__ = ["ScoringInfo", "ScoringOptions", "mer_and_wil", "score_clip", "summarize"]
