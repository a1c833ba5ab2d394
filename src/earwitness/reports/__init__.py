"""Runs and comparisons for people. No arithmetic here: every number comes from a record."""
