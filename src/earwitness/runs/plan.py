"""Turns a spec into jobs, and refuses everything that can be refused before the first clip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from earwitness import data, weights
from earwitness.data import bundle
from earwitness.data.shards import part_of
from earwitness.engines.base import EngineSpec
from earwitness.engines.catalog import Model, find
from earwitness.engines.devices import ANYWHERE, require_device
from earwitness.engines.registry import (
    get_engine,
    not_honoured,
    preset_settings,
    require_options,
    require_settings,
)
from earwitness.errors import EngineError, UsageError
from earwitness.files.fetch import cache_dir
from earwitness.languages import is_among
from earwitness.records.record import Run, RunLimits, Selection
from earwitness.records.speed import Protocol, SpeedProtocols
from earwitness.records.store import find_records, read_run
from earwitness.runs.conditions import names, under
from earwitness.runs.drive import Job, spoken_language
from earwitness.runs.spec import RunSpec
from earwitness.runs.speech import SpeechModel
from earwitness.scoring import ScoringInfo, ScoringOptions
from earwitness.scoring.align.alternatives import parse
from earwitness.scoring.metrics.clip import info_of
from earwitness.scoring.metrics.variants import spellings_of
from earwitness.types import Dataset, Settings
from earwitness.workers.environments import python_of

if TYPE_CHECKING:
    from earwitness.scoring.align.edits import Method

_PROTOCOLS: tuple[Protocol, ...] = ("latency", "cold", "throughput")


@dataclass(frozen=True, slots=True)
class Task:
    """A job, and the record to continue, if there is one."""

    job: Job
    """What to do."""
    record: Path | None = field(default=None)
    """To be resumed; ``None`` for a new one."""


def plan(spec: RunSpec, read: Callable[[Selection], Dataset] | None = None, *, elsewhere: bool = False) -> list[Task]:
    """Return a task for every dataset and model, after checking all of them.

    Args:
        spec: Data, models and options.
        read: What loads a dataset in place of ``load``, for many requests over the same data.
        elsewhere: Whether other machines run it, so that engines and devices need not be here.

    Raises:
        EarwitnessError: In one sentence, for the first thing that cannot work.
    """
    if not spec.sources:
        raise UsageError("Name some data, such as 'sample' or a folder. See what there is: earwitness data list")
    if not spec.models:
        raise UsageError("Name a model with --model, such as faster-whisper:tiny.en. See: earwitness models list")
    settings, typed = spec.decoding()
    scoring = _scoring(spec)
    measure = SpeedProtocols(protocols(spec.measure), spec.budget_s)
    if spec.shard and measure.protocols:
        raise UsageError("--measure is about one machine: measure speed in a run of its own, without --shard.")
    models = [_checked(model, spec, settings, typed, elsewhere=elsewhere) for model in spec.models]
    ear = open_speech_model(spec.speech)
    tasks = []
    conditions = names(spec.conditions, clean=spec.clean)
    for source, condition in ((source, condition) for source in spec.sources for condition in conditions):
        selection = Selection(
            _lasting(source), spec.limit, spec.tags, spec.language, spec.channel, condition, spec.columns, spec.shard
        )
        dataset = (read or load)(selection)
        if scoring.alternatives:
            for clip in dataset.clips:
                parse(clip.reference or "")
        for model, in_preset in models:
            _require_language(model, dataset, in_preset)
            job = Job(
                model=model,
                folder=weights.require(model),
                weights_sha256=weights.fingerprint(model),
                dataset=dataset,
                selection=selection,
                device=spec.device,
                settings=in_preset,
                preset=spec.preset,
                limits=RunLimits(warmup=spec.warmup, timeout_floor_s=spec.timeout_s),
                scoring=scoring,
                measure=measure,
                command=spec.command,
                ear=ear,
            )
            tasks.append(Task(job))
    return tasks


def protocols(names: Sequence[str]) -> tuple[Protocol, ...]:
    """Return the protocols of speed in the order in which they are measured.

    Raises:
        UsageError: For a name that is none.

    >>> protocols(["throughput,cold", "cold"])
    ('cold', 'throughput')
    """
    wanted = [name.strip() for text in names for name in text.split(",")]
    for name in wanted:
        if name not in _PROTOCOLS:
            raise UsageError(f"There is no protocol {name!r} to measure. There are: {', '.join(_PROTOCOLS)}.")
    return tuple(name for name in _PROTOCOLS if name in wanted)


def packable(spec: RunSpec) -> list[Dataset]:
    """Return the datasets of a spec, after checking what can be checked on a machine that will not run it.

    The engines need not be installed here, nor the weights be pulled.

    Raises:
        EarwitnessError: In one sentence, for the first thing that cannot work anywhere.
    """
    settings, typed = spec.decoding()
    _scoring(spec)
    protocols(spec.measure)
    names(spec.conditions, clean=spec.clean)
    datasets = [
        load(Selection(source, spec.limit, spec.tags, spec.language, spec.channel, columns=spec.columns))
        for source in spec.sources
    ]
    for model_id in spec.models:
        model = find(model_id)
        if any(source.startswith("path:") for source in model.sources):
            raise UsageError(
                f"The weights of {model_id!r} are a folder on this machine. Name a model that can be downloaded."
            )
        engine = get_engine(model.engine).spec
        require_device(engine, spec.device, ANYWHERE)
        require_settings(engine, settings, typed)
        for dataset in datasets:
            _require_language(model, dataset, settings)
    return datasets


def _scoring(spec: RunSpec) -> ScoringInfo:
    method = cast("Method", spec.align)
    equal = spellings_of(spec.spellings)
    options = ScoringOptions(spec.normalizer, spec.compounds, method, spec.alternatives, spec.numbers, equal)
    return info_of(options)


def resume_plan(paths: list[Path], *, elsewhere: bool = False) -> list[Task]:
    """Return a task for every unfinished record among and below the paths.

    Args:
        paths: Records, or folders of them.
        elsewhere: As for ``plan``.

    Raises:
        EarwitnessError: When a record's data, model or engine is no longer to be had.
    """
    unfinished = [(path, run) for path in find_records(paths) if (run := read_run(path)).status != "complete"]
    return [Task(_job_of(run, elsewhere=elsewhere), path) for path, run in unfinished]


def _job_of(run: Run, *, elsewhere: bool) -> Job:
    found = find(run.model.id)
    # What was typed beside the address of a server stands in the record alone.
    model = replace(found, options={**run.model.options, **found.options})
    if not elsewhere:
        python_of(get_engine(model.engine).spec)
    # Device, settings and preset are the record's own: resuming reads them there.
    return Job(
        model=model,
        folder=weights.require(model),
        weights_sha256=weights.fingerprint(model),
        dataset=load(run.dataset.selection),
        selection=run.dataset.selection,
        device=run.device_asked,
        settings=run.settings_asked,
        preset=run.preset,
        ear=open_speech_model(None) if run.speech.model else SpeechModel(reason=run.speech.reason),
    )


def open_speech_model(is_required: bool | None) -> SpeechModel:
    """Return the speech detector.

    Args:
        is_required: ``True`` pulls the model if it is not here; ``None`` takes it if it is.

    Raises:
        UsageError: When it is wanted and cannot be run here.
        FetchError: When it is wanted and cannot be had.
    """
    from earwitness.audio.speech import unavailable
    from earwitness.weights import speech

    if is_required is False:
        return SpeechModel(reason="it was not asked for")
    model = speech.locate()
    if model is None and not is_required:
        return SpeechModel(reason="its model is not pulled. Run once with --speech")
    reason = unavailable()
    if reason and is_required:
        raise UsageError(f"Speech detection is not possible: {reason}")
    if reason:
        return SpeechModel(reason=reason)
    model = model or speech.pull()
    return SpeechModel(speech.NAME, model, cache_dir() / "speech" / "found")


def caveats(tasks: list[Task]) -> list[str]:
    """Return the warnings to show before the run, each once.

    Remarks on the datasets, and a line for every engine on the settings that it cannot honour.
    """
    jobs = [task.job for task in tasks]
    remarks = [remark for job in jobs for remark in job.dataset.remarks]
    found = [not_honoured(get_engine(job.model.engine).spec, job.settings) for job in jobs]
    return list(dict.fromkeys([*remarks, *(line for line in found if line)]))


def load(selection: Selection) -> Dataset:
    """Load a dataset as selected.

    Raises:
        UsageError: When no clip is left.
        DataError: When it cannot be read.
    """
    dataset = data.load(
        selection.source,
        limit=selection.limit,
        tags=selection.tags,
        language=selection.language,
        channel=selection.channel,
        columns=selection.columns,
    )
    if not dataset.clips:
        raise UsageError(f"Data {selection.source!r} has no clips left after --limit and --tag. Ask for less.")
    return under(part_of(dataset, selection.shard), selection.condition)


def _lasting(source: str) -> str:
    # A record may be resumed from another folder: a path is kept whole, a name as it is.
    path = Path(source)
    is_path = bundle.split(source) is not None or (path.exists() and ("/" in source or path.suffix))
    return str(path.resolve()) if is_path else source


def _checked(
    model_id: str, spec: RunSpec, settings: Settings, names: frozenset[str], *, elsewhere: bool
) -> tuple[Model, Settings]:
    model = find(model_id)
    engine: EngineSpec = get_engine(model.engine).spec
    if not elsewhere:
        python_of(engine)
    require_device(engine, spec.device, ANYWHERE if elsewhere else None)
    require_options(engine, model.id, model.options)
    require_settings(engine, settings, names)
    weights.require(model)
    return model, preset_settings(engine, spec.preset, settings, names)


def _require_language(model: Model, dataset: Dataset, settings: Settings) -> None:
    for clip in dataset.clips:
        wanted = spoken_language(clip, settings.language)
        if not is_among(wanted, model.languages):
            knows = ", ".join(model.languages)
            raise EngineError(
                f"Model {model.id!r} knows only {knows}, but clip {clip.id!r} of {dataset.name!r} is {wanted!r}. "
                f"Use another model, or force a language: --set language={model.languages[0]}"
            )
