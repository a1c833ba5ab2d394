"""Every option of a transcription of an archive, once, under one name: for the command and for ``ew.transcribe``.

To add an option, add a field to ``ArchiveSpec``, and its type to ``ArchiveOptions`` for editors and type checkers.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

from earwitness.archive.cues import CueLayout
from earwitness.archive.formats import require_formats
from earwitness.data.shards import parse
from earwitness.engines.registry import show_settings
from earwitness.errors import UsageError
from earwitness.options import DECISION, DEVICE, PRESET, SETTING, Flag, require_least


@dataclass(frozen=True, kw_only=True)
class CueOptions:
    """How subtitles are laid out."""

    line_chars: Annotated[int, Flag("Longest line of a subtitle.", metavar="LETTERS", least=1)] = 42
    lines: Annotated[int, Flag("Most lines of a subtitle.", metavar="N", least=1)] = 2
    least_cue_s: Annotated[
        float, Flag("A subtitle stays at least so long where there is room.", metavar="SECONDS", least=0)
    ] = 1.0
    most_cue_s: Annotated[float, Flag("A subtitle stays no longer than this.", metavar="SECONDS", least=0.1)] = 7.0
    chars_per_s: Annotated[
        float, Flag("Letters a second that a reader can follow.", ("--chars-per-s",), "N", least=1)
    ] = 17.0

    @property
    def layout(self) -> CueLayout:
        """The same for ``cues``."""
        return CueLayout(self.line_chars, self.lines, self.least_cue_s, self.most_cue_s, self.chars_per_s)


@dataclass(frozen=True, kw_only=True)
class ArchiveSpec(CueOptions):
    """A requested transcription of an archive.

    Raises:
        UsageError: For a number that is too small, an unknown format, or options that contradict each other.
    """

    paths: tuple[str, ...] = ()
    """Files, folders, patterns, manifests, corpora and addresses."""
    decision: Annotated[Path | None, DECISION] = None
    candidate: Annotated[str | None, Flag("Candidate of the decision; default: the chosen one.", metavar="NAME")] = None
    model: Annotated[str | None, Flag("Model, such as faster-whisper:base.", ("--model", "-m"), "MODEL")] = None
    accept: Annotated[
        bool, Flag("Continue where weights, settings or device are not those of the decision.", ("--accept",))
    ] = False
    device: Annotated[str, DEVICE] = "auto"
    preset: Annotated[Literal["matched", "native"], PRESET] = "matched"
    settings: Annotated[Mapping[str, Any], SETTING] = field(default_factory=dict)
    language: Annotated[
        str | None, Flag("Language spoken, such as en; default: the model detects it.", metavar="LANGUAGE")
    ] = None
    formats: Annotated[
        tuple[str, ...],
        Flag("txt, srt, vtt, tsv, json or jsonl; repeat for several. Default: txt.", ("--to",), "FORMAT"),
    ] = ()
    out: Annotated[Path | None, Flag("Folder for the outputs; default: beside each recording.", metavar="DIR")] = None
    channels: Annotated[
        str,
        Flag("mix: the mean of all; split: each channel by itself; or the number of one, from 0.", metavar="WHICH"),
    ] = "mix"
    speech: Annotated[
        bool | None,
        Flag(
            "Detect speech in the audio, to find what a text leaves out; default: if this machine can.",
            ("--speech/--no-speech",),
        ),
    ] = None
    resume: Annotated[
        bool, Flag("Only continue: refuse if what is there was made with another model or settings.", ("--resume",))
    ] = False
    force: Annotated[
        bool, Flag("Write over files that this command did not write, or that were edited since.", ("--force",))
    ] = False
    on: Annotated[
        str | None, Flag("Run on a cluster: ray (starts one here, or RAY_ADDRESS), ray://HOST:PORT.", metavar="CLUSTER")
    ] = None
    shard: Annotated[
        str | None,
        Flag("Transcribe one of N equal parts only, such as 3/8; other machines do the others.", metavar="I/N"),
    ] = None
    workers: Annotated[
        int | None, Flag("Worker processes; default: as the decision measured, or as cores and memory allow.",
                         metavar="N", least=1)
    ] = None  # fmt: skip
    threads: Annotated[int | None, Flag("Threads of each worker.", metavar="N", least=1)] = None
    batch: Annotated[int, Flag("Clips that a worker decodes together, if its engine can.", metavar="N", least=1)] = 4
    max_failures: Annotated[
        int | None, Flag("Stop and exit 1 when more recordings than this failed.", metavar="N", least=0)
    ] = None
    budget_s: Annotated[
        float | None, Flag("Begin no recording after so many seconds; exit 1 if some are left.",
                           ("--budget-s",), "SECONDS", least=0)
    ] = None  # fmt: skip
    min_free_mb: Annotated[
        float, Flag("Stop and exit 1 when the disk of the outputs has less free space.",
                    ("--min-free-disk",), "MIB", least=0)
    ] = 100.0  # fmt: skip

    def __post_init__(self) -> None:
        """Refuse options that are invalid or contradict each other."""
        require_least(self)
        for name in ("decision", "out"):  # a caller may pass any path
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else Path(value))
        object.__setattr__(self, "formats", require_formats(self.formats or ("txt",)))
        if (self.decision is None) == (self.model is None):
            raise UsageError("Give one of --decision decision.json, or --model, such as faster-whisper:base.")
        if self.decision is None and (self.candidate is not None or self.accept):
            raise UsageError("--candidate and --accept need --decision, which names the file of the decision.")
        own = self.settings or self.device != "auto" or self.preset != "matched"
        if self.decision is not None and own:
            raise UsageError(
                "A decision has its measured settings. Leave out --set, --device and --preset, or name --model."
            )
        if self.shard is not None:
            parse(self.shard)
        if not re.fullmatch(r"mix|split|\d{1,3}", self.channels):
            raise UsageError(f"--channels is mix, split or the number of a channel from 0, not {self.channels!r}.")

    def assignments(self) -> list[str]:
        """Return the settings as ``NAME=VALUE`` texts."""
        return [f"{name}={show_settings(value)}" for name, value in self.settings.items()]


class CueLayoutOptions(TypedDict, total=False):
    """The layout of subtitles as keywords, for editors and type checkers; ``CueOptions`` explains each."""

    line_chars: int
    lines: int
    least_cue_s: float
    most_cue_s: float
    chars_per_s: float


class ArchiveOptions(CueLayoutOptions, total=False):
    """The options of a transcription as keywords, for editors and type checkers; ``ArchiveSpec`` explains each."""

    decision: str | os.PathLike[str] | None
    candidate: str | None
    model: str | None
    accept: bool
    device: str
    preset: str
    settings: Mapping[str, Any]
    language: str | None
    formats: str | Iterable[str]
    out: str | os.PathLike[str] | None
    channels: str
    speech: bool | None
    resume: bool
    force: bool
    on: str | None
    shard: str | None
    workers: int | None
    threads: int | None
    batch: int
    max_failures: int | None
    budget_s: float | None
    min_free_mb: float
