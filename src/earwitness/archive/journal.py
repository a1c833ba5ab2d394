"""What was transcribed, in a file beside the outputs: it is appended to as the work goes on, and never rewritten.

A line is either a recording with all that came of it, written before its outputs are, or the hash of an output that was
written later. So whatever moment a process is killed at, the next one knows what is done, which outputs are to be
written again, and which ones somebody has edited since. Outputs in another format are made from these lines, without an
engine.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from earwitness.archive.names import with_shard
from earwitness.errors import RecordError, UsageError
from earwitness.files.atomic import write_errors
from earwitness.files.schema import Strict, plain, validate
from earwitness.types import Finding, Hypothesis

FILE = ".earwitness-transcribe.jsonl"
AGAIN = "the same command again"


@dataclass(frozen=True, slots=True)
class JournalLine(Strict):
    """A recording, or a channel or a span of one, and its result."""

    key: str
    """Which: file, span and channel; of an address without credentials."""
    stem: str
    """Of its outputs, relative to the folder of the journal."""
    size_bytes: int | None
    """Of the file."""
    version: str
    """Its time of change, or what a server says."""
    sha256: str
    """Of the file's content; empty at an address."""
    recipe: str
    """Hash of all that the text depends on: weights, settings, language."""
    hypothesis: Hypothesis
    """The text, or why there is none."""
    findings: tuple[Finding, ...] = ()
    """What is wrong with the text."""
    speech_s: float | None = None
    """Seconds of speech; ``None`` where it was not looked for."""
    n_channels: int = 1
    """Of the file, where each is transcribed by itself."""
    note: str = ""
    """What a person should know, such as that both channels hold the same."""


@dataclass(slots=True)
class JournalEntry:
    """What is known of a recording without its text."""

    stem: str
    size_bytes: int | None
    version: str
    sha256: str
    recipe: str
    is_ok: bool
    n_channels: int
    offset: int
    """Where its line begins."""
    outputs: dict[str, list[str]] = field(default_factory=dict)
    """By format: hashes of what was written, the newest last."""
    layouts: dict[str, str] = field(default_factory=dict)
    """By format: of the newest, how it was laid out."""


class Journal:
    """The journal of a folder, open for one process. Made by ``open_journal``."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        """Read what is there."""
        self.entries: dict[str, JournalEntry] = {}
        self._path, self._file = path, file
        self._read()

    def add(self, line: JournalLine, outputs: dict[str, str], layout: str) -> JournalEntry:
        """Append a recording with the hashes of the outputs that are about to be written."""
        offset = self._append({"line": plain(line), "outputs": outputs, "layout": layout})
        return self._know(line.key, _entry(line, offset), outputs, layout)

    def add_output(self, key: str, format_name: str, sha256: str, layout: str) -> None:
        """Append the hash of an output that is about to be written from a line that is there."""
        self._append({"key": key, "outputs": {format_name: sha256}, "layout": layout})
        self._know(key, self.entries[key], {format_name: sha256}, layout)

    def touch(self, key: str, size_bytes: int | None, version: str) -> None:
        """Append that a file has another time of change, and the same content."""
        self._append({"key": key, "size_bytes": size_bytes, "version": version})
        self.entries[key].size_bytes, self.entries[key].version = size_bytes, version

    def line(self, key: str) -> JournalLine:
        """Read a recording with its text."""
        self._file.seek(self.entries[key].offset)
        return validate(JournalLine, json.loads(self._file.readline())["line"], f"{str(self._path)!r} does not fit")

    def _append(self, value: dict[str, Any]) -> int:
        with write_errors(self._path, then=AGAIN):
            offset = self._file.seek(0, os.SEEK_END)
            self._file.write(json.dumps(value, ensure_ascii=False, allow_nan=False).encode() + b"\n")
            self._file.flush()
        return offset

    def _read(self) -> None:
        offset = 0
        for content in self._file:
            if not content.endswith(b"\n"):
                # A process was killed in the midst of it.
                self._file.truncate(offset)
                break
            try:
                self._take(json.loads(content), offset)
            except (ValueError, KeyError, TypeError) as error:
                raise RecordError(
                    f"{str(self._path)!r} is damaged at byte {offset} ({error}). Remove it to transcribe all again."
                ) from None
            offset += len(content)

    def _take(self, value: dict[str, Any], offset: int) -> None:
        if "line" not in value:
            entry = self.entries[value["key"]]
            entry.size_bytes = value.get("size_bytes", entry.size_bytes)
            entry.version = value.get("version", entry.version)
            self._know(value["key"], entry, value.get("outputs", {}), value.get("layout", ""))
            return
        row = value["line"]
        of = {name: row[name] for name in ("stem", "size_bytes", "version", "sha256", "recipe", "n_channels")}
        entry = JournalEntry(**of, is_ok=row["hypothesis"]["failure"] is None, offset=offset)
        self._know(row["key"], entry, value["outputs"], value["layout"])

    def _know(self, key: str, entry: JournalEntry, outputs: dict[str, str], layout: str) -> JournalEntry:
        before = self.entries.get(key)
        if before is not None and before is not entry:
            entry.outputs = {name: list(hashes) for name, hashes in before.outputs.items()}
        for name, sha256 in outputs.items():
            entry.outputs.setdefault(name, []).append(sha256)
            entry.layouts[name] = layout
        self.entries[key] = entry
        return entry


def _entry(line: JournalLine, offset: int) -> JournalEntry:
    return JournalEntry(
        line.stem, line.size_bytes, line.version, line.sha256, line.recipe, line.hypothesis.ok, line.n_channels, offset
    )


@contextmanager
def open_journal(folder: Path, shard: str | None = None) -> Iterator[Journal]:
    """Open the journal of a folder, which is made, for this process alone.

    Each shard has a journal of its own, so that machines that share a disk do not wait for each other. Without a shard,
    the journals of shards become part of the one journal.

    Raises:
        UsageError: When another process is at work in it.
        RecordError: When it is damaged.
        FileError: When it cannot be written.
    """
    path = folder / with_shard(FILE, shard)
    with write_errors(path):
        folder.mkdir(parents=True, exist_ok=True)
    with _locked(path), write_errors(path), path.open("a+b") as file:
        if shard is None:
            for part in sorted(folder.glob(with_shard(FILE, "*/*"))):
                _take_over(part, file)
        file.seek(0)
        yield Journal(path, file)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    lock = FileLock(path.with_suffix(".lock"))
    with write_errors(path):
        try:
            lock.acquire(timeout=0)
        except Timeout:
            number = "/".join(path.stem.rpartition(".")[2].split("-of-"))
            part = f" on its shard {number}" if path.name != FILE else ""
            raise UsageError(
                f"Another earwitness transcribe is at work in {str(path.parent)!r}{part}. Wait for it, or give another "
                "--out."
            ) from None
    try:
        yield
    finally:
        lock.release()


def _take_over(part: Path, file: IO[bytes]) -> None:
    """Append the journal of a shard. Killed before it is removed, it is appended twice, which changes nothing."""
    with _locked(part):
        content = part.read_bytes()
        file.seek(0, os.SEEK_END)
        file.write(content[: content.rfind(b"\n") + 1])
        file.flush()
        os.fsync(file.fileno())
        part.unlink()


def output_sha256(content: bytes) -> str:
    """Return the hash by which a journal knows an output."""
    return hashlib.sha256(content).hexdigest()[:32]
