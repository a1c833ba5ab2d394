"""The protocol between a decoding process and its parent: one JSON object per line, in both directions.

    child:  {"ready": true}
    parent: {"path": "/data/a.wav", "target": "/tmp/a.f32", "longest_s": null, "start_s": 0.0, "duration_s": null,
             "channel": null, "rate_hz": 16000}
    child:  {"samples": 160000, "remarks": []}
    parent: {"probe": "/data/a.wav", "count": false}
    child:  {"info": {"duration_s": 10.0, "sample_rate_hz": 8000, "channels": 2, "format": "WAV",
             "duration_kind": "stated"}}

In place of an answer there may be ``{"refused": "One sentence.", "kind": "AudioTooLongError"}`` for a file that cannot
be used, or ``{"unwritten": [28, "No space left on device"]}`` for samples that cannot be kept. A parent that gets no
answer ends the process. ``fence`` is such a parent; a server has one of its own, for its event loop.
"""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any, Unpack

from earwitness import errors
from earwitness.audio.excerpt import Excerpt, ExcerptOptions

COMMAND = (sys.executable, "-P", "-m", "earwitness.audio.decoder")
"""Starts one. ``-P`` keeps Python from importing what lies in the folder at hand, which may be a stranger's data."""
READY_S = 60.0
"""What a machine under load may take to start one."""


def request_line(
    path: str | Path, target: Path, *, longest_s: float | None = None, **options: Unpack[ExcerptOptions]
) -> bytes:
    """Return the line that requests a file; the arguments are those of ``decode_to``."""
    request = {"path": str(path), "target": str(target), "longest_s": longest_s, **asdict(Excerpt(**options))}
    return json.dumps(request).encode() + b"\n"


def answer_of(line: bytes) -> dict[str, Any]:
    """Return a process's answer.

    Raises:
        AudioError: Or a kind of it, when the file was refused.
        OSError: When the samples could not be written.
    """
    answer: dict[str, Any] = json.loads(line)
    if "refused" in answer:
        raise getattr(errors, answer["kind"])(answer["refused"])
    if "unwritten" in answer:
        raise OSError(*answer["unwritten"])
    return answer


def tie() -> tuple[str, ...]:
    """Return what is added to ``COMMAND``: from a main thread, the kernel ends the child with it.

    The kernel's rule is about the thread that starts the process, so one from another thread would end too early.
    """
    return ("--tied",) if threading.current_thread() is threading.main_thread() else ()
