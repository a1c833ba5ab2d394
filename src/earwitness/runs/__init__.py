"""Runs: drives workers over a dataset; writes, reads and resumes the record."""
