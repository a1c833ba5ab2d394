"""Sends reference clips through a live API on a schedule, and reports each round to Prometheus and the log."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from earwitness.errors import UsageError
from earwitness.server.logs import log

_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Promise:
    """The WER that a decision promises."""

    wer: float
    """As measured."""
    high: float | None
    """Upper end of its 95 % interval; ``None`` where it has none."""
    same_clips: bool = False
    """Whether it was measured on the very clips that are sent."""

    @property
    def limit(self) -> float:
        """WER above which a round breaks the promise."""
        return self.wer if self.high is None else self.high


@dataclass(frozen=True, slots=True)
class Round:
    """One round of all reference clips."""

    n_clips: int
    """Sent."""
    failed: Mapping[str, str]
    """Clips that did not come back, each with why."""
    wer: float | None = None
    """Failed clips count as empty; ``None`` where it cannot be told."""
    wer_ci95: tuple[float, float] | None = None
    """95 % interval of it; ``None`` where there is none."""
    latency_p50_s: float | None = None
    """Of a clip, as its client waits; ``None`` when none came back."""
    latency_p95_s: float | None = None
    """95th percentile."""
    record: str | None = None
    """Where its record is kept; ``None`` when it is not."""
    reason: str | None = None
    """Why there was no round."""

    def beyond(self, promise: Promise | None) -> bool:
        """Return whether the WER exceeds the promise by more than chance.

        It is when it lies over the promise's interval; where that has none, when the round's own lies over the promise;
        where neither has one, when it is over the promise: then a canary is rather too loud.

        >>> told = Round(9, {}, wer=0.15, wer_ci95=(0.11, 0.2))
        >>> told.beyond(Promise(0.1, 0.14)), told.beyond(Promise(0.1, 0.16)), told.beyond(Promise(0.12, None))
        (True, False, False)
        """
        if promise is None or self.wer is None:
            return False
        if promise.high is None and self.wer_ci95 is not None:
            return self.wer_ci95[0] > promise.wer
        return self.wer > promise.limit


@dataclass(eq=False)
class Canary:
    """The last round, as metrics."""

    url: str
    """Of the server."""
    every_s: float
    """From the beginning of a round to that of the next."""
    promise: Promise | None = None
    """What was promised; ``None`` without a decision."""
    rounds: dict[str, int] = field(default_factory=lambda: {"complete": 0, "failed": 0})
    """How many there were."""
    last: Round | None = None
    """What came of the last."""
    ended_at_s: float | None = None
    """When, in seconds since 1970."""

    def add(self, one: Round) -> None:
        """Store a round, and write its log line."""
        self.last, self.ended_at_s = one, time.time()
        self.rounds["failed" if one.reason else "complete"] += 1
        for clip_id, why in one.failed.items():
            log("clip failed", logging.WARNING, url=self.url, clip=clip_id, reason=why)
        beyond = one.beyond(self.promise)
        promise = self.promise
        log(
            "canary",
            logging.WARNING if beyond or one.failed or one.reason else logging.INFO,
            url=self.url,
            wer=one.wer,
            wer_ci95=one.wer_ci95,
            wer_promised=promise and promise.wer,
            wer_limit=promise and promise.limit,
            beyond=beyond,
            same_clips_as_decided_on=promise and promise.same_clips,
            clips=one.n_clips,
            failed=len(one.failed),
            latency_p50_s=one.latency_p50_s,
            latency_p95_s=one.latency_p95_s,
            record=one.record,
            reason=one.reason,
        )

    def collect(self) -> list[Any]:
        """Return the metrics for prometheus-client, without unknown ones."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        one, promise = self.last, self.promise
        known: dict[str, tuple[str, float | None]] = {
            "every_seconds": ("From the beginning of a round to that of the next.", self.every_s),
            "wer_promise": ("WER as the decision promises it.", promise.wer if promise else None),
            "wer_limit": ("WER over which a round is beyond that.", promise.limit if promise else None),
            "last_time_seconds": ("When the last round ended, in seconds since 1970.", self.ended_at_s),
        }
        if one is not None:
            known |= {
                "wer": ("WER of the last round; failed clips count as empty.", one.wer),
                "wer_beyond": ("1 where it is beyond what was promised.", float(one.beyond(promise))),
                "clips": ("Reference clips.", float(one.n_clips)),
                "failed_clips": ("Of these, clips that did not come back.", float(len(one.failed))),
                "latency_p50_seconds": ("Of a clip in the last round.", one.latency_p50_s),
                "latency_p95_seconds": ("Of a clip in the last round.", one.latency_p95_s),
            }
        found = []
        for name, (told, value) in known.items():
            if value is not None:
                gauge = GaugeMetricFamily(f"earwitness_canary_{name}", told, labels=["url"])
                gauge.add_metric([self.url], value)
                found.append(gauge)
        rounds = CounterMetricFamily("earwitness_canary_rounds", "Rounds, by outcome.", labels=["url", "outcome"])
        for outcome, count in self.rounds.items():
            rounds.add_metric([self.url, outcome], count)
        return [*found, rounds]

    def describe(self) -> list[Any]:
        """Return nothing, since the metrics change."""
        return []

    def text(self) -> bytes:
        """Return the metrics as text for Prometheus."""
        from prometheus_client import generate_latest

        return generate_latest(self._registry())

    def listen(self, host: str, port: int) -> int:
        """Start to answer Prometheus, and return the port.

        Raises:
            UsageError: When the address cannot be had.
        """
        from prometheus_client import start_http_server

        try:
            server, _ = start_http_server(port, host, self._registry())
        except OSError as error:
            raise UsageError(f"Cannot listen on {host!r}, port {port}: {error.strerror or error}.") from None
        return int(server.server_port)

    def _registry(self) -> Any:
        from prometheus_client import CollectorRegistry

        registry = CollectorRegistry()
        registry.register(self)
        return registry


def go_round(canary: Canary, ask: Callable[[], Round], stop: threading.Event) -> None:
    """Do rounds on the schedule until stopped; after a late round, the next starts at once."""
    while not stop.is_set():
        began = time.monotonic()
        canary.add(ask())
        stop.wait(max(0.0, canary.every_s - (time.monotonic() - began)))


def seconds(text: str) -> float:
    """Parse a time, and return it in seconds.

    >>> seconds("15m"), seconds("90s"), seconds("1.5h"), seconds("20")
    (900.0, 90.0, 5400.0, 20.0)

    Raises:
        UsageError: When it is none.
    """
    number, unit = (text[:-1], text[-1]) if text[-1:] in _UNITS_S else (text, "s")
    try:
        value = float(number) * _UNITS_S[unit]
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise UsageError(f"{text!r} is not a time. Write one such as 90s, 15m or 1h.")
    return value
