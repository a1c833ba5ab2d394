"""Weights: a catalog row to a checked folder."""

from earwitness.weights.store import Held, fingerprint, held, locate, pull, remove, require

__all__ = ["Held", "fingerprint", "held", "locate", "pull", "remove", "require"]
