"""Data: manifests and corpora of many kinds to Clips of one kind."""

from earwitness.data.check import Finding, check
from earwitness.data.join import join
from earwitness.data.load import load

__all__ = ["Finding", "check", "join", "load"]
