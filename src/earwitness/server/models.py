"""The models in memory: the first from the start, others on request, within a budget."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from earwitness.server.api_errors import ApiError
from earwitness.server.config import ServedModel, ServeError, ServerLimits
from earwitness.server.logs import log
from earwitness.server.pool.job import UnavailableError
from earwitness.server.pool.pool import FullError, Pool, PoolEvents
from earwitness.server.watch.metrics import Metrics
from earwitness.workers.host_memory import memory_limit_bytes
from earwitness.workers.supervisor import AudioFile
from earwitness.workers.worker import LoadedInfo

_BESIDE_WEIGHTS_BYTES = 256 << 20
_SHARE_OF_FREE = 0.8
_STOPPING = ApiError(503, "The server is stopping.", code="stopping", retry_after_s=5)


class Models:
    """The models of a server. Belongs to an event loop.

    Args:
        served: The default first.
        probe: Audio that every new worker transcribes first.
        limits: Queue and memory.
        metrics: Is told of workers.
    """

    def __init__(self, models: Sequence[ServedModel], probe: AudioFile, limits: ServerLimits, metrics: Metrics) -> None:
        """Load nothing yet."""
        self.served: dict[str, ServedModel] = {}
        self.pools: dict[str, Pool] = {}
        self.leaving = self.draining = False
        self._probe, self._limits, self._metrics = probe, limits, metrics
        self._budget_bytes = limits.memory_bytes or _free_bytes()
        self._seen_bytes: dict[str, int] = {}
        self._one_at_a_time = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()
        self._was_ready = False
        self._take(models)

    @property
    def default(self) -> ServedModel:
        """The model that is served first."""
        return next(iter(self.served.values()))

    @property
    def is_ready(self) -> bool:
        """Whether a worker of the default model has transcribed a probe, and requests are taken."""
        pool = self.pools.get(self.default.id)
        return not self.leaving and not self.draining and pool is not None and pool.n_ready > 0

    def require_ready(self) -> None:
        """Refuse if a load balancer should send requests to other servers, even if some are still accepted here.

        Raises:
            Refused: With 503.
        """
        if self.leaving or self.draining:
            raise _STOPPING
        if not self.is_ready:
            raise ApiError(503, "No worker is ready.", code="not_ready", retry_after_s=2)

    def require_open(self) -> None:
        """Refuse before the server has started, and when it is stopping.

        Raises:
            Refused: With 503.
        """
        if self.draining:
            raise _STOPPING
        if not self.is_ready and not self._was_ready:
            raise ApiError(503, "The model is being loaded.", code="not_ready", retry_after_s=2)

    async def start(self) -> None:
        """Load the default model, and return when a worker is ready.

        Raises:
            ServeError: When none is to be had.
        """
        pool = self._opened(self.default)
        self.pools[self.default.id] = pool
        if not await pool.settle():
            raise ServeError(f"Model {self.default.id!r} cannot be served: {pool.trouble}")
        self._was_ready = True

    async def loaded(self, model_id: str) -> Pool:
        """Return the pool of a model, which is loaded if it is not, and room made for it.

        Raises:
            Refused: With 503 when there is no room for it.
        """
        pool = self.pools.get(model_id)
        if pool is not None:
            return pool
        async with self._one_at_a_time:
            if model_id not in self.pools:
                self._make_room(self.served[model_id])
                self.pools[model_id] = self._opened(self.served[model_id])
                log("model is loaded", model=model_id)
            return self.pools[model_id]

    async def replace(self, models: Sequence[ServedModel]) -> None:
        """Switch to other models once the new default is ready; the old ones are drained.

        Raises:
            ServeError: When no worker of the new default comes up; what was served before still is.
        """
        async with self._one_at_a_time:
            first = models[0]
            fresh = None
            if self.served.get(first.id) != first or first.id not in self.pools:
                fresh = self._opened(first)
                if not await fresh.settle():
                    self._close_later(fresh)
                    raise ServeError(f"Model {first.id!r} cannot be served: {fresh.trouble}")
            kept = {
                one.id: self.pools[one.id] for one in models if self.served.get(one.id) == one and one.id in self.pools
            }
            old = [pool for pool in self.pools.values() if pool not in kept.values()]
            self._take(models)
            self.pools.clear()
            self.pools.update(kept if fresh is None else {first.id: fresh, **kept})
            for pool in old:
                self._close_later(pool)

    async def close(self) -> None:
        """End all workers."""
        self.draining = True
        pools = list(self.pools.values())
        await asyncio.gather(*(pool.close(0.0) for pool in pools), *self._closing)

    def _take(self, models: Sequence[ServedModel]) -> None:
        self.served.clear()
        self.served.update({one.id: one for one in models})
        self._metrics.watch(self.served, self.pools)
        for one in models:
            self._metrics.ready(one.id)

    def _opened(self, model: ServedModel) -> Pool:
        return Pool(model, (self._probe, _language(model)), self._limits.queue, self._events())

    def _make_room(self, model: ServedModel) -> None:
        need = self._need_bytes(model)
        idle = sorted(
            (pool for id_, pool in self.pools.items() if not pool.open and id_ != self.default.id),
            key=lambda pool: pool.last_used,
        )
        held = sum(self._need_bytes(pool.served) for pool in self.pools.values())
        if need + held - sum(self._need_bytes(pool.served) for pool in idle) > self._budget_bytes:
            raise ApiError(
                503,
                f"There is not enough memory for model {model.id!r} beside those in use: it needs about "
                f"{need >> 20} MiB. Try again later, or give the server more with --memory-mb.",
                param="model",
                code="no_memory",
                retry_after_s=10,
            )
        while need + held > self._budget_bytes:
            pool = idle.pop(0)
            held -= self._need_bytes(pool.served)
            self.pools.pop(pool.served.id)
            log("model is unloaded", model=pool.served.id, room_for=model.id)
            self._close_later(pool)

    def _need_bytes(self, model: ServedModel) -> int:
        pool = self.pools.get(model.id)
        seen = pool.memory_bytes if pool is not None else 0
        if seen:
            self._seen_bytes[model.id] = seen
        guess = model.n_workers * (model.weights_bytes + _BESIDE_WEIGHTS_BYTES)
        return self._seen_bytes.get(model.id, guess)

    def _close_later(self, pool: Pool) -> None:
        task = asyncio.create_task(pool.close(self._limits.timeout_s))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _events(self) -> PoolEvents:
        def started(model: ServedModel, info: LoadedInfo) -> None:
            self._metrics.loaded(model, info)
            log(
                "worker is ready", model=model.id, spawn_s=info.spawn_s, load_s=info.load_s, device=info.device,
                in_force=dict(info.in_force), streams=info.streams,
            )  # fmt: skip

        def count_loss(model: ServedModel, why: str, how: str) -> None:
            self._metrics.restarts.labels(model.id, why).inc()
            log("worker has ended", logging.WARNING, model=model.id, reason=why, how=how)

        def trouble(model: ServedModel, why: str) -> None:
            self._metrics.restarts.labels(model.id, "start").inc()
            log("no worker came up", logging.ERROR, model=model.id, reason=why)

        return PoolEvents(started, count_loss, trouble)


def as_refusal(error: FullError | UnavailableError) -> ApiError:
    """Return the error for a request without a place in the queue or a worker."""
    if isinstance(error, FullError):
        return ApiError(
            429,
            f"The queue is full. Try again in {error.retry_after_s} s.",
            code="queue_full",
            retry_after_s=error.retry_after_s,
        )
    return ApiError(503, f"No worker is available: {str(error).rstrip('.')}.", code="no_worker", retry_after_s=5)


def _language(model: ServedModel) -> str | None:
    """Return the language of the probe: one that the model knows."""
    setting = model.settings.language
    if setting not in ("clip", "auto"):
        return setting
    return None if "*" in model.model.languages or setting == "auto" else model.model.languages[0]


def _free_bytes() -> int:
    import psutil

    free = psutil.virtual_memory().available
    return int(min(free, memory_limit_bytes() or free) * _SHARE_OF_FREE)
