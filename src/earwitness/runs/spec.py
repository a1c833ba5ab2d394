"""Every option of a run, once, under one name.

The options of ``earwitness run``, ``bundle`` and ``notebook``, the keywords of ``ew.run``, the keys of
``earwitness.toml`` and the study in a bundle all come from the fields of this file. To add an option, add a field to
``DataOptions`` or ``MeasureOptions``, and its type to ``RunOptions`` for editors and type checkers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, Literal, TypedDict

from earwitness.engines.registry import parse_settings, show_settings
from earwitness.files.schema import Strict
from earwitness.options import PRESET, SETTING, Flag, require_least
from earwitness.types import Settings

Preset = Literal["matched", "native"]
Scalar = str | bool | int | float


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """Which models run, and on which device."""

    models: Annotated[tuple[str, ...], Flag("Model to run; repeat for several.", ("--model", "-m"), "MODEL")] = ()
    device: Annotated[str, Flag("auto, cpu, cuda, cuda:1, mps or tpu.", metavar="DEVICE")] = "auto"


@dataclass(frozen=True, kw_only=True)
class DataOptions(Strict):
    """Which clips of a dataset are used, and how its rows are read. These options stay with the data."""

    limit: Annotated[int | None, Flag("Use only the first N clips.", metavar="N", least=1)] = None
    tags: Annotated[
        Mapping[str, str], Flag("Use only clips with this tag.", ("--tag",), "KEY=VALUE", pair="kind=speech")
    ] = field(default_factory=dict)
    language: Annotated[
        str | None, Flag("Language of clips whose data states none, such as en.", metavar="LANGUAGE")
    ] = None
    channel: Annotated[
        int | None,
        Flag("Channel, from 0, of clips whose data states none; default: mean of all.", metavar="N", least=0),
    ] = None
    columns: Annotated[
        Mapping[str, str],
        Flag(
            "Column of a table that has the text, such as text=Wording; also audio, id.",
            ("--column",), "ROLE=NAME", pair="text=NAME",
        ),
    ] = field(default_factory=dict)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class MeasureOptions(Strict):
    """How models decode, how the audio is altered, how texts are scored, and which speeds are measured."""

    preset: Annotated[Preset, PRESET] = "matched"
    settings: Annotated[Mapping[str, Scalar], SETTING] = field(default_factory=dict)
    conditions: Annotated[
        tuple[str, ...],
        Flag("Alter the audio, such as noise:10dB or mulaw; repeat for several.", ("--condition",), "NAME"),
    ] = ()
    clean: Annotated[bool, Flag("With --condition: first run the unaltered audio.", ("--clean/--no-clean",))] = True
    normalizer: Annotated[
        str,
        Flag(
            "Rules: auto, english, multilingual, whisper, leaderboard, none, one of docs/metrics.md, or a TOML file.",
            metavar="NAME|FILE",
        ),
    ] = "auto"
    compounds: Annotated[bool, Flag("Count 'white board' and 'whiteboard' as equal.", ("--compounds",))] = False
    align: Annotated[str, Flag("Alignment of words: levenshtein, or sclite for sclite's costs.", metavar="METHOD")] = (
        "levenshtein"
    )
    alternatives: Annotated[bool, Flag("Accept a or b for {a / b} in a reference.", ("--alternatives",))] = False
    numbers: Annotated[
        bool, Flag("Count '23' and 'veintitrés' as equal, in any language with number words.", ("--numbers",))
    ] = False
    spellings: Annotated[
        str, Flag("Count the wordings of each line as equal, such as: colour / color.", metavar="FILE")
    ] = ""
    warmup: Annotated[int, Flag("Warm-up transcriptions by each new worker, not measured.", metavar="N", least=0)] = 1
    timeout_s: Annotated[
        float,
        Flag(
            "Longest time for a clip, or ten times its audio if that is more.",
            ("--timeout-s", "--timeout"),
            "SECONDS",
            least=1,
        ),
    ] = 120.0
    speech: Annotated[
        bool | None,
        Flag(
            "Detect speech in the audio, to find what a text leaves out; default: if this machine can.",
            ("--speech/--no-speech",),
        ),
    ] = None
    measure: Annotated[
        tuple[str, ...],
        Flag("Also measure speed: cold, latency, throughput.", metavar="PROTOCOL,..."),
    ] = ()
    budget_s: Annotated[float, Flag("Time budget of each protocol of --measure.", metavar="SECONDS", least=1)] = 300.0


@dataclass(frozen=True, kw_only=True)
class RunSpec(DataOptions, MeasureOptions, ModelOptions):
    """A requested run: data, models, and every option.

    Raises:
        UsageError: For a number that is too small.

    >>> RunSpec(models=("fake:echo",), limit=2).limit
    2
    """

    shard: Annotated[
        str | None,
        Flag("Run only part I of N equal parts; join their records later: earwitness merge.", metavar="I/N"),
    ] = None
    sources: tuple[str, ...] = ()
    """Names of corpora, manifests, folders, audio files and bundles."""
    command: tuple[str, ...] = ()
    """The command line, for the record."""

    def __post_init__(self) -> None:
        """Refuse numbers that are too small."""
        require_least(self)

    def decoding(self) -> tuple[Settings, frozenset[str]]:
        """Return the settings that change the preset, and their names.

        Raises:
            SettingsError: For a setting that no engine has, or a value of another kind.
        """
        return parse_settings([f"{name}={show_settings(value)}" for name, value in self.settings.items()])


class RunOptions(TypedDict, total=False):
    """The options of a run as keywords, for editors and type checkers; ``RunSpec`` explains each."""

    limit: int | None
    tags: Mapping[str, str]
    language: str | None
    channel: int | None
    columns: Mapping[str, str]
    preset: str
    settings: Mapping[str, Scalar]
    conditions: str | Iterable[str]
    clean: bool
    normalizer: str
    compounds: bool
    align: str
    alternatives: bool
    numbers: bool
    spellings: str
    warmup: int
    timeout_s: float
    speech: bool | None
    measure: str | Iterable[str]
    budget_s: float
    device: str
    shard: str | None


def shared(source: Any, kind: type[Any]) -> dict[str, Any]:
    """Return the values that another object has for the fields of a class, by name."""
    return {each.name: getattr(source, each.name) for each in fields(kind)}
