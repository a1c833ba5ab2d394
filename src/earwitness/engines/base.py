"""The protocol of engines: a spec, a way to load a model, and a loaded model that turns audio into finished text.

An engine is one module that offers an ``Engine`` under the entry-point group ``earwitness.engines``. It runs in a
process of its own, in an environment that holds only numpy and the engine's packages: nothing else is imported here.
"""

from __future__ import annotations

import copy
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar, runtime_checkable

from earwitness.errors import EngineError
from earwitness.types import Audio, Guide, Segment, Settings, Transcript

_HasGuide = TypeVar("_HasGuide", bound="_Guidable")
Support = Literal["supported", "experimental", "unsupported"]


@dataclass(frozen=True, slots=True)
class DeviceSupport:
    """Whether an engine runs on a kind of device, and why not."""

    level: Support
    """``experimental`` runs, and nobody vouches for it."""
    reason: str = ""
    """Why the level is not ``supported``."""


@dataclass(frozen=True, slots=True)
class Option:
    """An option that a catalog row may set for its engine, under ``options``."""

    kind: Literal["text", "texts", "number"]
    """``texts`` is a list of them."""
    meaning: str
    """For documents, and for the sentence that refuses a value: begins with a noun."""
    required: bool = False
    """Whether the engine can do nothing without it."""
    pattern: str = ""
    """Regular expression that a text must match from end to end; empty for any text."""


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """The description of an engine, readable without importing its packages."""

    name: str
    """As in ``faster-whisper:base``, before the colon."""
    summary: str
    """One line."""
    imports: tuple[str, ...]
    """Modules that must be importable; the first missing one is named in the error."""
    packages: tuple[str, ...]
    """Distributions whose versions belong in a record."""
    devices: Mapping[str, DeviceSupport]
    """By kind: ``cpu``, ``cuda``, ``mps``, ``tpu``."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Settings that this engine cannot change, with the value in force; ``None`` where the idea does not apply."""
    native: Mapping[str, Any] = field(default_factory=dict)
    """Settings as the engine's authors ship it, where they differ from the defaults of ``Settings``."""
    python: str = ">=3.11"
    """Versions of Python that its packages run on, as a PEP 440 specifier."""
    requirements: tuple[str, ...] = ()
    """What pip installs into an environment of the engine's own, the engine's own distribution included where it is
    not Earwitness; empty for an engine that needs nothing."""
    bare_requirements: tuple[str, ...] = ()
    """What is installed without the packages that it requires itself: for one that requires gigabytes which only a part
    of it uses that the engine does not. What it does use is in ``requirements``."""
    deterministic: bool = True
    """The same audio gives the same text."""
    maps: Mapping[str, str] = field(default_factory=dict)
    """What a setting is called in the engine's own interface, where it has a name there; for documents."""
    options: Mapping[str, Option] = field(default_factory=dict)
    """What a catalog row may tell it."""
    cuts: bool = False
    """Whether a recording longer than ``chunk_s`` is cut by ``blocks.cut_points`` with that setting and nothing else,
    and transcribed in blocks that share no more than the language: a pool may then give them to several workers."""
    parameter_bytes: Mapping[str, float] = field(default_factory=dict)
    """For estimates: bytes of a parameter in memory by kind of device, at the precision that ``auto`` is there."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of its workers."""
    guides: tuple[str, ...] = ()
    """Fields of ``Guide`` that its models can follow, which are then ``GuidableModel``. The catalog row says whether a
    model translates."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The files of a model that an engine loads."""

    id: str
    """The model's id, such as ``faster-whisper:base``."""
    folder: Path | None
    """Where its checked files are; ``None`` for a model that has none."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What its catalog row tells the engine, checked against ``EngineSpec.options``."""


@runtime_checkable
class LoadedModel(Protocol):
    """A model in memory."""

    device: str
    """The device on which the parameters really are, such as ``cpu`` or ``cuda:0``."""
    in_force: Mapping[str, Any]
    """Every setting as it really is, in the vocabulary of ``Settings``."""

    def transcribe(self, audio: Audio, *, language: str | None) -> Transcript:
        """Return the finished text of mono 16 kHz audio of any length.

        Args:
            audio: Shape (n,), float32, mono, 16 kHz; n may be 0.
            language: BCP 47 tag, or ``None`` to let the engine detect it.
        """

    def close(self) -> None:
        """Free the model's memory. Called once; nothing is called after it."""


@runtime_checkable
class OnDevice(Protocol):
    """A loaded model that works on a device other than the CPU. Optional, in addition to ``LoadedModel``."""

    def synchronize(self) -> None:
        """Return once the device has finished its work; the clock stops after that."""

    def peak_device_bytes(self) -> int | None:
        """Return the most memory of the device that this process has held; ``None`` if unknown."""


@runtime_checkable
class Streaming(Protocol):
    """A loaded model that gives its text piece by piece, as it decodes. Optional, in addition to ``LoadedModel``.

    Whoever listens may stop between two pieces, by closing the generator.
    """

    def stream(self, audio: Audio, *, language: str | None) -> Generator[Segment, None, Transcript]:
        """Yield segments in time order and return the transcript: the very one that ``transcribe`` returns.

        The texts of the segments are raw: put together, and with the spaces around the whole taken off, they are the
        transcript's text.

        Args:
            audio: As for ``transcribe``.
            language: As for ``transcribe``.
        """


@runtime_checkable
class BatchModel(Protocol):
    """A loaded model that transcribes several clips together. Optional, in addition to ``LoadedModel``."""

    def transcribe_batch(
        self, clips: Sequence[tuple[Audio, str | None]]
    ) -> Iterator[tuple[int, Transcript | Exception]]:
        """Yield the number of each clip, and what ``transcribe`` would return or raise for it, as they finish.

        Args:
            clips: Audio and language of each, as for ``transcribe``.
        """


@runtime_checkable
class GuidableModel(Protocol):
    """A loaded model that accepts more from a request than the language. Optional, in addition to ``LoadedModel``."""

    def guided(self, guide: Guide) -> LoadedModel:
        """Return the same model, in the same memory, following a guide; this one goes on without.

        Args:
            guide: With nothing in it but what ``EngineSpec.guides`` names.

        Raises:
            EngineError: When this model cannot.
        """


@runtime_checkable
class Engine(Protocol):
    """Code that transcribes."""

    spec: EngineSpec

    def load(self, model: ModelFiles, device: str, settings: Settings) -> LoadedModel:
        """Load a model.

        Args:
            model: The id, the folder of checked files, and the row's options.
            device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``tpu``.
            settings: How to decode.

        Raises:
            EngineError: When the model, the device or a setting cannot be had.
        """


class _Guidable(Protocol):
    guide: Guide


def follow(model: _HasGuide, guide: Guide, *, multilingual: bool) -> _HasGuide:
    """Return a model with another guide: the whole of ``guided`` for one that looks it up in ``self.guide``.

    Args:
        model: Shares all that it holds with the one that is returned.
        guide: To follow.
        multilingual: Whether there is anything for it to translate.

    Raises:
        EngineError: When there is not, and it is to translate.
    """
    if guide.translate and not multilingual:
        raise EngineError("This model knows only English and cannot translate.")
    found = copy.copy(model)
    found.guide = guide
    return found


def settings_in_force(spec: EngineSpec, settings: Settings, **really: Any) -> dict[str, Any]:
    """Return every setting in force: as requested, fixed by the engine, or reported by the loaded model."""
    asked = {name: getattr(settings, name) for name in Settings.__dataclass_fields__}
    return {**asked, **spec.fixed, **really}


def sole_file(model: ModelFiles, pattern: str) -> Path:
    """Return the one file of a model's folder that fits a pattern such as ``*.pt``.

    Raises:
        EngineError: When there is no folder, no such file, or more than one.
    """
    if model.folder is None:
        raise EngineError(f"Model {model.id!r} has no weights folder. Run: earwitness models pull {model.id}")
    found = sorted(model.folder.glob(pattern))
    if len(found) != 1:
        raise EngineError(
            f"Model {model.id!r} needs one file {pattern!r} in {str(model.folder)!r}, which has {len(found)}."
        )
    return found[0]
