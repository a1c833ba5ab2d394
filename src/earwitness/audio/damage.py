"""Damage by rooms, microphones, networks and players: reverberation, clipping, loss, level, speed, silence."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from earwitness.audio.track import BLOCK, Track, Wide, bell, convolve, exactly, random_bits, uniform
from earwitness.types import RATE_HZ

FRAME = 320
"""Samples of a packet: 20 ms, as in telephony over IP."""
MEAN_BURST = 3.0
"""Packets that are lost in a row, on average, when losses come in bursts."""
_PCM_STEPS = 32_768


def reverberate(track: Track, rt60_s: float, seed: str) -> Iterator[Wide]:
    """Yield the sound as in a room with that reverberation time.

    The impulse response is a direct sound and a tail of noise that falls by 60 dB in ``rt60_s`` (Polack's model of
    late reverberation, 1988), h[n] = w[n] 10^(-3 n / (RT60 fs)). Direct sound and tail have equal energy, 1/2 each. The
    tail is not heard beyond the end of the clip.
    """
    yield from convolve(track.blocks(), room_response(rt60_s, seed))


def room_response(rt60_s: float, seed: str) -> Wide:
    """Return the impulse response of ``reverberate``; its energy is 1."""
    n = round(rt60_s * RATE_HZ)
    tail = bell(random_bits(seed), n) * 10 ** (-3.0 * np.arange(n) / n)
    tail[0] = 0.0
    tail /= np.sqrt(np.sum(tail * tail))
    tail[0] = 1.0
    tail *= 0.5**0.5
    return tail


def clip(track: Track, over_db: float) -> Iterator[Wide]:
    """Yield the sound cut off ``over_db`` under its own peak, as an overdriven input does; the level stays."""
    peak = max((float(np.max(np.abs(block))) for block in track.blocks()), default=0.0)
    limit = peak * 10 ** (-over_db / 20)
    for block in track.blocks():
        yield np.clip(block, -limit, limit)


def lose(track: Track, percent: float, seed: str, *, bursts: bool = False) -> Iterator[Wide]:
    """Yield the sound with packets of 20 ms replaced by silence.

    Each packet is lost with the same probability, or in bursts: a chain of two states (Gilbert 1960) that leaves the
    lost state with probability 1/3 and enters it with q p / (1 - p), so that the share p is lost in the long run.
    """
    lost = _lost(-(-track.n_samples // FRAME), percent / 100, seed, bursts=bursts)
    start = 0
    for block in track.blocks():
        places = np.arange(start, start + len(block)) // FRAME
        yield np.where(lost[places], 0.0, block)
        start += len(block)


def _lost(n: int, share: float, seed: str, *, bursts: bool) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    wide = uniform(random_bits(seed), n + 1)
    if not bursts:
        return wide[1:] < share
    leave = 1 / MEAN_BURST
    enter = min(1.0, leave * share / (1 - share))
    lost = np.zeros(n, np.bool_)
    state = bool(wide[0] < share)
    for place in range(n):
        lost[place] = state
        state = bool(wide[place + 1] >= leave) if state else bool(wide[place + 1] < enter)
    return lost


def turn_down(track: Track, gain_db: float) -> Iterator[Wide]:
    """Yield the sound at another level, rounded to 16 bits: a recording that is too soft has lost its detail."""
    gain = 10 ** (gain_db / 20)
    for block in track.blocks():
        yield np.round(block * gain * _PCM_STEPS) / _PCM_STEPS


def change_speed(track: Track, factor: float) -> Iterator[Wide]:
    """Yield the sound played so many times as fast, pitch and all, by resampling (Ko et al., Interspeech 2015)."""
    yield from exactly(resample_to(track.blocks(), RATE_HZ * factor, RATE_HZ), round(track.n_samples / factor))


def pad(track: Track, silence_s: float) -> Iterator[Wide]:
    """Yield the sound with so many seconds of digital silence before it, and as many after it."""
    n = round(silence_s * RATE_HZ)
    yield from exactly((), n)
    yield from track.blocks()
    yield from exactly((), n)


def resample_to(blocks: Iterator[Wide], from_hz: float, to_hz: float) -> Iterator[Wide]:
    """Resample with soxr, high quality, in float64."""
    import soxr

    if from_hz == to_hz:
        yield from blocks
        return
    stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float64", quality="HQ")
    for block in blocks:
        for start in range(0, len(block), BLOCK):
            yield stream.resample_chunk(np.ascontiguousarray(block[start : start + BLOCK]))
    yield stream.resample_chunk(np.zeros(0), last=True)
