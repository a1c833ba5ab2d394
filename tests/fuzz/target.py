"""A reader that is fuzzed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Target:
    """A reader and a file that it reads."""

    name: str
    """The file's name, in a folder of its own."""
    content: bytes
    """Of the valid file, which is changed."""
    read: Callable[[Path], object]
    """Takes the changed file."""
    beside: Mapping[str, bytes] = field(default_factory=dict)
    """Files that stay as they are."""
    whole_folder: bool = False
    """Whether ``read`` takes the folder."""
