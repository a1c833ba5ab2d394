"""Decisions: policies, the rules that candidates pass or fail, and the gate for continuous integration."""
