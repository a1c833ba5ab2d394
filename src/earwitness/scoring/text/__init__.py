"""Text: raw transcripts to the words that are compared."""

from earwitness.scoring.text.normalize import NAMES, Normalizer, join_words, normalizer

__all__ = ["NAMES", "Normalizer", "join_words", "normalizer"]
