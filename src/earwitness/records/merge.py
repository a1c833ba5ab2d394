"""Joins the records of shards into the record that one machine would have written.

Only shards of one study are joined: the same data, weights, engine version, settings and scoring, each part once. Lines
are copied as they are, in the order of the dataset, and every number is made again from them. Times and machines are
those of the parts.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from earwitness.counts import quantity
from earwitness.data.clips import Fingerprint, sha256_under
from earwitness.errors import RecordError
from earwitness.files.atomic import atomic_write
from earwitness.records import store
from earwitness.records.machines import one_environment, one_speed, one_workers
from earwitness.records.record import ClipResult, ClipsFile, DatasetInfo, MachineInfo, Run, ShardInfo, SpeechInfo
from earwitness.records.rescore import options_of
from earwitness.scoring.metrics.corpus_counts import CorpusCounts
from earwitness.scoring.metrics.summary import summarize_table
from earwitness.scoring.metrics.timing import ClipTimes

MergeOutcome = Literal["merged", "already here", "refused"]
ShardRecord = tuple[Path, Run]


@dataclass(frozen=True, slots=True)
class MergeResult:
    """The outcome for the shards of one model on one dataset."""

    what: str
    """Model and dataset."""
    outcome: MergeOutcome
    """``already here``: they were merged before."""
    reason: str
    """Why they were refused, in one sentence; empty otherwise."""
    record: Path | None
    """The record of the whole; ``None`` when they were refused."""
    shards: tuple[Path, ...]
    """The records of the parts, in order."""


def merge(records: Sequence[Path], out: Path) -> list[MergeResult]:
    """Join all shards among records, one record for each study, and leave the shards as they are.

    Args:
        records: Paths of records; those that are no shards are passed over.
        out: The folder of the records.

    Raises:
        RecordError: When there is no shard among them, or one cannot be read.
        FileError: When a record cannot be written.
    """
    shards = [(path, run) for path in records if (run := store.read_run(path)).dataset.shard is not None]
    if not shards:
        raise RecordError("There is no shard among these records. Make some: earwitness run DATA --model M --shard 1/2")
    before = _merged_before(out)
    return [_merge(group, shards, out, before) for group in _studies(shards)]


def _studies(shards: Sequence[ShardRecord]) -> list[list[ShardRecord]]:
    """Return the complete shards of each study; of a study that has none, the unfinished ones."""
    groups: dict[str, list[ShardRecord]] = {}
    for path, run in shards:
        if run.status == "complete":
            groups.setdefault(json.dumps(identity(run), sort_keys=True), []).append((path, run))
    begun = {_title(group[0][1]) for group in groups.values()}
    for path, run in shards:
        if run.status != "complete" and _title(run) not in begun:
            groups.setdefault(_title(run), []).append((path, run))
    return list(groups.values())


def _title(run: Run) -> str:
    return f"{run.model.id} on {run.dataset.name}"


def identity(run: Run) -> dict[str, Any]:
    """Return what the shards of one study have in common, by its name in messages.

    Threads are not in it: unset, they are as many as the machine has cores.
    """
    shard, in_force = _shard(run), dict(run.settings_in_force)
    asked = asdict(run.settings_asked)
    for settings in (in_force, asked):
        settings.pop("threads", None)
    return {
        "model": run.model.id,
        "dataset": run.dataset.name,
        "data": shard.sha256,
        "number of shards": shard.of,
        "condition": run.dataset.condition and run.dataset.condition.version,
        "weights": run.model.weights_sha256,
        "model's options": dict(run.model.options),
        "engine version": [run.engine.name, dict(run.engine.packages)],
        "settings": [asked, in_force, run.preset],
        "device": (run.device_used or "").partition(":")[0],
        "scoring": asdict(run.scoring),
        "limits": asdict(run.limits),
        "search for speech": run.speech.model,
        "Earwitness version": run.environment.earwitness,
    }


def _shard(run: Run) -> ShardInfo:
    if run.dataset.shard is None:
        raise RecordError(f"{run.id!r} is not a shard.")
    return run.dataset.shard


def _merged_before(out: Path) -> dict[frozenset[str | None], Path]:
    """Return the records in a folder that were merged, by the ids of their shards."""
    paths = store.find_records([out]) if out.is_dir() and any(out.rglob(f"*{store.CLIPS_SUFFIX}")) else []
    runs = [(path, store.read_run(path)) for path in paths]
    return {frozenset(machine.run_id for machine in run.machines): path for path, run in runs if run.machines}


def _merge(
    group: Sequence[ShardRecord], every: Sequence[ShardRecord], out: Path, before: Mapping[frozenset[str | None], Path]
) -> MergeResult:
    what = _title(group[0][1])
    try:
        parts = _complete(group, every)
        paths = tuple(path for path, _ in parts)
        earlier = before.get(frozenset(run.id for _, run in parts))
        if earlier is not None:
            return MergeResult(what, "already here", "", earlier, paths)
        return MergeResult(what, "merged", "", _join(parts, out), paths)
    except RecordError as error:
        return MergeResult(what, "refused", str(error), None, tuple(path for path, _ in group))


def _complete(group: Sequence[ShardRecord], every: Sequence[ShardRecord]) -> list[ShardRecord]:
    """Return each part once, in order.

    Raises:
        RecordError: For a part that is missing, unfinished, doubled, or not as it was written.
    """
    of = _shard(group[0][1]).of
    parts: list[ShardRecord] = []
    for number in range(1, of + 1):
        done = [(path, run) for path, run in group if _is_part(run, number) and run.status == "complete"]
        if len(done) > 1:
            each = " and ".join(repr(str(path)) for path, _ in done)
            raise RecordError(f"Shard {number} of {of} is there {len(done)} times: {each}. Name the one to take.")
        if not done:
            raise RecordError(_absent(number, group, every))
        parts += done
    for path, run in parts:
        if run.clips_file.sha256 is None or not store.seal_fits(path, run):
            raise RecordError(f"{str(path)!r}: its clips file was changed after the run. Copy both again.")
    return parts


def _is_part(run: Run, number: int) -> bool:
    return _shard(run).number == number


def _absent(number: int, group: Sequence[ShardRecord], every: Sequence[ShardRecord]) -> str:
    """Return why a part is not there, with the record that comes nearest to it."""
    ours, run = group[0]
    name = f"Shard {number} of {_shard(run).of}"
    near = [(path, other) for path, other in every if _title(other) == _title(run) and _is_part(other, number)]
    for path, other in near:
        theirs, wanted = identity(other), identity(run)
        if other.status != "complete" and _shard(other).of == _shard(run).of:
            return f"{name} is {other.status}. Finish it: earwitness run --resume {shlex.quote(str(path))}"
        if theirs != wanted:
            differs = ", ".join(what for what in wanted if wanted[what] != theirs[what])
            return f"{name} is missing: {str(path)!r} differs from {str(ours)!r} in {differs}. Run it like that one."
    return f"{name} is missing. Run it: earwitness run DATA --model {run.model.id} --shard {number}/{_shard(run).of}"


def _join(parts: Sequence[ShardRecord], out: Path) -> Path:
    first = parts[0][1]
    path = store.new_record_path(store.record_folder(out, first.model.id))
    try:
        store.write_run(path, _whole(parts, path))
    except BaseException:
        store.clips_path(path).unlink(missing_ok=True)
        raise
    return path


def _whole(parts: Sequence[ShardRecord], path: Path) -> Run:
    """Write the lines of all parts into the clips file of a record, and return its run."""
    runs = [run for _, run in parts]
    first, shard = runs[0], _shard(runs[0])
    data, counts, times = Fingerprint(), CorpusCounts(), ClipTimes()

    def note(result: ClipResult) -> None:
        data.add(result.clip)
        counts.add(result.clip, result.score)
        times.add(result.hypothesis)

    with atomic_write(store.clips_path(path)) as target:
        seal = store.copy_clips([part for part, _ in parts], target, note)
    if data.hexdigest() != shard.sha256:
        raise RecordError("The clips of the shards do not add up to the data that they are of. Run them again.")
    machines = tuple(machine for run in runs for machine in _machines(run))
    return replace(
        first,
        id=store.new_run_id(first.model.id),
        created_at=min(run.created_at for run in runs),
        finished_at=max(str(run.finished_at) for run in runs),
        command=_without_shard(first.command),
        dataset=_whole_data(first.dataset, shard),
        environment=one_environment([run.environment for run in runs]),
        clips_file=ClipsFile(store.clips_path(path).name, seal.sha256, seal.lines),
        speed=one_speed(machines, times.speed()),
        workers=one_workers([run.workers for run in runs]),
        scores=summarize_table(counts.table(), options_of(first.scoring)),
        resumed=sum(run.resumed for run in runs),
        speech=_speech(runs),
        drift=None,
        order=None,
        machines=machines,
    )


def _speech(runs: Sequence[Run]) -> SpeechInfo:
    return replace(runs[0].speech, wall_s=sum(run.speech.wall_s for run in runs))


def _whole_data(part: DatasetInfo, shard: ShardInfo) -> DatasetInfo:
    return replace(
        part,
        sha256=sha256_under(part.condition, shard.sha256),
        n_clips=shard.n_clips,
        audio_s=shard.audio_s,
        selection=replace(part.selection, shard=None),
        condition=part.condition and replace(part.condition, clean_sha256=shard.sha256),
        shard=None,
    )


def _machines(run: Run) -> Iterator[MachineInfo]:
    name = f"shard {_shard(run).number} of {_shard(run).of}"
    if not run.machines:
        yield MachineInfo(name, run.id, run.environment, run.device_used, run.workers, run.speed)
    for machine in run.machines:
        yield replace(machine, name=f"{name}, {machine.name}", run_id=run.id)


def _without_shard(command: Sequence[str]) -> tuple[str, ...]:
    """Return a command without the option for one part.

    >>> _without_shard(["run", "sample", "--shard", "1/2", "--json"])
    ('run', 'sample', '--json')
    """
    kept, skip = [], False
    for word in command:
        if not skip and word != "--shard" and not word.startswith(("--shard=", "shard=")):
            kept.append(word)
        skip = word == "--shard"
    return tuple(kept)


def not_merged(shards: Sequence[ShardRecord], merged_ids: frozenset[str | None]) -> list[str]:
    """Return a sentence for the shards of each model and dataset that no merged record has.

    Args:
        shards: Records of shards.
        merged_ids: Ids of the shards that are in merged records.
    """
    groups: dict[tuple[str, str], list[Path]] = {}
    for path, run in shards:
        if run.id not in merged_ids:
            groups.setdefault((run.model.id, run.dataset.name), []).append(path)
    return [_merge_first(paths, model, data) for (model, data), paths in groups.items()]


def _merge_first(paths: Sequence[Path], model: str, data: str) -> str:
    are = "is a shard" if len(paths) == 1 else f"and {quantity(len(paths) - 1, 'other')} are shards"
    command = f"earwitness merge {shlex.quote(str(paths[0].parent))}"
    return f"{paths[0]} {are} of {model} on {data}. Merge the shards first: {command}"
