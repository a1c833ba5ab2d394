"""The run record: the results, the data, the model and the machine, and how to repeat the run.

Two files: ``<time>.json`` is the Run, ``<time>.clips.jsonl`` has one ClipResult a line, appended as the run goes. The
second one holds the raw texts, so a record can be scored again anywhere, without engine or audio.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from earwitness.files.schema import Strict
from earwitness.records.speed import Drift, Measurements, Order, SpeedProtocols
from earwitness.scoring.metrics.clip import ScoringInfo
from earwitness.scoring.metrics.timing import Speed
from earwitness.types import Clip, ClipScore, DatasetCondition, Failure, Hypothesis, Score, Settings

SCHEMA_VERSION = 1
RunStatus = Literal["running", "complete", "interrupted", "failed"]


@dataclass(frozen=True, slots=True)
class ModelInfo(Strict):
    """The weights of a model."""

    id: str
    """As in the catalog, such as ``faster-whisper:base``."""
    weights_id: str
    """Shared by every engine that runs the same weights."""
    weights_sha256: str | None
    """Of all files of the weights, in order of their names; ``None`` for a model without files."""
    license: str
    """As its publisher states it."""
    parameters: int | None = None
    """Number of parameters, if known."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What its catalog row told the engine, such as a program's command line or a server's address."""


@dataclass(frozen=True, slots=True)
class EngineInfo(Strict):
    """The engine that ran the weights."""

    name: str
    """Such as ``faster-whisper``."""
    packages: Mapping[str, str] = field(default_factory=dict)
    """Versions of the engine's own packages, as its process saw them."""
    python: str = ""
    """Version of the Python in the engine's process."""


@dataclass(frozen=True, slots=True)
class Selection(Strict):
    """How the dataset was selected: enough to load it again."""

    source: str
    """A path or the name of a corpus."""
    limit: int | None = None
    """Only the first so many clips."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Only clips with these tags."""
    language: str | None = None
    """The language given to clips that state none."""
    channel: int | None = None
    """The channel taken of clips that state none."""
    condition: str | None = None
    """What was done to the audio, such as ``noise:10dB``; ``None`` for nothing."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Which column of a table, or key of JSON lines, has what, where the user said so: ``{"text": "Wording"}``."""
    shard: str | None = None
    """Only this part of the clips, such as ``3/8``; ``None`` for all."""


@dataclass(frozen=True, slots=True)
class ShardInfo(Strict):
    """The dataset of which a run had one part: consecutive clips, while other machines run the rest."""

    number: int
    """Which part, from 1."""
    of: int
    """How many parts there are."""
    sha256: str
    """Of the whole dataset, as it was recorded."""
    n_clips: int
    """Clips of the whole dataset."""
    audio_s: float
    """Seconds of audio in the whole dataset."""


@dataclass(frozen=True, slots=True)
class DatasetInfo(Strict):
    """The dataset of a run."""

    name: str
    """For tables."""
    sha256: str
    """Of ids, audio, spans, references and languages; runs with unequal ones are not compared."""
    n_clips: int
    """How many clips."""
    audio_s: float
    """Seconds of audio in them, as the manifest states."""
    license: str
    """As its publisher states it."""
    synthetic: bool
    """True for synthesised speech."""
    selection: Selection
    """How to load it again."""
    condition: DatasetCondition | None = None
    """What was done to the audio; ``None`` for nothing."""
    shard: ShardInfo | None = None
    """Which part of a larger dataset this is; ``None`` for a whole one."""


@dataclass(frozen=True, slots=True)
class Environment(Strict):
    """The machine and the version of Earwitness."""

    earwitness: str
    """Version."""
    revision: str | None
    """Commit of Earwitness's own source, when run from a checkout."""
    dirty: bool | None
    """Whether that checkout had uncommitted changes."""
    python: str
    """Of the parent process."""
    platform: str
    """Operating system and its version."""
    cpu: str
    """Model name of the processor."""
    cores: int
    """Logical cores that this process may use."""
    memory_bytes: int
    """Of the machine."""
    packages: Mapping[str, str]
    """Versions of the packages that decode and score."""


@dataclass(frozen=True, slots=True)
class WorkersInfo(Strict):
    """The processes that did the work."""

    spawn_s: float
    """Starting the first worker, without the load."""
    load_s: float
    """Loading the model, in the first worker."""
    n_warmup: int
    """Transcriptions done to warm up and left out of every number."""
    n_started: int
    """Workers started; more than one means that some died or made room for others, or that the run was resumed."""
    peak_rss_bytes: int | None
    """Most resident memory that any worker held at once; ``None`` where the system does not tell."""
    peak_device_bytes: int | None = None
    """Most memory of the device that any worker held at once; ``None`` on the CPU, or where it cannot be told."""


@dataclass(frozen=True, slots=True)
class MachineInfo(Strict):
    """One of several machines that did the work of a record."""

    name: str
    """Such as ``shard 3 of 8`` or ``node 2``; without host name."""
    run_id: str | None
    """Id of the shard's own record; ``None`` for a node of a cluster."""
    environment: Environment | None
    """The machine; ``None`` when it was lost before it said."""
    device: str | None
    """Where the parameters really were there."""
    workers: WorkersInfo | None
    """The processes there."""
    speed: Speed | None
    """Of the clips that were done there."""


@dataclass(frozen=True, slots=True)
class SpeechInfo(Strict):
    """How speech was detected in the audio, independently of the model."""

    model: str | None = None
    """Such as ``silero-vad 6.2.3``; ``None`` when it was not looked for."""
    reason: str | None = None
    """Why it was not."""
    wall_s: float = 0.0
    """Seconds that it took, between clips and outside every other time; less where spans were kept from before."""


@dataclass(frozen=True, slots=True)
class RunLimits(Strict):
    """The limits of a run."""

    warmup: int = 1
    """Transcriptions by every new worker that are not measured, of at most ten seconds of the first clip."""
    timeout_floor_s: float = 120.0
    """The least time a clip gets."""
    timeout_factor: float = 10.0
    """Seconds a clip gets per second of its audio, if that is more."""
    load_timeout_s: float = 900.0
    """Time for starting a worker and loading the model."""
    max_deaths: int = 3
    """Workers that may die one after the other before the run is given up."""


@dataclass(frozen=True, slots=True)
class ClipsFile(Strict):
    """The other half of the record."""

    name: str
    """File name, in the same folder."""
    sha256: str | None = None
    """Of its bytes, once the run has ended."""
    lines: int | None = None
    """Of it, once the run has ended."""


@dataclass(frozen=True, slots=True)
class Process(Strict):
    """The process that writes the record, to distinguish a running run from a killed one."""

    pid: int
    """Its id."""
    started_at_s: float
    """When it began, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Run(Strict):
    """One model over one dataset on one device."""

    schema_version: int
    """Of this layout."""
    id: str
    """Unique: model, time and a random suffix."""
    status: RunStatus
    """``complete`` once every clip has a result."""
    created_at: str
    """ISO 8601, UTC."""
    finished_at: str | None
    """ISO 8601, UTC; ``None`` while it goes on, or when it was killed."""
    command: tuple[str, ...]
    """The arguments that started it."""
    model: ModelInfo
    """The weights of a model."""
    engine: EngineInfo
    """Which code."""
    device_asked: str
    """As given, such as ``auto``."""
    device_used: str | None
    """Where the parameters really were; ``None`` before the model was loaded."""
    settings_asked: Settings
    """How to decode, as asked for."""
    settings_in_force: Mapping[str, Any]
    """How it was decoded, as the engine reports it."""
    dataset: DatasetInfo
    """The dataset of a run."""
    limits: RunLimits
    """What the run put up with."""
    environment: Environment
    """On what machine."""
    scoring: ScoringInfo
    """How hypotheses are scored."""
    clips_file: ClipsFile
    """Where the texts are."""
    failure: Failure | None = None
    """Why the run was given up."""
    speed: Speed | None = None
    """Clocked in the worker, one clip at a time, after warming up, decoding apart; once there is any."""
    workers: WorkersInfo | None = None
    """The processes that did the work, once a model was loaded."""
    scores: tuple[Score, ...] = ()
    """Every number, with its interval and signature."""
    process: Process | None = None
    """Who writes it, while it goes on."""
    resumed: int = 0
    """How often it was taken up again."""
    parent: str | None = None
    """Id of the run whose texts were scored again; ``None`` for a run that was measured."""
    preset: str = "matched"
    """What the settings began from, ``matched`` or ``native``; what was set on top is in ``settings_asked``."""
    speech: SpeechInfo = SpeechInfo()
    """How speech was looked for; the spans are in the lines."""
    measure: SpeedProtocols = SpeedProtocols()
    """Which protocols of speed were asked for, beside the one pass that every run is."""
    measurements: Measurements | None = None
    """What they found; ``None`` when none was asked for, or before the run was complete."""
    drift: Drift | None = None
    """How the machine itself changed while it was last at work on this run; ``None`` in records from before it was
    measured."""
    order: Order | None = None
    """How it took turns with other models when it was last at work; ``None`` in records from before they did."""
    machines: tuple[MachineInfo, ...] = ()
    """Those that did the work, where several did; empty for one machine. ``speed`` is then of all together, and
    ``None`` when they are of different kinds, so that no ranking mixes their clocks."""

    def score(self, metric: str) -> Score | None:
        """Return the score of that name, or ``None`` when the run has none."""
        return next((score for score in self.scores if score.metric == metric), None)


@dataclass(frozen=True, slots=True)
class ClipResult(Strict):
    """One line of ``<time>.clips.jsonl``: the clip with its reference, the hypothesis, and the counts."""

    clip: Clip
    """With its raw reference, so that the line can be scored again."""
    hypothesis: Hypothesis
    """Raw text or failure."""
    score: ClipScore
    """Counts under the run's scoring; made again when the record is scored again."""
    speech: tuple[tuple[float, float], ...] | None = None
    """Where somebody speaks by the run's ``speech`` model: from and to, in seconds from the beginning of the clip, in
    order; ``()`` when nobody does, ``None`` when it was not looked for or the audio could not be read."""


def texts_of(results: Iterable[ClipResult]) -> dict[str, str]:
    """Return the raw texts by clip id, without the clips that failed."""
    return {result.clip.id: result.hypothesis.transcript.text for result in results if result.hypothesis.transcript}
