"""Splits long recordings at pauses into pieces that fit a model, and joins the results in time order.

Whisper's front end computes the spectrogram of everything it is given before it decodes the first word, some 50 MB a
minute in faster-whisper: an hour takes 3 GB, ten hours do not fit. In pieces of ten minutes, memory stays flat.
"""

from __future__ import annotations

import itertools
import mmap
from collections.abc import Callable, Generator, Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from earwitness.types import Audio, DecodedSegment, Segment, Transcript

Stream = Generator[Segment, None, Transcript]
_FRAME_S = 0.02
_SMOOTH_FRAMES = 15
_PAUSE_FRAMES = _SMOOTH_FRAMES - 1  # a pause of 0.3 s that begins inside a frame holds one frame less
_LEAST_RANGE_DB = 6.0
_MOST_RANGE_DB = 60.0
_PAUSE_SHARE = 0.4
_SEEK_HZ = 100


def cut_points(
    samples: npt.NDArray[np.float32], sample_rate_hz: int, longest_s: float, search_share: float = 0.1
) -> list[int]:
    """Return where to cut so that no piece is longer than ``longest_s``: the first is 0, the last ``len(samples)``.

    Each cut lies in the last part of its piece, in the middle of the longest pause there: a sentence ends there rather
    than a syllable. A pause is 0.3 s or more under a threshold that follows the sound, see ``_best_cut``; where there
    is none, the cut is in the middle of the 0.3 s with the least energy.

    Args:
        samples: Shape (n,).
        sample_rate_hz: Samples per second.
        longest_s: The most seconds of a piece.
        search_share: How much of a piece, from its end, is searched. More finds better pauses and gives more pieces.

    >>> import numpy as np
    >>> noise = np.ones(100 * 100, np.float32)
    >>> noise[5750:5830] = 0
    >>> [round(point, -2) for point in cut_points(noise, 100, 60.0)]
    [0, 5800, 10000]
    """
    longest = int(longest_s * sample_rate_hz)
    points = [0]
    while len(samples) - points[-1] > longest:
        end = points[-1] + longest
        start = end - max(1, int(longest * search_share))
        points.append(start + _best_cut(samples[start:end], sample_rate_hz))
        drop_pages(samples)  # a system with large pages maps far more than the part that was looked at
    return [*points, len(samples)]


def _best_cut(window: npt.NDArray[np.float32], sample_rate_hz: int) -> int:
    # Speech is as loud as the loudest tenth of the window, silence as quiet as its quietest 0.3 s. What lies under
    # two fifths of the way up, in dB, is a pause; where the way is short, nobody speaks, or nobody stops.
    frame = max(1, int(_FRAME_S * sample_rate_hz))
    n_frames = len(window) // frame
    if n_frames < _SMOOTH_FRAMES:
        return len(window)
    energy = (window[: n_frames * frame].reshape(n_frames, frame).astype(np.float64) ** 2).mean(axis=1)
    smooth = np.convolve(energy, np.full(_SMOOTH_FRAMES, 1 / _SMOOTH_FRAMES), mode="valid")
    quietest = int(np.argmin(smooth))
    middle = quietest + _SMOOTH_FRAMES // 2
    speech, silence = float(np.percentile(energy, 90)), max(float(smooth[quietest]), 0.0)
    if speech > silence * 10 ** (_LEAST_RANGE_DB / 10):
        silence = max(silence, speech * 10 ** (-_MOST_RANGE_DB / 10))
        middle = _middle_of_longest_run(energy < silence ** (1 - _PAUSE_SHARE) * speech**_PAUSE_SHARE) or middle
    return middle * frame


def _middle_of_longest_run(quiet: npt.NDArray[np.bool_]) -> int | None:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], quiet, [False])).astype(np.int8)))
    starts, lengths = edges[::2], edges[1::2] - edges[::2]
    if not len(lengths) or lengths.max() < _PAUSE_FRAMES:
        return None
    last = len(lengths) - 1 - int(np.argmax(lengths[::-1]))  # of equals the last: fewer pieces
    return int(starts[last] + lengths[last] // 2)


def in_blocks(
    audio: Audio,
    longest_s: float,
    transcribe: Callable[[Audio, str | None], Transcript],
    language: str | None,
    search_share: float = 0.1,
) -> Transcript:
    """Transcribe piece by piece and join: texts by a space, times moved to where the piece begins.

    A remark on one of several pieces gets its place: ``token_limit`` becomes ``token_limit at 30.0-58.5 s``.

    Args:
        audio: Any length; empty audio gives empty text without calling the model.
        longest_s: Longest piece.
        transcribe: Called with each piece and the language.
        language: As given; when ``None``, what the first piece was found to be serves for the rest.
        search_share: As in ``cut_points``.
    """

    def at_once(piece: Audio, language: str | None) -> Stream:
        yield from ()
        return transcribe(piece, language)

    return finish(stream_blocks(audio, longest_s, at_once, language, search_share))


def stream_blocks(
    audio: Audio,
    longest_s: float,
    stream: Callable[[Audio, str | None], Stream],
    language: str | None,
    search_share: float = 0.1,
) -> Stream:
    """Stream piece by piece, as ``in_blocks`` transcribes: segments at their places in the whole, then the whole.

    Arguments are those of ``in_blocks``, but for ``stream``, which yields the segments of a piece, with raw texts, and
    returns its transcript.
    """
    points = cut_points(audio.samples, audio.sample_rate_hz, longest_s, search_share)
    joined = Transcript("", language=language, covered_s=0.0)
    for start, end in itertools.pairwise(points):
        if start == end:
            continue
        piece = Audio(np.array(audio.samples[start:end], np.float32), audio.sample_rate_hz)
        drop_pages(audio.samples)
        start_s, end_s = start / audio.sample_rate_hz, end / audio.sample_rate_hz
        found = yield from _placed(stream(piece, joined.language), start_s, after=joined.text)
        joined = _join(joined, _with_places(found, start_s, end_s) if len(points) > 2 else found, start_s)
    return joined


def join_pieces(pieces: Iterable[tuple[Transcript, float, float]]) -> Transcript:
    """Return the transcript of a recording from those of its pieces, as ``stream_blocks`` joins its own.

    Args:
        pieces: Transcript, first and last second in the recording; in order, and more than one.

    >>> join_pieces([(Transcript("a", covered_s=1.0), 0.0, 1.0), (Transcript("b", covered_s=2.0), 1.0, 3.0)]).text
    'a b'
    """
    joined = Transcript("", covered_s=0.0)
    for transcript, start_s, end_s in pieces:
        joined = _join(joined, _with_places(transcript, start_s, end_s), start_s)
    return joined


def _with_places(piece: Transcript, start_s: float, end_s: float) -> Transcript:
    return replace(piece, remarks=tuple(f"{remark} at {start_s:.1f}-{end_s:.1f} s" for remark in piece.remarks))


def finish(stream: Stream) -> Transcript:
    """Let a stream run to its end and return the transcript."""
    while True:
        try:
            next(stream)
        except StopIteration as end:
            transcript: Transcript = end.value
            return transcript


def _placed(stream: Stream, offset_s: float, *, after: str) -> Stream:
    # Pieces are joined by one space, whatever a model puts before its first word.
    between = " " if after else ""
    while True:
        try:
            clip = next(stream)
        except StopIteration as end:
            transcript: Transcript = end.value
            return transcript
        text = clip.text
        if between and text.strip():
            text, between = between + text.lstrip(), ""
        yield Segment(clip.start_s + offset_s, clip.end_s + offset_s, text)


def _join(left: Transcript, right: Transcript, offset_s: float) -> Transcript:
    words = None if right.words is None else (left.words or ()) + _moved(right.words, offset_s)
    covered = None if left.covered_s is None or right.covered_s is None else left.covered_s + right.covered_s
    network = [each.network_s for each in (left, right) if each.network_s is not None]
    return replace(
        left,
        network_s=sum(network) if network else None,
        text=f"{left.text} {right.text}".strip(),
        segments=left.segments + _moved(right.segments, offset_s),
        words=words,
        language=left.language or right.language,
        covered_s=covered,
        remarks=left.remarks + right.remarks,
    )


def _moved(segments: tuple[Segment, ...], offset_s: float) -> tuple[Segment, ...]:
    return tuple(_later(segment, offset_s) for segment in segments)


def _later(segment: Segment, offset_s: float) -> Segment:
    moved = replace(segment, start_s=segment.start_s + offset_s, end_s=segment.end_s + offset_s)
    if isinstance(moved, DecodedSegment) and moved.seek is not None:
        moved = replace(moved, seek=moved.seek + round(offset_s * _SEEK_HZ))
    return moved


def drop_pages(samples: npt.NDArray[np.float32]) -> None:
    """Let go of the pages of a mapped file, which count as resident once read; they can be read again."""
    base: object = samples
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, memoryview):  # numpy wraps whatever holds the bytes
        base = base.obj
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)
