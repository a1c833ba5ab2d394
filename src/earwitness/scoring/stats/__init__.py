"""Statistics: intervals, tests, ranks, and how much audio a question needs."""
