"""``earwitness merge`` as a function."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from earwitness.api.records import RecordSource, RecordSources, paths

if TYPE_CHECKING:
    from earwitness.records.merge import MergeResult


def merge(records: RecordSources = "runs", *, out: RecordSource = "runs") -> list[MergeResult]:
    """Join the records of shards into one record for each study, as one machine would have written it.

    Args:
        records: Records, or folders that hold some; those that are no shards are passed over.
        out: Folder of the merged records.

    Returns:
        The outcome for each study; look at ``outcome`` and ``reason``.

    Raises:
        RecordError: When there is no shard among the records, or one cannot be read.
        FileError: When a record cannot be written.
    """
    from earwitness.records.merge import merge as joined

    return joined(paths(records), Path(out))
