"""Voice activity detection: Silero's model, window by window in constant memory.

The model (Silero Team 2021, *Silero VAD*, MIT) gives a probability of speech for every 512 samples at 16 kHz, 32 ms; it
is shown the 64 samples before them and keeps an LSTM's state from one window to the next. Spans are made of the
probabilities as in Silero's ``get_speech_timestamps`` with its defaults: speech begins at 0.5 and ends where it falls
below 0.35 and stays below 0.5 for 0.1 s; spans of 0.25 s and less are dropped; each is padded by 0.03 s on both sides,
or half the gap to the next one. Silero's limit of a span's length, infinite by default, is not here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from earwitness.types import RATE_HZ

WINDOW = 512
"""Samples that share a probability."""
BEGIN, END = 0.5, 0.35
"""Speech begins at the first, and may end under the second."""
LEAST_SPEECH_S, LEAST_SILENCE_S, PAD_S = 0.25, 0.1, 0.03
VERSION = 1
"""Of how probabilities become spans."""

_CONTEXT = 64
_STATE = 128
_WINDOWS_AT_ONCE = 512

AnySamples = npt.NDArray[np.floating]
SpeechSpan = tuple[float, float]
Finder = Callable[[Iterable[AnySamples]], tuple[SpeechSpan, ...]]


def unavailable() -> str | None:
    """Return why the model cannot be run here, in one sentence; ``None`` when it can."""
    try:
        import onnxruntime  # noqa: F401
    except (ImportError, OSError) as error:
        return f"onnxruntime cannot be imported ({error}). Run: pip install 'earwitness[speech]'"
    return None


def finder(model: Path) -> Finder:
    """Load the model and return a function that finds speech in blocks of mono sound at 16 kHz.

    The answer is spans in seconds from the sound's beginning, in order and apart; none when nobody speaks. One thread;
    memory does not grow with the sound, but for the spans.

    Args:
        model: ``silero_vad_16k_sequence.onnx``.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(model), sess_options=options, providers=["CPUExecutionProvider"])

    def find(blocks: Iterable[AnySamples]) -> tuple[SpeechSpan, ...]:
        heard = 0

        def count_blocks() -> Iterator[AnySamples]:
            nonlocal heard
            for block in blocks:
                heard += len(block)
                yield block

        # The count is whole only once every probability was taken, which closing the last span waits for.
        return speech_spans(probabilities(count_blocks(), session), lambda: heard)

    return find


def blocks_of(path: Path) -> Iterator[AnySamples]:
    """Yield the float32 samples of a file that ``decode_to`` wrote, some 8 s at a time."""
    with path.open("rb") as file:
        while data := file.read(4 * WINDOW * 256):
            yield np.frombuffer(data, dtype="<f4")


def probabilities(blocks: Iterable[AnySamples], session: Any) -> Iterator[float]:
    """Yield the probability of speech of every window; the last one is filled up with silence."""
    hidden = cell = np.zeros((1, 1, _STATE), np.float32)
    before = np.zeros(_CONTEXT, np.float32)
    for windows in _windows(blocks):
        contexts = np.vstack([before[None, :], windows[:-1, -_CONTEXT:]])
        before = windows[-1, -_CONTEXT:]
        framed = np.hstack([contexts, windows])
        found, hidden, cell = session.run(None, {"input": framed, "h": hidden, "c": cell})
        yield from found.ravel().tolist()


def _windows(blocks: Iterable[AnySamples]) -> Iterator[npt.NDArray[np.float32]]:
    size = WINDOW * _WINDOWS_AT_ONCE
    rest = np.zeros(0, np.float32)
    for block in blocks:
        rest = np.concatenate([rest, block.astype(np.float32, copy=False)])
        while len(rest) >= size:
            yield rest[:size].reshape(-1, WINDOW)
            rest = rest[size:]
    if len(rest):
        yield np.pad(rest, (0, -len(rest) % WINDOW)).reshape(-1, WINDOW)


def speech_spans(probabilities: Iterable[float], n_samples: Callable[[], int]) -> tuple[SpeechSpan, ...]:
    """Turn probabilities into spans.

    Args:
        probabilities: One for every window, in order.
        n_samples: Tells the length of the sound, once all probabilities were taken.

    >>> speech_spans([0.1] * 10 + [0.9] * 20 + [0.1] * 10, lambda: 40 * 512)
    ((0.29, 0.99),)
    >>> speech_spans([0.1] * 10 + [0.9] * 7 + [0.1] * 10, lambda: 27 * 512)  # too short
    ()
    """
    kept: list[tuple[int, int]] = []
    begin = quiet_since = None
    for number, probability in enumerate(probabilities):
        here = number * WINDOW
        if probability >= BEGIN:
            quiet_since = None
            begin = here if begin is None else begin
        elif begin is not None and probability < END:
            # Between the two thresholds nothing begins and nothing ends, as in Silero's loop.
            quiet_since = here if quiet_since is None else quiet_since
            if here - quiet_since >= LEAST_SILENCE_S * RATE_HZ:
                kept.append((begin, quiet_since))
                begin = quiet_since = None
    length = n_samples()
    if begin is not None:
        kept.append((begin, length))
    return _padded([span for span in kept if span[1] - span[0] > LEAST_SPEECH_S * RATE_HZ], length)


def _padded(spans: list[tuple[int, int]], length: int) -> tuple[SpeechSpan, ...]:
    pad = round(PAD_S * RATE_HZ)
    ends = []
    for place, (begin, end) in enumerate(spans):
        left = begin - spans[place - 1][1] if place else 2 * begin
        right = spans[place + 1][0] - end if place + 1 < len(spans) else 2 * (length - end)
        ends.append((begin - min(pad, left // 2), end + min(pad, right // 2)))
    return tuple((round(begin / RATE_HZ, 3), round(end / RATE_HZ, 3)) for begin, end in ends)
