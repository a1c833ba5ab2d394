"""Metrics: aligned clips to counts, rates and breakdowns."""
