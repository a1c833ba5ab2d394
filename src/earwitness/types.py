"""The values that pass between the rooms: frozen, small, with the unit in the name.

Conventions: times are seconds (``_s``), sizes are bytes (``_bytes``), rates are ratios (not percent), audio is
mono float32 in [-1, 1]. ``None`` means unknown or undefined and is never written as 0 or NaN. Only the standard
library and numpy are imported here, because engine environments have nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from earwitness.files.schema import Strict

RATE_HZ = 16_000
"""Of the audio that engines get, and of all that is done to it."""

Target = Literal["this pool", "these recordings", "recordings like these"]
"""What a number, an interval or a verdict is about; numbers of different targets are never read as one.

``this pool``: the very clips that were transcribed, as they are. ``these recordings``: more speech of the same
recordings, with their speakers, rooms and lines; the uncertainty is that within recordings. ``recordings like these``:
other recordings of the kind that these are a sample of; the uncertainty is that between recordings.
"""


@dataclass(frozen=True, slots=True)
class Clip(Strict):
    """A span of a recording with its reference."""

    id: str
    """Unique within its dataset."""
    audio_path: str
    """Absolute path of the file that holds the audio."""
    audio_sha256: str
    """Of the whole file's bytes, in hex."""
    start_s: float
    """Where the clip begins in the file; 0 for a whole file."""
    duration_s: float
    """How long the clip is; ``duration_kind`` says who says so. 0 for a file that cannot be read."""
    reference: str | None
    """What was said, raw; ``""`` for known silence or tones, ``None`` for unlabelled."""
    language: str | None = None
    """BCP 47 tag such as ``en`` or ``es-MX``; ``None`` when unknown."""
    speaker: str | None = None
    """Who speaks, as the dataset names them."""
    recording: str = ""
    """What clips are clustered by in the statistics: clips of one recording share it."""
    channel: int | None = None
    """Which channel of the file, from 0; ``None`` for the mean of all."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Anything else that the dataset says of the clip."""
    duration_kind: Literal["manifest", "stated", "counted"] | None = None
    """``manifest``: its dataset states the duration; ``stated``: the file's container does; ``counted``: the file
    states none, and was decoded to count. ``None`` for a file that cannot be read, and in older records."""

    @property
    def span_s(self) -> float | None:
        """The length of the span as a manifest states it; ``None`` for everything after ``start_s``.

        >>> Clip("a", "/a.wav", "", 0.0, 1.0, "hola", duration_kind="manifest").span_s
        1.0
        """
        return None if self.duration_kind in ("stated", "counted") else self.duration_s


@dataclass(frozen=True, slots=True)
class DatasetCondition(Strict):
    """The condition under which the audio of a dataset was put before models got it."""

    name: str
    """Canonical, such as ``noise:10dB+mulaw``."""
    clean_sha256: str
    """Of the dataset as it was recorded: curves are drawn through the conditions of one."""
    version: str
    """Of the code that made it, and of the codec libraries where it took any."""
    family: str
    """The name with a star in place of the severity, such as ``noise:*dB+mulaw``."""
    severity: float | None
    """How much of it; ``None`` for a condition that has no more or less, such as ``mulaw``."""
    unit: str
    """Of the severity: ``dB``, ``s``, ``%``, ``k`` for kbit/s; empty for a ratio, or without a severity."""
    worse: Literal["less", "more"] | None
    """Which way the severity hurts; ``None`` without one."""
    clean_severity: float | None = None
    """The severity at which nothing is changed; ``None`` where no finite number does that, as with noise."""


@dataclass(frozen=True, slots=True)
class Dataset(Strict):
    """Clips under a name, with the hash that makes two runs comparable."""

    name: str
    """Short, for tables and file names."""
    clips: tuple[Clip, ...]
    """In the order in which they are transcribed."""
    sha256: str
    """Of every clip's id, audio hash, span, reference and language."""
    source: str = ""
    """Where it came from: a path or a corpus name."""
    license: str = ""
    """As its publisher states it; empty when unknown."""
    synthetic: bool = False
    """True when the speech was made by a synthesiser; shown wherever the name is shown."""
    condition: DatasetCondition | None = None
    """What is done to the audio when it is decoded; ``None`` for nothing."""
    remarks: tuple[str, ...] = ()
    """What a person should know about how it was read, such as that no column was known as the text."""
    whole: Dataset | None = None
    """The dataset of which this is a shard; conditions take the voices of others from it. ``None`` for a whole one."""

    @property
    def audio_s(self) -> float:
        """Seconds of audio in all clips."""
        return sum(clip.duration_s for clip in self.clips)


@dataclass(frozen=True, slots=True)
class Audio:
    """Sound in memory."""

    samples: npt.NDArray[np.float32]
    """Shape (n,), mono, in [-1, 1]."""
    sample_rate_hz: int
    """Samples per second."""

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate_hz


@dataclass(frozen=True, slots=True)
class Segment(Strict):
    """A piece of a transcript with its place in time; also used for words."""

    start_s: float
    """From the beginning of the clip."""
    end_s: float
    """From the beginning of the clip."""
    text: str
    """Raw, as the engine gave it."""


@dataclass(frozen=True, slots=True)
class DecodedSegment(Segment):
    """A segment with values of its decoder, as in OpenAI's API, for the server; records do not keep these."""

    avg_logprob: float | None = None
    """Mean log probability of the tokens."""
    compression_ratio: float | None = None
    """Bytes of the text over its bytes under zlib; high where the text repeats itself."""
    no_speech_prob: float | None = None
    """Probability that nobody speaks in the window that the segment comes from."""
    seek: int | None = None
    """Where that window begins, in frames of 10 ms from the beginning of the clip."""
    temperature: float | None = None
    """Temperature of sampling; 0 is none."""
    tokens: tuple[int, ...] | None = None
    """Ids of the tokens of the text."""


@dataclass(frozen=True, slots=True)
class Transcript(Strict):
    """The result of an engine: finished text, never a generator."""

    text: str
    """Raw; normalizing is the scorer's work."""
    segments: tuple[Segment, ...] = ()
    """In time order; empty when the engine gives none."""
    words: tuple[Segment, ...] | None = None
    """With times, if the engine has them and was asked."""
    language: str | None = None
    """The language that the engine decoded in, if it says."""
    covered_s: float | None = None
    """Seconds of audio that the engine listened to, if it says (voice activity detection may skip some)."""
    remarks: tuple[str, ...] = ()
    """What the engine noticed about its own work: a word, such as ``token_limit`` (generation was cut off),
    ``audio_reply`` (it went on in sound) or ``no_times`` (a window has text and no times), and perhaps a place,
    as in ``token_limit at 30.0-58.5 s``."""
    network_s: float | None = None
    """Seconds of the engine's time that a network took and not the model; ``None`` for an engine without one. By the
    server's own account of its time where it gives one (remark ``server_timing``); else connecting, sending and
    receiving on the client's clock, and then what is left of the time holds one wait for the first byte."""


@dataclass(frozen=True, slots=True)
class Guide:
    """What a request gives an engine besides the language. Runs have none, so measurements do not depend on it."""

    translate: bool = False
    """English text of speech in another language, in place of the text as it was said."""
    prompt: str = ""
    """Text to be taken for what was said just before, such as names in their spelling."""


@dataclass(frozen=True, slots=True)
class Failure(Strict):
    """The reason why there is no transcript."""

    stage: Literal["audio", "spawn", "load", "transcribe"]
    """Where it went wrong."""
    kind: Literal["error", "crash", "timeout", "protocol"]
    """An exception, a process that died, a budget that ran out, or a reply that made no sense."""
    message: str
    """One sentence."""
    detail: str | None = None
    """Traceback, or the last lines that the worker printed."""


@dataclass(frozen=True, slots=True)
class Hypothesis(Strict):
    """The result of one model for one clip: either a transcript or a failure.

    Raises:
        ValueError: If both or neither are given.

    >>> Hypothesis("a", Transcript("hello"), None, audio_s=1.0, decode_s=0.01, wall_s=0.1).ok
    True
    """

    clip_id: str
    """The clip."""
    transcript: Transcript | None
    """The text, or ``None`` on failure."""
    failure: Failure | None
    """The reason, or ``None`` on success."""
    audio_s: float
    """Seconds of audio decoded and given to the engine (the clip's stated duration when decoding failed)."""
    decode_s: float | None = None
    """Seconds spent on decoding and resampling, outside ``wall_s``."""
    wall_s: float | None = None
    """Seconds from the array in memory to the finished string, on the worker's clock; ``None`` on failure."""
    first_text_s: float | None = None
    """Seconds until the first text, for engines that stream."""
    attempt: int = 1
    """1 for the first try; more when an earlier worker died under the clip."""
    audio_remarks: tuple[str, ...] = ()
    """What was noticed while the audio was decoded: ``channels_cancel`` where the mean of the channels is next to
    silence, ``channels_differ`` where they hold different sound and none was chosen."""

    def __post_init__(self) -> None:
        """Refuse a hypothesis that is both or neither."""
        if (self.transcript is None) == (self.failure is None):
            raise ValueError(f"Hypothesis {self.clip_id!r} needs a transcript or a failure, and not both.")

    @property
    def ok(self) -> bool:
        """True when there is a transcript."""
        return self.transcript is not None


@dataclass(frozen=True, slots=True)
class Edits(Strict):
    """Counts of a minimum-edit alignment. They can be summed; rates are computed last, from the sums.

    >>> total = Edits(hits=3, substitutions=1) + Edits(hits=1, insertions=2)
    >>> total.errors, total.length, total.rate
    (3, 5, 0.6)
    >>> Edits(insertions=2).rate is None
    True
    """

    hits: int = 0
    """Reference tokens that were heard right."""
    substitutions: int = 0
    """Reference tokens heard as another."""
    deletions: int = 0
    """Reference tokens not heard."""
    insertions: int = 0
    """Tokens that nobody said."""

    def __add__(self, other: Edits) -> Edits:
        """Sum the counts."""
        return Edits(
            self.hits + other.hits,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
        )

    @property
    def errors(self) -> int:
        """Substitutions, deletions and insertions."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def length(self) -> int:
        """Tokens of the reference."""
        return self.hits + self.substitutions + self.deletions

    @property
    def rate(self) -> float | None:
        """Errors over reference length; ``None`` for a reference of length 0; may exceed 1."""
        return self.errors / self.length if self.length else None


@dataclass(frozen=True, slots=True)
class Finding(Strict):
    """A problem of one transcript, and its place."""

    kind: str
    """Such as ``repeated_ngram``; all of them are told in ``docs/completeness.md``."""
    start_s: float | None
    """From the beginning of the clip; ``None`` where there is no place in time."""
    end_s: float | None
    """From the beginning of the clip; ``None`` where there is no place in time."""
    detail: str
    """What was found, in a few words."""


@dataclass(frozen=True, slots=True)
class ClipScore(Strict):
    """Counts of one clip, from which every corpus score is made without aligning again."""

    clip_id: str
    """The clip."""
    words: Edits | None
    """Word edits; ``None`` when the clip is unlabelled."""
    chars: Edits | None
    """Character edits; ``None`` when the clip is unlabelled."""
    failed: bool
    """True when there is no transcript (scored as empty text)."""
    hypothesis_words: int
    """Words in the normalized hypothesis."""
    flags: tuple[str, ...] = ()
    """Kinds of the findings, each once, such as ``empty_on_speech``, ``repeated_ngram``, ``chat_answer``."""
    findings: tuple[Finding, ...] = ()
    """What is wrong with the transcript, with places in time."""
    mixed: Edits | None = None
    """Edits of the mixed error rate; ``None`` where they are those of ``words``."""


@dataclass(frozen=True, slots=True)
class Score(Strict):
    """One number with its interval, the number of clips behind it, and its recipe."""

    metric: str
    """Name, such as ``wer``."""
    value: float | None
    """``None`` when undefined; then ``reason`` says why."""
    unit: str
    """``ratio``, ``clips``, ``words`` or another word that says what is counted."""
    signature: str
    """The recipe; numbers with unequal signatures are not compared."""
    n_clips: int
    """Clips that the number was made from."""
    n_failed: int = 0
    """Of these, clips that failed."""
    ci95: tuple[float, float] | None = None
    """95 % interval, lower and upper; ``None`` with ``reason`` when it cannot be had."""
    reason: str | None = None
    """Why the value or the interval is missing."""
    edits: Edits | None = None
    """The summed counts behind an error rate."""
    target: Target | None = None
    """What the number and its interval are about, once runs are compared; ``None`` in a record, whose intervals are all
    about recordings like these, and for clips that a person chose to label, which stand for no others."""


@dataclass(frozen=True, slots=True)
class Settings(Strict):
    """How to decode, in one vocabulary for all engines.

    An engine that cannot honour a setting refuses it before the run or, for a default, reports the value that is
    really in force; records hold both what was asked and what was in force.
    """

    language: str = "clip"
    """``clip``: each clip's own; ``auto``: the engine detects it; or a BCP 47 tag for all clips."""
    beam_size: int = 1
    """Hypotheses kept alive while decoding; 1 is greedy."""
    temperature_fallback: bool = False
    """Decode again at higher temperatures when the text looks wrong, as Whisper's authors do."""
    context: bool = False
    """Condition each window on the text of the one before it."""
    vad: bool = False
    """Skip what a voice activity detector calls silence."""
    timestamps: Literal["none", "segment", "word"] = "segment"
    """The finest times that are asked for."""
    precision: str = "auto"
    """Arithmetic, such as ``float32`` or ``int8``; ``auto`` is the engine's best for the device, and ``default``, where
    an engine has it, what its library takes when it is not told."""
    threads: int | None = None
    """CPU threads of the engine; ``None`` is every core that this process may use."""
    batch_size: int = 1
    """Windows decoded together."""
    chunk_s: float = 600.0
    """Longest piece given to the model at once; a longer recording is cut at the quietest place before that."""
