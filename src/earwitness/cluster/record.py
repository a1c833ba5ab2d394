"""The record of a run over a cluster: lines as they come, and the record of one machine at the end."""

from __future__ import annotations

from array import array
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from earwitness.cluster.dispatch import Work
from earwitness.files.atomic import RESUME, write_errors
from earwitness.records import store
from earwitness.records.machines import one_environment, one_speed, one_workers
from earwitness.records.record import ClipResult, EngineInfo, MachineInfo, Run, RunStatus
from earwitness.records.rescore import options_of, score_result
from earwitness.runs.job import ClipCallback, Job
from earwitness.runs.pool import PoolResult
from earwitness.scoring.metrics.corpus_counts import CorpusCounts
from earwitness.scoring.metrics.summary import summarize_table
from earwitness.scoring.metrics.timing import ClipTimes
from earwitness.types import Clip, Failure


class ClusterRecord:
    """A record that is being written; leaving the context closes it, complete or not.

    Args:
        path: The record, already written as running.
        run: What it holds.
        job: What to do; clips that have a result in the record are not run again.
        progress: Called after every clip.
        whole_nodes: Whether the times of the nodes count.
    """

    def __init__(self, path: Path, run: Run, job: Job, progress: ClipCallback, *, whole_nodes: bool) -> None:
        """Look up what is left to do."""
        self.path, self.model, self.data = path, run.model.id, run.dataset.name
        self._run, self._job, self._progress, self._whole_nodes = run, job, progress, whole_nodes
        self._places = {clip.id: place for place, clip in enumerate(job.dataset.clips)}
        # Of a result, all that is kept is where its line begins in the clips file; what has none has -1.
        self._begins = array("q", [-1]) * len(self._places)
        for begin, result in store.locate_clips(path):
            if result.clip.id in self._places:
                self._begins[self._places[result.clip.id]] = begin
        self._n_done = len(self._places) - self._begins.count(-1)
        self._times: dict[str, ClipTimes] = {}
        self._lines: IO[bytes] | None = None
        self._status: RunStatus = "interrupted"
        self._failure: Failure | None = None
        self.work: Work | None = None
        self._before = run.machines
        if self._n_done and not run.machines:  # one machine began it
            self._before = (
                MachineInfo("the first machine", None, run.environment, run.device_used, run.workers, None),
            )

    def left(self) -> list[Clip]:
        """Return the clips that have no result."""
        clips = zip(self._job.dataset.clips, self._begins, strict=True)
        return [clip for clip, begin in clips if begin < 0]

    def write(self, result: PoolResult, node: str) -> None:
        """Append the line of a clip; a clip that has one keeps it.

        Raises:
            FileError: When it cannot be written.
        """
        place = self._places[result.hypothesis.clip_id]
        if self._begins[place] >= 0:
            return
        if node not in self._times:
            self._times[node] = ClipTimes()
            self._name_nodes()
        clip = self._job.dataset.clips[place]
        line = score_result(clip, result.hypothesis, self._run.scoring, result.speech)
        clips_path = store.clips_path(self.path)
        with write_errors(clips_path, then=RESUME):
            self._lines = self._lines or clips_path.open("ab")
            begin = self._lines.tell()
            store.append(self._lines, line)
        self._begins[place] = begin
        self._n_done += 1
        self._times[node].add(line.hypothesis)
        self._progress(self._n_done, len(self._places), line)

    def _name_nodes(self) -> None:
        """Write the machines so far, since a driver that is killed writes none at the end."""
        store.write_run(self.path, self._with_machines(is_timed=False))

    def give_up(self, failure: Failure) -> None:
        """Say why the run cannot go on."""
        self._status, self._failure = "failed", failure

    def __enter__(self) -> Self:
        """Return the record."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put the lines in order, score them, and seal the record."""
        if self._lines is not None:
            self._lines.close()
        if error is not None and not isinstance(error, KeyboardInterrupt):
            self._status = "failed"
            self._failure = Failure("transcribe", "error", f"{type(error).__name__}: {error}")
        elif self._n_done == len(self._places):
            self._status = "complete"
        counts, times = CorpusCounts(), ClipTimes()

        def note(result: ClipResult) -> None:
            counts.add(result.clip, result.score)
            times.add(result.hypothesis)

        # Results came in any order, and the lines of a record are in that of the data, as one machine writes them.
        store.reorder_clips(self.path, (begin for begin in self._begins if begin >= 0), note)
        run = self._with_machines(is_timed=self._whole_nodes)
        run = replace(
            run,
            status=self._status,
            failure=self._failure if self._status != "complete" else None,
            finished_at=store.now(),
            process=None,
            scores=summarize_table(counts.table(), options_of(self._run.scoring)),
            speed=one_speed(run.machines, times.speed()) if self._whole_nodes and run.machines else None,
        )
        store.write_run(self.path, store.seal_record(self.path, run))

    def _with_machines(self, *, is_timed: bool) -> Run:
        work, run = self.work, self._run
        machines = (*self._before, *self._machines(is_timed=is_timed))
        reports = list(work.reports.values()) if work is not None else []
        environments = [machine.environment for machine in machines if machine.environment is not None]
        if environments:
            run = replace(run, environment=one_environment(environments))
        if reports:
            info = reports[0].info
            run = replace(
                run,
                engine=EngineInfo(run.engine.name, dict(info.packages), info.python),
                device_used=info.device,
                settings_in_force=dict(info.in_force),
            )
        workers = one_workers([machine.workers for machine in machines])
        return replace(run, machines=machines, workers=workers, speed=None)

    def _machines(self, *, is_timed: bool) -> list[MachineInfo]:
        if self.work is None:
            return []
        machines = []
        # In the order of their numbers.
        for name, report in sorted(self.work.reports.items(), key=lambda each: (len(each[0]), each[0])):
            speed = self._times.get(name, ClipTimes()).speed() if is_timed else None
            environment = self.work.nodes[name].environment
            machines.append(MachineInfo(name, None, environment, report.info.device, report.workers, speed))
        return machines
