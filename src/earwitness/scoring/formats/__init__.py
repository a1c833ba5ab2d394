"""Transcript formats: text lines, JSONL, Kaldi, and the files of NIST."""
