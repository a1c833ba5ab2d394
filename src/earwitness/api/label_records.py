"""Labels beside the data for the commands that read records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from earwitness.api.records import RecordSource

if TYPE_CHECKING:
    from earwitness.labels.record_view import RecordView


def record_view(overlay: RecordSource | None = None) -> RecordView:
    """Return what puts labels over records in memory.

    Args:
        overlay: The file of labels; ``None`` looks beside the data of each record.
    """
    from earwitness.labels.record_view import RecordView

    return RecordView(None if overlay is None else Path(overlay))
