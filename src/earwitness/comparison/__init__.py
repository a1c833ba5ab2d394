"""Compares runs: which may be compared, what differs, and the table."""
