"""Speech activity of clips, found once and kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from earwitness.audio.speech import VERSION, Span, blocks_of, finder
from earwitness.runs.store import write_text
from earwitness.types import Clip

Listener = Callable[[Clip, "str | None", Path], tuple[Span, ...]]
"""From a clip, the condition it is under, and the file of its decoded samples, to the spans of speech in it."""


def listener(model: Path, name: str, kept: Path) -> Listener:
    """Load the model and return what finds speech in a decoded clip, or remembers it.

    Args:
        model: The ONNX file.
        name: Of the model and its version; another one finds anew.
        kept: The folder of what was found before.
    """
    find = finder(model)

    def listen(clip: Clip, condition: str | None, samples: Path) -> tuple[Span, ...]:
        path = kept / f"{_key(clip, condition, name)}.json"
        known = _known(path)
        if known is None:
            known = find(blocks_of(samples))
            write_text(path, json.dumps(known) + "\n")
        return known

    return listen


def _key(clip: Clip, condition: str | None, name: str) -> str:
    # A condition is random by the clip's id.
    altered = [condition, clip.id] if condition else None
    what = [clip.audio_sha256, clip.start_s, clip.duration_s, clip.channel, altered, name, VERSION]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()


def _known(path: Path) -> tuple[Span, ...] | None:
    try:
        return tuple((float(begin), float(end)) for begin, end in json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None  # what cannot be read is found again
