"""Weights: a catalog row to a checked folder, and the same weights in another format."""

from earwitness.weights.convert import FORMATS, convert
from earwitness.weights.store import Held, fingerprint, held, locate, pull, remove, require

__all__ = ["FORMATS", "Held", "convert", "fingerprint", "held", "locate", "pull", "remove", "require"]
