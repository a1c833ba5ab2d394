"""Streams a form to disk as it arrives and counts its bytes; no file is held in memory."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from earwitness.server.api_errors import ApiError

_FILE = "file"
_FLUSH_BYTES = 1 << 18
_MOST_FIELDS = 64
_MOST_FIELD_BYTES = 1 << 16
_MOST_HEADER_BYTES = 1 << 13
_AROUND_BYTES = 1 << 17
_GRACE_S = 20.0
_LEAST_BYTES_PER_S = 1000  # 8 kbit/s: no network over which anybody speaks is slower
_BAD_NAME = re.compile(r"[/\\\x00-\x1f\x7f]|^\.\.?$")


@dataclass(slots=True)
class UploadForm:
    """The contents of a form."""

    fields: list[tuple[str, str]] = field(default_factory=list)
    """Names and values, in order."""
    file: Path | None = None
    """The file; its own name is not used."""
    size_bytes: int = 0
    """Of the file."""


class Uploads:
    """Places for uploads: one client, by key or by address, has at most half of them."""

    def __init__(self) -> None:
        """Begin with none taken."""
        self._of: Counter[str] = Counter()

    @contextlib.contextmanager
    def place(self, who: str, places: int) -> Iterator[None]:
        """Hold one of the places.

        Args:
            who: The client.
            places: How many there are.

        Raises:
            Refused: With 429 when there is none, or the client has its half.
        """
        if self._of.total() >= places or self._of[who] >= max(1, places // 2):
            raise ApiError(429, "Too many uploads at once. Try again in 5 s.", code="too_many_uploads", retry_after_s=5)
        self._of[who] += 1
        try:
            yield
        finally:
            self._of[who] -= 1
            if not self._of[who]:
                del self._of[who]


async def receive(
    body: AsyncIterator[bytes],
    content_type: str,
    length: int | None,
    target: Path,
    most: int,
    grace_s: float = _GRACE_S,
) -> UploadForm:
    """Read a form; its file goes to ``target``.

    Args:
        body: As it arrives.
        content_type: Of the request.
        length: Its Content-Length, if it has one.
        target: Is written.
        most: Bytes that the file may have.
        grace_s: Seconds by which it may be behind 1000 bytes a second.

    Raises:
        Refused: When it is too large, too slow, is not a form, or has a file whose name is a path.
    """
    reader = _Reader(_boundary(content_type), target, most)
    if length is not None and length > most + _AROUND_BYTES:
        raise too_large(most)
    began_at = asyncio.get_running_loop().time()
    limit = asyncio.timeout(grace_s)
    try:
        async with limit:
            async for chunk in body:
                reader.feed(chunk)
                limit.reschedule(began_at + grace_s + reader.total / _LEAST_BYTES_PER_S)
                if len(reader.pending) >= _FLUSH_BYTES:
                    await asyncio.to_thread(reader.flush)
        await asyncio.to_thread(reader.finish)
    except TimeoutError:
        if not limit.expired():
            raise
        raise ApiError(
            408, f"The upload is slower than {_LEAST_BYTES_PER_S} bytes per second.", code="upload_too_slow"
        ) from None
    finally:
        reader.close()
    return reader.form


def too_large(most: int) -> ApiError:
    """Return the error for a file that is too large."""
    return ApiError(
        413, f"The file is larger than the limit of {most / (1 << 20):g} MiB.", param=_FILE, code="file_too_large"
    )


def no_space(why: str) -> ApiError:
    """Return the error for a file that cannot be stored, with the reason of the system."""
    return ApiError(503, f"The server cannot store the file: {why}.", code="no_space", retry_after_s=30)


def _boundary(content_type: str) -> bytes:
    from python_multipart.multipart import parse_options_header

    kind, options = parse_options_header(content_type)
    boundary: bytes | None = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise ApiError(
            415,
            "The body must be multipart/form-data with the audio as 'file', as in: curl -F file=@audio.wav.",
            code="unsupported_media_type",
        )
    return boundary


class _Reader:
    """Takes bytes as they come and sorts them into fields and the file."""

    def __init__(self, boundary: bytes, target: Path, most: int) -> None:
        from python_multipart.multipart import MultipartParser

        self.form = UploadForm()
        self.pending = bytearray()
        self._target, self._most = target, most
        self._open: IO[bytes] | None = None
        self.total = 0
        self._header, self._value, self._headers = bytearray(), bytearray(), dict[str, bytes]()
        self._name, self._text = "", bytearray()
        self._in_file = self._ended = False
        callbacks: Any = {
            "on_part_begin": self._part,
            "on_header_field": lambda data, start, end: self._grow(self._header, data[start:end], _MOST_HEADER_BYTES),
            "on_header_value": lambda data, start, end: self._grow(self._value, data[start:end], _MOST_HEADER_BYTES),
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_end,
            "on_part_data": self._data,
            "on_part_end": self._part_end,
            "on_end": self._end,
        }
        self._parser = MultipartParser(boundary, callbacks)
        self._delimiter, self._preamble, self._begun = b"--" + boundary, bytearray(), False

    def feed(self, chunk: bytes) -> None:
        from python_multipart.exceptions import FormParserError

        self.total += len(chunk)
        if self.total > self._most + _AROUND_BYTES:
            raise too_large(self._most)
        if not self._begun:
            chunk = self._after_preamble(chunk)
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise _malformed(str(error)) from None

    def _after_preamble(self, chunk: bytes) -> bytes:
        # RFC 2046, 5.1.1: what comes before the first boundary is to be ignored. The parser does not do that.
        self._preamble += chunk
        starts_at_once = self._preamble.startswith(self._delimiter)
        at = 0 if starts_at_once else self._preamble.find(b"\r\n" + self._delimiter)
        if at < 0:
            if len(self._preamble) > _MOST_HEADER_BYTES:
                raise _malformed("its boundary does not come")
            return b""
        self._begun = True
        return bytes(self._preamble[at if starts_at_once else at + 2 :])

    def flush(self) -> None:
        if self._open is not None and self.pending:
            try:
                self._open.write(self.pending)
            except OSError as error:
                raise no_space(str(error.strerror)) from error
            self.pending.clear()

    def finish(self) -> None:
        if not self._ended:
            raise _malformed("it breaks off")
        self.flush()

    def close(self) -> None:
        if self._open is not None:
            self._open.close()

    def _part(self) -> None:
        self._headers.clear()
        self._text.clear()
        self._in_file = False

    def _header_end(self) -> None:
        self._headers[self._header.decode("latin-1").lower()] = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _headers_end(self) -> None:
        from python_multipart.multipart import parse_options_header

        _, options = parse_options_header(self._headers.get("content-disposition", b""))
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" not in options and self._name != _FILE:
            return
        if self._name != _FILE:
            raise ApiError(
                400,
                f"There is a file in {self._name!r}; send it as 'file'.",
                code="invalid_value",
                param=self._name[:64],
            )
        if self.form.file is not None:
            raise ApiError(400, "There is more than one file. Send one per request.", code="invalid_value", param=_FILE)
        if _BAD_NAME.search(options.get(b"filename", b"").decode("utf-8", "replace")):
            raise ApiError(
                400,
                "The file's name is a path. Send the name alone, such as 'audio.wav'.",
                param=_FILE,
                code="bad_name",
            )
        self._in_file, self.form.file = True, self._target
        self._open = self._target.open("wb")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if not self._in_file:
            self._grow(self._text, data[start:end], _MOST_FIELD_BYTES)
            return
        self.form.size_bytes += end - start
        if self.form.size_bytes > self._most:
            raise too_large(self._most)
        self.pending += data[start:end]

    def _part_end(self) -> None:
        if self._in_file:
            return
        if len(self.form.fields) >= _MOST_FIELDS:
            raise _malformed(f"it has more than {_MOST_FIELDS} fields")
        try:
            self.form.fields.append((self._name, self._text.decode()))
        except UnicodeDecodeError:
            raise _malformed(f"field {self._name!r} is not UTF-8") from None

    def _end(self) -> None:
        self._ended = True

    def _grow(self, buffer: bytearray, more: bytes, most: int) -> None:
        if len(buffer) + len(more) > most:
            raise _malformed("a field or a header is too long")
        buffer += more


def _malformed(why: str) -> ApiError:
    return ApiError(400, f"The form cannot be read: {why}.", code="malformed_form")
