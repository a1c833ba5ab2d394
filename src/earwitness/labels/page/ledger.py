"""The labels of an overlay as the page needs them: by clip and author, and each sent label once."""

from __future__ import annotations

from pathlib import Path

from earwitness.files.schema import to_json
from earwitness.labels.label import Label
from earwitness.labels.overlay import append_label, read_labels
from earwitness.labels.settle import opinions_by_clip


class Ledger:
    """An overlay that several servers may append to. It is not for several threads at once.

    Args:
        path: The overlay; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        """Read nothing yet."""
        self.path = path
        self._seen: tuple[int, int] | None = None
        self.labels: list[Label] = []
        """All lines, in order."""
        self.current: dict[str, list[Label]] = {}
        """The current labels of each clip; the one that counts is the first."""
        self._by_sent_id: dict[str, Label] = {}

    def refresh(self) -> None:
        """Read the overlay again if it has changed.

        Raises:
            RecordError: When it cannot be read.
        """
        state = self._state()
        if state == self._seen:
            return
        self.labels = list(read_labels(self.path).labels)
        self.current = opinions_by_clip(self.labels)
        self._by_sent_id = {label.client_id: label for label in self.labels if label.client_id}
        self._seen = state

    def by_client_id(self, client_id: str) -> Label | None:
        """Return the label that a page sent under an id; ``None`` for an id that is new."""
        return self._by_sent_id.get(client_id) if client_id else None

    def append(self, label: Label) -> None:
        """Append a label; the ledger is fresh before and after.

        Raises:
            FileError: When it cannot be written.
        """
        self.refresh()
        before = self._seen
        append_label(self.path, label)
        after = self._state()
        if before is None or after[0] != before[0] + len(to_json(label).encode()):
            self.refresh()  # somebody else appended, too
            return
        self._seen = after
        self.labels.append(label)
        self._by_sent_id[label.client_id] = label
        self.current.pop(label.clip_id, None)
        self.current |= opinions_by_clip(one for one in self.labels if one.clip_id == label.clip_id)

    def _state(self) -> tuple[int, int]:
        """Size and time of the overlay."""
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return (0, 0)
        return (stat.st_size, stat.st_mtime_ns)
