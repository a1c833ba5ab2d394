"""Which recordings are left to do, in which order, and under which names their outputs go where."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from earwitness.archive.formats import SHARED
from earwitness.archive.inputs import ArchiveInput, InputList, content_sha256
from earwitness.archive.journal import Journal, JournalEntry, output_sha256
from earwitness.archive.names import stems, with_shard
from earwitness.data.shards import parse, starts
from earwitness.errors import UsageError
from earwitness.files.remote import is_address

OutputState = Literal["missing", "fresh", "stale", "edited", "stranger"]


@dataclass(frozen=True, slots=True)
class ArchiveItem:
    """A recording, or a channel of one, under the name of its outputs."""

    of: ArchiveInput
    """What was found."""
    key: str
    """By which the journal knows it."""
    stem: str
    """Of its outputs, relative to the root."""
    channel: int | None
    """That is transcribed; ``None`` for the mean of all."""
    language: str | None
    """That is spoken; ``None`` lets the model detect it."""
    recipe: str
    """Hash of all that its text depends on."""

    def output(self, root: Path, format_name: str) -> Path:
        """Return where its output in a format lies."""
        return root / f"{self.stem}.{format_name}"


def root_of(inputs: Sequence[ArchiveInput], out: Path | None) -> Path:
    """Return the folder of journal and outputs: ``out``, or the nearest that all recordings lie below.

    Raises:
        UsageError: When there is none, as for addresses.
    """
    if out is not None:
        return Path(os.path.abspath(out))  # noqa: PTH100
    if any(is_address(each.path) for each in inputs):
        raise UsageError("Nothing can be written beside recordings at an address. Give a folder: --out texts")
    try:
        folders = {os.path.dirname(each.path) for each in inputs} | {each.base for each in inputs}  # noqa: PTH120
        root = os.path.commonpath(sorted(folders))
    except ValueError:  # other drives
        root = os.sep
    if root == os.sep:
        raise UsageError("These recordings have no folder in common. Give one for the outputs: --out texts")
    return Path(root)


def make_items(
    listing: InputList, root: Path, journal: Journal, *, is_beside: bool, language: str | None, recipe_key: str
) -> list[ArchiveItem]:
    """Return every recording under the name of its outputs; those of an earlier call keep theirs."""
    inputs = listing.inputs
    keys = _distinct([_key(each, root) for each in inputs])
    before = [journal.entries[key].stem if key in journal.entries else None for key in keys]
    names = [_name(each, root if is_beside else None) for each in inputs]
    made = []
    for each, key, stem in zip(inputs, keys, stems(names, before), strict=True):
        spoken = each.language or language
        recipe = f"{recipe_key}:{spoken or ''}"
        made.append(ArchiveItem(each, key, stem, each.channel, spoken, recipe))
    return made


def items_of_shard(items: Sequence[ArchiveItem], shard: str | None) -> list[ArchiveItem]:
    """Return the recordings of one part, such as ``3/8``, which all machines that see the same files cut alike.

    A part is a stretch of consecutive recordings of about an equal share of the audio, by the guess of each length.

    Raises:
        UsageError: When there are fewer recordings than parts.
    """
    if shard is None:
        return list(items)
    number, of = parse(shard)
    first, end = starts([item.of.guess_s for item in items], of)[number - 1 : number + 1]
    return list(items[first:end])


def shared_file(shard: str | None) -> str:
    """Return the name of the one file of all texts, or of all texts of a part.

    >>> shared_file(None), shared_file("3/8")
    ('transcripts.jsonl', 'transcripts.3-of-8.jsonl')
    """
    return with_shard("transcripts.jsonl", shard)


def with_channel(item: ArchiveItem, channel: int | None) -> ArchiveItem:
    """Return a channel of a recording as an item of its own, with a key and names of its own."""
    if channel is None:
        return item
    return replace(item, channel=channel, key=f"{item.key}#channel={channel}", stem=f"{item.stem}.channel-{channel}")


def _distinct(keys: Sequence[str]) -> list[str]:
    """Return keys with a number where two are the same, as of addresses that differ in their query alone."""
    seen: Counter[str] = Counter()
    found = []
    for key in keys:
        seen[key] += 1
        found.append(key if seen[key] == 1 else f"{key}#{seen[key]}")
    return found


def _key(each: ArchiveInput, root: Path) -> str:
    path = each.label
    if not is_address(path) and Path(path).is_relative_to(root):
        path = Path(path).relative_to(root).as_posix()
    span = f"#{each.start_s:g}+{'' if each.duration_s is None else f'{each.duration_s:g}'}"
    return path + (span if each.start_s or each.duration_s is not None else "")


def _name(each: ArchiveInput, root: Path | None) -> str:
    """Return the path of a recording below the outputs' folder, with its suffix."""
    if is_address(each.path):
        return _safe(each.label.partition("://")[2])
    base, path = Path(root or each.base), Path(each.path)
    inside = path.relative_to(base).as_posix() if path.is_relative_to(base) else path.name
    if not each.start_s and each.duration_s is None:
        return inside
    if each.id:
        return _safe(each.id) + path.suffix
    end = "" if each.duration_s is None else f"{each.start_s + each.duration_s:.2f}"
    return f"{inside.removesuffix(path.suffix)}_{each.start_s:.2f}-{end}{path.suffix}"


def _safe(path: str) -> str:
    """Return a path that leads out of no folder."""
    return "/".join(part for part in path.split("/") if part not in ("", ".", "..")) or "recording"


def is_done(item: ArchiveItem, journal: Journal) -> bool:
    """Return whether a recording has a text of this recipe, and did not change since.

    A file with another time of change and the same size is compared by its content.
    """
    entry = journal.entries.get(item.key)
    if entry is None or not entry.is_ok or entry.recipe != item.recipe or entry.size_bytes != item.of.size_bytes:
        return False
    if entry.version == item.of.version:
        return bool(entry.version)
    if is_address(item.of.path) or not entry.sha256:
        return False
    try:
        same = content_sha256(item.of.path) == entry.sha256
    except OSError:
        return False
    if same:
        journal.touch(item.key, item.of.size_bytes, item.of.version)
    return same


def output_state(path: Path, entry: JournalEntry | None, format_name: str, layout: str) -> OutputState:
    """Return what lies where an output goes."""
    if not path.exists():
        return "missing"
    hashes = entry.outputs.get(format_name, ()) if entry is not None else ()
    if entry is None or not hashes:
        return "stranger"
    here = output_sha256(path.read_bytes()) if path.is_file() else ""
    if here == hashes[-1]:
        return "fresh" if entry.layouts.get(format_name) == layout else "stale"
    return "stale" if here in hashes else "edited"


def remove_remains(items: Sequence[ArchiveItem], root: Path, formats: Sequence[str], shared: str) -> None:
    """Remove the halves of outputs that a killed process has left beside them; the journal's lock must be held."""
    names = {item.output(root, name) for item in items for name in formats if name != SHARED} | {root / shared}
    for folder in {path.parent for path in names}:
        for half in folder.glob(".*.tmp"):
            whole = half.name.removeprefix(".").removesuffix(".tmp").rpartition(".")[0]
            if folder / whole in names:
                half.unlink(missing_ok=True)


def require_free(items: Sequence[ArchiveItem], root: Path, journal: Journal, formats: Sequence[str]) -> None:
    """Refuse to write over files that this command did not write, such as a reference beside its recording.

    Raises:
        UsageError: With the first of them.
    """
    strangers = list(_strangers(items, root, journal, formats))
    if strangers:
        more = f" and {len(strangers) - 1} more" if len(strangers) > 1 else ""
        raise UsageError(
            f"{str(strangers[0])!r}{more} would be written over, and this command did not write it. "
            "Give a folder for the outputs: --out texts; or use --force."
        )


def _strangers(items: Sequence[ArchiveItem], root: Path, journal: Journal, formats: Sequence[str]) -> Iterator[Path]:
    for item in items:
        entry = journal.entries.get(item.key)
        for name in formats:
            path = item.output(root, name)
            if name != SHARED and path.exists() and not (entry and entry.outputs.get(name)):
                yield path
