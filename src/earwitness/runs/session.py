"""One run at work: clip by clip, in blocks, so that several runs can take turns; the record is written at its end."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from pathlib import Path

from earwitness.files.atomic import RESUME, write_errors
from earwitness.records import store
from earwitness.records.record import EngineInfo, Run, RunStatus, WorkersInfo
from earwitness.records.rescore import score_result, score_run
from earwitness.records.speed import Measurements, Order
from earwitness.runs.drift import Calibration
from earwitness.runs.job import ClipCallback, Job, start_worker, supervisor
from earwitness.runs.load import under_load
from earwitness.runs.protocols import Passes, cold
from earwitness.runs.speech import SpeechDetector
from earwitness.runs.throughput import throughput
from earwitness.runs.transcribe import CLIP, transcribe_clip
from earwitness.scoring.metrics.timing import speed
from earwitness.types import Clip, Failure, Hypothesis
from earwitness.workers.supervisor import GivenUpError


class Session:
    """A run that was started or resumed. A context manager: leaving it saves the progress.

    Its worker is ended by leaving ``workers``, before the session is left: what is lost by an interruption is then a
    clip, and never time on a machine that somebody wants back.

    Args:
        path: The record, already written as running.
        run: What it holds.
        job: What to do; clips that have a result in the record are not run again.
        report: Called after every clip.
        scratch: A folder of its own for decoded audio.
    """

    def __init__(self, path: Path, run: Run, job: Job, progress: ClipCallback, scratch: Path) -> None:
        """Look up what is left to do; the worker is started by the first clip."""
        self.job = job
        self.order = Order("alone")
        self.calibration: Calibration | None = None
        self.workers = supervisor(run, job, scratch)
        self._path, self._run, self._report, self._scratch = path, run, progress, scratch
        self._results = {result.clip.id: result for result in store.read_clips(path)}
        self._left = deque(clip for clip in job.dataset.clips if clip.id not in self._results)
        self._listener = SpeechDetector(job.ear, scratch / CLIP)
        self._passes: Passes | None = None
        self._measurements = run.measurements
        self._measured = False
        # What it is when something else, such as Ctrl-C or another model's error, ends it.
        self._status: RunStatus = "interrupted"
        self._failure: Failure | None = None
        self._written = False

    def work(self, n_clips: int) -> bool:
        """Transcribe this many clips; after the last, run a protocol or a part of one. False once nothing is left.

        Raises:
            RecordError: When a result cannot be written; the run is then failed, and can be resumed.
        """
        try:
            if self._left:
                self._hear(n_clips)
                return True
            if self._measuring():
                return True
            self._status = "complete"
        except GivenUpError as error:
            self._status, self._failure = "failed", error.failure
        except Exception as error:
            self._status, self._failure = "failed", Failure("transcribe", "error", f"{type(error).__name__}: {error}")
            raise
        return False

    def close(self) -> None:
        """End the worker and write the record."""
        self.workers.rest()
        self._write()

    def __enter__(self) -> Session:
        """Return the session."""
        return self

    def __exit__(self, *_: object) -> None:
        """Write the record, unless that was done."""
        self._write()

    def _hear(self, n_clips: int) -> None:
        path = store.clips_path(self._path)
        with write_errors(path, then=RESUME), path.open("ab") as lines:
            for _ in range(min(n_clips, len(self._left))):
                clip = self._left[0]
                hypothesis = self._ask(clip)
                speech = self._listener.hear(clip, self.job.dataset, hypothesis)
                result = score_result(clip, hypothesis, self._run.scoring, speech)
                store.append(lines, result)
                self._left.popleft()
                self._results[clip.id] = result
                self._report(len(self._results), len(self.job.dataset.clips), result)
                if hypothesis.failure is not None:
                    self.workers.give_up_if_hopeless(hypothesis.failure)

    def _ask(self, clip: Clip) -> Hypothesis:
        language = self._run.settings_asked.language
        return transcribe_clip(clip, self.job.dataset, self.workers, language, self._scratch / CLIP)

    def _measuring(self) -> bool:
        measure = self._run.measure
        if not (measure.protocols or measure.load) or self._measured:
            return False
        results = [self._results[clip.id] for clip in self.job.dataset.clips]
        if "latency" in measure.protocols:
            self._passes = self._passes or Passes(results, measure.budget_s)
            if not self._passes.done:
                self._passes.again(self._ask)
                return True
        # What follows starts workers of its own: ours would hold memory and, on some engines, spin.
        self.workers.rest()
        run, job, scratch = self._run, self.job, self._scratch
        found = Measurements(
            latency=self._passes.latency() if self._passes else None,
            cold=cold(lambda: start_worker(run, job), run, job, results, scratch)
            if "cold" in measure.protocols
            else None,
            throughput=throughput(run, job, results, self.workers, scratch)
            if "throughput" in measure.protocols
            else None,
        )
        if measure.load:
            load = under_load(run, job, results, scratch, lambda load: self._keep(replace(found, load=load)))
            found = replace(found, load=load)
        self._measurements, self._measured = found, True
        return False

    def _keep(self, measurements: Measurements) -> None:
        self._measurements = measurements
        store.write_run(self._path, replace(self._run, measurements=measurements))

    def _write(self) -> None:
        if self._written:
            return
        self._written = True
        results = [self._results[clip.id] for clip in self.job.dataset.clips if clip.id in self._results]
        if [result.clip.id for result in results] != list(self._results):  # a cluster began it, in any order
            store.write_clips(self._path, results)
        run = replace(
            self._run,
            status=self._status,
            failure=self._failure,
            finished_at=store.now(),
            process=None,
            measurements=self._measurements,
            speech=replace(self._run.speech, wall_s=self._run.speech.wall_s + self._listener.wall_s),
            drift=self.calibration.drift() if self.calibration else None,
            order=self.order,
            speed=speed(result.hypothesis for result in results),
            scores=score_run(results, self._run.scoring),
        )
        store.write_run(self._path, store.seal_record(self._path, self._with_workers(run)))

    def _with_workers(self, run: Run) -> Run:
        workers, info, before = self.workers, self.workers.first, run.workers
        if info is None:
            return run
        return replace(
            run,
            engine=EngineInfo(run.engine.name, dict(info.packages), info.python),
            device_used=info.device,
            settings_in_force=dict(info.in_force),
            workers=WorkersInfo(
                spawn_s=before.spawn_s if before else info.spawn_s,
                load_s=before.load_s if before else info.load_s,
                n_warmup=workers.n_warmup + (before.n_warmup if before else 0),
                n_started=workers.n_workers + (before.n_started if before else 0),
                peak_rss_bytes=_most(workers.peak_rss_bytes, before.peak_rss_bytes if before else None),
                peak_device_bytes=_most(workers.peak_device_bytes, before.peak_device_bytes if before else None),
            ),
        )


def _most(*values: int | None) -> int | None:
    return max((value for value in values if value is not None), default=None)
