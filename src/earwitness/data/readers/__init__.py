"""One file per format: what is at a path, as rows."""
