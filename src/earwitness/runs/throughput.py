"""Throughput: a short search for the best division of the cores among workers, and the measurement with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from earwitness.counts import quantity
from earwitness.engines.registry import get_engine
from earwitness.records.record import ClipResult, Run, texts_of
from earwitness.records.speed import Throughput, Try
from earwitness.runs.job import Job
from earwitness.runs.saturate import Stretch, saturate
from earwitness.scoring.metrics.timing import speed
from earwitness.types import Clip
from earwitness.workers.supervisor import Supervisor

_SEARCH_SHARE = 0.25
_LEAST_CLIPS_A_WORKER = 2


def shares(cores: int, *, threads_fixed: bool) -> list[tuple[int, int]]:
    """Return the numbers of workers and of threads to try: one worker, twice as many each time, a worker a core.

    >>> shares(6, threads_fixed=False), shares(2, threads_fixed=True), shares(1, threads_fixed=False)
    ([(1, 6), (2, 3), (4, 1), (6, 1)], [(1, 1), (2, 1)], [(1, 1)])
    """
    workers = [2**n for n in range(cores.bit_length()) if 2**n < cores]
    return [(n, 1 if threads_fixed else cores // n) for n in [*workers, cores]]


def throughput(
    run: Run, job: Job, results: Sequence[ClipResult], before: Supervisor, scratch: Path
) -> Throughput | None:
    """Search on the first clips, then saturate the machine with all; ``None`` if the run has no transcript.

    The search takes a quarter of the budget at most, workers' starts not counted; the cores are those of the setting
    ``threads``. Clips that failed in the run are left out.

    Args:
        run: For its settings, limits and ``measure``.
        job: For its model and dataset.
        results: The first pass: what every text is compared with.
        before: The run's own worker, at rest, for the memory that one takes.
        scratch: Folder for decoded audio.
    """
    first = [result for result in results if result.hypothesis.ok]
    if not first:
        return None
    fixed = "threads" in get_engine(job.model.engine).spec.fixed
    measure = run.measure
    candidates = shares(run.settings_asked.threads or 1, threads_fixed=fixed)
    share_s = measure.budget_s * _SEARCH_SHARE / len(candidates)
    tries = []
    for workers, threads in candidates:
        reason = _no_room(workers, before.peak_rss_bytes)
        if reason is not None:
            tries.append(Try(workers, threads, 0.0, 0.0, None, reason))
            continue
        clips = _prefix(first, min(share_s, measure.stretch_s), workers * _LEAST_CLIPS_A_WORKER)
        least_s = min(share_s, measure.stretch_s) / 2
        tried = saturate(
            run, job, clips, workers=workers, threads=threads, least_s=least_s, most_s=share_s, scratch=scratch
        )
        tries.append(Try(workers, threads, tried.audio_s, tried.wall_s, _rtfx(tried), _why_not(tried)))
    best = max(tries, key=lambda one: (one.reason is None, one.rtfx or 0.0, -one.workers))
    if best.reason is not None:
        return _outcome(best, first, Stretch((), 0.0, 0.0, None, best.reason), tries)
    stretch = saturate(
        run,
        job,
        [result.clip for result in first],
        workers=best.workers,
        threads=best.threads,
        least_s=measure.stretch_s,
        most_s=measure.budget_s * (1 - _SEARCH_SHARE),
        scratch=scratch,
    )
    return _outcome(best, first, stretch, tries)


def _outcome(best: Try, first: Sequence[ClipResult], stretch: Stretch, tries: Sequence[Try]) -> Throughput:
    texts = texts_of(first)
    hypotheses = [one.hypothesis for one in stretch.heard]
    answers = [(h.clip_id, h.transcript.text) for h in hypotheses if h.transcript]
    return Throughput(
        workers=best.workers,
        threads=best.threads,
        audio_s=stretch.audio_s,
        wall_s=stretch.wall_s,
        rtfx=_rtfx(stretch),
        sequential_rtfx=_sequential_rtfx(first),
        n_clips=len(stretch.heard),
        n_failed=_n_failed(stretch),
        n_compared=len({key for key, _ in answers}),
        texts_differ=len({key for key, text in answers if text != texts[key]}),
        tries=tuple(tries),
        peak_rss_bytes=stretch.peak_rss_bytes,
        reason=stretch.reason or _why_cut(stretch, len(texts)),
    )


def _sequential_rtfx(first: Sequence[ClipResult]) -> float | None:
    alone = speed(result.hypothesis for result in first)
    alone_s = alone.wall_s + alone.decode_s
    return alone.audio_s / alone_s if alone_s else None


def _why_cut(stretch: Stretch, n_clips: int) -> str | None:
    n_left = n_clips - len({one.hypothesis.clip_id for one in stretch.heard})
    return f"the budget ended before {n_left} of {quantity(n_clips, 'clip')}" if n_left else None


def _n_failed(stretch: Stretch) -> int:
    return sum(not one.hypothesis.ok for one in stretch.heard)


def _rtfx(stretch: Stretch) -> float | None:
    return stretch.audio_s / stretch.wall_s if stretch.audio_s and stretch.wall_s else None


def _why_not(stretch: Stretch) -> str | None:
    n_failed = _n_failed(stretch)
    failed = f"{n_failed} of {quantity(len(stretch.heard), 'clip')} failed" if n_failed else None
    return stretch.reason or failed or (None if _rtfx(stretch) else "no audio was heard")


def _prefix(first: Sequence[ClipResult], seconds: float, least: int) -> list[Clip]:
    """Return the first clips that took one worker so many seconds, and at least so many clips."""
    clips: list[Clip] = []
    total_s = 0.0
    for result in first:
        if total_s >= seconds and len(clips) >= least:
            break
        clips.append(result.clip)
        total_s += result.hypothesis.wall_s or 0.0
    return clips


def _no_room(workers: int, peak_rss_bytes: int | None) -> str | None:
    import psutil

    if workers == 1 or peak_rss_bytes is None:
        return None
    needed, room = workers * peak_rss_bytes, psutil.virtual_memory().available
    if needed <= room:
        return None
    return (
        f"{quantity(workers, 'worker')} would take about {needed / 1e9:.1f} GB, and {room / 1e9:.1f} GB were available"
    )
