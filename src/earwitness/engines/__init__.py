"""Engines: audio in, Transcript out, one file per engine; and the catalog of models."""
