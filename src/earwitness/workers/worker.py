"""The parent's side: starts a worker in the Python of its engine, sends requests, and ends it in any state."""

from __future__ import annotations

import contextlib
import json
import queue
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Literal

from earwitness.errors import WorkerError
from earwitness.types import Failure, Guide, Segment, Settings, Transcript
from earwitness.workers.device_memory import watch
from earwitness.workers.processes import end_session
from earwitness.workers.spawn import spawn
from earwitness.workers.transcripts import read_segment, read_transcript

_KEPT_LINES = 40
_CLOSE_S = 5.0
Stage = Literal["spawn", "load", "transcribe"]
ClipRequest = tuple[Path, int, int, int, str | None]
"""File, first sample, length in samples, samples per second, language."""


class CancelledError(WorkerError):
    """The work was cancelled on request; the worker still runs, and takes the next."""


class WorkerFailedError(WorkerError):
    """A request to a worker failed; ``failure`` is for the record, ``alive`` is whether it still runs."""

    def __init__(self, failure: Failure, *, alive: bool) -> None:
        """Keep the failure beside its message."""
        super().__init__(failure.message)
        self.failure = failure
        self.alive = alive


@dataclass(frozen=True, slots=True)
class LoadedInfo:
    """The report of a worker that has loaded its model."""

    spawn_s: float
    """From starting the process to its first reply, less the load itself."""
    load_s: float
    """From the engine's load call to its return, on the worker's clock."""
    device: str
    """Where the parameters really are."""
    in_force: Mapping[str, Any]
    """Every decoding setting as it really is."""
    packages: Mapping[str, str]
    """Versions of the engine's packages."""
    python: str
    """The worker's Python."""
    peak_rss_bytes: int | None
    """Peak resident memory so far."""
    peak_device_bytes: int | None = None
    """Peak memory of the device so far; ``None`` on the CPU, or where it cannot be told."""
    streams: bool = False
    """Whether the model gives its text piece by piece, and can be stopped between two."""
    batches: bool = False
    """Whether it transcribes several clips together, with the texts that it has for each alone."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a worker for one clip."""

    transcript: Transcript
    """The finished text."""
    wall_s: float
    """From the array in memory to the finished text, on the worker's clock."""
    peak_rss_bytes: int | None
    """Peak resident memory of the worker since it began."""
    peak_device_bytes: int | None = None
    """Peak memory of the device since it began."""
    first_text_s: float | None = None
    """From the array in memory to the first text, on the worker's clock; ``None`` when the text came whole."""


class Worker:
    """One engine with one model in one process. Use it as a context manager: leaving ends the process.

    Args:
        engine: Name of the engine.
        model: Id of the model.
        folder: Its checked files, or ``None``.
        device: As asked for.
        settings: As asked for; ``threads`` must be a number.
        options: What the model's row tells the engine.
        budget_s: How long spawning and loading may take.
        on_spawn: Called once the process runs and before its model loads, so that another thread can ``kill`` it.

    Raises:
        EngineNotInstalledError: When neither this Python nor an environment of its own has the engine.
        WorkerFailedError: When the process does not come up with the model in time; nothing stays behind.
    """

    def __init__(
        self,
        engine: str,
        model: str,
        folder: Path | None,
        device: str,
        settings: Settings,
        *,
        options: Mapping[str, Any] | None = None,
        budget_s: float = 600.0,
        on_spawn: Callable[[Worker], None] = lambda _: None,
    ) -> None:
        """Start the process and load the model."""
        started = time.perf_counter()
        self._replies: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._log: deque[str] = deque(maxlen=_KEPT_LINES)
        self._process = spawn(engine, settings.threads)
        self._writing = threading.Lock()
        self._id = 0
        request = {
            "op": "load",
            "engine": engine,
            "model": model,
            "folder": str(folder) if folder else None,
            "device": device,
            "settings": asdict(settings),
            "options": dict(options or {}),
        }
        self._readers = [threading.Thread(target=read, daemon=True) for read in (self._read_replies, self._read_log)]
        for thread in self._readers:
            thread.start()
        try:
            on_spawn(self)
            reply = self._ask(request, "load", budget_s, expect=("loaded",))
            load_s = float(reply["load_s"])
            self.info = LoadedInfo(
                spawn_s=time.perf_counter() - started - load_s,
                load_s=load_s,
                device=reply["device"],
                in_force=reply["in_force"],
                packages=reply["packages"],
                python=reply["python"],
                peak_rss_bytes=reply.get("peak_rss_bytes"),
                peak_device_bytes=reply.get("peak_device_bytes"),
                streams=bool(reply.get("streams")),
                batches=bool(reply.get("batches")),
            )
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still has its end of the pipe; asking does not reap it."""
        return self._readers[0].is_alive()

    @property
    def ending(self) -> str:
        """How the process ended, in words, such as ``was killed by signal SIGKILL``."""
        code = self._process.returncode
        if code is None:
            return "still runs"
        return f"was killed by signal {signal.Signals(-code).name}" if code < 0 else f"exited with code {code}"

    def ping(self, budget_s: float) -> None:
        """Check that an idle worker responds.

        Args:
            budget_s: How long it may take.

        Raises:
            WorkerFailedError: When there is none in time, or the process is gone; it is then ended.
        """
        self._ask({"op": "ping"}, "transcribe", budget_s, expect=("pong",))

    def transcribe(
        self,
        audio: Path,
        n_samples: int,
        sample_rate_hz: int,
        language: str | None,
        *,
        budget_s: float,
        start: int = 0,
        on_segment: Callable[[Segment], None] | None = None,
        guide: Guide | None = None,
    ) -> Answer:
        """Transcribe one file of float32 samples.

        Args:
            audio: The file.
            n_samples: Its length.
            sample_rate_hz: Samples per second.
            language: BCP 47 tag, or ``None``.
            budget_s: How long it may take.
            start: The first sample in the file.
            on_segment: Called with every segment as it is decoded, by an engine that streams; its text is raw. The
                work can then be cancelled. ``None`` for the finished text alone.
            guide: What the engine is told beside the language; ``None`` for nothing.

        Raises:
            CancelledError: When ``cancel`` was called meanwhile.
            WorkerFailedError: On an exception in the engine (``alive`` is then true), a death, a reply that makes no
                sense, or no reply within ``budget_s`` (the process is then killed).
        """
        self._id += 1
        first_text_s: float | None = None

        def hear(reply: Mapping[str, Any]) -> None:
            nonlocal first_text_s
            row = reply["segment"]
            if first_text_s is None and row["text"].strip():
                first_text_s = float(reply["at_s"])
            if on_segment is not None:
                on_segment(read_segment(row))

        request = {
            "op": "transcribe",
            "id": self._id,
            "stream": on_segment is not None,
            **_clip_request(audio, start, n_samples, sample_rate_hz, language),
            "guide": asdict(guide) if guide is not None else None,
        }
        on_gpu = self.info.device.startswith("cuda")
        with watch(self.pid) if on_gpu else contextlib.nullcontext() as seen:
            reply = self._ask(request, "transcribe", budget_s, expect=("transcript", "cancelled"), on_segment=hear)
        if reply["event"] == "cancelled":
            raise CancelledError("The work was cancelled.")
        # What the driver saw holds more than what the library knows of: context, kernels, other libraries.
        peak = seen.bytes if seen is not None and seen.bytes is not None else reply.get("peak_device_bytes")
        transcript, wall_s = read_transcript(reply["transcript"]), float(reply["wall_s"])
        return Answer(transcript, wall_s, reply.get("peak_rss_bytes"), peak, first_text_s)

    def transcribe_batch(self, clips: Sequence[ClipRequest], *, budget_s: float) -> list[Answer | Failure]:
        """Transcribe several clips together, with a model that can (``info.batches``).

        A clip at which the engine raises has a failure, and the others their texts; ``wall_s`` of each runs from the
        beginning of all to its own end.

        Args:
            clips: File, first sample, length in samples, samples per second and language of each.
            budget_s: How long all of them may take.

        Raises:
            WorkerFailedError: As for ``transcribe``, for the death of the process and replies that make no sense.
        """
        request = {"op": "transcribe_batch", "clips": [_clip_request(*clip) for clip in clips]}
        on_gpu = self.info.device.startswith("cuda")
        with watch(self.pid) if on_gpu else contextlib.nullcontext() as seen:
            reply = self._ask(request, "transcribe", budget_s, expect=("transcripts",))
        peak = seen.bytes if seen is not None and seen.bytes is not None else reply.get("peak_device_bytes")
        return [
            _failure(each["failed"], "transcribe")
            if "failed" in each
            else Answer(read_transcript(each["transcript"]), each["wall_s"], reply.get("peak_rss_bytes"), peak)
            for each in reply["answers"]
        ]

    def cancel(self) -> None:
        """Stop the engine after its current segment; from any thread, and without waiting for it.

        Nothing comes of it when the engine does not stream (``info.streams``) or the text is finished already.
        """
        with contextlib.suppress(OSError, ValueError):
            self._write({"op": "cancel", "id": self._id})

    def close(self) -> None:
        """Let the engine free its memory, then end the process, by force if it takes over five seconds."""
        with contextlib.suppress(WorkerFailedError):
            self._ask({"op": "close"}, "transcribe", _CLOSE_S, expect=("closed",))
        self.kill()

    def kill(self) -> None:
        """End the process and everything that it started, at once."""
        end_session(self._process)
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        for thread in self._readers:
            thread.join(timeout=1.0)

    def __enter__(self) -> Worker:
        """Return the worker."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Close politely after success; at once after an exception, Ctrl-C included."""
        if kind is None:
            self.close()
        else:
            self.kill()

    def _ask(
        self,
        request: Mapping[str, Any],
        stage: Stage,
        budget_s: float,
        *,
        expect: tuple[str, ...],
        on_segment: Callable[[Mapping[str, Any]], None] = lambda _: None,
    ) -> dict[str, Any]:
        pipe = self._process.stdin
        if pipe is None or pipe.closed:
            raise WorkerFailedError(Failure(stage, "crash", "The worker is gone."), alive=False)
        try:
            self._write(request)
        except (OSError, ValueError):
            raise self._died(stage) from None
        ends_at = time.monotonic() + budget_s
        while True:
            try:
                line = self._replies.get(timeout=max(0.0, ends_at - time.monotonic()))
            except queue.Empty:
                self.kill()
                message = f"No answer within {budget_s:.0f} s; the worker was ended."
                raise WorkerFailedError(Failure(stage, "timeout", message, self._last_lines()), alive=False) from None
            if line is None:
                raise self._died(stage)
            reply = self._understand(line, stage, (*expect, "segment"))
            if reply["event"] != "segment":
                return reply
            on_segment(reply)

    def _write(self, request: Mapping[str, Any]) -> None:
        pipe = self._process.stdin
        if pipe is not None:
            with self._writing:
                pipe.write(json.dumps(request) + "\n")
                pipe.flush()

    def _understand(self, line: str, stage: Stage, expect: tuple[str, ...]) -> dict[str, Any]:
        try:
            reply = json.loads(line)
            event = reply["event"]
        except (ValueError, TypeError, KeyError):
            event = None
        if event in expect:
            return dict(reply)
        if event == "failed":
            raise WorkerFailedError(_failure(reply, stage), alive=True)
        self.kill()
        message = f"The worker's reply makes no sense: {line[:200]!r}."
        raise WorkerFailedError(Failure(stage, "protocol", message, self._last_lines()), alive=False)

    def _died(self, stage: Stage) -> WorkerFailedError:
        self.kill()
        how = self.ending
        if self._process.returncode == -9:
            how += " (out of memory?)"
        return WorkerFailedError(Failure(stage, "crash", f"The worker {how}.", self._last_lines()), alive=False)

    def _last_lines(self) -> str | None:
        return "\n".join(self._log) or None

    def _read_replies(self) -> None:
        for line in _lines(self._process.stdout):
            self._replies.put(line)
        self._replies.put(None)

    def _read_log(self) -> None:
        for line in _lines(self._process.stderr):
            self._log.append(line.rstrip()[:500])


def _clip_request(audio: Path, start: int, n_samples: int, sample_rate_hz: int, language: str | None) -> dict[str, Any]:
    where = {"audio": str(audio), "start": start, "samples": n_samples}
    return {**where, "sample_rate_hz": sample_rate_hz, "language": language}


def _failure(reply: Mapping[str, Any], stage: Stage) -> Failure:
    return Failure(stage, "error", f"{reply['type']}: {reply['message']}", reply.get("traceback"))


def _lines(pipe: IO[str] | None) -> Iterator[str]:
    if pipe is not None:
        with pipe:
            yield from pipe
