"""The requests and results of the protocols of speed, which a record has if they were requested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from earwitness.files.schema import Strict
from earwitness.records.spread import Spread
from earwitness.scoring.metrics.timing import Speed

_LARGE = 1.1
Protocol = Literal["cold", "latency", "throughput"]
LoadVerdict = Literal["met", "missed", "cannot be told"]


@dataclass(frozen=True, slots=True)
class LoadPlan(Strict):
    """The plan of a load test."""

    arrivals: Literal["closed", "poisson"]
    """``closed``: so many clients, each of which asks again when it has its answer; ``poisson``: so many requests a
    second, at random, whether the last was answered or not."""
    steps: tuple[float, ...]
    """Clients at once, or requests per second, smallest first."""
    target_p95_s: float | None = None
    """Seconds within which 95 % of all requests are to be answered; ``None`` when nothing is looked for."""
    seed: int = 0
    """Of the arrivals."""


@dataclass(frozen=True, slots=True)
class SpeedProtocols(Strict):
    """Which protocols follow the first pass over the clips, and how long each may take."""

    protocols: tuple[Protocol, ...] = ()
    """In the order latency, cold, throughput, whatever order they were asked in."""
    budget_s: float = 300.0
    """Seconds that each protocol may take; what has begun is finished."""
    cold_starts: int = 5
    """Workers spawned for ``cold``."""
    stretch_s: float = 10.0
    """The least seconds of the saturated stretch, and of every step of a load; a shorter dataset is gone through
    again."""
    load: LoadPlan | None = None
    """How to put a server under load; ``None`` for not."""


@dataclass(frozen=True, slots=True)
class ColdStart(Strict):
    """One cold start of a worker."""

    spawn_s: float
    """Starting its process, without the load."""
    load_s: float
    """Loading the model."""
    first_clip_s: float
    """``wall_s`` of the first clip that it was ever given."""


@dataclass(frozen=True, slots=True)
class Cold(Strict):
    """Cold start: from nothing to the first text, with the files of the weights in the system's cache."""

    starts: tuple[ColdStart, ...]
    """In order."""
    n_failed: int
    """Starts that did not come to a text; in none of the numbers."""
    clip_id: str
    """The clip that each was given."""
    spawn_s: Spread | None
    """Of all starts; ``None`` when none came to a text."""
    load_s: Spread | None
    """Of all starts."""
    first_clip_s: Spread | None
    """Of all starts."""
    first_text_s: Spread | None
    """Of the sums of the three: from nothing to the first text."""


@dataclass(frozen=True, slots=True)
class Latency(Strict):
    """Warm latency: passes over the same clips, one at a time, by a worker that stays."""

    pass_wall_s: tuple[float, ...]
    """Seconds of transcription in each pass, in order; the run itself is the first."""
    passes: Spread | None
    """Of these."""
    cv_last: float | None
    """Coefficient of variation of the last three passes, which ends the repeating when it is at most 5 %."""
    steady: bool
    """Whether it came to that within the budget."""
    speed: Speed
    """From each clip's median over the passes."""
    n_dropped: int
    """Clips that failed in some pass; in none of the numbers."""
    texts_changed: int
    """Clips whose text was not the same in every pass."""


@dataclass(frozen=True, slots=True)
class Try(Strict):
    """A way to share the cores among workers, and its result."""

    workers: int
    """Processes at once."""
    threads: int
    """Threads of each."""
    audio_s: float
    """Seconds of audio in the saturated stretch."""
    wall_s: float
    """Seconds of the stretch."""
    rtfx: float | None
    """``audio_s / wall_s``; ``None`` when a clip failed or no worker came up."""
    reason: str | None = None
    """Why there is no ``rtfx``."""


@dataclass(frozen=True, slots=True)
class Throughput(Strict):
    """Throughput: the machine saturated by the best number of workers and threads that a short search found."""

    workers: int
    """Processes at once."""
    threads: int
    """Threads of each."""
    audio_s: float
    """Seconds of audio heard in the saturated stretch; a clip that reaches over its end counts in part."""
    wall_s: float
    """Seconds from the moment that every worker is warm to the moment when the first finds nothing left to do;
    decoding the audio is in it."""
    rtfx: float | None
    """``audio_s / wall_s``; ``None`` when there was nothing to hear."""
    sequential_rtfx: float | None
    """Of the run's first pass, one clip at a time, decoding included: what ``rtfx`` compares with."""
    n_clips: int
    """Clips heard, those that were heard again counted again."""
    n_failed: int
    """Of these, clips that failed, which the first pass had heard."""
    n_compared: int
    """Different clips whose text was compared with that of the first pass."""
    texts_differ: int
    """Of these, clips with another text."""
    tries: tuple[Try, ...]
    """The search, on the first clips."""
    peak_rss_bytes: int | None
    """Sum of what each worker held at its peak."""
    reason: str | None = None
    """Why it was given up, or what is missing."""


@dataclass(frozen=True, slots=True)
class LoadStep(Strict):
    """A server under one load."""

    load: float
    """Clients at once, or requests per second."""
    n_requests: int
    """Requests that were due."""
    n_answered: int
    """Of these, requests that got a transcript."""
    errors: Mapping[str, int]
    """What the others got, such as ``429 queue_full``, ``timeout``, ``no connection``."""
    audio_s: float
    """Seconds of audio answered in ``wall_s``; a clip that reaches over its end counts in part."""
    wall_s: float
    """Seconds from the first request until nothing more was asked."""
    rtfx: float | None
    """``audio_s / wall_s``; ``None`` when nothing was answered."""
    latency_p50_s: float | None
    """Of answered requests, from when each was due to the end of its answer: a client that waits for its turn to send
    waits, too. ``None`` when none was answered."""
    latency_p95_s: float | None
    """95th percentile, linear interpolation between requests."""
    latency_p99_s: float | None
    """99th percentile."""
    n_within: int | None
    """Of all requests, those answered within the target; ``None`` without one."""
    verdict: LoadVerdict | None
    """Whether 95 % of all requests are answered within the target, so that nothing is gained by refusing: ``met`` or
    ``missed`` when the 95 % interval of their share lies on one side; ``None`` without a target."""
    texts_differ: int
    """Answers with another text than one client got alone."""
    behind_s: float
    """The most that a request was sent after it was due: how far the one who asks could not keep up."""
    reason: str | None = None
    """Why it ended early."""
    n_independent: float | None = None
    """What all requests are worth when those that wait for each other count as one; ``None`` in records that do not
    tell."""
    latency_p50_ci95_s: tuple[float, float] | None = None
    """95 % interval, between two of the sorted latencies."""
    latency_p95_ci95_s: tuple[float, float] | None = None
    """95 % interval."""
    latency_p99_ci95_s: tuple[float, float] | None = None
    """95 % interval."""
    ci95_reason: str | None = None
    """Why one of the intervals is not there."""


@dataclass(frozen=True, slots=True)
class Load(Strict):
    """A server under growing load, by the clocks of its clients: network and queue are in every number."""

    plan: LoadPlan
    """What was asked for."""
    steps: tuple[LoadStep, ...]
    """In the order in which they were tried: the plan's, then those between the last that seems to meet the target and
    the first that does not. Those that were finished, where it was interrupted."""
    n_clips: int
    """Different clips that were sent, from the first again as often as needed."""
    best: float | None
    """The most clients, or the highest rate, that is shown to meet the target; ``None`` without a target, or when none
    is."""
    reason: str | None = None
    """What to keep in mind of ``best``, or why there is none; of one that was interrupted, the loads that are left."""


@dataclass(frozen=True, slots=True)
class Measurements(Strict):
    """The results of the protocols; ``None`` for those not requested, or with nothing to measure."""

    cold: Cold | None = None
    """Cold start."""
    latency: Latency | None = None
    """Warm latency over several passes."""
    throughput: Throughput | None = None
    """The machine saturated."""
    load: Load | None = None
    """A server under load."""


@dataclass(frozen=True, slots=True)
class Drift(Strict):
    """The drift of the machine during the run: the same small task, timed between blocks of clips."""

    n: int
    """How often."""
    first_s: float
    """Seconds that it took at the beginning."""
    min: float
    """The least, as a multiple of the first."""
    median: float
    """The middle one, as a multiple of the first."""
    max: float
    """The most, as a multiple of the first: 1.3 means that the machine was once 30 % slower."""

    @property
    def large(self) -> bool:
        """Whether it is more than a tenth, so that figures of speed ask for caution."""
        return self.max > _LARGE or self.min < 1 / _LARGE

    @property
    def around_median(self) -> tuple[float, float]:
        """The least and the most, as multiples of the median."""
        return self.min / self.median, self.max / self.median


@dataclass(frozen=True, slots=True)
class Order(Strict):
    """How a run took turns with those of other models over the same data."""

    turns: Literal["alone", "interleaved", "one after the other"]
    """``interleaved``: a block of clips by each model in turn."""
    beside: tuple[str, ...] = ()
    """The other models."""
    block: int = 0
    """Clips in a block."""
    reason: str | None = None
    """Why they were run one after the other."""
