"""Sound that is read in blocks, from memory or from a file, and random numbers that are the same everywhere.

Everything that alters sound (``conditions``) reads a Track as often as it likes and yields blocks, so ten hours take no
more memory than ten minutes. Blocks always have the same length, whatever the sound comes from: the arithmetic, and
with it every bit of the result, does not depend on whether a clip was in memory or on disk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from earwitness.audio.source import Block
from earwitness.types import Clip

BLOCK = 1 << 16
Wide = npt.NDArray[np.float64]
# Four uniform 16-bit numbers have the mean 4 * 65535 / 2 and the variance 4 * (65536 ** 2 - 1) / 12.
_MEAN = 131_070
_SPREAD = ((65_536**2 - 1) / 3) ** 0.5


@dataclass(frozen=True, slots=True)
class Track:
    """Mono sound at 16 kHz that can be read more than once."""

    n_samples: int
    """Its length."""
    read: Callable[[int, int], Block]
    """Returns the samples from one place up to another."""

    def blocks(self) -> Iterator[Wide]:
        """Yield all samples as float64, in blocks of which only the last may be short."""
        for start in range(0, self.n_samples, BLOCK):
            yield self.read(start, min(start + BLOCK, self.n_samples)).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Scene:
    """What effects may know about a clip besides its samples."""

    clip_id: str
    """Seeds whatever is random."""
    speech: bool = True
    """False when it is known that nobody speaks in it."""
    others: Sequence[Clip] = ()
    """Clips to make babble of; the clip itself may be among them and is passed over."""


def in_memory(samples: Block) -> Track:
    """Return samples as a track."""
    return Track(len(samples), lambda start, stop: samples[start:stop])


def on_disk(path: Path) -> Track:
    """Return a file of little-endian float32 samples as a track."""
    n_samples = path.stat().st_size // 4
    return Track(n_samples, lambda start, stop: np.fromfile(path, "<f4", stop - start, offset=4 * start))


def random_bits(seed: str) -> np.random.PCG64:
    """Return a generator of raw 64-bit words.

    NumPy promises that these never change (NEP 19), unlike the normal distribution that it makes of them.
    """
    return np.random.PCG64(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:16], "little"))


def uniform(bits: np.random.PCG64, n: int) -> Wide:
    """Return numbers from 0 up to 1, each from one word."""
    return (bits.random_raw(n) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def bell(bits: np.random.PCG64, n: int) -> Wide:
    """Return independent numbers of mean 0 and variance 1, each the sum of the four 16-bit parts of one word.

    Their distribution (Irwin-Hall of order 4) is close to the normal one and ends at 3.46; their spectrum is white.

    >>> bell(random_bits("a"), 3).round(3).tolist()
    [0.568, 1.1, 0.248]
    """
    parts = bits.random_raw(n).astype("<u8").view("<u2").reshape(n, 4)
    wide: Wide = (parts.sum(axis=1, dtype=np.int64) - _MEAN) / _SPREAD
    return wide


def convolve(blocks: Iterable[Wide], response: Wide, longest: int = BLOCK) -> Iterator[Wide]:
    """Filter with a causal impulse response; every block comes out as long as it went in, which is ``longest`` at most.

    Overlap-add with an FFT in double precision. What would ring on after the last block is dropped.
    """
    size = 1 << (longest + len(response) - 2).bit_length()
    spectrum = np.fft.rfft(response, size)
    tail = np.zeros(len(response) - 1)
    for block in blocks:
        full = np.fft.irfft(np.fft.rfft(block, size) * spectrum, size)
        full[: len(tail)] += tail
        yield full[: len(block)]
        tail = full[len(block) : len(block) + len(tail)]


def exactly(blocks: Iterable[npt.NDArray[np.floating]], n_samples: int) -> Iterator[Wide]:
    """Yield exactly this many samples: cut off the rest, or fill up with silence."""
    left = n_samples
    for block in blocks:
        yield block[:left].astype(np.float64)
        left -= min(left, len(block))
    while left:
        yield np.zeros(min(left, BLOCK))
        left -= min(left, BLOCK)
