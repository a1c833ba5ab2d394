"""Labels beside the data for the commands that read records."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from earwitness.api.records import RecordSource

if TYPE_CHECKING:
    from earwitness.labels.record_view import RecordView
    from earwitness.records.record import Run


def record_view(overlay: RecordSource | None = None, runs: Sequence[tuple[Path, Run]] = ()) -> RecordView:
    """Return what puts labels over records in memory.

    Args:
        overlay: The file of labels; ``None`` looks beside the data of each record.
        runs: Runs whose clips are wanted with labels at once.
    """
    from earwitness.labels.record_view import RecordView

    view = RecordView(None if overlay is None else Path(overlay))
    if runs:
        view.read_all(runs)
    return view
