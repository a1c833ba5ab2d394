"""Decodes audio of clients in separate processes, those of ``audio.decoder``, for an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from earwitness.audio.protocol import COMMAND, READY_S, answer_of, request_line, tie
from earwitness.errors import AudioError
from earwitness.server.logs import log
from earwitness.types import RATE_HZ
from earwitness.workers.supervisor import AudioFile

End = Literal["died", "hung"]
_TRIES = 2
_LEAST_PATIENCE_S = 1.0
MOST_PATIENCE_S = 30.0
"""The longest that one decoder is waited for without new sound."""
_REASONS: dict[End, str] = {"died": "it died", "hung": "it gave no sign of life for too long and was ended"}


class TooSlowError(Exception):
    """Decoding took longer than allowed; the process was ended."""


class DecoderEndedError(Exception):
    """The processes that tried died or hung.

    Args:
        reason: What the last one did.
    """

    def __init__(self, reason: End) -> None:
        """Keep the reason."""
        super().__init__(_REASONS[reason])
        self.reason: End = reason


class DiskFullError(Exception):
    """The samples cannot be stored; the message is the system's."""


class Decoders:
    """Processes that decode, started when they are needed and replaced when they end. Belongs to an event loop.

    Args:
        n: How many at most.
        on_end: Called with the reason whenever one dies or hangs at work.
    """

    def __init__(self, n: int, on_end: Callable[[End], None] = lambda _: None) -> None:
        """Start none yet."""
        self.processes: set[asyncio.subprocess.Process] = set()
        self._on_end = on_end
        self._idle: asyncio.Queue[asyncio.subprocess.Process | None] = asyncio.Queue()
        for _ in range(n):
            self._idle.put_nowait(None)

    async def decode(self, path: Path, target: Path, longest_s: float, budget_s: float) -> AudioFile:
        """Decode a file to 16 kHz mono float32.

        A process that dies, gives no sound for a third of the time, or does not start in half of it, is ended, and
        another one tries. No try waits less than 1 s for new sound, or longer than 30 s; for a start, 60 s.

        Raises:
            AudioTooLongError: When it holds more than ``longest_s``.
            AudioError: In one sentence, when it is not audio that can be used.
            TooSlowError: When it is not done after ``budget_s``.
            TimeoutError: When it has not begun by then, since all processes are at work.
            DecoderEndedError: When a process died or hung, and another one, too.
            DiskFullError: When the disk is full.
        """
        line = request_line(path, target, longest_s=longest_s)
        answer = await self._answer(line, target, asyncio.get_running_loop().time() + budget_s)
        try:
            n_samples = answer_of(answer)["samples"]
        except AudioError as error:
            raise type(error)(str(error).replace(repr(str(path)), "The file")) from None
        except OSError as error:
            raise DiskFullError(error.strerror or str(error)) from None
        return AudioFile(target, n_samples, RATE_HZ)

    async def close(self) -> None:
        """End all processes."""
        for process in list(self.processes):
            await self._end(process)

    async def _answer(self, line: bytes, target: Path, ends_at: float) -> bytes:
        for _ in range(_TRIES - 1):
            with contextlib.suppress(DecoderEndedError):
                return await self._try(line, target, ends_at)
        return await self._try(line, target, ends_at)

    async def _try(self, line: bytes, target: Path, ends_at: float) -> bytes:
        try:
            async with self._one(ends_at) as process:
                if process.stdin is None:
                    raise RuntimeError("a decoder without pipes")
                process.stdin.write(line)
                try:
                    async with asyncio.timeout_at(ends_at):
                        return await _reply(process, target, _patience_s(ends_at))
                except TimeoutError:
                    raise TooSlowError from None
        except DecoderEndedError as error:
            self._on_end(error.reason)
            log("decoder has ended", logging.WARNING, reason=error.reason, how=str(error))
            raise

    @asynccontextmanager
    async def _one(self, ends_at: float) -> AsyncIterator[asyncio.subprocess.Process]:
        async with asyncio.timeout_at(ends_at):
            idle = await self._idle.get()
        kept = None
        try:
            if idle is not None and idle.returncode is not None:
                await self._end(idle)
                idle = None
            process = idle or await self._started(ends_at)
            try:
                yield process
                kept = process
            except BaseException:
                # Whatever it was at, its answer would be taken for that of the next.
                await asyncio.shield(self._end(process))
                raise
        finally:
            self._idle.put_nowait(kept)

    async def _started(self, ends_at: float) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            *tie(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        self.processes.add(process)
        try:
            async with asyncio.timeout(_start_s(ends_at)):
                await _line(process)
        except DecoderEndedError:
            pass  # who asks it is told
        except TimeoutError:
            await asyncio.shield(self._end(process))
            raise DecoderEndedError("hung") from None
        except BaseException:
            await asyncio.shield(self._end(process))
            raise
        return process

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        self.processes.discard(process)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _patience_s(ends_at: float) -> float:
    left_s = ends_at - asyncio.get_running_loop().time()
    return min(max(left_s / (_TRIES + 1), _LEAST_PATIENCE_S), MOST_PATIENCE_S)


def _start_s(ends_at: float) -> float:
    """Return how long a process may take to start: half of the time, so that a second one can be tried."""
    left_s = ends_at - asyncio.get_running_loop().time()
    return min(max(left_s / _TRIES, _LEAST_PATIENCE_S), READY_S)


async def _reply(process: asyncio.subprocess.Process, target: Path, patience_s: float) -> bytes:
    """Wait for a line as long as new sound comes."""
    size = _size(target)
    while True:
        try:
            async with asyncio.timeout(patience_s):
                return await _line(process)
        except TimeoutError:
            before, size = size, _size(target)
            if size == before:
                raise DecoderEndedError("hung") from None


def _size(target: Path) -> int:
    return target.stat().st_size if target.exists() else 0


async def _line(process: asyncio.subprocess.Process) -> bytes:
    if process.stdout is None:
        raise RuntimeError("a decoder without pipes")
    line = await process.stdout.readline()
    if not line.endswith(b"\n"):
        raise DecoderEndedError("died")
    return line
