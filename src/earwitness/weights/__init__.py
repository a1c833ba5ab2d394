"""Weights: turns a catalog row into a checked folder, and converts weights to other formats."""

from earwitness.weights.conversion import FORMATS, convert
from earwitness.weights.store import (
    LocalWeights,
    adopt,
    fingerprint,
    is_pinned,
    local_weights,
    locate,
    origin_of,
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
    "is_pinned",
    "local_weights",
    "locate",
    "origin_of",
    "pull",
    "remove",
    "require",
]
