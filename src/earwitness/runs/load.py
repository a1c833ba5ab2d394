"""Load-tests a server: many clients at once, or requests at random times, with the latency of each.

Closed loop: so many clients, each of which asks again when it has its answer, as machines do that work through a heap.
Open loop: requests at random (Poisson), whether the last was answered or not, as people do; a request is timed from
when it was due, so that a server that stops for a while is not asked, and excused, less often.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from earwitness.engines.openai_api import endpoint, key_of
from earwitness.records.record import ClipResult, Run, texts_of
from earwitness.records.speed import Load, LoadPlan, LoadStep
from earwitness.runs.job import Job
from earwitness.runs.latency_stats import ENOUGH, MET_SHARE, latency_stats, verdict, worth
from earwitness.runs.load_client import Client, LoadRequest, clips_to_send
from earwitness.runs.saturate import ClipQueue, share
from earwitness.types import Clip

_LOOK_S = 0.05
_MOST_AT_ONCE = 512
_RATE_PRECISION = 0.1
"""Of a rate that is searched for."""


def under_load(
    run: Run, job: Job, results: Sequence[ClipResult], scratch: Path, keep: Callable[[Load], None]
) -> Load | None:
    """Run the load test of a plan on the server of a run; ``None`` if the run has no transcript.

    Loads that the run has measured already, before it was interrupted, are not tried again.

    With a target, a load lasts until its requests are enough to show that it is met, or show that it is not; and loads
    between the last that seems to meet it and the first that does not are tried; both while the budget lasts.

    Args:
        run: For its settings, limits, ``measure``, and the loads that were measured already.
        job: For its model, which is one of the engine ``openai-api``, and its dataset.
        results: The first pass: one client alone, which every text is compared with.
        scratch: Folder for decoded audio.
        keep: Is given what there is after every load but the last, for when it is interrupted.
    """
    plan, first = run.measure.load, [result for result in results if result.hypothesis.ok]
    if plan is None or not first:
        return None
    clips = clips_to_send([result.clip for result in first], run, job, scratch)
    options = job.model.options
    client = Client(endpoint(options["base_url"]), key_of(job.model.id, options), clips.bodies, run.limits)
    texts = texts_of(first)
    ends_at = time.perf_counter() + run.measure.budget_s
    steps = _steps_so_far(run)
    left = _missing_loads(plan, steps) or next_loads(plan, steps)
    reason = None
    while left:
        load = left.pop(0)
        left_s = ends_at - time.perf_counter()
        if left_s < run.measure.stretch_s:
            reason = f"the budget of {run.measure.budget_s:g} s ended before {load:g} was tried"
            break
        # What one step leaves over, the next may have.
        most_s = left_s / (len(left) + 1) if len(steps) < len(plan.steps) else left_s
        shots: list[LoadRequest] = []
        queue = ClipQueue(clips.clips, run.measure.stretch_s, most_s, partial(_can_tell, plan, load, shots))
        steps.append(_measured(load, _Stretch(plan, load, queue, client, shots).run(), plan, texts))
        left = left or next_loads(plan, steps)
        if left:
            keep(_load(plan, steps, len(clips.clips), f"{', '.join(map(_shown, left))} not tried yet"))
    return _load(plan, steps, len(clips.clips), reason)


def _steps_so_far(run: Run) -> list[LoadStep]:
    return list(run.measurements.load.steps) if run.measurements and run.measurements.load else []


def _missing_loads(plan: LoadPlan, steps: Sequence[LoadStep]) -> list[float]:
    done = {step.load for step in steps}
    return [load for load in plan.steps if load not in done]


def _load(plan: LoadPlan, steps: Sequence[LoadStep], n_clips: int, reason: str | None) -> Load:
    best, why = most_shown(plan, steps)
    return Load(plan, tuple(steps), n_clips, best, reason or why)


def _shown(load: float) -> str:
    return f"{load:.3g}"


def next_loads(plan: LoadPlan, steps: Sequence[LoadStep]) -> list[float]:
    """Return a load between the last that seems to meet the target and the first that does not; none for neighbours.

    A load over one that misses the target is not looked at, even if it should have met it: that was luck.
    """
    if plan.target_p95_s is None:
        return []
    missed = min((step.load for step in steps if not _seems_met(step)), default=None)
    if missed is None:
        return []
    met = max((step.load for step in steps if _seems_met(step) and step.load < missed), default=0.0)
    if plan.arrivals == "closed":
        middle = float((met + missed) // 2)
        return [middle] if met < middle < missed else []
    return [(met + missed) / 2] if met and missed - met > _RATE_PRECISION * missed else []


def _seems_met(step: LoadStep) -> bool:
    return step.n_within is not None and step.n_within >= MET_SHARE * step.n_requests


def most_shown(plan: LoadPlan, steps: Sequence[LoadStep]) -> tuple[float | None, str | None]:
    """Return the highest load that meets the target, with a note, or why there is none."""
    if plan.target_p95_s is None or not steps:
        return None, None
    missed = min((step.load for step in steps if step.verdict == "missed"), default=float("inf"))
    met = max((step.load for step in steps if step.verdict == "met" and step.load < missed), default=None)
    open_ = sorted(
        step.load for step in steps if step.verdict == "cannot be told" and (met or 0.0) < step.load < missed
    )
    if open_:
        loads = ", ".join(map(_shown, open_))
        return met, f"of {loads} it cannot be told from so few requests: --stretch-s and --budget-s ask for longer"
    if met is None:
        return None, f"no load that was tried meets {plan.target_p95_s:g} s"
    return met, "it is the most that was tried: there may be more in it" if missed == float("inf") else None


@dataclass
class _Stretch:
    """One load on a server."""

    plan: LoadPlan
    load: float
    queue: ClipQueue
    client: Client
    shots: list[LoadRequest]
    threads: list[threading.Thread] = field(default_factory=list)
    wrong: list[Exception] = field(default_factory=list)

    def run(self) -> _Stretch:
        """Send the requests, wait for every answer, and return itself; Ctrl-C stops sending at once."""
        self.queue.begin()
        try:
            if self.plan.arrivals == "closed":
                for _ in range(int(self.load)):
                    self._begin(self._ask_on)
            else:
                self._arrive()
            for thread in self.threads:
                while thread.is_alive():
                    # A join without an end would keep Ctrl-C waiting on some systems.
                    thread.join(_LOOK_S)
        except BaseException:
            self.queue.give_up("interrupted")
            raise
        if self.wrong:
            raise self.wrong[0]
        return self

    def _begin(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=self._work, args=(work,), daemon=True)
        self.threads.append(thread)
        thread.start()

    def _work(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 (raised again by the one who waits)
            self.wrong.append(error)
            self.queue.give_up(str(error))

    def _ask_on(self) -> None:
        while (clip := self.queue.next()) is not None:
            self.shots.append(self.client.ask(clip, time.perf_counter()))

    def _arrive(self) -> None:
        draw = np.random.default_rng(self.plan.seed)
        due_s = time.perf_counter()
        while (clip := self.queue.next()) is not None:
            time.sleep(max(0.0, due_s - time.perf_counter()))
            self.threads = [thread for thread in self.threads if thread.is_alive()]
            if len(self.threads) < _MOST_AT_ONCE:
                self._begin(partial(self._ask_once, clip, due_s))
            else:
                self.shots.append(LoadRequest.unsent(clip, due_s, f"not sent: {_MOST_AT_ONCE} were open"))
            due_s += draw.exponential(1 / self.load)

    def _ask_once(self, clip: Clip, due_s: float) -> None:
        self.shots.append(self.client.ask(clip, due_s))


def _worth(plan: LoadPlan, load: float, shots: Sequence[LoadRequest]) -> float:
    return worth(shots, int(load) if plan.arrivals == "closed" else None)


def _can_tell(plan: LoadPlan, load: float, shots: list[LoadRequest]) -> bool:
    if plan.target_p95_s is None:
        return True
    ended = tuple(shots)  # others append to it meanwhile
    n_independent = _worth(plan, load, ended)
    n_within = _n_within(plan.target_p95_s, ended)
    # To stop at the first sight of a miss errs to the safe side; at that of a success it would not.
    seems_missed = n_within < MET_SHARE * len(ended)
    return n_independent >= ENOUGH or (seems_missed and verdict(n_within, len(ended), n_independent) == "missed")


def _n_within(target_s: float, shots: Sequence[LoadRequest]) -> int:
    return sum(shot.text is not None and shot.ended_s - shot.due_s <= target_s for shot in shots)


def _measured(load: float, stretch: _Stretch, plan: LoadPlan, texts: dict[str, str]) -> LoadStep:
    shots, queue = stretch.shots, stretch.queue
    answered = [shot for shot in shots if shot.text is not None]
    latencies = [shot.ended_s - shot.due_s for shot in answered]
    n_independent = _worth(plan, load, shots)
    found = latency_stats(latencies, n_independent * len(answered) / max(1, len(shots)))
    wall_s = queue.ended_s - queue.began_s
    audio_s = sum(share(shot.began_s, shot.ended_s, queue.ended_s) * shot.audio_s for shot in answered)
    n_within = None if plan.target_p95_s is None else _n_within(plan.target_p95_s, shots)
    return LoadStep(
        load=load,
        n_requests=len(shots),
        n_answered=len(answered),
        errors=dict(sorted(Counter(shot.error for shot in shots if shot.error is not None).items())),
        audio_s=audio_s,
        wall_s=wall_s,
        rtfx=audio_s / wall_s if answered and wall_s else None,
        latency_p50_s=found.values_s[0],
        latency_p95_s=found.values_s[1],
        latency_p99_s=found.values_s[2],
        n_within=n_within,
        verdict=None if n_within is None else verdict(n_within, len(shots), n_independent),
        texts_differ=sum(shot.text != texts[shot.clip_id] for shot in answered),
        behind_s=max((shot.began_s - shot.due_s for shot in shots), default=0.0),
        reason=queue.reason,
        n_independent=n_independent,
        latency_p50_ci95_s=found.ci95_s[0],
        latency_p95_ci95_s=found.ci95_s[1],
        latency_p99_ci95_s=found.ci95_s[2],
        ci95_reason=found.reason,
    )
