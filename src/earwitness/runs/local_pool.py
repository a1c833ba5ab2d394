"""The pool of this machine: threads that decode ahead, and threads with a worker each, around one set of queues.

Every worker is kept by a ``Supervisor``, as in a run: one that dies is replaced, and its clip is a failure. Decoding,
and looking for speech, happen before a worker is free, so that none waits for a file. What lies decoded is bounded by
number and by hours of audio, whatever the clips are.
"""

from __future__ import annotations

import math
import shutil
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

from earwitness.engines.registry import get_engine
from earwitness.errors import FileError
from earwitness.runs.pieces import OpenClip, OpenPiece, cut
from earwitness.runs.pool import ClipPool, PoolResult, PoolSpec, supervisor_of
from earwitness.runs.speech import SpeechDetector
from earwitness.runs.transcribe import audio_failure, decode, spoken_language, warm_up_audio
from earwitness.types import Clip, Failure, Hypothesis
from earwitness.workers.supervisor import GivenUpError, Supervisor
from earwitness.workers.worker import Answer, LoadedInfo

_LOOK_S = 0.1
_CLOSE_S = 6.0
"""A little more than a worker gets to end politely."""
_AHEAD_S = 1800.0
"""Audio that may lie decoded and wait; more only where a single recording is longer."""


class LocalPool(ClipPool):
    """Workers on this machine. See ``ClipPool``.

    Args:
        spec: What every worker is.
        scratch: Folder for decoded audio, of the pool alone; it is emptied when the pool is closed.
        workers: How many processes.
    """

    def __init__(self, spec: PoolSpec, scratch: Path, *, workers: int) -> None:
        """Start the threads; a worker is started by the first clip that it gets."""
        self._spec, self._scratch = spec, scratch
        self._depth = workers * (2 * spec.batch + 2)
        self._n_decoders = max(1, workers // 2)
        self._longest_s = spec.settings.chunk_s if get_engine(spec.model.engine).spec.cuts else None
        self._changed = threading.Condition()
        self._todo: deque[Clip] = deque()
        self._ready: deque[OpenPiece] = deque()
        self._done: deque[PoolResult] = deque()
        self._error: BaseException | None = None
        self._closing = self._kindly = False
        self._ahead_s = 0.0
        self._n_files = 0
        self._living = workers
        self._supervisors = [self._supervisor(scratch / str(n)) for n in range(workers)]
        self._threads = [threading.Thread(target=self._serve, args=(one,), daemon=True) for one in self._supervisors]
        self._threads += [threading.Thread(target=self._decode_all, daemon=True) for _ in range(self._n_decoders)]
        for thread in self._threads:
            thread.start()

    @property
    def info(self) -> LoadedInfo | None:
        """The report of the first worker."""
        return next((member.first for member in self._supervisors if member.first is not None), None)

    @property
    def peak_rss_bytes(self) -> int | None:
        """Sum of the workers' peaks; ``None`` where the system does not tell."""
        peaks = [member.peak_rss_bytes for member in self._supervisors if member.peak_rss_bytes is not None]
        return sum(peaks) if peaks else None

    def load(self) -> None:
        """Load all workers before there is a clip for them.

        Raises:
            GivenUpError: When one does not come up.
        """
        for member in self._supervisors:
            member.ready()

    def transcribe(self, clips: Iterable[Clip]) -> Iterator[PoolResult]:
        """Yield a result for each clip, in the order in which they finish."""
        source, n_open, is_left = iter(clips), 0, True
        while is_left or n_open:
            while is_left and n_open < self._depth and self._has_room():
                clip = next(source, None)
                is_left = clip is not None
                if clip is not None:
                    self._give(clip)
                    n_open += 1
            result = self._next_result(or_room=is_left and n_open < self._depth) if n_open else None
            if result is not None:
                n_open -= 1
                yield result

    def _end(self, *, kindly: bool) -> None:
        with self._changed:
            self._closing, self._kindly = True, kindly
            self._changed.notify_all()
        if not kindly:
            for member in self._supervisors:
                member.__exit__(KeyboardInterrupt)
        for thread in self._threads:
            thread.join(_CLOSE_S)
        for path in self._scratch.iterdir():
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)

    def _supervisor(self, scratch: Path) -> Supervisor:
        spec, limits = self._spec, self._spec.limits
        scratch.mkdir(exist_ok=True)
        warm_up = warm_up_audio(spec.dataset, spec.settings.language, scratch) if limits.warmup else None
        return supervisor_of(spec, spec.folder, warm_up, limits.max_deaths)

    def _has_room(self) -> bool:
        """Whether another clip may be taken: none lies finished, and the decoders have next to nothing."""
        return not self._done and len(self._todo) < self._n_decoders

    def _give(self, clip: Clip) -> None:
        with self._changed:
            self._todo.append(clip)
            self._changed.notify_all()

    def _next_result(self, *, or_room: bool) -> PoolResult | None:
        """Wait for a result, or until another clip may be taken (``None``)."""
        with self._changed:
            # A wait without an end would keep Ctrl-C waiting on some systems.
            while not self._done and self._error is None and not (or_room and self._has_room()):
                self._changed.wait(_LOOK_S)
            if self._done:
                return self._done.popleft()
            if self._error is not None:
                raise self._error
            return None

    def _finish(self, result: PoolResult) -> None:
        with self._changed:
            self._done.append(result)
            self._changed.notify_all()

    def _fail(self, error: BaseException) -> None:
        with self._changed:
            self._error = self._error or error
            self._closing = True
            self._changed.notify_all()

    def _decode_all(self) -> None:
        found = SpeechDetector(self._spec.speech, self._scratch)
        try:
            while (clip := self._next_clip()) is not None:
                self._decode(clip, found)
        except Exception as error:  # noqa: BLE001 (raised again by the one who waits)
            self._fail(error)

    def _next_clip(self) -> Clip | None:
        with self._changed:
            while not self._closing and (not self._todo or (self._ahead_s > _AHEAD_S and self._ready)):
                self._changed.wait(_LOOK_S)
            if self._closing:
                return None
            self._n_files += 1
            self._changed.notify_all()
            return self._todo.popleft()

    def _decode(self, clip: Clip, detector: SpeechDetector) -> None:
        spec, target = self._spec, self._scratch / f"{self._n_files}-{threading.get_ident()}.f32"
        began_s = time.perf_counter()
        try:
            audio = decode(clip, spec.dataset, target)
        except FileError:  # the disk is full, which is no fault of the clip
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the next clip is not to suffer from it
            target.unlink(missing_ok=True)
            self._finish(PoolResult(Hypothesis(clip.id, None, audio_failure(error, clip), audio_s=clip.duration_s)))
            return
        decode_s = time.perf_counter() - began_s
        speech = detector.find(clip, spec.dataset, target)
        language = spoken_language(clip, spec.settings.language)
        whole = OpenClip(clip, audio, language, decode_s, speech, cut(audio, self._longest_s))
        with self._changed:
            self._ahead_s += audio.duration_s
            self._ready += whole.pieces()
            self._changed.notify_all()

    def _serve(self, member: Supervisor) -> None:
        pieces: list[OpenPiece] = []
        try:
            while pieces := self._next_pieces(self._spec.batch if member.batches else 1):
                together = [(piece.audio, piece.of.language) for piece in pieces]
                answers = member.transcribe_batch(together) if len(pieces) > 1 else None
                attempt = 2 if len(pieces) > 1 and answers is None else 1
                while pieces:
                    piece = pieces[0]
                    answer = answers.pop(0) if answers else member.transcribe(piece.audio, piece.of.language)
                    self._take(pieces.pop(0), answer, attempt)
                    if isinstance(answer, Failure):
                        member.give_up_if_hopeless(answer)
        except GivenUpError as error:
            self._leave(pieces, error)
        except Exception as error:  # noqa: BLE001 (raised again by the one who waits)
            self._fail(error)
        finally:
            member.__exit__(None if self._kindly else KeyboardInterrupt)

    def _next_pieces(self, most: int) -> list[OpenPiece]:
        with self._changed:
            while not self._closing and not self._ready:
                self._changed.wait(_LOOK_S)
            if self._closing:
                return []
            # What is left at the end is shared out, so that no worker has a batch while another has nothing.
            n = min(most, math.ceil(len(self._ready) / self._living))
            pieces = [self._ready.popleft() for _ in range(n)]
            self._changed.notify_all()
            return pieces

    def _take(self, piece: OpenPiece, answer: Answer | Failure, attempt: int) -> None:
        whole = piece.of
        with self._changed:
            whole.attempt = max(whole.attempt, attempt)
            if not whole.take(piece.number, answer):
                self._ready.extendleft(reversed(whole.pieces()))
                self._changed.notify_all()
                return
            self._ready = deque(one for one in self._ready if one.of is not whole)
            self._ahead_s -= whole.audio.duration_s
        whole.audio.path.unlink(missing_ok=True)
        self._finish(PoolResult(whole.hypothesis(), whole.speech))

    def _leave(self, pieces: list[OpenPiece], error: GivenUpError) -> None:
        """Give this worker's pieces to the others; without any, that is the end."""
        with self._changed:
            self._living -= 1
            self._ready.extendleft(reversed(pieces))
            self._changed.notify_all()
        if not self._living:
            self._fail(error)
