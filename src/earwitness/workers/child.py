"""The child's side of the worker protocol: ``python -m earwitness.workers.child [--self-test ENGINE]``."""

from __future__ import annotations

import json
import mmap
import os
import platform
import queue
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import numpy.typing as npt

from earwitness.engines.base import BatchModel, GuidableModel, LoadedModel, ModelFiles, OnDevice, Streaming
from earwitness.engines.contract import conform, require_finished, require_tag
from earwitness.engines.devices import require_device
from earwitness.engines.registry import get_engine, package_versions, require_installed, require_options
from earwitness.errors import EngineError
from earwitness.types import Audio, Guide, Settings, Transcript
from earwitness.workers.host_memory import peak_rss_bytes
from earwitness.workers.self_test import self_test

ChildMessage = dict[str, Any]


def main() -> int:
    """Answer requests until standard input ends or the parent says close; or make the self-test of an engine."""
    requests, replies = _take_pipes()
    if sys.argv[1:2] == ["--self-test"]:
        answer = self_test(sys.argv[2])
        _send(replies, answer)
        return 1 if answer["failed"] else 0
    model: LoadedModel | None = None
    inbox = _Inbox(requests)
    for request in inbox:
        try:
            match request["op"]:
                case "load":
                    model, reply = _load(request)
                case "transcribe":
                    reply = _transcribe(model, request, replies, lambda: inbox.cancelled)
                case "transcribe_batch":
                    reply = _transcribe_batch(model, request)
                case "ping":
                    reply = {"event": "pong"}
                case "close":
                    if model is not None:
                        model.close()
                    _send(replies, {"event": "closed"})
                    return 0
                case other:
                    raise ValueError(f"unknown op {other!r}")
        except Exception as error:  # noqa: BLE001 - every exception of an engine becomes a reply
            reply = {"event": "failed", **_failure(error)}
        _send(replies, reply)
    return 0


def _failure(error: Exception) -> ChildMessage:
    return {
        "type": type(error).__name__,
        "message": str(error) or type(error).__name__,
        "traceback": "".join(traceback.format_exception(error)),
    }


def _take_pipes() -> tuple[TextIO, TextIO]:
    # Engines print, from Python and from C. They get standard error for it, and an empty standard input.
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return requests, replies


class _Inbox:
    """Requests, one by one. A thread reads them, so that the end of input ends the process even during work."""

    def __init__(self, requests: TextIO) -> None:
        self.cancelled: int | None = None
        """Id of the request that nobody waits for any more."""
        self._requests: queue.SimpleQueue[ChildMessage] = queue.SimpleQueue()
        threading.Thread(target=self._read, args=(requests,), daemon=True).start()

    def __iter__(self) -> Iterator[ChildMessage]:
        while True:
            yield self._requests.get()

    def _read(self, requests: TextIO) -> None:
        for line in requests:
            request = json.loads(line)
            if request["op"] == "cancel":
                self.cancelled = request["id"]
            else:
                self._requests.put(request)
        _end_group()
        os._exit(0)


def _end_group() -> None:
    # An engine may have started programs. They are in this process's group, which is its own when a parent made it so.
    if os.name == "posix" and os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)


def _send(replies: TextIO, reply: ChildMessage) -> None:
    replies.write(json.dumps(reply, allow_nan=False) + "\n")
    replies.flush()


def _load(request: ChildMessage) -> tuple[LoadedModel, ChildMessage]:
    engine = get_engine(request["engine"])
    require_installed(engine.spec)
    require_device(engine.spec, request["device"])
    folder, options = request["folder"], request.get("options") or {}
    require_options(engine.spec, request["model"], options)
    files = ModelFiles(request["model"], Path(folder) if folder else None, options)
    started = time.perf_counter()
    model = engine.load(files, request["device"], Settings(**request["settings"]))
    if isinstance(model, OnDevice):
        model.synchronize()
    return model, {
        "event": "loaded",
        "load_s": time.perf_counter() - started,
        "device": model.device,
        "in_force": dict(model.in_force),
        "packages": package_versions(engine.spec),
        "python": platform.python_version(),
        "streams": isinstance(model, Streaming),
        "batches": isinstance(model, BatchModel),
        **_memory(model),
    }


def _transcribe(
    model: LoadedModel | None, request: ChildMessage, replies: TextIO, cancelled_id: Callable[[], int | None]
) -> ChildMessage:
    if model is None:
        raise ValueError("transcribe before load")
    if request.get("guide"):
        if not isinstance(model, GuidableModel):
            raise EngineError("This engine supports neither prompts nor translation.")
        model = model.guided(Guide(**request["guide"]))
    audio, language = _clip(request)
    started = time.perf_counter()
    if request.get("stream") and isinstance(model, Streaming):
        transcript = _streamed(model, audio, language, replies, lambda: cancelled_id() == request["id"])
        if transcript is None:
            return {"event": "cancelled"}
    else:
        transcript = model.transcribe(audio, language=language)
    if isinstance(model, OnDevice):
        model.synchronize()
    wall_s = time.perf_counter() - started
    require_finished(transcript)
    return {"event": "transcript", "transcript": asdict(transcript), "wall_s": wall_s, **_memory(model)}


def _clip(request: ChildMessage) -> tuple[Audio, str | None]:
    language = require_tag(request["language"])
    samples = _mapped(request["audio"], request.get("start", 0), request["samples"])
    # Temporary files of the engine go beside the audio: the parent removes that folder, however this process ends.
    tempfile.tempdir = str(Path(request["audio"]).parent)
    return conform(samples, request["sample_rate_hz"]), language


def _transcribe_batch(model: LoadedModel | None, request: ChildMessage) -> ChildMessage:
    if not isinstance(model, BatchModel):
        raise EngineError("This engine transcribes one clip at a time.")
    clips = [_clip(each) for each in request["clips"]]
    answers: list[ChildMessage] = [{}] * len(clips)
    started = time.perf_counter()
    for number, found in model.transcribe_batch(clips):
        if isinstance(found, Exception):
            answers[number] = {"failed": _failure(found)}
            continue
        require_finished(found)
        answers[number] = {"transcript": asdict(found), "wall_s": time.perf_counter() - started}
    return {"event": "transcripts", "answers": answers, **_memory(model)}


def _streamed(
    model: Streaming, audio: Audio, language: str | None, replies: TextIO, is_cancelled: Callable[[], bool]
) -> Transcript | None:
    started = time.perf_counter()
    stream = model.stream(audio, language=language)
    while not is_cancelled():
        try:
            segment = next(stream)
        except StopIteration as end:
            transcript: Transcript = end.value
            return transcript
        _send(replies, {"event": "segment", "segment": asdict(segment), "at_s": time.perf_counter() - started})
    stream.close()
    return None


def _memory(model: LoadedModel) -> ChildMessage:
    on_device = model.peak_device_bytes() if isinstance(model, OnDevice) else None
    return {"peak_rss_bytes": peak_rss_bytes(), "peak_device_bytes": on_device}


def _mapped(path: str, start: int, n_samples: int) -> npt.NDArray[np.float32]:
    # An empty file cannot be mapped. The map goes when the last array on it does, never under an engine that keeps one.
    if n_samples == 0:
        return np.zeros(0, np.float32)
    with Path(path).open("rb") as file:
        mapped = mmap.mmap(file.fileno(), (start + n_samples) * 4, access=mmap.ACCESS_READ)
    return np.frombuffer(mapped, "<f4", n_samples, offset=start * 4)


if __name__ == "__main__":
    sys.exit(main())
