"""Findings: what is wrong with one transcript, and where."""
