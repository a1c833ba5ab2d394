"""The parts of a policy: rules, weights and uses. ``policy.py`` reads them from TOML."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Literal

from earwitness.decision.measures import MEASURES, Measure
from earwitness.files.toml_file import Must
from earwitness.types import Target

COMMERCIAL = "commercial"
JudgedBy = Literal["interval", "value"]
RuleTarget = Literal["these recordings", "recordings like these"]
Amount = Annotated[float, Must("a number that is not negative", {"ge": 0, "allow_inf_nan": False})]
SomeText = Annotated[str, Must("text", {"min_length": 1})]


@dataclass(frozen=True, slots=True)
class Category:
    """A category in which models are graded and compared."""

    measure: str
    """By which."""
    full: float
    """The value that gives 100 points, unless the policy has another."""
    zero: float
    """The value that gives none."""
    scale: Literal["linear", "log"]
    """How points go from one to the other."""


CATEGORIES = {
    "accuracy": Category("wer", 0.05, 0.50, "linear"),
    "latency": Category("latency_p95_s", 0.25, 16.0, "log"),
    "throughput": Category("throughput_rtfx", 64.0, 0.5, "log"),
    "memory": Category("peak_rss_bytes", 0.25e9, 16e9, "log"),
    "cold_start": Category("cold_start_s", 1.0, 64.0, "log"),
    "completeness": Category("incomplete_share", 0.0, 0.25, "linear"),
    "robustness": Category("wer_increase", 0.0, 0.40, "linear"),
}
"""By their name in a policy."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A limit on one measure."""

    kind: Literal["gate", "target"]
    """A gate must hold; a target is wished."""
    measure: str
    """Name of it."""
    bound: Literal["at most", "at least", "is"]
    """Which side of the limit is allowed; ``is`` for a licence."""
    limit: float | tuple[str, ...]
    """In the measure's unit; for a licence ``commercial``, or the names that are allowed."""
    research: Amount | None = None
    """How far beyond the limit of a gate a model is still of use for research; ``None`` for not at all."""
    by: JudgedBy = "interval"
    """Whether the whole interval has to be on the allowed side, or the value alone."""
    dataset: SomeText | None = None
    """Name of the only dataset that it is about."""
    condition: SomeText | None = None
    """The condition that it is about, such as ``noise:10dB``."""
    device: SomeText | None = None
    """The only device that it is about, such as ``cuda``; for measures of speed."""
    slice: SomeText | None = None
    """What the clips are grouped by, for measures of groups: a tag or a field, such as ``accent`` or ``speaker``."""
    why: str = ""
    """Its reason, in the policy's words."""
    target: RuleTarget | None = None
    """What an error rate is judged of; ``None`` for recordings like these where there are four, and else for these
    recordings, with that as a condition."""

    @property
    def of(self) -> Measure:
        """The measure."""
        return MEASURES[self.measure]

    def words(self, target: Target | None = None) -> str:
        """Return the rule in words.

        Args:
            target: What it was judged of; ``None`` for what the rule says.

        >>> Rule("gate", "wer", "at most", 0.3, condition="noise:10dB").words()
        'WER under noise:10dB at most 30.0 % (upper end of the interval)'
        >>> Rule("gate", "wer", "at most", 0.3, by="value").words("these recordings")
        'WER of these recordings at most 30.0 % (as measured)'
        >>> Rule("gate", "licence", "is", ("MIT", "Apache-2.0")).words()
        'licence is MIT or Apache-2.0'
        """
        end = {"at most": "upper end", "at least": "lower end"}.get(self.bound)
        how = "" if not self.of.sampled else " (as measured)" if self.by == "value" else f" ({end} of the interval)"
        return self.short(target) + how

    def short(self, target: Target | None = None) -> str:
        """Return the rule in words, without how it is judged.

        Args:
            target: As for ``words``.

        >>> Rule("gate", "rtf", "at most", 0.5, device="cpu").short()
        'RTF with device cpu at most 0.5'
        """
        of = target or self.target
        where = f" of {of}" if of and self.measure in ("wer", "cer") else ""
        where += f" by {self.slice}" if self.slice else ""
        where += f" under {self.condition}" if self.condition else ""
        where += f" on {self.dataset!r}" if self.dataset else ""
        where += f" with device {self.device}" if self.device else ""
        return f"{self.of.words}{where} {self.bound} {self.limit_words()}"

    def limit_words(self) -> str:
        """Return the limit in words."""
        if isinstance(self.limit, tuple):
            return " or ".join(self.limit) if self.limit != (COMMERCIAL,) else "one that allows commercial use"
        return self.of.show(self.limit)


@dataclass(frozen=True, slots=True)
class Weight:
    """How much a category counts in the grade."""

    category: str
    """Of ``CATEGORIES``."""
    weight: Amount
    """Against the others."""
    measure: str
    """By which it is graded."""
    full: Amount
    """The value that gives 100 points."""
    zero: Amount
    """The value that gives none."""
    scale: Literal["linear", "log"]
    """How points go from one to the other."""


@dataclass(frozen=True, slots=True)
class Use:
    """A use that the policy gives guidance for."""

    name: SomeText
    """In words, to stand behind "For"."""
    best: Annotated[str, Must(f"one of {', '.join(CATEGORIES)}", {"pattern": f"^({'|'.join(CATEGORIES)})$"})]
    """The category that decides among those that meet the rules."""
    rules: tuple[Rule, ...]
    """What it takes beside the policy's gates."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules, weights and uses."""

    name: SomeText
    """What it calls itself."""
    summary: str
    """What it is for."""
    rules: tuple[Rule, ...]
    """Gates, then targets, in their order."""
    weights: tuple[Weight, ...]
    """Of the grade."""
    uses: tuple[Use, ...]
    """Guidance."""
    source: str
    """Name of a shipped policy, or the path of a file."""
    text: str
    """The file, whole."""
    terms: tuple[str, ...] = ()
    """Key terms, for rules on their recall and precision."""
    terms_sha256: str | None = None
    """Of the file of the terms, or of the terms themselves, one a line; ``None`` without any."""

    @property
    def gates(self) -> tuple[Rule, ...]:
        """The rules that must hold."""
        return tuple(rule for rule in self.rules if rule.kind == "gate")

    @property
    def sha256(self) -> str:
        """Of its text."""
        return hashlib.sha256(self.text.encode()).hexdigest()
