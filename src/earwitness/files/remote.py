"""Audio at addresses such as ``s3://bucket/a.wav`` and ``https://host/a.wav``, through fsspec.

Credentials come from where the libraries look for them (environment, profile, instance). Those that stand in an address
are used, and never shown: whatever is printed or stored goes through ``redact``.
"""

from __future__ import annotations

import glob
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from earwitness.errors import DataError, DataNotFoundError

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_PLAIN_HTTP = ("http", "https")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file at an address."""

    address: str
    """As it is opened, with its credentials."""
    size_bytes: int | None
    """``None`` where the server does not say."""
    version: str
    """What changes with the content: an ETag, a time; empty where the server says nothing."""


def is_address(text: str) -> bool:
    r"""Return whether a text is an address and no path.

    >>> is_address("s3://calls/a.wav"), is_address("calls/a.wav"), is_address("C:\\calls"), is_address("a://b")
    (True, False, False, False)
    """
    return _ADDRESS.match(text) is not None


def redact(address: str) -> str:
    """Return an address without user, password and query, which may hold a signature; a path stays as it is.

    >>> redact("https://me:secret@host:8080/a.wav?X-Signature=abc#t"), redact("s3://bucket/a.wav"), redact("a?b.wav")
    ('https://host:8080/a.wav', 's3://bucket/a.wav', 'a?b.wav')
    """
    if not is_address(address):
        return address
    scheme, _, rest = address.partition("://")
    host, slash, path = re.split(r"[?#]", rest)[0].partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def list_files(address: str) -> Iterator[RemoteFile]:
    """Yield the file at an address, those below a folder, or those of a pattern with ``*``, in order of their names.

    Raises:
        DataNotFoundError: When there is none.
        DataError: When the address cannot be read; the message has no credentials.
    """
    scheme = address.partition("://")[0]
    with _Errors(address):
        system, path = _opened(address)
        if scheme in _PLAIN_HTTP:  # a web server has no folders
            yield _file(address, system.info(path))
            return
        if glob.has_magic(path):
            found = system.glob(path, detail=True)
        elif system.isdir(path):
            found = system.find(path, detail=True)
        else:
            found = {path: system.info(path)}
        files = [(name, info) for name, info in sorted(found.items()) if info.get("type") != "directory"]
        for name, info in files:
            yield _file(system.unstrip_protocol(name), info)
    if not files:
        raise DataNotFoundError(f"There are no files at {redact(address)!r}. Check the address.")


def download(address: str, target: Path) -> None:
    """Copy the file at an address to a path.

    Raises:
        DataNotFoundError: When it is not there.
        DataError: When it cannot be read; the message has no credentials.
        OSError: When the target cannot be written.
    """
    with target.open("wb") as file, _Errors(address):
        system, path = _opened(address)
        with system.open(path, "rb") as source:
            shutil.copyfileobj(source, file, 1 << 20)


def _opened(address: str) -> tuple[Any, str]:
    try:
        import fsspec
    except ImportError:
        raise DataError(f"Reading {redact(address)!r} needs fsspec. Run: pip install 'earwitness[data]'") from None
    try:
        return fsspec.core.url_to_fs(address)  # type: ignore[no-any-return]
    except (ImportError, ValueError) as error:
        why = str(error).splitlines()[0].replace(address, redact(address)) if str(error) else type(error).__name__
        raise DataError(
            f"{redact(address)!r} cannot be opened ({why}). Install what it needs, or copy the file."
        ) from None


def _file(address: str, info: Any) -> RemoteFile:
    marks = (info.get(name) for name in ("ETag", "etag", "LastModified", "updated", "mtime", "created"))
    return RemoteFile(address, info.get("size"), str(next((mark for mark in marks if mark), "")))


class _Errors:
    """Turns what a library raises about an address into one sentence without credentials."""

    def __init__(self, address: str) -> None:
        self._shown = redact(address)

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if error is None or isinstance(error, DataError) or not isinstance(error, Exception):
            return
        if isinstance(error, FileNotFoundError):
            raise DataNotFoundError(f"There is no file at {self._shown!r}. Check the address.") from None
        # The text of the error may repeat the address with all that is in it.
        raise DataError(f"{self._shown!r} cannot be read ({type(error).__name__}). Check address and access.") from None
