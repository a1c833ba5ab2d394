"""Data: manifests and corpora of many kinds to Clips of one kind."""

from earwitness.data.checks import DataProblem, check
from earwitness.data.dataset import load
from earwitness.data.joins import join

__all__ = ["DataProblem", "check", "join", "load"]
