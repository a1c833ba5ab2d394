"""What is to be transcribed: files, folders, patterns, manifests and addresses, as one list without doubles."""

from __future__ import annotations

import glob
import hashlib
import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from earwitness.data.dataset import locate, read_rows
from earwitness.data.rows import AUDIO_SUFFIXES, DataRow, is_data
from earwitness.errors import DataNotFoundError, ManifestError, UsageError
from earwitness.files.remote import is_address, list_files, redact

_MANIFESTS = frozenset([".jsonl", ".csv", ".tsv", ".gz"])
_BYTES_PER_S = {".wav": 32_000, ".flac": 20_000, ".opus": 4_000, ".amr": 1_600, ".mp4": 100_000, ".mkv": 100_000}
_BYTES_PER_S_OF_OTHERS = 12_000


@dataclass(frozen=True, slots=True)
class ArchiveInput:
    """A recording, or a span of one, as it was found."""

    path: str
    """Absolute path or address, credentials included."""
    base: str
    """The folder that it was found in: names of outputs are relative to it. Empty for an address."""
    size_bytes: int | None
    """Of the file; ``None`` where a server does not say."""
    version: str
    """What changes when the file does, beside its size: its time of change, or what a server says."""
    start_s: float = 0.0
    """Where the span begins; 0 for a whole file."""
    duration_s: float | None = None
    """Length of the span, from a manifest; ``None`` for all that follows."""
    channel: int | None = None
    """From a manifest."""
    language: str | None = None
    """From a manifest."""
    id: str = ""
    """Of the row of a manifest; empty for a file."""

    @property
    def label(self) -> str:
        """The path, or the address without credentials."""
        return redact(self.path)

    @property
    def guess_s(self) -> float:
        """About how long it is, for the order and for the time that is left: of a WAV file by its header."""
        if self.duration_s is not None:
            return self.duration_s
        suffix = Path(self.path).suffix.lower()
        rate = _wav_bytes_per_s(self.path) if suffix == ".wav" else None
        return (self.size_bytes or 0) / (rate or _BYTES_PER_S.get(suffix, _BYTES_PER_S_OF_OTHERS))


@dataclass(slots=True)
class InputList:
    """Everything that was found at the paths that a user gave."""

    inputs: list[ArchiveInput] = field(default_factory=list)
    """Each file or span once, in the order given, names sorted within a folder."""
    n_twice: int = 0
    """Files that were found again, by another path or link."""
    problems: list[str] = field(default_factory=list)
    """A sentence for each line of a manifest that cannot be used."""


def find_inputs(paths: Sequence[str]) -> InputList:
    """Return the recordings at paths: of a folder all audio in and below it, of a manifest its rows.

    A pattern such as ``calls/**/*.wav`` is matched here where the shell did not. Hidden files are passed over, and
    links to folders are not followed.

    Raises:
        DataNotFoundError: For a path at which there is nothing, or an address that cannot be read.
        UsageError: When nothing is left.
    """
    found = InputList()
    seen: set[tuple[str, float, float | None, int | None]] = set()
    for path in paths:
        for each in _inputs_at(path, found.problems):
            real = each.path if is_address(each.path) else os.path.realpath(each.path)
            key = real, each.start_s, each.duration_s, each.channel
            if key in seen:
                found.n_twice += 1
                continue
            seen.add(key)
            found.inputs.append(each)
    if not found.inputs:
        why = f" {found.problems[0]}" if found.problems else ""
        raise UsageError(f"There is no audio in {', '.join(repr(redact(path)) for path in paths)}.{why}")
    return found


def content_sha256(path: str) -> str:
    """Return the sha256 of a local file's content, to tell a touched file from a changed one; empty for no file."""
    if not Path(path).is_file():  # a pipe may block
        return ""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def local_version(path: Path) -> tuple[int | None, str]:
    """Return size and time of change of a file; nothing of one that is not there."""
    try:
        stat = path.stat()
    except OSError:
        return None, ""
    return stat.st_size, str(stat.st_mtime_ns)


def _inputs_at(text: str, problems: list[str]) -> Iterator[ArchiveInput]:
    if is_address(text):
        for remote in list_files(text):
            suffix = Path(redact(remote.address)).suffix.lower()
            if suffix in AUDIO_SUFFIXES or remote.address == text:
                yield ArchiveInput(remote.address, "", remote.size_bytes, remote.version)
        return
    path = Path(text).expanduser()
    if path.is_dir():
        yield from _files(_walk(path), path)
    elif path.exists():
        if path.suffix.lower() in _MANIFESTS:
            yield from _rows(text, problems)
        else:
            yield from _files([path], path.parent)
    elif glob.has_magic(text):
        matches = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 - of an absolute path, too
        if not matches:
            raise DataNotFoundError(f"Nothing matches {text!r}. Check the pattern.")
        root = Path(glob.escape(text).partition("[")[0] or ".").expanduser()
        base = root if root.is_dir() else root.parent
        yield from _files((p for m in matches if (p := Path(m)).suffix.lower() in AUDIO_SUFFIXES), base)
    else:
        yield from _rows(text, problems)


def _walk(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders.sort()
        here = Path(root)
        if here != folder and not is_data(here, folder):
            folders.clear()
            continue
        for name in sorted(names):
            path = here / name
            if path.suffix.lower() in AUDIO_SUFFIXES and is_data(path, folder):
                yield path


def _files(paths: Iterable[Path], base: Path) -> Iterator[ArchiveInput]:
    folder = os.path.abspath(base)  # noqa: PTH100 - links are not followed
    for path in paths:
        size, version = local_version(path)
        yield ArchiveInput(os.path.abspath(path), folder, size, version)  # noqa: PTH100


def _rows(text: str, problems: list[str]) -> Iterator[ArchiveInput]:
    """Yield the rows of a manifest or a corpus; sentences about those that cannot be used go to ``problems``."""
    manifest = locate(text)
    base = manifest if manifest.is_dir() else manifest.parent
    for row in read_rows(manifest):
        if isinstance(row, ManifestError):
            problems.append(str(row))
        elif isinstance(row, DataRow):
            size, version = local_version(row.audio)
            yield ArchiveInput(
                os.path.abspath(row.audio),  # noqa: PTH100
                os.path.abspath(base),  # noqa: PTH100
                size,
                version,
                row.start_s,
                row.duration_s,
                row.channel,
                row.language,
                row.id or "",
            )


def _wav_bytes_per_s(path: str) -> int | None:
    if not Path(path).is_file():  # a pipe may block
        return None
    try:
        with Path(path).open("rb") as file:
            head = file.read(32)
    except (OSError, ValueError):
        return None
    if len(head) < 32 or head[:4] != b"RIFF" or head[12:16] != b"fmt ":
        return None
    (rate,) = struct.unpack("<I", head[28:32])
    return rate or None
