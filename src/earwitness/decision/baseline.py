"""The baseline of a gate: the results of good runs, in a file that is reviewed like code.

The same records give the same bytes: entries and clips are sorted, a clip is a line, and there is no time of day, no id
and no path in it. Transcripts are there as hashes, so that a change is seen and nothing that was said is published.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from earwitness.files.schema import Strict, plain, read_document, schema_of
from earwitness.records.record import ClipResult, Run
from earwitness.records.speed import Drift
from earwitness.types import Clip, Edits, Settings

SCHEMA_VERSION = 1
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class MachineClass(Strict):
    """What has to be equal for figures of speed to be compared."""

    cpu: str
    """Model name of the processor."""
    cores: int
    """Logical cores that the run might use."""
    device: str
    """Where the parameters were."""


@dataclass(frozen=True, slots=True)
class Pace(Strict):
    """Figures of speed, to four digits; ``None`` for what was not measured."""

    rtf: float | None = None
    """Seconds of transcription per second of audio, one clip at a time."""
    latency_p95_s: float | None = None
    """95th percentile of a clip's time, from the protocol ``latency`` where it was measured."""
    cold_s: float | None = None
    """From nothing to the first text: the median of the protocol ``cold``."""
    saturated_rtf: float | None = None
    """Seconds per second of audio with the machine saturated: the protocol ``throughput``."""
    fixed_work_s: float | None = None
    """What the same small work took between the clips: how fast the machine itself was at that time."""
    drift: tuple[float, float] | None = None
    """The least and the most that this work took, as multiples of its median; ``None`` where that is within a tenth."""


@dataclass(frozen=True, slots=True)
class ClipCounts(Strict):
    """One clip."""

    clip: str
    """Hash of what it is: audio, span, channel, reference, language."""
    edits: Edits | None
    """Word edits; ``None`` for a clip without a reference."""
    text: str | None
    """Hash of the raw text; ``None`` for a clip that failed."""


@dataclass(frozen=True, slots=True)
class Entry(Strict):
    """One model with its settings on one dataset."""

    model: str
    """Its id."""
    dataset: str
    """Its name, with the condition and the selection in it."""
    settings: Mapping[str, Any]
    """What was asked for, where it is not the default; threads are the machine's."""
    machine: MachineClass
    """Where it ran."""
    weights_sha256: str | None
    """Of the weights' files."""
    dataset_sha256: str
    """Of the clips."""
    signature: str
    """How words were scored."""
    pace: Pace
    """How fast it was."""
    clips: Mapping[str, ClipCounts] = field(default_factory=dict)
    """By clip id."""

    @property
    def what(self) -> tuple[str, str, str]:
        """What has to be equal for two entries to be about the same thing: model, dataset, settings."""
        return self.model, self.dataset, _json(dict(self.settings))

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What it is about, with the hash of the data: datasets of one name are not the same thing."""
        return (*self.what, self.dataset_sha256)


@dataclass(frozen=True, slots=True)
class Baseline(Strict):
    """The results that runs are compared with."""

    schema_version: int
    """Of this layout."""
    entries: tuple[Entry, ...]
    """Sorted by model, dataset, settings and device."""


def current(runs: Sequence[tuple[Path, Run]], left_out: list[str]) -> list[tuple[Path, Run]]:
    """Return, of several runs of one model on one dataset with the same settings on one device, the newest.

    What may have changed between them, data, weights, scoring or the machine, is what a gate looks at.

    Args:
        runs: With their paths.
        left_out: Gets a sentence for each run that is not returned.
    """
    found: list[tuple[Path, Run]] = []
    for path, run in sorted(runs, key=lambda pair: pair[1].created_at):
        place = next((n for n, (_, other) in enumerate(found) if _same_thing(other, run)), None)
        if place is None:
            found.append((path, run))
            continue
        left_out.append(f"{found[place][0]} was run again later, with other data, weights, scoring or machine.")
        found[place] = (path, run)
    return found


def _same_thing(one: Run, other: Run) -> bool:
    """Whether two runs are of one model, settings, device and dataset, whose clips may have changed in their place."""
    same_data = (
        one.dataset.sha256 == other.dataset.sha256 or one.dataset.selection.source == other.dataset.selection.source
    )
    sides = ((r.model.id, r.dataset.name, _json(_asked(r.settings_asked)), r.device_used or "?") for r in (one, other))
    return next(sides) == next(sides) and same_data


def match(entries: Sequence[Entry], bases: Sequence[Entry]) -> list[Entry | None]:
    """Return the base that each entry is compared with.

    That is the base of the same model, settings and data, on the same device where there is one. Where the data are not
    the same, it is the base of the same name, if that is the only one left of it, and so the data have changed.

    Args:
        entries: Of runs.
        bases: Of a baseline.
    """
    exact = {entry.key for entry in entries} & {base.key for base in bases}
    found = []
    for entry in entries:
        keys = {entry.key} if entry.key in exact else _changed(entry, entries, bases, exact)
        alike = [base for base in bases if base.key in keys]
        same = (base for base in alike if base.machine.device == entry.machine.device)
        found.append(next(same, alike[0] if alike else None))
    return found


_Keys = set[tuple[str, str, str, str]]


def _changed(entry: Entry, entries: Sequence[Entry], bases: Sequence[Entry], exact: _Keys) -> _Keys:
    """Return the key of the only other base of this name, for the only entry of it that has none of its own."""
    ours, theirs = ({one.key for one in side if one.what == entry.what} - exact for side in (entries, bases))
    return theirs if len(ours) == len(theirs) == 1 else set()


def entry_of(run: Run, results: Sequence[ClipResult]) -> Entry:
    """Return a complete run and its lines as an entry."""
    wer = run.score("wer")
    return Entry(
        model=run.model.id,
        dataset=run.dataset.name,
        settings=_asked(run.settings_asked),
        machine=MachineClass(run.environment.cpu, run.environment.cores, run.device_used or "?"),
        weights_sha256=run.model.weights_sha256,
        dataset_sha256=run.dataset.sha256,
        signature=wer.signature if wer else "",
        pace=_pace(run),
        clips={result.clip.id: counts_of(result) for result in results},
    )


def counts_of(result: ClipResult) -> ClipCounts:
    """Return a line of a record as a line of a baseline."""
    transcript = result.hypothesis.transcript
    return ClipCounts(
        _hash(*_identity(result.clip)), result.score.words, _hash(transcript.text) if transcript else None
    )


def baseline_of(entries: Sequence[Entry]) -> Baseline:
    """Return entries, of ``current`` runs, as a baseline."""
    return Baseline(SCHEMA_VERSION, tuple(sorted(entries, key=lambda entry: (*entry.key, entry.machine.device))))


def render(baseline: Baseline) -> str:
    """Return a baseline as the text of its file: JSON, a clip on a line of its own."""
    data = plain(baseline)
    lines = ["{", f' "schema_version": {data["schema_version"]},', ' "entries": [']
    for number, entry in enumerate(data["entries"]):
        clips = entry.pop("clips")
        lines.append("  {")
        lines += [f"   {_json(key)}: {_json(value)}," for key, value in entry.items()]
        lines.append('   "clips": {')
        each = [f"    {_json(clip)}: {_json(counts)}" for clip, counts in sorted(clips.items())]
        lines += [f"{line}," for line in each[:-1]] + each[-1:]
        lines += ["   }", "  }" if number == len(data["entries"]) - 1 else "  },"]
    return "\n".join([*lines, " ]", "}"]) + "\n"


def read(path: Path) -> Baseline:
    """Read a baseline.

    Raises:
        RecordError: When it is not there, not JSON, from a newer schema, or does not fit; the first field is named.
    """
    return read_document(
        Baseline,
        path,
        SCHEMA_VERSION,
        what="a baseline",
        missing="baseline",
        remedy=f"Write it: earwitness gate RUN... --baseline {path} --update",
    )


def baseline_schema() -> dict[str, Any]:
    """Return the JSON Schema of a baseline."""
    return schema_of(Baseline, "Earwitness baseline of a gate")


def _asked(settings: Settings) -> dict[str, Any]:
    usual = Settings()
    return {
        each.name: value
        for each in fields(Settings)
        if each.name != "threads" and (value := getattr(settings, each.name)) != getattr(usual, each.name)
    }


def _pace(run: Run) -> Pace:
    found = run.measurements
    latency = found.latency.speed if found and found.latency else run.speed
    cold = found.cold.first_text_s if found and found.cold else None
    rtfx = found.throughput.rtfx if found and found.throughput else None
    return Pace(
        rtf=_rounded(run.speed.rtf if run.speed else None),
        latency_p95_s=_rounded(latency.latency_p95_s if latency else None),
        cold_s=_rounded(cold.median if cold else None),
        saturated_rtf=_rounded(1 / rtfx if rtfx else None),
        fixed_work_s=_rounded(run.drift.first_s * run.drift.median if run.drift else None),
        drift=_ends(run.drift) if run.drift and run.drift.large else None,
    )


def _ends(drift: Drift) -> tuple[float, float]:
    low, high = drift.around_median
    return float(f"{low:.{_DIGITS}g}"), float(f"{high:.{_DIGITS}g}")


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{_DIGITS}g}")


def _identity(clip: Clip) -> tuple[str, ...]:
    parts = (clip.audio_sha256, clip.start_s, clip.duration_s, clip.channel, clip.reference, clip.language)
    return tuple(map(repr, parts))


def _hash(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)
