"""The results of an archive: hours, speed, failures, and what is wrong with the texts, against what was promised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from earwitness.files.schema import Strict
from earwitness.scoring.findings.kinds import KINDS
from earwitness.types import Failure, Finding

StopReason = Literal["failures", "budget", "disk", "interrupted"]
_MOST_PLACES = 200


@dataclass(frozen=True, slots=True)
class ArchiveFailure(Strict):
    """A recording without a text."""

    source: str
    """The file, without credentials."""
    failure: Failure
    """Why."""


@dataclass(frozen=True, slots=True)
class ArchiveFinding(Strict):
    """Something that is wrong with a text, and where."""

    source: str
    """The file, without credentials."""
    channel: int | None
    """Of the file; ``None`` for the mean of all."""
    finding: Finding
    """What and where."""


@dataclass(frozen=True, slots=True)
class PromiseCheck(Strict):
    """A number of the decision beside the same number of this archive."""

    measure: str
    """Such as ``empty_share``."""
    promised: float
    """As the decision measured it."""
    here: float
    """Of the recordings that were transcribed now."""


@dataclass(frozen=True, slots=True)
class ArchiveSummary(Strict):
    """The results of a transcription of an archive."""

    root: Path
    """Folder of the outputs and of the journal."""
    formats: tuple[str, ...]
    """That were written."""
    model: str
    """Id of the model."""
    device: str | None
    """Where it ran; ``None`` when nothing was left to do."""
    workers: int
    """Processes."""
    threads: int
    """Of each."""
    n_inputs: int
    """Recordings that were found, channels counted apart where they are split."""
    n_twice: int
    """Found again by another path, and left out."""
    n_texts: int
    """Transcribed now."""
    n_skipped: int
    """Transcribed before, and unchanged since."""
    n_rewritten: int
    """Outputs that were written again from saved texts."""
    n_edited: int
    """Outputs that somebody has edited, and that were kept."""
    n_left: int
    """Not begun."""
    audio_s: float
    """Seconds of audio transcribed now."""
    wall_s: float
    """Seconds that it took, with loading."""
    failures: tuple[ArchiveFailure, ...]
    """Recordings without a text."""
    finding_counts: Mapping[str, int]
    """Recordings with a finding of each kind, most important first."""
    findings: tuple[ArchiveFinding, ...]
    """The first of them with their places; all are in the json outputs and in the journal."""
    promise: tuple[PromiseCheck, ...]
    """Against the decision, where there is one."""
    n_spread: int
    """Texts without times, whose subtitles are spread evenly over the recording."""
    remarks: tuple[str, ...]
    """Sentences for the user."""
    stop: StopReason | None
    """Why it ended before the end."""

    @property
    def rtf(self) -> float | None:
        """Seconds of work for a second of audio; ``None`` without audio."""
        return self.wall_s / self.audio_s if self.audio_s else None

    @property
    def is_good(self) -> bool:
        """Whether no limit was passed, and at least one recording has a text, unless there was none to do."""
        return self.stop is None and (not self.failures or self.n_texts + self.n_skipped > 0)


@dataclass(slots=True)
class Tally:
    """Counts while the work goes on; nothing in it grows with the texts."""

    n_texts: int = 0
    n_rewritten: int = 0
    n_edited: int = 0
    n_spread: int = 0
    n_empty: int = 0
    audio_s: float = 0.0
    failures: list[ArchiveFailure] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    findings: list[ArchiveFinding] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def add_findings(self, source: str, channel: int | None, findings: tuple[Finding, ...]) -> None:
        """Count what is wrong with one text."""
        self.kinds.update({one.kind for one in findings})
        room = _MOST_PLACES - len(self.findings)
        self.findings += [ArchiveFinding(source, channel, one) for one in findings[:room]]

    def counts(self) -> dict[str, int]:
        """Return recordings with a finding of each kind, in the order of ``KINDS``."""
        return {kind: self.kinds[kind] for kind in KINDS if self.kinds[kind]}

    def against(self, promise: Mapping[str, float], wall_s: float) -> tuple[PromiseCheck, ...]:
        """Return the numbers of a promise that this archive has too."""
        if not self.n_texts:
            return ()
        here = {
            "rtf": wall_s / self.audio_s if self.audio_s else None,
            "empty_share": self.n_empty / self.n_texts,
            "failed_share": len(self.failures) / (self.n_texts + len(self.failures)),
        }
        return tuple(
            PromiseCheck(name, promise[name], value)
            for name, value in here.items()
            if value is not None and name in promise
        )
