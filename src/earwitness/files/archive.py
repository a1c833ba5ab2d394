"""Zip files that travel between machines: written the same way every time, and read without trusting them.

A zip that was made elsewhere may be damaged or made to harm. Nothing is unpacked before every name, size and kind in
its list has been looked at; no name leads out of the folder it is unpacked into, no link or device is made, and no more
is unpacked than the size of the zip allows for.
"""

from __future__ import annotations

import errno
import hashlib
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from earwitness.errors import ArchiveError
from earwitness.files.atomic import atomic_write

MAX_RATIO = 200
MAX_MEMBERS = 1_000_000
_SMALL_BYTES = 16 << 20
_CHUNK_BYTES = 1 << 20
# The first date that a zip can hold: the time of packing is not part of what is packed.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_ODD = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|]')
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError, LookupError
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ArchiveEntry:
    """A file on disk that goes into a zip."""

    path: Path
    """Where it is."""
    sha256: str
    """What its bytes must be: a file that changes while it is packed is noticed."""


def write(target: Path, members: Mapping[str, bytes | ArchiveEntry]) -> None:
    """Write a zip in one step; the same members give the same bytes, on every machine.

    Nothing is compressed: audio hardly shrinks, and compressors differ between machines.

    Args:
        target: The file to make; one that is there is replaced.
        members: Name with slashes -> content, in the order in which they are to stand.

    Raises:
        FileError: When it cannot be written; what was at ``target`` before is still there.
        ArchiveError: When a file has changed; the same holds.
    """
    with atomic_write(target) as temporary, zipfile.ZipFile(temporary, "w", strict_timestamps=True) as zipped:
        for member, content in members.items():
            _add(zipped, member, content)


def _add(zip_file: zipfile.ZipFile, member: str, content: bytes | ArchiveEntry) -> None:
    info = zipfile.ZipInfo(member, _EPOCH)
    info.create_system = 3
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    if isinstance(content, bytes):
        zip_file.writestr(info, content)
        return
    info.file_size = content.path.stat().st_size
    digest = hashlib.sha256()
    with content.path.open("rb") as source, zip_file.open(info, "w") as file:
        while chunk := source.read(_CHUNK_BYTES):
            digest.update(chunk)
            file.write(chunk)
    if digest.hexdigest() != content.sha256:
        raise ArchiveError(f"{str(content.path)!r} changed while it was packed. Pack it again.")


class Archive:
    """An open zip whose list has been looked at; made by ``reading``."""

    def __init__(self, path: Path, file: zipfile.ZipFile) -> None:
        """Look at the whole list.

        Raises:
            ArchiveError: For the first entry that cannot be trusted.
        """
        self.path = path
        self._zipped = file
        self._files = {info.filename: info for info in _checked(path, file.infolist()) if not info.is_dir()}

    @property
    def names(self) -> tuple[str, ...]:
        """Every file in it, with slashes, in its own order."""
        return tuple(self._files)

    def read(self, name: str) -> bytes:
        """Return a file's bytes.

        Raises:
            ArchiveError: When it is not in the zip, or damaged.
        """
        if name not in self._files:
            raise ArchiveError(f"{str(self.path)!r} has no {name!r}. Pack it again.")
        with _telling(self.path, name):
            return self._zipped.read(self._files[name])

    def unpack(self, name: str, root: Path) -> str:
        """Write a file under a folder, by its name in the zip, and return its sha256.

        Raises:
            ArchiveError: When it is damaged; what was written of it is gone.
        """
        target = root.joinpath(*PurePosixPath(name).parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        try:
            with _telling(self.path, name), self._zipped.open(self._files[name]) as source, target.open("xb") as file:
                while chunk := source.read(_CHUNK_BYTES):
                    digest.update(chunk)
                    file.write(chunk)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        return digest.hexdigest()


@contextmanager
def reading(path: Path) -> Iterator[Archive]:
    """Open a zip that may have come from anywhere.

    Raises:
        ArchiveError: When it is not there, is no zip, is damaged, has a name that leads elsewhere, a link, a password,
            two files of one name, or would unpack to far more than its own size.
    """
    if not path.is_file():
        raise ArchiveError(f"There is no zip file {str(path)!r}. Name one that Earwitness made.")
    with _telling(path, "its list"):
        zipped = zipfile.ZipFile(path)
    with zipped:
        yield Archive(path, zipped)


def is_zip(path: Path) -> bool:
    """Return whether a file begins as zip files do."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except OSError:
        return False


@contextmanager
def _telling(path: Path, what: str) -> Iterator[None]:
    try:
        yield
    except (*_DAMAGE, OSError) as error:
        # A list that points before the beginning of the file is an OSError of this number; a full disk is another.
        if isinstance(error, ArchiveError) or (isinstance(error, OSError) and error.errno != errno.EINVAL):
            raise
        raise ArchiveError(f"{str(path)!r} is damaged at {what!r} ({error}). Copy or download it again.") from None


def _checked(path: Path, infos: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    if len(infos) > MAX_MEMBERS:
        raise ArchiveError(f"{str(path)!r} lists {len(infos)} files, more than {MAX_MEMBERS}. It was not unpacked.")
    seen: set[str] = set()
    for info in infos:
        why = _untrusted(info, seen)
        if why:
            raise ArchiveError(f"{str(path)!r} has an entry {info.filename!r} that {why}. Nothing was unpacked.")
        # Two names that differ in case alone are one file on a Mac and on Windows.
        seen.add(info.filename.lower())
    total = sum(info.file_size for info in infos)
    allowed = MAX_RATIO * path.stat().st_size + _SMALL_BYTES
    if total > allowed:
        raise ArchiveError(
            f"{str(path)!r} would unpack to {total / 1e6:.0f} MB, more than {MAX_RATIO} times its size. "
            "Nothing was unpacked."
        )
    return infos


def _untrusted(info: zipfile.ZipInfo, names: set[str]) -> str | None:
    name = info.filename
    parts = name.removesuffix("/").split("/")
    # zipfile cuts a name at its first zero byte; the name as it was written tells.
    if _ODD.search(name) or info.orig_filename != name or any(part in ("", ".", "..") for part in parts):
        return "leads out of the folder, or cannot be a file's name everywhere"
    if info.flag_bits & 0x1:
        return "is encrypted"
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device"
    if name.lower() in names:
        return "is there twice"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is compressed in a way that is not read here"
    return None
