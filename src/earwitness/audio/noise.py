"""Additive noise at a signal-to-noise ratio: white, pink, and babble made of other clips.

    y[n] = x[n] + g b[n],   g = (A / B) 10^(-SNR / 20)

with A the active speech level of the clip (``level``, ITU-T P.56) and B the root mean square of the noise b over the
whole clip. Pauses in the speech do not make the noise softer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from earwitness.audio.in_process import decode
from earwitness.audio.level import NOMINAL_DBOV, active_level
from earwitness.audio.track import BLOCK, Scene, Track, Wide, bell, convolve, in_memory, random_bits, uniform
from earwitness.errors import AudioError
from earwitness.types import RATE_HZ, Clip

Noise = Callable[[], Iterator[Wide]]
TALKERS = 6
"""Voices in the babble."""
FEWEST_OTHERS = 3
"""With fewer other clips than this there is no babble."""
_PINK_TAPS = 2048
_LOOP_S = 30.0


def add(track: Track, noise: Noise, snr_db: float, *, speech: bool) -> Iterator[Wide]:
    """Yield the sound with noise.

    Where nobody speaks, be it known or measured, the noise is as loud as it would be beside speech of -26 dBov.

    Args:
        track: The sound.
        noise: Called twice; yields the same blocks both times, as long as those of the track.
        snr_db: Active speech level over noise level.
        speech: False when it is known that nobody speaks.
    """
    measured = active_level(track) if speech else None
    level = measured.rms if measured else 10 ** (NOMINAL_DBOV / 20)
    power = sum(float(np.sum(block * block)) for block in noise()) / max(1, track.n_samples)
    gain = level / power**0.5 * 10 ** (-snr_db / 20) if power else 0.0
    for block, unwanted in zip(track.blocks(), noise(), strict=True):
        yield block + gain * unwanted


def white(seed: str, n_samples: int) -> Noise:
    """Noise with as much power in every hertz from 0 to 8 kHz."""

    def blocks() -> Iterator[Wide]:
        bits = random_bits(seed)
        for start in range(0, n_samples, BLOCK):
            yield bell(bits, min(BLOCK, n_samples - start))

    return blocks


def pink(seed: str, n_samples: int) -> Noise:
    """Noise with as much power in every octave from 20 Hz up, like that of rooms and streets.

    White noise through the fractional integrator of order one half, h[k] = h[k-1] (k - 1/2) / k (Kasdin, "Discrete
    simulation of colored noise", Proc. IEEE 1995), of 2048 samples.
    """
    k = np.arange(1, _PINK_TAPS)
    response = np.concatenate([[1.0], np.cumprod((k - 0.5) / k)])
    return lambda: convolve(white(seed, n_samples)(), response)


def babble(seed: str, n_samples: int, scene: Scene) -> Noise:
    """The sum of six voices, each made of other clips of the dataset at one speech level.

    A voice is as many clips, drawn with the seed, as it takes to cover the sound or 30 seconds, and begins again when
    they are over.

    Raises:
        AudioError: When no speech can be found in the other clips.
    """
    bits = random_bits(seed)
    wanted = min(n_samples, round(_LOOP_S * RATE_HZ))
    voices = [_voice(bits, wanted, scene) for _ in range(TALKERS)]

    def blocks() -> Iterator[Wide]:
        for start in range(0, n_samples, BLOCK):
            places = np.arange(start, min(start + BLOCK, n_samples))
            yield sum((voice[places % len(voice)] for voice in voices), np.zeros(len(places)))

    return blocks


def can_babble(others: Sequence[Clip]) -> bool:
    """Return whether every clip has enough others with speech beside it."""
    return sum(clip.reference != "" for clip in others) > FEWEST_OTHERS


def _voice(bits: np.random.PCG64, n: int, scene: Scene) -> Wide:
    parts: list[Wide] = []
    tries = 0
    while sum(map(len, parts)) < n:
        tries += 1
        if tries > 200 or not scene.others:
            raise AudioError(f"No clip other than {scene.clip_id!r} has speech for babble. Check the dataset.")
        other = scene.others[int(uniform(bits, 1)[0] * len(scene.others))]
        if other.id == scene.clip_id or other.reference == "":
            continue
        try:
            audio = decode(
                other.audio_path,
                start_s=other.start_s,
                duration_s=min(other.duration_s, _LOOP_S),
                channel=other.channel,
            )
        except AudioError:
            continue
        level = active_level(in_memory(audio.samples))
        if level is not None:
            parts.append(audio.samples.astype(np.float64) / level.rms)
    return np.concatenate(parts)
