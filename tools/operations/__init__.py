"""The parts of ``tools/day_of_operations.py``."""
