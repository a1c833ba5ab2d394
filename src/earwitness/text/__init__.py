"""Text: raw transcripts to the words that are compared."""

from earwitness.text.normalize import NAMES, Normalizer, joined, normalizer

__all__ = ["NAMES", "Normalizer", "joined", "normalizer"]
