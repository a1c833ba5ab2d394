"""Applies a condition to samples in memory, or to a file with memory that does not grow with its length.

Both give the same bytes. After every step a sound that passes full scale is turned down as a whole until it does not,
so nothing is clipped by accident and no ratio changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from earwitness.audio.conditions import EFFECTS, Condition, EffectInput, Step
from earwitness.audio.source import Block
from earwitness.audio.track import BLOCK, Scene, Track, in_memory, on_disk


def alter(samples: Block, condition: Condition, scene: Scene) -> Block:
    """Return the samples under a condition.

    Args:
        samples: Shape (n,), float32, mono, 16 kHz.
        condition: What befalls them.
        scene: The clip's id, from which everything random follows, and what else is known of it.

    Returns:
        Shape (m,), float32, within [-1, 1] unless the condition is clean; m differs from n for ``speed`` and ``pad``.

    Raises:
        AudioError: When the dataset has nothing to make babble of.

    >>> from earwitness.audio.conditions import parse
    >>> alter(np.ones(3, np.float32), parse("level:-6.0206dB"), Scene("a")).tolist()
    [0.5, 0.5, 0.5]
    """
    for place, step in enumerate(condition.steps):
        parts = list(_blocks(in_memory(samples), step, place, scene))
        samples = np.concatenate(parts) if parts else samples[:0]
        loudest = _peak(samples)
        if loudest > 1:
            samples = _within(samples, loudest)
    return samples


def alter_file(path: Path, condition: Condition, scene: Scene) -> int:
    """Put a file of little-endian float32 samples under a condition, in place, and return its new number of samples.

    Arguments and errors are those of ``alter``; an OSError from writing is not touched, and leaves the file as it was
    or between two steps.
    """
    n_samples = on_disk(path).n_samples
    for place, step in enumerate(condition.steps):
        # Not by files.atomic: whose disk is full is for the caller to say, who knows what is altered.
        made = path.with_name(f"{path.name}.step")
        loudest, n_samples = 0.0, 0
        try:
            with made.open("wb") as file:
                for block in _blocks(on_disk(path), step, place, scene):
                    file.write(block.astype("<f4", copy=False).tobytes())
                    loudest = max(loudest, _peak(block))
                    n_samples += len(block)
            if loudest > 1:
                _turn_down(made, loudest)
            made.replace(path)
        finally:
            made.unlink(missing_ok=True)
    return n_samples


def _blocks(track: Track, step: Step, place: int, scene: Scene) -> Iterator[Block]:
    seed = f"{scene.clip_id}|{place}|{step.kind}|{step.variant}"
    for block in EFFECTS[step.kind].make(track, EffectInput(step.value or 0.0, step.variant, seed, scene)):
        yield block.astype(np.float32)


def _peak(samples: Block) -> float:
    return float(np.max(np.abs(samples))) if len(samples) else 0.0


def _within(samples: Block, loudest: float) -> Block:
    block: Block = np.clip(samples / np.float32(loudest), -1, 1)
    return block


def _turn_down(path: Path, loudest: float) -> None:
    track = on_disk(path)
    with path.open("r+b") as file:
        for start in range(0, track.n_samples, BLOCK):
            block = _within(track.read(start, min(start + BLOCK, track.n_samples)), loudest)
            file.seek(4 * start)
            file.write(block.astype("<f4", copy=False).tobytes())
