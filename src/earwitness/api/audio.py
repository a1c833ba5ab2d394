"""``earwitness conditions`` as functions."""

from __future__ import annotations

import shutil
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from earwitness.api.records import RecordSource
from earwitness.errors import UsageError

if TYPE_CHECKING:
    from earwitness.audio.conditions import Effect
    from earwitness.types import DatasetCondition


@dataclass(frozen=True, slots=True)
class ConditionKind:
    """A way to alter audio: a noise, a codec, a room."""

    kind: str
    """Its name."""
    example: str
    """A condition as it is typed."""
    range: str
    """The values that it takes, with their unit; empty where there are none."""
    here: bool
    """Whether this machine can do it."""
    variants: tuple[str, ...]
    """Sorts of it, the first of which need not be named."""
    summary: str
    """What it does, in a line."""


def list_conditions() -> list[ConditionKind]:
    """Return every kind of condition with an example of each and the values that it takes.

    >>> [kind.example for kind in list_conditions()][:2]
    ['noise:pink:10dB', 'babble:10dB']
    """
    from earwitness.audio.conditions import EFFECTS

    return [_kind(effect) for effect in EFFECTS.values()]


def canonical_condition(name: str) -> str:
    """Return the one name of a condition, such as ``noise:pink:10dB`` for ``noise:10dB``.

    Raises:
        UsageError: For a condition that there is not.
    """
    from earwitness.audio.conditions import parse

    return parse(name).name


def describe_condition(name: str) -> tuple[DatasetCondition, tuple[tuple[str, str], ...]]:
    """Return what a condition means, and each of its steps with a sentence.

    Raises:
        UsageError: For a condition that there is not.
    """
    from earwitness.audio.conditions import EFFECTS, describe, parse

    condition = parse(name)
    return describe(condition, ""), tuple((step.name, EFFECTS[step.kind].summary) for step in condition.steps)


def apply(
    file: RecordSource, condition: str, out: RecordSource, *, voices: RecordSource | None = None, force: bool = False
) -> float:
    """Apply a condition to a file: the result has exactly the samples that a model gets in a run.

    Args:
        file: An audio file.
        condition: Such as ``noise:10dB`` or ``reverb:0.8s+noise:10dB``.
        out: Wav file to write: mono, 16 kHz, 32-bit float.
        voices: For babble: data to take the voices from.
        force: Whether to write over a file that is there.

    Returns:
        Seconds of audio in it.

    Raises:
        UsageError: For a condition that there is not or that cannot be had here, for data of several clips, or when
            ``out`` is there.
        AudioError: For a file that cannot be decoded.
        FileError: When ``out`` cannot be written.
    """
    from earwitness import data
    from earwitness.audio import decode_to
    from earwitness.audio.conditions import parse, require
    from earwitness.files.atomic import write_errors
    from earwitness.runs.conditions import put_under
    from earwitness.types import RATE_HZ

    wanted, target = parse(condition), Path(out)
    if target.exists() and not force:
        raise UsageError(f"{str(target)!r} already exists. Name another file, or overwrite it with --force.")
    clips = data.load(Path(file)).clips
    if len(clips) != 1:
        raise UsageError(f"{str(file)!r} holds {len(clips)} clips. Name one audio file.")
    (clip,) = clips
    others = data.load(voices if isinstance(voices, str) else Path(voices)).clips if voices else ()
    require(wanted, others)
    with tempfile.TemporaryDirectory() as folder, write_errors(target):
        decoded = Path(folder) / "clip.f32"
        decode_to(clip.audio_path, decoded, channel=clip.channel)
        n_samples = put_under(wanted.name, clip, others, decoded)
        _write_wav(decoded, target)
    return n_samples / RATE_HZ


def _write_wav(raw: Path, out: Path) -> None:
    """Write floats as WAV, by hand: libsndfile puts the time of day into such a file, and no two would be the same."""
    from earwitness.files.atomic import atomic_write
    from earwitness.types import RATE_HZ

    size = raw.stat().st_size
    kind = (b"fmt ", 16, 3, 1, RATE_HZ, 4 * RATE_HZ, 4, 32)  # 3: floats; 1 channel
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sII4sI", b"RIFF", size + 48, b"WAVE", *kind, b"fact", 4, size // 4, b"data", size
    )
    with atomic_write(out) as temporary, raw.open("rb") as samples, temporary.open("wb") as file:
        file.write(head)
        shutil.copyfileobj(samples, file)


def _kind(effect: Effect) -> ConditionKind:
    limits = "" if effect.low is None else f"{effect.low:g} to {effect.high:g} {effect.unit}".strip()
    if effect.among:
        limits = ", ".join(f"{value:g}" for value in effect.among) + f" {effect.unit}"
    return ConditionKind(
        effect.kind, effect.example, limits, _is_here(effect.kind), tuple(effect.variants), effect.summary
    )


def _is_here(kind: str) -> bool:
    from earwitness.audio.codec import CODECS, require_codec

    if kind not in CODECS:
        return True
    try:
        require_codec(kind)
    except UsageError:
        return False
    return True
