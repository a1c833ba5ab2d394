"""Readers, one file per format: they turn the data at a path into rows."""
