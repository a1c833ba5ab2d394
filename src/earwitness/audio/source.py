"""An open audio file: its header, and its samples in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from earwitness.errors import AudioError

Block = npt.NDArray[np.float32]
DurationKind = Literal["stated", "guessed", "counted"]
BLOCK_FRAMES = 1 << 16
"""Frames in a block, about."""
SKIPPED = "packets_skipped"
"""The remark about sound of which packets could not be decoded."""


class NotReadableError(AudioError):
    """A file that one library cannot open; another may. The message is the library's reason."""


@dataclass(frozen=True, slots=True)
class AudioSource:
    """An open file."""

    rate_hz: int
    """Frames per second."""
    channels: int
    """Samples per frame."""
    duration_s: float | None
    """How long the file is said to be; ``None`` when nothing says so."""
    duration_kind: DurationKind | None
    """``stated`` by the container or ``guessed`` by a library; ``None`` without a duration."""
    format: str
    """Short name, such as ``WAV`` or ``matroska,webm``."""
    blocks: Iterator[Block]
    """Shape (n, channels), from the place that was asked for to the end."""
    skipped: list[int] = field(default_factory=list)
    """Sizes in bytes of the packets from there on that could not be decoded; it grows as blocks are read."""

    least_s: float | None = None
    """How long the sound must be, where that is less than ``duration_s``: a container counts the encoder's delay, and
    the index of an MP3, such as its Xing frame, counts the first part of a file to which more may be joined."""
    seeks: bool = False
    """Whether a place is found without decoding what lies before it."""

    @property
    def stated_s(self) -> float | None:
        """The stated duration that the file must have; ``None`` if unknown."""
        return self.duration_s if self.least_s is None and self.duration_kind == "stated" else self.least_s
