"""Weights: a catalog row to a checked folder, and the same weights in another format."""

from earwitness.weights.conversion import FORMATS, convert
from earwitness.weights.store import LocalWeights, fingerprint, local_weights, locate, pull, remove, require

__all__ = ["FORMATS", "LocalWeights", "convert", "fingerprint", "local_weights", "locate", "pull", "remove", "require"]
