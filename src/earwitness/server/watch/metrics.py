"""The metrics for Prometheus, under ``earwitness_``; in seconds, bytes and shares, by its conventions."""

from __future__ import annotations

import json
import logging
import platform
from collections.abc import Iterable, Mapping
from typing import Any

from earwitness import __version__
from earwitness.server.config import ServedModel
from earwitness.server.keys import Keyring
from earwitness.server.logs import log
from earwitness.server.pool.pool import ENDS, Pool
from earwitness.server.watch.drift import JobSample, Live
from earwitness.workers.worker import LoadedInfo

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 8, 13, 20, 30, 60, 120, 300)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counters and histograms of a server, and gauges that are read on request."""

    def __init__(self) -> None:
        """Begin at zero."""
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

        self.registry = CollectorRegistry()
        # process_start_time_seconds, process_open_fds and the like, under the names that every dashboard knows; Linux.
        ProcessCollector(registry=self.registry)
        self._keyring: Keyring | None = None
        self._pools: Mapping[str, Pool] = {}
        self._served: Mapping[str, ServedModel] = {}
        self._loaded: dict[str, LoadedInfo] = {}
        self._live: dict[str, tuple[ServedModel, Live]] = {}
        self._drifted: dict[str, set[str]] = {}

        def counter(name: str, help_text: str, *labels: str) -> Any:
            return Counter(f"earwitness_{name}", help_text, labels, registry=self.registry)

        def seconds(name: str, help_text: str) -> Any:
            return Histogram(f"earwitness_{name}", help_text, ["model"], registry=self.registry, buckets=_SECONDS)

        self.requests = counter("requests", "Requests, by route and status.", "route", "status")
        self.rejected = counter("rejected", "Requests that were refused, by the code of the error.", "reason")
        self.restarts = counter("worker_restarts", "Workers that ended before their time.", "model", "reason")
        self.outputs = counter("outputs", "Transcripts: text, empty, or a text that repeats itself.", "model", "kind")
        self.failed = counter("failed", "Jobs without a transcript.", "model")
        self.audio_s = counter("audio_seconds", "Audio that was transcribed.", "model")
        self.work_s = counter("work_seconds", "Time of workers that it took; over audio_seconds, the RTF.", "model")
        self.latency_s = seconds("request_seconds", "From the first byte of a request to the last of its answer.")
        self.first_text_s = seconds("first_text_seconds", "From the end of an upload to the first text.")
        self.queue_s = seconds("queue_seconds", "From a job's being queued to a worker's taking it.")
        self.decode_s = seconds("decode_seconds", "Decoding of an upload.")
        self.decoder_ends = counter("decoder_ends", "Decoders that died or hung at a file.", "reason")
        for reason in ("died", "hung"):
            self.decoder_ends.labels(reason)
        self.reloaded = Gauge(
            "earwitness_config_last_reload_successful",
            "1 where what was last to be taken over is served, 0 where it cannot be.",
            registry=self.registry,
        )
        self.reloaded_at = Gauge(
            "earwitness_config_last_reload_success_timestamp_seconds",
            "When what is served was taken over, in seconds since 1970.",
            registry=self.registry,
        )
        self.reload(successful=True)
        self.registry.register(_Gauges(self))

    def decoder_ended(self, reason: str) -> None:
        """Count a decoder that died or hung."""
        self.decoder_ends.labels(reason).inc()

    def watch(self, models: Mapping[str, ServedModel], pools: Mapping[str, Pool]) -> None:
        """Report these from now on; both are read on request."""
        self._served, self._pools = models, pools
        # What was seen of a model that is no longer served like this says nothing of the one that is.
        self._live = {id_: (one, live) for id_, (one, live) in self._live.items() if models.get(id_) == one}
        self._drifted = {id_: drifted for id_, drifted in self._drifted.items() if id_ in self._live}

    def watch_keys(self, keyring: Keyring) -> None:
        """Report a file of keys from now on."""
        self._keyring = keyring

    def reload(self, *, successful: bool) -> None:
        """Record whether a switch to a new decision succeeded."""
        self.reloaded.set(successful)
        if successful:
            self.reloaded_at.set_to_current_time()

    def ready(self, model_id: str) -> None:
        """Start the counters of a model at zero, so that rates are right from the first request on."""
        for kind in ("text", "empty", "loop"):
            self.outputs.labels(model_id, kind)
        for end in ENDS:
            self.restarts.labels(model_id, end)
        for metric in (self.audio_s, self.work_s, self.failed):
            metric.labels(model_id)

    def loaded(self, model: ServedModel, info: LoadedInfo) -> None:
        """Store what a worker reports about itself, for the info metric."""
        self._loaded[model.id] = info

    def add(self, model: ServedModel, one: JobSample, *, is_comparable: bool = True) -> None:
        """Count a finished job, and log when the service departs from the promise.

        Args:
            model: The model.
            one: What came of it.
            is_comparable: Whether the benchmark measured such requests. A translation, for example, is counted and not
                compared with what was promised.
        """
        if one.wall_s is None:
            self.failed.labels(model.id).inc()
        else:
            self.outputs.labels(model.id, "empty" if one.empty else "loop" if one.loop else "text").inc()
            self.audio_s.labels(model.id).inc(one.audio_s)
            self.work_s.labels(model.id).inc(one.wall_s)
        if is_comparable and self._served.get(model.id) == model:
            live = self.live(model)
            live.add(one)
            self._tell_drift(model, live)

    def live(self, model: ServedModel) -> Live:
        """Return the recent answers of a served model; none if the last is long ago."""
        if model.id not in self._live:
            self._live[model.id] = model, Live(model.promise, model.by_length)
        live = self._live[model.id][1]
        live.forget()
        return live

    def _tell_drift(self, model: ServedModel, live: Live) -> None:
        drifting = {measure for measure, drifts in live.drift().items() if drifts}
        before = self._drifted.get(model.id, set())
        self._drifted[model.id] = drifting
        if drifting == before:
            return
        seen, slowdown = live.measures(), live.slowdown()
        for measure in sorted(drifting ^ before):
            log(
                "drift" if measure in drifting else "drift is over",
                logging.WARNING if measure in drifting else logging.INFO,
                model=model.id,
                measure=measure,
                promised=model.promise.get(measure),
                live=seen.get(measure),
                slowdown=slowdown.get(measure),
                answers=len(live.alike() if measure in slowdown else live),
            )

    def text(self) -> bytes:
        """Return the metrics as text for Prometheus."""
        from prometheus_client import generate_latest

        return generate_latest(self.registry)

    def gauges(self) -> Iterable[Any]:
        """Return the gauges as of now."""
        from prometheus_client.core import GaugeMetricFamily

        def gauge(name: str, help_text: str, *labels: str) -> Any:
            return GaugeMetricFamily(f"earwitness_{name}", help_text, labels=["model", *labels])

        depth = gauge("queue_depth", "Jobs that wait.")
        flight = gauge("in_flight", "Jobs that are worked on.")
        ready = gauge("workers_ready", "Workers that have transcribed the probe.")
        wanted = gauge("workers", "Workers that there should be.")
        memory = gauge("memory_bytes", "Peak memory of a worker, times the workers.")
        for model_id, pool in list(self._pools.items()):
            depth.add_metric([model_id], pool.waiting)
            flight.add_metric([model_id], pool.in_flight)
            ready.add_metric([model_id], pool.n_ready)
            wanted.add_metric([model_id], pool.served.n_workers)
            memory.add_metric([model_id], pool.memory_bytes)
        yield from (depth, flight, ready, wanted, memory)
        yield from self._beside(gauge)
        yield self._info()
        yield from self._of_keys()
        yield from _of_the_server()

    def _beside(self, gauge: Any) -> Iterable[Any]:
        promised = gauge("promise", "What was measured before it was served.", "measure")
        now = gauge("live", "What was seen of the last answers, in the same measure.", "measure")
        slower = gauge("slowdown", "The same over what was measured of clips of the same lengths.", "measure")
        drift = gauge("drift", "1 where what is seen departs from what was promised.", "measure")
        answers = gauge("live_answers", "The last answers that are looked at.")
        alike = gauge("alike_answers", "Those of a length that was measured, which speeds are compared of.")
        for model_id, served in list(self._served.items()):
            for measure, value in served.promise.items():
                promised.add_metric([model_id, measure], value)
            live = self.live(served)
            self._tell_drift(served, live)
            answers.add_metric([model_id], len(live))
            alike.add_metric([model_id], len(live.alike()))
            for metric, values in ((now, live.measures()), (slower, live.slowdown()), (drift, live.drift())):
                for measure, value in values.items():
                    metric.add_metric([model_id, measure], float(value))
        return (promised, now, slower, drift, answers, alike)

    def _of_keys(self) -> Iterable[Any]:
        from prometheus_client.core import GaugeMetricFamily

        keyring = self._keyring
        if keyring is None:
            return
        keyring.look()
        told = "1 where the file of keys was read when it last changed, 0 where it cannot be."
        yield GaugeMetricFamily("earwitness_keys_last_reload_successful", told, value=float(keyring.trouble is None))
        yield GaugeMetricFamily("earwitness_keys", "Keys that may ask.", value=len(keyring))

    def _info(self) -> Any:
        from prometheus_client.core import GaugeMetricFamily

        names = ("model", "weights_sha256", "engine", "packages", "device", "settings", "status")
        found = GaugeMetricFamily("earwitness_model_info", "What is served, in its labels; always 1.", labels=names)
        for model_id, served in list(self._served.items()):
            info = self._loaded.get(model_id)
            packages = " ".join(f"{k}={v}" for k, v in sorted(info.packages.items())) if info else ""
            settings = json.dumps(dict(info.in_force) if info else {}, sort_keys=True)
            found.add_metric(
                [
                    model_id,
                    served.weights_sha256 or "",
                    served.model.engine,
                    packages,
                    info.device if info else "",
                    settings,
                    served.status or "",
                ],
                1,
            )
        return found


class _Gauges:
    """The collector that prometheus-client calls."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Any]:
        return self._metrics.gauges()

    def describe(self) -> Iterable[Any]:
        return ()


def _of_the_server() -> Iterable[Any]:
    import psutil
    from prometheus_client.core import GaugeMetricFamily

    info = GaugeMetricFamily(
        "earwitness_server_info", "The server, in its labels; always 1.", labels=("version", "python")
    )
    info.add_metric([__version__, platform.python_version()], 1)
    yield info
    held = psutil.Process().memory_info().rss
    yield GaugeMetricFamily("earwitness_server_memory_bytes", "Resident memory of the server itself.", value=held)
