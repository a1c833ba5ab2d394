"""Weights: turns a catalog row into a checked folder, and converts weights to other formats."""

from earwitness.weights.conversion import FORMATS, convert
from earwitness.weights.store import (
    LocalWeights,
    adopt,
    fingerprint,
    local_weights,
    locate,
    origin_of,
    pinned,
    pull,
    remove,
    require,
)

__all__ = [
    "FORMATS",
    "LocalWeights",
    "adopt",
    "convert",
    "fingerprint",
    "local_weights",
    "locate",
    "origin_of",
    "pinned",
    "pull",
    "remove",
    "require",
]
