"""Cold start and warm latency, measured after the first pass over the clips."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from earwitness.errors import AudioError
from earwitness.records.record import ClipResult, Run
from earwitness.records.speed import Cold, ColdStart, Latency
from earwitness.records.spread import spread, variation
from earwitness.runs.job import Job, clip_budget_s
from earwitness.runs.transcribe import decode, spoken_language
from earwitness.scoring.metrics.timing import speed
from earwitness.types import Clip, Hypothesis
from earwitness.workers.supervisor import GivenUpError
from earwitness.workers.worker import Worker, WorkerFailedError

STEADY_CV = 0.05
LAST = 3


class Passes:
    """Warm latency: the same clips again and again, one at a time.

    A pass is begun when it is expected to end within the budget, by the time of the one before. Repeating ends early
    when the coefficient of variation of the last three passes' totals is at most 5 %: the criterion for a steady state
    of Georges, Buytaert and Eeckhout (2007), with three passes in place of ten.

    Args:
        results: The first pass. Clips that failed in it are left out.
        budget_s: Seconds for the passes after it.
    """

    def __init__(self, results: Sequence[ClipResult], budget_s: float) -> None:
        """Begin with the first pass."""
        self._clips = {r.clip.id: r.clip for r in results if r.hypothesis.ok and r.hypothesis.wall_s is not None}
        self._heard = {r.clip.id: [r.hypothesis] for r in results if r.clip.id in self._clips}
        self._n_first = len(self._clips)
        self._left_s = budget_s
        self._last_s = sum((h.wall_s or 0.0) + (h.decode_s or 0.0) for (h,) in self._heard.values())
        self._given_up = False

    @property
    def done(self) -> bool:
        """True when the passes are steady, the budget is too small for another, or nothing is left to time."""
        return self._given_up or not self._clips or self._last_s > self._left_s or self._steady

    def again(self, ask: Callable[[Clip], Hypothesis]) -> None:
        """Transcribe every clip once more; one that fails is dropped from all passes."""
        started = time.perf_counter()
        try:
            for clip in list(self._clips.values()):
                found = ask(clip)
                if found.ok and found.wall_s is not None:
                    self._heard[clip.id].append(found)
                else:
                    del self._clips[clip.id], self._heard[clip.id]
        except GivenUpError:
            # A pass that did not end is no pass; those before it stand.
            self._given_up = True
            whole = min(map(len, self._heard.values()), default=0)
            self._heard = {key: heard[:whole] for key, heard in self._heard.items()}
        self._last_s = time.perf_counter() - started
        self._left_s -= self._last_s

    def latency(self) -> Latency:
        """Return the result of the passes so far."""
        totals = self._totals()
        return Latency(
            pass_wall_s=tuple(totals),
            passes=spread(totals),
            cv_last=variation(totals[-LAST:]),
            steady=self._steady,
            speed=speed(
                replace(heard[0], wall_s=statistics.median(_walls(heard)), decode_s=_median_decode_s(heard))
                for heard in self._heard.values()
            ),
            n_dropped=self._n_first - len(self._heard),
            texts_changed=sum(len({_text(h) for h in heard}) > 1 for heard in self._heard.values()),
        )

    @property
    def _steady(self) -> bool:
        totals = self._totals()
        cv = variation(totals[-LAST:])
        return len(totals) >= LAST and cv is not None and cv <= STEADY_CV

    def _totals(self) -> list[float]:
        return [sum(walls) for walls in zip(*map(_walls, self._heard.values()), strict=True)]


def _walls(hypotheses: Sequence[Hypothesis]) -> list[float]:
    return [h.wall_s for h in hypotheses if h.wall_s is not None]


def _median_decode_s(hypotheses: Sequence[Hypothesis]) -> float | None:
    known = [h.decode_s for h in hypotheses if h.decode_s is not None]
    return statistics.median(known) if known else None


def _text(hypothesis: Hypothesis) -> str | None:
    return hypothesis.transcript.text if hypothesis.transcript else None


def cold(start: Callable[[], Worker], run: Run, job: Job, results: Sequence[ClipResult], scratch: Path) -> Cold | None:
    """Start workers to time their start and first clip; ``None`` if the run has no transcript.

    Another is started when it is expected to end within the budget, by the mean of those before; one always is.

    Args:
        start: Starts a worker with its model loaded.
        run: For its limits and its ``measure``.
        job: For its dataset.
        results: The first pass; each worker gets the first clip that was heard in it.
        scratch: Folder for decoded audio.
    """
    clip = next((result.clip for result in results if result.hypothesis.ok), None)
    if clip is None:
        return None
    try:
        audio = decode(clip, job.dataset, scratch / "cold.f32")
    except AudioError:
        return None
    language = spoken_language(clip, run.settings_asked.language)
    budget_s = clip_budget_s(run.limits, audio.duration_s)
    starts: list[ColdStart] = []
    n_failed, began = 0, time.perf_counter()
    for n in range(run.measure.cold_starts):
        if n and (time.perf_counter() - began) * (n + 1) / n > run.measure.budget_s:
            break
        try:
            with start() as worker:
                answer = worker.transcribe(
                    audio.path, audio.n_samples, audio.sample_rate_hz, language, budget_s=budget_s
                )
        except WorkerFailedError:
            n_failed += 1
            continue
        starts.append(ColdStart(worker.info.spawn_s, worker.info.load_s, answer.wall_s))
    return Cold(
        starts=tuple(starts),
        n_failed=n_failed,
        clip_id=clip.id,
        spawn_s=spread([one.spawn_s for one in starts]),
        load_s=spread([one.load_s for one in starts]),
        first_clip_s=spread([one.first_clip_s for one in starts]),
        first_text_s=spread([one.spawn_s + one.load_s + one.first_clip_s for one in starts]),
    )
