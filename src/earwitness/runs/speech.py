"""Speech activity of the clips of a run, detected once between clips and stored."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from earwitness.audio.speech import VERSION, Finder, SpeechSpan, blocks_of, finder
from earwitness.errors import RecordError
from earwitness.files.cache import keep, load
from earwitness.types import Clip, Dataset, Hypothesis


@dataclass(frozen=True, slots=True)
class SpeechModel:
    """The speech model; without one there is no detection."""

    name: str | None = None
    """Of the model and its version."""
    model: Path | None = None
    """Its ONNX file."""
    kept: Path | None = None
    """The folder of what was found before."""
    reason: str | None = None
    """Why there is no model."""


class SpeechDetector:
    """Detects speech in one clip after the other, in the same samples that the model gets."""

    def __init__(self, ear: SpeechModel, samples: Path) -> None:
        """Take an ear and the file that holds the samples of the clip at hand."""
        self._ear = ear
        self._samples = samples
        self._find: Finder | None = None
        self.wall_s = 0.0
        """Seconds spent so far."""

    def hear(self, clip: Clip, dataset: Dataset, hypothesis: Hypothesis) -> tuple[SpeechSpan, ...] | None:
        """Return the spans of speech in the clip; ``None`` without a model, or when its audio could not be read."""
        unread = hypothesis.failure is not None and hypothesis.failure.stage == "audio"
        return None if unread else self.find(clip, dataset)

    def find(self, clip: Clip, dataset: Dataset, samples: Path | None = None) -> tuple[SpeechSpan, ...] | None:
        """Return the spans of speech in a clip whose audio could be read; ``None`` without a model.

        Args:
            clip: The clip.
            dataset: Its dataset.
            samples: Its samples, where they lie elsewhere than in the file of the clip at hand.
        """
        if self._ear.model is None:
            return None
        started = time.perf_counter()
        path = None
        if self._ear.kept is not None and clip.audio_sha256:
            condition = dataset.condition
            altered = [condition.name, condition.version, dataset.sha256, clip.id] if condition else None
            path = self._ear.kept / f"{_key(clip, altered, self._ear.name)}.json"
        found = _kept(path)
        if found is None:
            self._find = self._find or finder(self._ear.model)
            found = self._find(blocks_of(samples or self._samples))
            if path is not None:
                with contextlib.suppress(RecordError):  # a cache that cannot be written costs time, not a run
                    keep(path, found)
        self.wall_s += time.perf_counter() - started
        return found


def _key(clip: Clip, conditions: Iterable[str] | None, model: str | None) -> str:
    what = [clip.audio_sha256, clip.start_s, clip.duration_s, clip.channel, conditions, model, VERSION]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()


def _kept(path: Path | None) -> tuple[SpeechSpan, ...] | None:
    if path is None:
        return None
    try:
        return tuple((float(begin), float(end)) for begin, end in load(path))
    except (ValueError, TypeError):
        return None  # what cannot be read is found again
