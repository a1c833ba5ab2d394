"""Runs the server: binds, loads, handles signals, switches to new decisions, drains and ends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from earwitness.errors import EarwitnessError, UsageError
from earwitness.files.loopback import is_loopback
from earwitness.server.config import ServedModel, ServeError, ServerLimits, Site
from earwitness.server.fit import conflicts, fit_limits
from earwitness.server.http.access import Door, door_of
from earwitness.server.http.app import build
from earwitness.server.http.connections import Connections, calm, protocol, room_for_connections
from earwitness.server.http.middleware import Outside
from earwitness.server.http.parameters import OPENAI_NAMES
from earwitness.server.http.service import Service, most_uploads
from earwitness.server.keys import Keyring
from earwitness.server.logs import log, set_up
from earwitness.server.models import Models
from earwitness.server.watch.metrics import Metrics
from earwitness.server.watch.traces import Traces, trace
from earwitness.types import RATE_HZ
from earwitness.workers.host_memory import memory_limit_bytes
from earwitness.workers.supervisor import AudioFile

Read = Callable[[], Sequence[ServedModel]]
_LOOK_S = 1.0
_PROBE_S = 1.0


def serve(read: Read, limits: ServerLimits, site: Site, scratch: Path, on_listen: Callable[[str], None]) -> None:
    """Serve until a signal; all workers have ended and temporary files are removed when this returns.

    Args:
        read: Returns what to serve, the default first; called again when ``site.watched`` changes, or on SIGHUP.
        limits: What to put up with.
        site: Where to listen, and to whom.
        scratch: A folder for uploads.
        on_listen: Called with the address once there is one.

    Raises:
        UsageError: When the address cannot be had, a file of keys is not one, or traces are asked for and cannot be
            sent.
        ServeError: When no worker comes up with the default model, or memory is too little for what was measured.
    """
    set_up()
    served = tuple(read())
    keyring = Keyring(site.keys) if site.keys is not None else None
    door = door_of(site.host, site.allowed_hosts, site.origins, site.proxies, loopback=is_loopback(site.host))
    with trace() as traces:
        server = _Server(read, served, limits, site, scratch, keyring, traces, door)
        _listen(server, site, served, on_listen, needs_key=keyring is not None)


def _listen(
    server: _Server, site: Site, models: Sequence[ServedModel], on_listen: Callable[[str], None], *, needs_key: bool
) -> None:
    with _bound(site) as bound, _heard_early(server.early):
        host, port = bound.getsockname()[:2]
        url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        log("listening", url=url, models=[one.id for one in models])
        if not needs_key and not is_loopback(host):
            log("open to others without keys", logging.WARNING, host=host, remedy="earwitness serve keys add NAME")
        on_listen(url)
        asyncio.run(server.run(bound))


class _Server:
    """One server on one event loop."""

    def __init__(
        self,
        read: Read,
        models: tuple[ServedModel, ...],
        limits: ServerLimits,
        site: Site,
        scratch: Path,
        keyring: Keyring | None,
        traces: Traces | None,
        door: Door,
    ) -> None:
        self._read, self._served, self._limits, self._site = read, models, limits, site
        self._scratch, self._keyring, self._traces = scratch, keyring, traces
        self._door = door
        self._in_force = _fitted(limits, models)
        self.early: list[signal.Signals] = []
        """Signals that came before there was an event loop."""
        self._failure: BaseException | None = None
        self._hung_up = asyncio.Event()

    async def run(self, listener: socket.socket) -> None:
        import uvicorn

        metrics = Metrics()
        if self._keyring is not None:
            metrics.watch_keys(self._keyring)
        models = Models(self._served, _probe(self._scratch), self._limits, metrics)
        site, limits = self._site, self._in_force
        aliases = OPENAI_NAMES if site.openai_names else ()
        service = Service(models, limits, metrics, self._scratch, log_text=site.log_text, aliases=aliases)
        app = build(service, self._lifespan(service), needs_key=self._keyring is not None, root_path=site.root_path)
        rate = limits.rate_per_minute
        self._outside = Outside(app, metrics, self._keyring, rate, self._door, self._traces, site.root_path)
        calm(asyncio.get_running_loop())
        room = room_for_connections(
            site.connections, most_uploads(limits, models.default), sum(one.n_workers for one in self._served)
        )
        config = uvicorn.Config(
            self._outside,
            log_config=None,
            access_log=False,
            server_header=False,
            ws="none",
            http=protocol(Connections(room, self._door.trusts, metrics)),
            proxy_headers=False,
            timeout_keep_alive=math.ceil(site.keep_alive_s),
            lifespan="on",
            timeout_graceful_shutdown=round(self._limits.drain_s),
        )
        self._uvicorn = uvicorn.Server(config)
        await self._uvicorn.serve(sockets=[listener])
        if self._failure is not None:
            raise self._failure

    def _lifespan(self, service: Service) -> Callable[[Any], Any]:
        @asynccontextmanager
        async def lifespan(_: Any) -> AsyncIterator[None]:
            with contextlib.suppress(AttributeError, NotImplementedError):  # Windows has none of these
                loop = asyncio.get_running_loop()
                loop.add_signal_handler(signal.SIGHUP, self._hung_up.set)
                for which in (signal.SIGTERM, signal.SIGINT):
                    loop.add_signal_handler(which, self._stop, which, service.models)
            for which in self.early:
                self._stop(which, service.models)
            tasks = [asyncio.create_task(self._begin(service))]
            try:
                yield
            finally:
                with contextlib.suppress(NotImplementedError):
                    for which in (signal.SIGTERM, signal.SIGINT):
                        # uvicorn raises what ended it once more, which is not another order to stop.
                        asyncio.get_running_loop().remove_signal_handler(which)
                        signal.signal(which, self._uvicorn.handle_exit)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                await service.close()

        return lifespan

    def _stop(self, which: signal.Signals, models: Models) -> None:
        # Ctrl-C is from somebody who waits, and so is a second signal: neither lingers.
        linger_s = self._limits.linger_s if which == signal.SIGTERM and not models.leaving else 0.0
        log("stopping", signal=which.name, linger_s=linger_s, drain_s=self._limits.drain_s)
        models.leaving = self._outside.leaving = True
        asyncio.get_running_loop().call_later(linger_s, self._uvicorn.handle_exit, which, None)

    async def _begin(self, service: Service) -> None:
        models = service.models
        try:
            await models.start()
        except ServeError as error:
            self._failure = error
            self._uvicorn.should_exit = True
            return
        log("ready", model=models.default.id)
        await self._follow(service)

    async def _follow(self, service: Service) -> None:
        models, metrics = service.models, service.metrics
        seen = _mtime(self._site.watched)
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._hung_up.wait()
            if self._keyring is not None:
                self._keyring.look()
            now = _mtime(self._site.watched)
            if now == seen and not self._hung_up.is_set():
                continue
            seen = now
            self._hung_up.clear()
            try:
                served = tuple(await asyncio.to_thread(self._read))
                limits = _fitted(self._limits, served)
                await models.replace(served)
                service.limits = limits
            except EarwitnessError as error:
                metrics.reload(successful=False)
                log("what is new cannot be served; the old still is", logging.ERROR, reason=str(error))
            else:
                metrics.reload(successful=True)
                log("serving", models=list(models.served))


def _fitted(limits: ServerLimits, models: Sequence[ServedModel]) -> ServerLimits:
    """Return the limits in force, and log which of them conflict.

    Raises:
        ServeError: When the workers cannot do what was measured within the memory.
    """
    memory_bytes = memory_limit_bytes()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limits = fit_limits(limits, models, memory_bytes)
    for one in models:
        for said in conflicts(limits, one, memory_bytes, cores):
            log("limits do not fit together", logging.WARNING, model=one.id, reason=said)
    log(
        "limits", max_seconds=limits.max_audio_s, timeout_s=limits.timeout_s, queue=limits.queue,
        memory_limit_bytes=memory_bytes,
    )  # fmt: skip
    return limits


@contextlib.contextmanager
def _heard_early(early: list[signal.Signals]) -> Iterator[None]:
    """Keep signals that come before the server can act on them, and those that uvicorn raises once it is done."""
    before = {
        which: signal.signal(which, lambda number, _: early.append(signal.Signals(number)))
        for which in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)


def _bound(site: Site) -> socket.socket:
    family = socket.AF_INET6 if ":" in site.host else socket.AF_INET
    # asyncio turns off Nagle's algorithm, which would hold answers back for 40 ms, only where the protocol is named.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((site.host, site.port))
        # From here on, connections wait in line instead of being refused.
        bound.listen(2048)
    except OSError as error:
        bound.close()
        raise UsageError(f"Cannot listen on {site.host!r}, port {site.port}: {error.strerror or error}.") from None
    return bound


def _mtime(path: Path | None) -> int | None:
    try:
        return path.stat().st_mtime_ns if path is not None else None
    except OSError:
        return None


def _probe(folder: Path) -> AudioFile:
    """A second of faint noise, always the same: its text does not matter, only that the worker answers."""
    import numpy as np

    samples = 0.003 * np.random.default_rng(0).standard_normal(round(_PROBE_S * RATE_HZ))
    path = folder / "probe.f32"
    samples.astype("<f4").tofile(path)
    return AudioFile(path, len(samples), RATE_HZ)
