"""A pool of workers on a cluster, for whoever works with a pool on one machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from earwitness import __version__
from earwitness.cluster.backend import Backend
from earwitness.cluster.dispatch import Dispatcher, Work
from earwitness.files.fetch import sha256_of
from earwitness.files.remote import is_address
from earwitness.runs.pool import ClipPool, PoolResult, PoolSpec
from earwitness.types import Clip
from earwitness.workers.supervisor import GivenUpError
from earwitness.workers.worker import LoadedInfo


def _with_hash(clip: Clip) -> Clip:
    """Return a clip with the sha256 of its audio, by which nodes know it; as it is for an address or a missing file."""
    path = Path(clip.audio_path)
    if clip.audio_sha256 or is_address(clip.audio_path) or not path.is_file():
        return clip
    return replace(clip, audio_sha256=sha256_of(path))


class ClusterPool(ClipPool):
    """Workers on every node that can run the model. See ``ClipPool``.

    Each call of ``transcribe`` starts workers of its own, and ends them with its last clip.

    Args:
        spec: What every worker is.
        backend: The cluster.
        patience_s: How long to wait for a node when there is none.
        note: Called with a sentence for each node that is lost or takes no part.
    """

    def __init__(
        self,
        spec: PoolSpec,
        backend: Backend,
        *,
        patience_s: float = 60.0,
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Start nothing yet."""
        self._note = note
        self._spec, self._backend, self._patience_s = spec, backend, patience_s
        self._dispatcher: Dispatcher | None = None
        self._info: LoadedInfo | None = None

    @property
    def info(self) -> LoadedInfo | None:
        """The report of the first worker."""
        return self._info

    def transcribe(self, clips: Iterable[Clip]) -> Iterator[PoolResult]:
        """Yield a result for each clip, in the order in which they finish.

        Raises:
            GivenUpError: When no node can run the model, or none is left.
        """
        work = Work(self._spec, map(_with_hash, clips), self._spec.model.id)
        self._dispatcher = Dispatcher(
            self._backend, [work], version=__version__, patience_s=self._patience_s, note=self._note
        )
        try:
            for each in self._dispatcher.results():
                if self._info is None and work.reports:
                    self._info = next(iter(work.reports.values())).info
                if each.failure is not None:
                    raise GivenUpError(each.failure)
                if each.result is not None:
                    yield each.result
        finally:
            self.close()

    def _end(self, *, kindly: bool) -> None:
        if self._dispatcher is not None:
            self._dispatcher.close(kindly=kindly)
            self._dispatcher = None
