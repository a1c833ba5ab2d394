"""Runs and comparisons as Markdown, for people. No arithmetic here: every number stands in a record."""
