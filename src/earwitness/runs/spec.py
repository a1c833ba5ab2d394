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
from earwitness.options import Flag, require_least
from earwitness.types import Settings

Preset = Literal["matched", "native"]
Scalar = str | bool | int | float


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """Which models, and where."""

    models: Annotated[tuple[str, ...], Flag("Model id; may be given again.", ("--model", "-m"))] = ()
    device: Annotated[str, Flag("auto, cpu, cuda, cuda:1, mps or tpu.")] = "auto"


@dataclass(frozen=True, kw_only=True)
class DataOptions(Strict):
    """Which clips of a dataset, and how its rows are read. These stay with the data."""

    limit: Annotated[int | None, Flag("Only the first N clips.", least=1)] = None
    tags: Annotated[
        Mapping[str, str], Flag("Only clips with this tag.", ("--tag",), "KEY=VALUE", pair="kind=speech")
    ] = field(default_factory=dict)
    language: Annotated[str | None, Flag("Language of clips that state none, such as en.")] = None
    channel: Annotated[int | None, Flag("Which channel, from 0, of clips that state none; else the mean.", least=0)] = (
        None
    )
    columns: Annotated[
        Mapping[str, str],
        Flag(
            "Which column of a table has the text, as in text=Wording; also audio, id.",
            ("--column",), "ROLE=NAME", pair="text=NAME",
        ),
    ] = field(default_factory=dict)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class MeasureOptions(Strict):
    """How models decode, what is done to the audio, how texts are scored, and which speeds are measured."""

    preset: Annotated[
        Preset, Flag("matched: all alike, greedy, no fall-back; native: each engine as its authors ship it.")
    ] = "matched"
    settings: Annotated[
        Mapping[str, Scalar],
        Flag("A setting on top of the preset, such as beam_size=5.", ("--set",), "NAME=VALUE", pair="beam_size=5"),
    ] = field(default_factory=dict)
    conditions: Annotated[
        tuple[str, ...],
        Flag("Alter the audio, as in noise:10dB or mulaw; may be repeated.", ("--condition",), "NAME"),
    ] = ()
    clean: Annotated[
        bool, Flag("With --condition: whether to run the unaltered audio first.", ("--clean/--no-clean",))
    ] = True
    normalizer: Annotated[
        str,
        Flag("auto, english, multilingual, whisper, leaderboard, none, another of docs/metrics.md, or a TOML file."),
    ] = "auto"
    compounds: Annotated[bool, Flag("'white board' equals 'whiteboard'.", ("--compounds",))] = False
    align: Annotated[str, Flag("levenshtein, or sclite for its costs.")] = "levenshtein"
    alternatives: Annotated[bool, Flag("{a / b} in a reference is either.", ("--alternatives",))] = False
    warmup: Annotated[int, Flag("Unmeasured transcriptions by every new worker.", least=0)] = 1
    timeout_s: Annotated[
        float,
        Flag(
            "Seconds that a clip gets, or ten times its audio if that is more.", ("--timeout-s", "--timeout"), least=1
        ),
    ] = 120.0
    speech: Annotated[
        bool | None,
        Flag(
            "Look for speech in the audio, to find what a text left out; by default if it can be done here.",
            ("--speech/--no-speech",),
        ),
    ] = None
    measure: Annotated[
        tuple[str, ...],
        Flag("Also measure speed by protocol: cold, latency, throughput.", metavar="PROTOCOL,..."),
    ] = ()
    budget_s: Annotated[float, Flag("Seconds that each protocol may take.", least=1)] = 300.0


@dataclass(frozen=True, kw_only=True)
class RunSpec(DataOptions, MeasureOptions, ModelOptions):
    """A run as it is asked for: data, models, and every option.

    Raises:
        UsageError: For a number that is too small.

    >>> RunSpec(models=("fake:echo",), limit=2).limit
    2
    """

    sources: tuple[str, ...] = ()
    """Names of corpora, manifests, folders, audio files and bundles."""
    command: tuple[str, ...] = ()
    """As typed, for the record."""

    def __post_init__(self) -> None:
        """Refuse numbers that are too small."""
        require_least(self)

    def decoding(self) -> tuple[Settings, frozenset[str]]:
        """Return the settings on top of the preset, and their names.

        Raises:
            SettingsError: For a setting that no engine has, or a value of another kind.
        """
        return parse_settings([f"{name}={show_settings(value)}" for name, value in self.settings.items()])


class RunOptions(TypedDict, total=False):
    """The options of a run as keywords, for editors and type checkers; ``RunSpec`` says what each means."""

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
    warmup: int
    timeout_s: float
    speech: bool | None
    measure: str | Iterable[str]
    budget_s: float
    device: str


def shared(source: Any, kind: type[Any]) -> dict[str, Any]:
    """Return the fields of one class, by name, as another value has them."""
    return {each.name: getattr(source, each.name) for each in fields(kind)}
