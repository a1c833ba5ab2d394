"""The record of a run over a cluster: lines as they come, and the record of one machine at the end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from earwitness.cluster.dispatch import Work
from earwitness.files.atomic import RESUME, write_errors
from earwitness.records import store
from earwitness.records.machines import one_environment, one_speed, one_workers
from earwitness.records.record import EngineInfo, MachineInfo, Run, RunStatus
from earwitness.records.rescore import score_result, score_run
from earwitness.runs.job import ClipCallback, Job
from earwitness.runs.pool import PoolResult
from earwitness.scoring.metrics.timing import speed
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
        self._results = {result.clip.id: result for result in store.read_clips(path)}
        self._clips = {clip.id: clip for clip in job.dataset.clips}
        self._node_of: dict[str, str] = {}
        self._named: set[str] = set()
        self._lines: IO[bytes] | None = None
        self._status: RunStatus = "interrupted"
        self._failure: Failure | None = None
        self.work: Work | None = None
        self._before = run.machines
        if self._results and not run.machines:  # one machine began it
            self._before = (
                MachineInfo("the first machine", None, run.environment, run.device_used, run.workers, None),
            )

    def left(self) -> list[Clip]:
        """Return the clips that have no result."""
        return [clip for clip in self._job.dataset.clips if clip.id not in self._results]

    def write(self, result: PoolResult, node: str) -> None:
        """Append the line of a clip; a clip that has one keeps it.

        Raises:
            FileError: When it cannot be written.
        """
        clip = self._clips[result.hypothesis.clip_id]
        if clip.id in self._results:
            return
        if node not in self._named:
            self._name_nodes(node)
        line = score_result(clip, result.hypothesis, self._run.scoring, result.speech)
        clips_path = store.clips_path(self.path)
        with write_errors(clips_path, then=RESUME):
            self._lines = self._lines or clips_path.open("ab")
            store.append(self._lines, line)
        self._results[clip.id] = line
        self._node_of[clip.id] = node
        self._progress(len(self._results), len(self._clips), line)

    def _name_nodes(self, node: str) -> None:
        """Write the machines so far, since a driver that is killed writes none at the end."""
        self._named.add(node)
        run = self._with_machines()
        machines = (*self._before, *(replace(machine, speed=None) for machine in self._machines()))
        store.write_run(self.path, replace(run, machines=machines, speed=None))

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
        elif len(self._results) == len(self._clips):
            self._status = "complete"
        results = [self._results[id_] for id_ in self._clips if id_ in self._results]
        # Results came in any order, and the lines of a record are in that of the data, as one machine writes them.
        store.write_clips(self.path, results)
        run = replace(
            self._with_machines(),
            status=self._status,
            failure=self._failure if self._status != "complete" else None,
            finished_at=store.now(),
            process=None,
            scores=score_run(results, self._run.scoring),
        )
        store.write_run(self.path, store.seal_record(self.path, run))

    def _with_machines(self) -> Run:
        work, run = self.work, self._run
        machines = (*self._before, *self._machines())
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
        timed = speed(result.hypothesis for result in self._results.values())
        return replace(
            run,
            machines=machines,
            workers=one_workers([machine.workers for machine in machines]),
            speed=one_speed(machines, timed) if self._whole_nodes and machines else None,
        )

    def _machines(self) -> list[MachineInfo]:
        if self.work is None:
            return []
        machines = []
        # In the order of their numbers.
        for name, report in sorted(self.work.reports.items(), key=lambda each: (len(each[0]), each[0])):
            ours = [self._results[id_].hypothesis for id_, node in self._node_of.items() if node == name]
            timed = speed(ours) if self._whole_nodes else None
            place = self.work.nodes[name].environment
            machines.append(MachineInfo(name, None, place, report.info.device, report.workers, timed))
        return machines
