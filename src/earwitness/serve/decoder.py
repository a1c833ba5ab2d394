"""Audio that strangers send is decoded in processes of their own, bounded in time, length, memory and disk.

``python -m earwitness.serve.decoder`` answers one JSON object a line with one, and exits when its input ends:

    parent: {"path": "/tmp/.../upload", "target": "/tmp/.../audio.f32", "longest_s": 3600.0}
    child:  {"samples": 160000}, {"refused": "This is not audio.", "too_long": false}, {"full": "No space left ..."}
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from earwitness.errors import AudioError, AudioTooLongError
from earwitness.serve.logs import log
from earwitness.workers.supervisor import AudioFile

RATE_HZ = 16_000
_MOST_MEMORY_BYTES = 4 << 30
_SAMPLE_BYTES = 4
_TRIES = 2


class TooSlowError(Exception):
    """Decoding took longer than it may; the process was ended."""


class DiedError(Exception):
    """The process died before it had an answer."""


class DiskFullError(Exception):
    """The samples cannot be kept; the message is the system's."""


class Decoders:
    """Processes that decode, started when they are needed and replaced when they die. Belongs to an event loop.

    Args:
        n: How many at most.
    """

    def __init__(self, n: int) -> None:
        """Start none yet."""
        self.processes: set[asyncio.subprocess.Process] = set()
        self._idle: asyncio.Queue[asyncio.subprocess.Process | None] = asyncio.Queue()
        for _ in range(n):
            self._idle.put_nowait(None)

    async def decode(self, path: Path, target: Path, longest_s: float, budget_s: float) -> AudioFile:
        """Decode a file to 16 kHz mono float32.

        Raises:
            AudioTooLongError: When it holds more than ``longest_s``.
            AudioError: In one sentence, when it is not audio that can be used.
            TooSlowError: When it is not done after ``budget_s``.
            TimeoutError: When it has not begun by then, since all processes are at work.
            DiedError: When the process died of it, and another one, too.
            DiskFullError: When the disk is full.
        """
        request = json.dumps({"path": str(path), "target": str(target), "longest_s": longest_s}).encode() + b"\n"
        answer = await self._answer(request, asyncio.get_running_loop().time() + budget_s)
        if "refused" in answer:
            raise (AudioTooLongError if answer["too_long"] else AudioError)(answer["refused"])
        if "full" in answer:
            raise DiskFullError(answer["full"])
        return AudioFile(target, answer["samples"], RATE_HZ)

    async def close(self) -> None:
        """End all processes."""
        for process in list(self.processes):
            await self._end(process)

    async def _answer(self, request: bytes, ends_at: float) -> dict[str, Any]:
        for _ in range(_TRIES - 1):
            with contextlib.suppress(DiedError):
                return await self._try(request, ends_at)
        return await self._try(request, ends_at)

    async def _try(self, request: bytes, ends_at: float) -> dict[str, Any]:
        async with self._one(ends_at) as process:
            if process.stdin is None or process.stdout is None:
                raise RuntimeError("a decoder without pipes")
            process.stdin.write(request)
            try:
                async with asyncio.timeout_at(ends_at):
                    line = await process.stdout.readline()
            except TimeoutError:
                raise TooSlowError from None
            if not line.endswith(b"\n"):
                log("decoder has ended", logging.WARNING)
                raise DiedError
        answer: dict[str, Any] = json.loads(line)
        return answer

    @asynccontextmanager
    async def _one(self, ends_at: float) -> AsyncIterator[asyncio.subprocess.Process]:
        async with asyncio.timeout_at(ends_at):
            found = await self._idle.get()
        kept = None
        try:
            if found is not None and found.returncode is not None:
                await self._end(found)
                found = None
            process = found or await self._started()
            try:
                yield process
                kept = process
            except BaseException:
                # Whatever it was at, its answer would be taken for that of the next.
                await asyncio.shield(self._end(process))
                raise
        finally:
            self._idle.put_nowait(kept)

    async def _started(self) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "earwitness.serve.decoder",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        self.processes.add(process)
        return process

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        self.processes.discard(process)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def main() -> int:
    """Answer until standard input ends."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # libraries print
    _bound("RLIMIT_AS", _MOST_MEMORY_BYTES)
    _bound("RLIMIT_CORE", 0)
    for line in sys.stdin:
        replies.write(json.dumps(_answer(json.loads(line))) + "\n")
        replies.flush()
    return 0


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    from earwitness.audio import decode_to

    path, target, longest_s = request["path"], Path(request["target"]), float(request["longest_s"])
    _bound("RLIMIT_FSIZE", round((longest_s + 60) * RATE_HZ) * _SAMPLE_BYTES)
    try:
        return {"samples": decode_to(path, target, rate_hz=RATE_HZ, longest_s=longest_s)}
    except AudioError as error:
        told = str(error).replace(repr(path), "The file")
        return {"refused": told, "too_long": isinstance(error, AudioTooLongError)}
    except OSError as error:
        return {"full": error.strerror or str(error)}
    except MemoryError:
        return {"refused": "The file takes more memory to decode than is given to one.", "too_long": False}


def _bound(name: str, limit: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such thing
        return
    which = getattr(resource, name)
    _, most = resource.getrlimit(which)
    if most == resource.RLIM_INFINITY or limit <= most:
        resource.setrlimit(which, (limit, most))


if __name__ == "__main__":
    # The parent ends this process; Ctrl-C in its terminal is for the parent.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(main())
