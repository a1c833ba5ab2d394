"""``earwitness run`` as a function."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from earwitness.api.records import Record, RecordSource, RecordSources, several
from earwitness.errors import UsageError
from earwitness.records.record import ClipResult
from earwitness.records.store import read_run

if TYPE_CHECKING:
    from earwitness.runs.job import Job
    from earwitness.runs.plan import Request, Task


@dataclass(frozen=True, slots=True)
class RunProgress:
    """A clip that is done."""

    model: str
    """Whose."""
    data: str
    """Name of the dataset."""
    done: int
    """Clips of this model and dataset that are done, this one included."""
    total: int
    """Clips that there are."""
    result: ClipResult
    """The clip with its text or failure, and its counts."""


RunCallback = Callable[[RunProgress], None]


class RunOptions(TypedDict, total=False):
    """What else ``run`` can be told: the options of the command, by name."""

    device: str
    """``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``tpu``."""
    preset: str
    """``matched``: all alike, greedy, no fall-back; ``native``: each engine as its authors ship it."""
    settings: Mapping[str, Any]
    """On top of the preset, such as ``{"beam_size": 5}``; ``--set`` of the command."""
    limit: int | None
    """Only the first so many clips."""
    tag: Mapping[str, str]
    """Only clips with these tags."""
    language: str | None
    """Of clips that state none."""
    channel: int | None
    """Of clips that state none, from 0; else the mean."""
    column: Mapping[str, str]
    """Which column of a table, or key of JSON lines, has what, such as ``{"text": "Wording"}``."""
    condition: str | Iterable[str]
    """What is done to the audio, such as ``noise:10dB``; each makes a dataset of its own."""
    clean: bool
    """Whether the audio as it is comes first where there are conditions; it does."""
    normalizer: str
    """For scoring: ``auto`` or another name of ``docs/metrics.md``, or a TOML file of rules."""
    compounds: bool
    """For scoring: whether ``white board`` equals ``whiteboard``."""
    align: str
    """For scoring: ``levenshtein`` or ``sclite``."""
    alternatives: bool
    """For scoring: whether ``{a / b}`` in a reference is either."""
    warmup: int
    """Unmeasured transcriptions by every new worker; 1."""
    timeout: float
    """Seconds that a clip gets at least, or ten times its audio; 120."""
    speech: bool | None
    """Whether to look for speech in the audio; ``None`` where it can be done."""
    measure: str | Iterable[str]
    """Protocols of speed: ``cold``, ``latency``, ``throughput``."""
    budget_s: float
    """Seconds that each protocol may take; 300."""


def run(
    data: RecordSources,
    model: str | Iterable[str] = (),
    *,
    out: RecordSource = "runs",
    interleave: bool = True,
    progress: RunCallback = lambda _: None,
    **options: Unpack[RunOptions],
) -> list[Record]:
    """Run every model over every dataset, each model in a process of its own, and return the records.

    A clip that fails is recorded and the run goes on. Look at ``record.run.status``: a run that could not go on is
    ``failed`` and not an exception. Ctrl-C leaves records that ``resume`` goes on with.

    Args:
        data: Names of corpora, manifests, folders, audio files, bundles; one or several. What is not given is taken
            from a bundle's study.
        model: Ids, such as ``faster-whisper:base``; one or several.
        out: Folder of the records.
        interleave: Whether models take turns; else one runs after the other.
        progress: Called after every clip.
        options: Those of ``RunOptions``.

    Returns:
        A record for each dataset, condition and model, in that order.

    Raises:
        EarwitnessError: In one sentence, for the first thing that cannot work, before any clip is heard.
    """
    from earwitness.runs.bundle_study import with_study
    from earwitness.runs.plan import plan

    request, typed = settings_of_call("run", [os.fspath(one) for one in several(data)], _words(model), options)
    return done(plan(with_study(request, typed)), Path(out), progress, interleave=interleave)


def resume(
    records: RecordSources = "runs", *, interleave: bool = True, progress: RunCallback = lambda _: None
) -> list[Record]:
    """Go on with every record that did not end, among and below the paths, and return those records.

    Clips that have a result, a failure included, are not run again.

    Args:
        records: Records, or folders that hold some.
        interleave: Whether models take turns; else one runs after the other.
        progress: Called after every clip.

    Raises:
        EarwitnessError: When a record's data, model or engine is no longer to be had, or changed since.
    """
    from earwitness.runs.plan import resume_plan

    tasks = resume_plan([Path(source) for source in several(records)])
    return done(tasks, Path(), progress, interleave=interleave)


def settings_of_call(
    function: str, data: list[str], model: tuple[str, ...], options: RunOptions
) -> tuple[Request, set[str]]:
    """Return what a function of this name was asked for, and the names of the request's fields that were given.

    Raises:
        UsageError: For an option that there is not, or one that is too small.
    """
    from earwitness.engines.registry import nearest
    from earwitness.runs.plan import Request

    given: dict[str, Any] = {"model": model, **options} if model else {**options}
    for name in options:
        if name not in RunOptions.__annotations__:
            raise UsageError(f"{function} has no option {name!r}.{nearest(name, RunOptions.__annotations__)}")
    for name, least in _LEAST.items():
        if given.get(name) is not None and given[name] < least:
            raise UsageError(f"{name} must be at least {least}, not {given[name]!r}.")
    values = {_FIELDS.get(name, name): _MADE.get(name, lambda value: value)(value) for name, value in given.items()}
    command = (f"earwitness.{function}", *data, *(f"{name}={value!r}" for name, value in given.items()))
    return Request(**{"models": (), **values}, sources=tuple(data), command=command), set(values)


def done(tasks: Sequence[Task], out: Path, progress: RunCallback, *, interleave: bool) -> list[Record]:
    """Do the work, and return the records in the order of the tasks."""
    from earwitness.runs.drive import Turn, by_data, together

    made: dict[int, Path] = {}
    for group in by_data([task.job for task in tasks], interleave=interleave):
        turns = [Turn(tasks[n].job, _reporter(tasks[n].job, progress), tasks[n].record) for n in group]
        made |= zip(group, together(turns, out), strict=True)
    return [Record(made[n], read_run(made[n])) for n in range(len(tasks))]


def _reporter(job: Job, progress: RunCallback) -> Callable[[int, int, ClipResult], None]:
    return lambda done, total, result: progress(RunProgress(job.model.id, job.dataset.name, done, total, result))


def _words(value: str | Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _assigned(settings: Mapping[str, Any]) -> tuple[str, ...]:
    from earwitness.engines.registry import show_settings

    return tuple(f"{name}={show_settings(value)}" for name, value in settings.items())


def _canonical(name: str) -> str:
    from earwitness.scoring.text import normalizer

    return normalizer(name).name


_LEAST = {"limit": 1, "channel": 0, "warmup": 0, "timeout": 1, "budget_s": 1}
_FIELDS = {
    "model": "models", "settings": "assignments", "tag": "tags", "column": "columns", "condition": "conditions",
    "align": "method", "timeout": "timeout_s",
}  # fmt: skip
"""Fields of ``Request`` that are called otherwise."""
_MADE: dict[str, Callable[[Any], Any]] = {
    "settings": _assigned,
    "tag": lambda tags: tuple(f"{key}={value}" for key, value in tags.items()),
    "column": lambda columns: tuple(f"{role}={name}" for role, name in columns.items()),
    "condition": _words,
    "measure": _words,
    "normalizer": _canonical,
}
