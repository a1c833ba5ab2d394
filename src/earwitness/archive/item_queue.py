"""What is left of an archive, the longest recordings first; a file whose channels are split becomes several items."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from earwitness.archive.channels import channels_of
from earwitness.archive.journal import Journal
from earwitness.archive.plan import ArchiveItem, is_done, with_channel
from earwitness.errors import UsageError
from earwitness.files.remote import is_address


class ItemQueue:
    """Recordings that are finished, left and under way.

    Args:
        items: All, in the order of outputs.
        journal: What was transcribed before.
        scratch: Folder for excerpts of audio.
        channels: ``mix``, ``split`` or the number of a channel.

    Raises:
        UsageError: When channels are to be split of what lies at an address.
    """

    def __init__(self, items: Sequence[ArchiveItem], journal: Journal, scratch: Path, channels: str) -> None:
        """Look up what is done."""
        self._journal, self._scratch, self._is_split = journal, scratch, channels == "split"
        if self._is_split and any(is_address(item.of.path) for item in items):
            raise UsageError("Channels can be split of files on this machine only. Copy the recordings here first.")
        chosen = int(channels) if channels.isdigit() else None
        self.finished: list[ArchiveItem] = []
        """Those that need no worker."""
        self._parts: list[list[ArchiveItem]] = []
        self._waiting: deque[int] = deque()
        self._open: dict[str, ArchiveItem] = {}
        self._notes: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._guesses: dict[str, float] = {}
        for number, item in enumerate(items):
            parts = self._known_parts(with_number(item, chosen))
            self._parts.append(parts)
            done = [part for part in parts if is_done(part, journal)]
            self.finished += done
            if len(done) < len(parts):
                self._waiting.append(number)
                self._guesses[item.key] = item.of.guess_s
        self._waiting = deque(sorted(self._waiting, key=lambda number: -self._guesses[items[number].key]))
        self.total_s = sum(self._guesses.values())
        """About how many seconds of audio are left to do at the beginning."""

    @property
    def n_waiting(self) -> int:
        """Files that are not begun."""
        return len(self._waiting)

    @property
    def n_left(self) -> int:
        """Items without a result."""
        return len(self._waiting) + len(self._open)

    def n_pieces(self, longest_s: float) -> int:
        """Return about how many pieces of so many seconds the recordings that are left have."""
        return sum(1 + int(self._whole_s(self._parts[n][0]) / longest_s) for n in self._waiting)

    def require_same_recipe(self, root: Path) -> None:
        """Refuse to continue what was made with another model or settings.

        Raises:
            UsageError: For the first such recording, and where nothing was begun.
        """
        if not self._journal.entries:
            raise UsageError(f"There is nothing to resume in {str(root)!r}. Leave out --resume.")
        for number in self._waiting:
            for part in self._parts[number]:
                entry = self._journal.entries.get(part.key)
                if entry is not None and entry.is_ok and entry.recipe != part.recipe:
                    raise UsageError(
                        f"What is in {str(root)!r} was made with another model, settings, language or channels. "
                        "Leave out --resume to transcribe it again, or give another --out."
                    )

    def take(self) -> Iterator[ArchiveItem]:
        """Yield what is left; each is open until ``pop``."""
        while self._waiting:
            number = self._waiting.popleft()
            parts = self._parts[number]
            if self._is_split and len(parts) == 1 and parts[0].channel is None:
                parts = self._parts[number] = self._split(parts[0])
            for part in parts:
                if not is_done(part, self._journal):
                    self._open[part.key] = part
            for part in parts:
                if part.key in self._open:
                    yield part

    def pop(self, key: str) -> ArchiveItem:
        """Return the item of a result, which is open no more."""
        return self._open.pop(key)

    def note(self, item: ArchiveItem) -> str:
        """Return what a person should know of an item."""
        return self._notes.get(item.key, "")

    def n_channels(self, item: ArchiveItem) -> int:
        """Return how many channels of an item's file are transcribed by themselves."""
        return self._counts.get(item.key, 1)

    def guess_s(self, item: ArchiveItem) -> float:
        """Return about how much of the audio that was left an item is."""
        return self._whole_s(item) / self.n_channels(item)

    def all_parts(self) -> Iterator[ArchiveItem]:
        """Yield every item in the order of outputs."""
        return chain.from_iterable(self._parts)

    def _whole_s(self, item: ArchiveItem) -> float:
        return self._guesses.get(item.key.partition("#channel=")[0], 0.0)

    def _split(self, item: ArchiveItem) -> list[ArchiveItem]:
        channels, note = channels_of(item.of.path, self._scratch)
        if note:
            self._notes[item.key] = note
        parts = [with_channel(item, channel) for channel in channels]
        self._counts |= dict.fromkeys((part.key for part in parts), len(parts))
        return parts

    def _known_parts(self, item: ArchiveItem) -> list[ArchiveItem]:
        """Return the channels of a file that was split before and did not change since; else the file."""
        first = with_channel(item, 0)
        entry = self._journal.entries.get(first.key) if self._is_split else None
        if entry is None or not is_done(first, self._journal):
            return [item]
        parts = [with_channel(item, n) for n in range(entry.n_channels)]
        self._counts |= dict.fromkeys((part.key for part in parts), len(parts))
        return parts


def with_number(item: ArchiveItem, channel: int | None) -> ArchiveItem:
    """Return an item with a channel of its own; one from a manifest stays as it is."""
    if channel is None or item.channel is not None:
        return item
    return replace(item, channel=channel)
