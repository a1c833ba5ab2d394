"""A clip under way: its audio in pieces that may go to several workers, and the one hypothesis that they become."""

from __future__ import annotations

import itertools
import mmap
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from earwitness.audio.speech import SpeechSpan
from earwitness.engines.blocks import cut_points, join_pieces
from earwitness.types import Clip, Failure, Hypothesis, Transcript
from earwitness.workers.supervisor import AudioFile
from earwitness.workers.worker import Answer

_SAMPLE_BYTES = 4


@dataclass(slots=True)
class OpenClip:
    """A decoded clip of which not all pieces are transcribed. Belongs to whoever holds the lock of its pool."""

    clip: Clip
    """The clip."""
    audio: AudioFile
    """All of its samples, in a file of its own."""
    language: str | None
    """That the engine gets; ``None`` lets it detect one in the first piece, which then holds for all."""
    decode_s: float
    """Seconds that decoding took."""
    speech: tuple[SpeechSpan, ...] | None
    """Where somebody speaks."""
    spans: Sequence[tuple[int, int]]
    """First sample and the sample after the last of every piece, in order."""
    attempt: int = 1
    """2 once a piece was tried again by itself, since its worker ended while it had others at work too."""
    answers: dict[int, Answer] = field(default_factory=dict)
    """By the number of the piece."""
    failure: Failure | None = None
    """Of the first piece that failed; what comes of the others is of no use then."""
    n_begun: int = 0
    """Pieces that were given out."""

    def pieces(self) -> list[OpenPiece]:
        """Return the pieces that can be given out now: without a language, the first one goes alone."""
        end = 1 if self.language is None and not self.answers else len(self.spans)
        numbers = range(self.n_begun, end)
        self.n_begun = max(self.n_begun, end)
        return [OpenPiece(self, number) for number in numbers]

    def take(self, number: int, answer: Answer | Failure) -> bool:
        """Keep the result of a piece, and return whether it completes the clip, which happens once."""
        if self.failure is not None:
            return False
        if isinstance(answer, Failure):
            self.failure = self._placed(answer, number)
            return True
        self.answers[number] = answer
        if self.language is None and len(self.spans) > 1:
            self.language = answer.transcript.language
        return len(self.answers) == len(self.spans)

    def hypothesis(self) -> Hypothesis:
        """Return the result of the clip."""
        return Hypothesis(
            self.clip.id,
            self._transcript() if self.failure is None else None,
            self.failure,
            audio_s=self.audio.duration_s,
            decode_s=self.decode_s,
            wall_s=sum(answer.wall_s for answer in self.answers.values()) if self.failure is None else None,
            audio_remarks=self.audio.remarks,
            attempt=self.attempt,
        )

    def _transcript(self) -> Transcript:
        if len(self.spans) == 1:
            return self.answers[0].transcript
        rate = self.audio.sample_rate_hz
        return join_pieces(
            [(self.answers[n].transcript, start / rate, end / rate) for n, (start, end) in enumerate(self.spans)]
        )

    def _placed(self, failure: Failure, number: int) -> Failure:
        if len(self.spans) == 1:
            return failure
        start_s, end_s = (sample / self.audio.sample_rate_hz for sample in self.spans[number])
        return replace(failure, message=f"{failure.message} (at {start_s:.1f}-{end_s:.1f} s)")


@dataclass(frozen=True, slots=True)
class OpenPiece:
    """A part of a clip that one worker transcribes."""

    of: OpenClip
    """The clip."""
    number: int
    """Of the piece, from 0."""

    @property
    def audio(self) -> AudioFile:
        """Its samples, in the file of the whole."""
        start, end = self.of.spans[self.number]
        return replace(self.of.audio, start=start, n_samples=end - start)


def cut(audio: AudioFile, longest_s: float | None) -> list[tuple[int, int]]:
    """Return the spans of samples at which an engine would cut a recording; one span for ``None``.

    Args:
        audio: In a file.
        longest_s: The setting ``chunk_s`` of an engine that transcribes in blocks.
    """
    if longest_s is None or audio.n_samples <= int(longest_s * audio.sample_rate_hz):
        return [(0, audio.n_samples)]
    with Path(audio.path).open("rb") as file:
        mapped = mmap.mmap(file.fileno(), audio.n_samples * _SAMPLE_BYTES, access=mmap.ACCESS_READ)
    points = cut_points(np.frombuffer(mapped, "<f4", audio.n_samples), audio.sample_rate_hz, longest_s)
    return [(start, end) for start, end in itertools.pairwise(points) if start < end]
