"""What a person labels one at a time: clips, and of long clips the spans between pauses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from earwitness.errors import AudioError
from earwitness.labels.spans import LONG_S, SpanPlace, named_spans, spans_of
from earwitness.records.select import RunWithClips
from earwitness.types import Clip

_RATE_HZ = 8_000
_FRAME = 160
_FRAME_S = _FRAME / _RATE_HZ
_QUIET, _LOUD = 10, 90
"""Percentiles of the power: of pauses, and of speech."""
_FLOOR = 2.0**-30 / 12
"""Power of the rounding to 16 bits."""
_SHORTEST_PAUSE_S = 0.2


class LabelUnits(NamedTuple):
    """What there is to label."""

    units: tuple[Clip, ...]
    """Clips, and spans in the place of long ones."""
    undecodable: frozenset[str]
    """Ids of long clips that stay whole because their audio cannot be decoded."""


def units_of(clips: Sequence[Clip], runs: Sequence[RunWithClips] = ()) -> LabelUnits:
    """Return the clips, those of over 30 s without a reference in spans that are cut at pauses.

    A pause is where the run's search for speech found none; without such a search, where the level is low.

    Args:
        clips: Of the dataset.
        runs: Over them.
    """
    speech: dict[str, Sequence[SpanPlace]] = {}
    for run in reversed(runs):
        speech |= {result.clip.id: result.speech for result in run.results if result.speech}
    units: list[Clip] = []
    undecodable: list[str] = []
    for clip in clips:
        try:
            units += _cut(clip, speech)
        except AudioError:
            units.append(clip)
            undecodable.append(clip.id)
    return LabelUnits(tuple(units), frozenset(undecodable))


def units_in(clips: Sequence[Clip], ids: Sequence[str]) -> dict[str, Clip]:
    """Return the clips and spans that ids name, by id.

    Args:
        clips: Of the dataset.
        ids: Of a plan; those that name nothing are passed over.
    """
    found = {clip.id: clip for clip in clips}
    for spans in named_spans(clips, ids).values():
        found |= {span.id: span for span in spans}
    return {clip_id: found[clip_id] for clip_id in ids if clip_id in found}


def _cut(clip: Clip, speech: Mapping[str, Sequence[SpanPlace]]) -> tuple[Clip, ...]:
    if clip.duration_s <= LONG_S or clip.reference is not None:
        return (clip,)
    return spans_of(clip, speech.get(clip.id) or speech_by_level(clip))


def speech_by_level(clip: Clip) -> tuple[SpanPlace, ...]:
    """Return where a clip is louder than halfway, in dB, between its quiet and its loud frames.

    It is enough to choose where to cut, and no detector of speech. Gaps of less than 0.2 s are no pauses.

    Args:
        clip: Its audio is read.

    Raises:
        AudioError: When it cannot be decoded.
    """
    from earwitness.audio import decode_file

    with TemporaryDirectory() as folder:
        raw = Path(folder) / "clip.f32"
        decode_file(
            clip.audio_path, raw, start_s=clip.start_s, duration_s=clip.span_s, channel=clip.channel, rate_hz=_RATE_HZ
        )
        powers = _powers(raw)
    return loud_places(powers)


def loud_places(powers: npt.NDArray[np.float64]) -> tuple[SpanPlace, ...]:
    """Return from and to of the loud stretches, in seconds, from the power of frames of 20 ms.

    >>> loud_places(np.repeat([1e-2, 1e-8, 1e-2], 50))
    ((0.0, 1.0), (2.0, 3.0))
    >>> loud_places(np.zeros(50))
    ()
    """
    if not len(powers):
        return ()
    quiet, loud = np.maximum(np.percentile(powers, [_QUIET, _LOUD]), _FLOOR)
    is_loud = powers > np.sqrt(quiet * loud)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_loud, [False]])))
    found: list[SpanPlace] = []
    for start, end in (edges.reshape(-1, 2) * _FRAME_S).tolist():
        is_gap = bool(found) and start - found[-1][1] < _SHORTEST_PAUSE_S
        found.append((found.pop()[0] if is_gap else start, end))
    return tuple(found)


def _powers(raw: Path) -> npt.NDArray[np.float64]:
    """Return the power of each frame of a file of float32 samples, read in blocks."""
    found: list[npt.NDArray[np.float64]] = []
    with raw.open("rb") as file:
        while block := file.read(4 * _FRAME * 4096):
            samples = np.frombuffer(block, "<f4")
            frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME).astype(np.float64)
            found.append((frames**2).mean(axis=1))
    return np.concatenate(found) if found else np.zeros(0)
