"""A client of a transcription server: every request has its times, and its text or its error."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from earwitness.engines.http import HttpReply, exchange
from earwitness.engines.openai_api import authorization, form, wants_verbose
from earwitness.records.record import Run, RunLimits
from earwitness.runs.job import Job, clip_budget_s
from earwitness.runs.transcribe import CLIP, decode, spoken_language
from earwitness.types import Audio, Clip

_MOST_BYTES = 256 << 20
"""Of forms that are kept ready in memory."""


@dataclass(frozen=True, slots=True)
class LoadForm:
    """A request that is ready to be sent."""

    body: bytes
    """The form."""
    kind: str
    """Its content type."""
    audio_s: float
    """Seconds of audio in it."""


@dataclass(frozen=True, slots=True)
class ToSend:
    """Clips with their requests, made before any clock starts."""

    clips: tuple[Clip, ...]
    """In order."""
    bodies: Mapping[str, LoadForm]
    """By the clip's id."""


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """One request, timed by its client."""

    clip_id: str
    """What was sent."""
    audio_s: float
    """Seconds of audio in it."""
    due_s: float
    """When it should have been sent."""
    began_s: float
    """When it was."""
    ended_s: float
    """When the answer, or the error, was there."""
    text: str | None
    """The transcript; ``None`` without one."""
    error: str | None
    """What there was in its place, such as ``429 queue_full``."""

    @classmethod
    def unsent(cls, clip: Clip, due_s: float, why: str) -> LoadRequest:
        """Return a request that was due but not sent."""
        return cls(clip.id, 0.0, due_s, due_s, due_s, None, why)


def clips_to_send(clips: Sequence[Clip], run: Run, job: Job, scratch: Path) -> ToSend:
    """Decode clips and make their requests, as many as fit into 256 MiB, and at least one."""
    options = job.model.options
    bodies: dict[str, LoadForm] = {}
    kept: list[Clip] = []
    size = 0
    for clip in clips:
        file = decode(clip, job.dataset, scratch / CLIP)
        audio = Audio(np.fromfile(file.path, "<f4"), file.sample_rate_hz)
        language = spoken_language(clip, run.settings_asked.language)
        body, kind = form(options["model"], audio, language, verbose=wants_verbose(options))
        size += len(body)
        if kept and size > _MOST_BYTES:
            break
        kept.append(clip)
        bodies[clip.id] = LoadForm(body, kind, audio.duration_s)
    return ToSend(tuple(kept), bodies)


@dataclass(frozen=True, slots=True)
class Client:
    """Sends requests to one server; many threads may share it."""

    url: str
    """Of transcripts."""
    key: str
    """Shown to the server; empty for none."""
    bodies: Mapping[str, LoadForm]
    """By the clip's id."""
    limits: RunLimits
    """How long an answer may take."""

    def ask(self, clip: Clip, due_s: float) -> LoadRequest:
        """Send a clip on a connection of its own and return the outcome; errors are not raised or retried."""
        sent = self.bodies[clip.id]
        began_s = time.perf_counter()
        text, error = self._asked(sent)
        return LoadRequest(clip.id, sent.audio_s, due_s, began_s, time.perf_counter(), text, error)

    def _asked(self, form: LoadForm) -> tuple[str | None, str | None]:
        headers = {"Content-Type": form.kind, "Accept": "application/json", **authorization(self.key)}
        try:
            answer = exchange("POST", self.url, form.body, headers, timeout_s=clip_budget_s(self.limits, form.audio_s))
        except TimeoutError:
            return None, "timeout"
        except ConnectionRefusedError:
            return None, "no connection"
        except (OSError, http.client.HTTPException) as error:
            return None, f"broken off: {type(error).__name__}"
        return _read(answer)


def _read(answer: HttpReply) -> tuple[str | None, str | None]:
    try:
        data = json.loads(answer.body)
    except ValueError:
        data = None
    data = data if isinstance(data, dict) else {}
    if answer.status != 200:
        reply = data.get("error")
        code = reply.get("code") if isinstance(reply, dict) else None
        return None, f"{answer.status} {code}" if isinstance(code, str) else str(answer.status)
    text = data.get("text")
    return (text.strip(), None) if isinstance(text, str) else (None, "200 without a text")
