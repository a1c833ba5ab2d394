"""The result of the gate: each check with its figures, a judgement of each candidate, and the verdict on all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from earwitness.decision.baseline import Entry
from earwitness.decision.decision import RuleResult
from earwitness.scoring.stats.significance import Difference
from earwitness.types import Clip

GateOutcome = Literal["passed", "failed", "not judged"]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """The tolerances of the gate."""

    absolute: float = 0.005
    """Rise of WER, a ratio."""
    relative: float = 0.05
    """Rise of WER as a share of the baseline's."""
    slower: float = 1.5
    """Ratio of times."""

    def of(self, before: float) -> float:
        """Return the rise of an error rate that may pass.

        >>> Tolerance().of(0.02), Tolerance().of(0.5)
        (0.005, 0.025)
        """
        return max(self.absolute, self.relative * before)


@dataclass(frozen=True, slots=True)
class Clips:
    """Whether the run has all clips of the baseline."""

    outcome: GateOutcome
    """Failed for a clip that vanished."""
    vanished: tuple[str, ...]
    """Ids in the baseline and not in the run."""
    new: tuple[str, ...]
    """Ids in the run and not in the baseline; not judged."""
    name: Literal["clips"] = "clips"
    """Of the check."""


@dataclass(frozen=True, slots=True)
class Failures:
    """Whether clips that had a transcript still have one."""

    outcome: GateOutcome
    """Failed for a clip that has none any more."""
    failed: tuple[str, ...]
    """Ids of those."""
    name: Literal["failed clips"] = "failed clips"
    """Of the check."""


@dataclass(frozen=True, slots=True)
class WordChange:
    """WER on the clips of both runs."""

    outcome: GateOutcome
    """Failed for a rise that is significant or too large."""
    errors: tuple[int, int]
    """Word errors of the baseline and of the run."""
    length: int
    """Reference words; 0 for silence alone, where every error is a word that was invented."""
    difference: Difference
    """Now less before, with its tests."""
    p: float | None
    """Corrected for the number of entries; ``None`` with ``difference.reason``."""
    significant: bool
    """Whether a difference, in either direction, is called."""
    tolerated: float | None
    """Rise that is let through when it is not significant."""
    n_clips: int
    """Clips that were paired."""
    n_texts_changed: int
    """Of these, clips with another raw text."""
    name: Literal["wer"] = "wer"
    """Of the check."""


@dataclass(frozen=True, slots=True)
class SpeedChange:
    """One figure of speed."""

    outcome: GateOutcome
    """Failed for one that is slower than is let through."""
    name: str
    """Of the figure, as in ``Pace``."""
    before: float | None = None
    """Of the baseline."""
    now: float | None = None
    """Of the run."""
    limit: float | None = None
    """Ratio that is let through, with what the machine itself was slower by."""
    reason: str = ""
    """Why it is not judged, or what was taken into account."""

    @property
    def ratio(self) -> float | None:
        """``now / before``: above 1 is slower."""
        return self.now / self.before if self.now is not None and self.before else None


GateCheck = Clips | Failures | WordChange | SpeedChange


@dataclass(frozen=True, slots=True)
class Worst:
    """A clip that got worse."""

    clip: Clip
    """The clip."""
    errors_before: int
    """In the baseline."""
    errors_now: int
    """In the run."""
    text: str | None
    """What was heard now; ``None`` for a failure."""


@dataclass(frozen=True, slots=True)
class EntryVerdict:
    """A run and its checks."""

    entry: Entry
    """The run."""
    record: Path
    """Where it is."""
    checks: tuple[GateCheck, ...]
    """In order."""
    worst: tuple[Worst, ...]
    """The clips that got worse, most first; at most ten."""
    n_worse: int
    """How many there are."""
    new_weights: bool
    """Whether the weights are others than in the baseline."""


@dataclass(frozen=True, slots=True)
class GateRule:
    """The result of one gate of the policy for one candidate of the decision."""

    candidate: str
    """Its label."""
    result: RuleResult
    """What the decision says."""

    @property
    def outcome(self) -> GateOutcome:
        """Failed for a rule that is broken; what is undecided or not measured is not judged."""
        return self.result.outcome if self.result.outcome in ("passed", "failed") else "not judged"


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """The verdict of the gate."""

    judged: tuple[EntryVerdict, ...]
    """Runs that the baseline has an entry for."""
    without: tuple[Entry, ...]
    """Runs that it has none for: nothing is said of them."""
    missing: tuple[Entry, ...]
    """Entries that no complete run was given for."""
    partial: bool
    """Whether missing entries are let through."""
    rules: tuple[GateRule, ...] = ()
    """Gates of the policy; none without one."""
    left_out: tuple[str, ...] = ()
    """A sentence for each run that was not looked at."""

    @property
    def ambiguous(self) -> frozenset[tuple[str, str, str]]:
        """Labels of several entries with unequal data; the hash of the data distinguishes them."""
        entries = [*(judged.entry for judged in self.judged), *self.without, *self.missing]
        keys = {entry.key for entry in entries}
        return frozenset(what for what in {key[:3] for key in keys} if sum(key[:3] == what for key in keys) > 1)

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""
        checks = [check for judged in self.judged for check in judged.checks]
        failed = any(check.outcome == "failed" for check in [*checks, *self.rules])
        return not failed and (self.partial or not self.missing)
