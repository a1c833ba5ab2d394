"""Decodes files in processes of their own, so that a file that crashes or hangs a decoder fails alone.

Each function has the name and the arguments of what it asks for in ``decode``. Processes are started when they are
needed, one for each thread that decodes at the same time, kept for the next file, and ended with this process. One
that gives no sound for ``PATIENCE_S``, or dies though it is fresh, is a DecoderError of its file; the next file gets
another.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Unpack

import numpy as np

from earwitness.audio.excerpt import ExcerptOptions
from earwitness.audio.in_process import AudioInfo
from earwitness.audio.protocol import COMMAND, READY_S, answer_of, request_line, tie
from earwitness.errors import DecoderError
from earwitness.types import RATE_HZ, Audio

PATIENCE_S = 60.0
"""Seconds without any new sound after which a decoder is taken to hang."""
_LEAST_BYTES_PER_S = 1_000_000
"""At which a file is read through for its length, which makes no sound on the way; two cores do 20 MB/s."""


@dataclass(frozen=True, slots=True)
class SampleFile:
    """A written file of samples."""

    n_samples: int
    """Its length."""
    remarks: tuple[str, ...] = ()
    """What was noticed about the sound on the way: see ``channels``."""


def probe(path: str | Path, *, count: bool = False) -> AudioInfo:
    """Read a file's header.

    Args:
        path: The file.
        count: Decode the file and count its samples where the container states no length.

    Raises:
        AudioError: When the file is missing, empty or not audio, breaks the decoder, or has to be counted and cannot
            be decoded.
    """
    line = json.dumps({"probe": str(path), "count": count}).encode() + b"\n"
    return AudioInfo(**_ask(line, str(path), None)["info"])


def decode(path: str | Path, **options: Unpack[ExcerptOptions]) -> Audio:
    """Decode a file, or an excerpt of it, into memory.

    Args:
        path: The file.
        options: The fields of ``Excerpt``: ``start_s``, ``duration_s``, ``channel`` and ``rate_hz``.

    Raises:
        AudioError: In one sentence: as ``audio.decode.decode``, or when the file breaks the decoder (DecoderError).
    """
    return inspect(path, **options)[0]


def inspect(path: str | Path, **options: Unpack[ExcerptOptions]) -> tuple[Audio, tuple[str, ...]]:
    """Decode as ``decode`` does, and also return remarks on the channels: see ``channels``."""
    with tempfile.TemporaryDirectory(prefix=f"earwitness-{_me()}_") as folder:
        target = Path(folder, "audio.f32")
        remarks = decode_file(path, target, **options).remarks
        return Audio(np.fromfile(target, "<f4"), options.get("rate_hz", RATE_HZ)), remarks


def decode_to(
    path: str | Path, target: Path, *, longest_s: float | None = None, **options: Unpack[ExcerptOptions]
) -> int:
    """Decode to a file of little-endian float32 samples and return how many there are; see ``decode_file``."""
    return decode_file(path, target, longest_s=longest_s, **options).n_samples


def decode_file(
    path: str | Path, target: Path, *, longest_s: float | None = None, **options: Unpack[ExcerptOptions]
) -> SampleFile:
    """Decode to a file of little-endian float32 samples.

    Arguments and errors are those of ``decode``; an OSError from writing is raised as it was. With ``longest_s``, a
    file that is longer, whatever its header says, is given up at a little more than that, with AudioTooLongError.
    """
    line = request_line(path, target.absolute(), longest_s=longest_s, **options)
    answer = _ask(line, str(path), target)
    return SampleFile(answer["samples"], tuple(answer["remarks"]))


class _Decoder:
    """One process."""

    def __init__(self) -> None:
        # A session of its own: Ctrl-C reaches the parent alone, which ends this process.
        self.process = subprocess.Popen(
            [*COMMAND, *tie()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self._reader.start()
        self._is_ready = False
        self.is_used = False
        """Whether it has answered for a file."""

    def ask(self, line: bytes, path: str, target: Path | None) -> bytes | None:
        """Return the answer, or ``None`` from a process that was gone before it was asked.

        Raises:
            DecoderError: When it dies or hangs; it is ended then.
        """
        if not self._is_ready:
            self._wait(READY_S, path, None)
            self._is_ready = True
        if self.process.stdin is None or not self._sent(self.process.stdin, line):
            return None
        patience_s = PATIENCE_S if target is not None else PATIENCE_S + _size(Path(path)) / _LEAST_BYTES_PER_S
        return self._wait(patience_s, path, target)

    def end(self) -> None:
        """End the process at once."""
        self.process.kill()
        self.process.wait()
        if self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()
        self._reader.join(timeout=1.0)

    def _sent(self, pipe: IO[bytes], line: bytes) -> bool:
        try:
            pipe.write(line)
            pipe.flush()
        except OSError:
            return False
        return True

    def _wait(self, patience_s: float, path: str, target: Path | None) -> bytes:
        size = _size(target)
        while True:
            try:
                line = self._lines.get(timeout=patience_s)
                break
            except queue.Empty:
                before, size = size, _size(target)
                if size == before:
                    raise DecoderError(
                        f"{path!r} made the decoder hang: it produced no sound for {patience_s:g} s. "
                        "Leave it out or convert it.",
                        "timeout",
                    ) from None
        if not line:
            self.process.wait()
            raise DecoderError(
                f"{path!r} crashed the decoder: the process {_how(self.process.returncode)}. "
                "Leave it out or convert it.",
                "crash",
            )
        return line

    def _read(self, pipe: IO[bytes] | None) -> None:
        if pipe is not None:
            with pipe:
                for line in pipe:
                    self._lines.put(line)
        self._lines.put(b"")


_idle: list[_Decoder] = []


def _ask(line: bytes, path: str, target: Path | None) -> dict[str, Any]:
    while True:
        decoder = _take()
        try:
            answer = decoder.ask(line, path, target)
        except DecoderError as error:
            decoder.end()
            # One that was killed while it waited may look as if this file had ended it: a fresh one tells.
            if error.kind == "crash" and decoder.is_used:
                continue
            raise
        except BaseException:
            # Whatever it was at, its answer would be taken for that of the next.
            decoder.end()
            raise
        if answer is not None:
            decoder.is_used = True
            _idle.append(decoder)
            return answer_of(answer)
        decoder.end()


def _take() -> _Decoder:
    try:
        return _idle.pop()
    except IndexError:
        return _Decoder()


def idle() -> list[int]:
    """Return the process ids of the decoders that wait for a file; the next file goes to the last."""
    return [decoder.process.pid for decoder in _idle]


def close() -> None:
    """End all processes that wait for a file; the next file starts another."""
    while _idle:
        _idle.pop().end()


def _size(target: Path | None) -> int:
    try:
        return target.stat().st_size if target is not None else 0
    except (OSError, ValueError):  # a path with a zero byte is a ValueError
        return 0


def _how(code: int) -> str:
    if code >= 0:
        return f"exited with code {code}"
    name = signal.Signals(-code).name
    return f"was ended by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")


def _me() -> str:
    # The name under which a run removes what a killed process has left.
    import psutil

    return f"{os.getpid()}-{int(psutil.Process().create_time())}"


atexit.register(close)
if hasattr(os, "register_at_fork"):
    # Two processes that ask one decoder would get each other's answers.
    os.register_at_fork(after_in_child=_idle.clear)
