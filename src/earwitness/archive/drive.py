"""Transcribes an archive: gives recordings to a pool, and is the only one that writes what comes back."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from earwitness.archive.inputs import find_inputs
from earwitness.archive.item_queue import ItemQueue
from earwitness.archive.journal import open_journal
from earwitness.archive.output import Outputs
from earwitness.archive.plan import (
    ArchiveItem,
    items_of_shard,
    make_items,
    remove_remains,
    require_free,
    root_of,
    shared_file,
)
from earwitness.archive.recipe import Recipe, differences, with_enough
from earwitness.archive.spec import ArchiveSpec
from earwitness.archive.summary import ArchiveSummary, StopReason, Tally
from earwitness.errors import EngineError
from earwitness.runs.pool import ClipPool, PoolResult, PoolSpec
from earwitness.types import Clip
from earwitness.workers.worker import LoadedInfo

_MIB = 1 << 20
OpenPool = Callable[[PoolSpec, int], AbstractContextManager[ClipPool]]
"""Opens a pool of so many workers, on this machine or on many."""


@dataclass(frozen=True, slots=True)
class ArchiveProgress:
    """A recording that is done."""

    source: str
    """The file, without credentials."""
    failure: str | None
    """Why it has no text; ``None`` for a text."""
    done_s: float
    """About how many seconds of audio are done in this call."""
    total_s: float
    """About how many there are to do."""
    n_done: int
    """Recordings that are done."""
    n_total: int
    """Recordings to do, as far as is known: channels are counted as they are found."""


ArchiveCallback = Callable[[ArchiveProgress], None]


def transcribe_archive(
    spec: ArchiveSpec, recipe: Recipe, open_pool: OpenPool, scratch: Path, progress: ArchiveCallback
) -> ArchiveSummary:
    """Transcribe what is not transcribed, write what is not written, and return the results.

    Ctrl-C ends the workers; what was finished is kept, and the same command continues.

    Args:
        spec: What was asked for.
        recipe: With what.
        open_pool: Opens the workers; it is not called when nothing is left to do.
        scratch: Folder for excerpts of audio.
        progress: Called after every recording.

    Raises:
        EarwitnessError: In one sentence, before anything is written; GivenUpError when no worker comes up.
    """
    found = find_inputs(spec.paths)
    root = root_of(found.inputs, spec.out)
    with open_journal(root, spec.shard) as journal:
        key = f"{recipe.key}:{spec.channels}"
        items = make_items(found, root, journal, is_beside=spec.out is None, language=spec.language, recipe_key=key)
        items = items_of_shard(items, spec.shard)
        if not spec.force:
            require_free(items, root, journal, spec.formats)
        remove_remains(items, root, spec.formats, shared_file(spec.shard))
        tally = Tally()
        tally.remarks += [*recipe.remarks, *found.problems]
        outputs = Outputs(spec, recipe.pool, root, journal, tally)
        queue = ItemQueue(items, journal, scratch, spec.channels)
        if spec.resume:
            queue.require_same_recipe(root)
        work = _Work(spec, recipe, outputs, queue, progress)
        try:
            work.run(open_pool)
        finally:
            outputs.write_shared(queue.all_parts())
        return work.summary(found.n_twice)


class _Work:
    """One call at work."""

    def __init__(
        self, spec: ArchiveSpec, recipe: Recipe, outputs: Outputs, queue: ItemQueue, progress: ArchiveCallback
    ) -> None:
        self._spec, self._recipe, self._outputs, self._queue, self._report = spec, recipe, outputs, queue, progress
        self._began_s = time.monotonic()
        self._stop: StopReason | None = None
        self._device: str | None = None
        self._n_done = 0
        self._done_s = 0.0

    def run(self, open_pool: OpenPool) -> None:
        """Write again what is stale, then transcribe what is left."""
        for item in self._queue.finished:
            self._outputs.refresh(item)
        if not self._queue.n_left:
            return
        self._recipe = recipe = with_enough(self._recipe, self._queue.n_pieces(self._recipe.pool.settings.chunk_s))
        spec = replace(recipe.pool, batch=self._spec.batch)
        with contextlib.suppress(_StopError), open_pool(spec, recipe.workers) as pool:
            for result in pool.transcribe(self._clips()):
                if self._device is None and pool.info is not None:
                    self._require_as_measured(pool.info)
                self._take(result)

    def summary(self, n_twice: int) -> ArchiveSummary:
        """Return the results."""
        tally, recipe = self._outputs.tally, self._recipe
        wall_s = time.monotonic() - self._began_s
        n_failed = len(tally.failures)
        return ArchiveSummary(
            root=self._outputs.root,
            formats=self._spec.formats,
            model=recipe.pool.model.id,
            device=self._device,
            workers=recipe.workers,
            threads=recipe.pool.settings.threads or 1,
            n_inputs=len(self._queue.finished) + tally.n_texts + n_failed + self._queue.n_left,
            n_twice=n_twice,
            n_texts=tally.n_texts,
            n_skipped=len(self._queue.finished),
            n_rewritten=tally.n_rewritten,
            n_edited=tally.n_edited,
            n_left=self._queue.n_left,
            audio_s=tally.audio_s,
            wall_s=wall_s,
            failures=tuple(tally.failures),
            finding_counts=tally.counts(),
            findings=tuple(tally.findings),
            promise=tally.against(recipe.promise, wall_s),
            n_spread=tally.n_spread,
            remarks=tuple(tally.remarks),
            stop=self._stop,
        )

    def _clips(self) -> Iterator[Clip]:
        for item in self._queue.take():
            yield clip_of(item)
            budget_s = self._spec.budget_s
            if budget_s is not None and time.monotonic() - self._began_s >= budget_s and self._queue.n_waiting:
                self._stop = "budget"
                return

    def _require_as_measured(self, info: LoadedInfo) -> None:
        self._device = info.device
        found = differences(self._recipe, info)
        if found and not self._spec.accept:
            raise EngineError(f"{' '.join(found)} Measure it on this machine and decide again, or go on with --accept.")
        self._outputs.tally.remarks += found

    def _take(self, result: PoolResult) -> None:
        item = self._queue.pop(result.hypothesis.clip_id)
        self._outputs.add(item, self._queue.note(item), self._queue.n_channels(item), result)
        self._n_done += 1
        self._done_s += self._queue.guess_s(item)
        failure = result.hypothesis.failure
        self._report(
            ArchiveProgress(
                item.of.label,
                failure.message if failure else None,
                self._done_s,
                self._queue.total_s,
                self._n_done,
                self._n_done + self._queue.n_left,
            )
        )
        self._require_limits()

    def _require_limits(self) -> None:
        spec, tally = self._spec, self._outputs.tally
        if spec.max_failures is not None and len(tally.failures) > spec.max_failures:
            self._stop = "failures"
        elif shutil.disk_usage(self._outputs.root).free < spec.min_free_mb * _MIB:
            self._stop = "disk"
        if self._stop in ("failures", "disk"):
            raise _StopError


class _StopError(Exception):
    """A limit was passed."""


def clip_of(item: ArchiveItem) -> Clip:
    """Return a recording as a pool takes it; its id is the item's key."""
    of = item.of
    return Clip(
        id=item.key,
        audio_path=of.path,
        audio_sha256="",
        start_s=of.start_s,
        duration_s=of.duration_s or 0.0,
        reference=None,
        language=item.language,
        channel=item.channel,
        duration_kind="stated" if of.duration_s is None else "manifest",
    )
