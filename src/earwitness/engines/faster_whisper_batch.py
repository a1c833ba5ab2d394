"""Several clips at a time through faster-whisper, each by the library's own loop.

``WhisperModel.transcribe`` encodes and decodes one window after the other. Here every clip of a batch has a thread in
which that loop runs unchanged, on a stand-in for CTranslate2's model that waits until all threads have a window to
decode, and then decodes the windows together. What the library decides between two windows (where the next one begins,
whether silence is skipped, whether to decode again at another temperature, times of words) is decided as it is for one
clip, so that texts are those of one clip at a time; only the order of a sum in the native library can differ.
"""

from __future__ import annotations

import copy
import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from earwitness.types import Audio, Transcript

_Transcribe = Callable[[Any, Audio, str | None], Transcript]
"""Transcribes one clip with a model, as the engine does without a batch."""


def transcribe_together(
    model: Any, clips: Sequence[tuple[Audio, str | None]], transcribe: _Transcribe
) -> Iterator[tuple[int, Transcript | Exception]]:
    """Yield the number of each clip, and its transcript or what was raised for it, as they finish.

    Args:
        model: A ``WhisperModel``.
        clips: Audio and language of each.
        transcribe: Called in a thread for each, with a copy of the model that decodes together with the others.
    """
    rendezvous = _Rendezvous(model.model, len(clips))
    # A spectrogram takes 50 MB a minute while it is made: one at a time.
    together = copy.copy(model)
    together.model, together.feature_extractor = _Native(model.model, rendezvous), _OneAtATime(model.feature_extractor)
    finished: queue.SimpleQueue[tuple[int, Transcript | Exception]] = queue.SimpleQueue()

    def work(number: int) -> None:
        found: Transcript | Exception
        try:
            found = transcribe(together, *clips[number])
        except Exception as error:  # noqa: BLE001 - it is the caller's to say what came of this clip
            found = error
        rendezvous.leave()
        finished.put((number, found))

    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(len(clips))]
    for thread in threads:
        thread.start()
    for _ in clips:
        yield finished.get()


@dataclass(slots=True, eq=False)
class _Window:
    """A window that was given to ``encode``, and is encoded with those that it is decoded with."""

    features: Any
    """Shape (1, mels, frames), float32."""
    hidden: Any = None
    """What the encoder made of it alone, where something asked for it."""


@dataclass(slots=True, eq=False)
class _Request:
    """A window that waits to be decoded."""

    window: _Window
    prompt: list[int]
    options: dict[str, Any]
    result: Any = None
    is_done: bool = False


@dataclass(slots=True)
class _Rendezvous:
    """Where threads meet with a window each; the last to come decodes for all."""

    native: Any
    n_threads: int
    waiting: list[_Request] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def decode(self, request: _Request) -> Any:
        """Return the result of one window once it is decoded together with the others."""
        with self.changed:
            self.waiting.append(request)
            self._decode_if_all_wait()
            while not request.is_done:
                self.changed.wait()
        if isinstance(request.result, Exception):
            raise request.result
        return request.result

    def leave(self) -> None:
        """Be waited for no longer."""
        with self.changed:
            self.n_threads -= 1
            self._decode_if_all_wait()

    def _decode_if_all_wait(self) -> None:
        if not self.waiting or len(self.waiting) < self.n_threads:
            return
        groups: dict[tuple[Any, ...], list[_Request]] = defaultdict(list)
        for request in self.waiting:
            # Only prompts of one length, and what is decoded by the same rules, go together.
            groups[len(request.prompt), *sorted(request.options.items())].append(request)
        self.waiting = []
        for group in groups.values():
            self._decode(group)
        self.changed.notify_all()

    def _decode(self, group: list[_Request]) -> None:
        try:
            hidden = self._hidden([request.window for request in group])
            results = self.native.generate(hidden, [request.prompt for request in group], **group[0].options)
        except Exception as error:  # noqa: BLE001 - raised in the threads that asked
            results = [error] * len(group)
        for request, result in zip(group, results, strict=True):
            request.result, request.is_done = result, True

    def _hidden(self, windows: list[_Window]) -> Any:
        if len(windows) == 1:
            return self.encode(windows[0])
        return _encode(self.native, np.concatenate([window.features for window in windows]))

    def encode(self, window: _Window) -> Any:
        """Return what the encoder makes of one window alone."""
        with self.changed:
            if window.hidden is None:
                window.hidden = _encode(self.native, window.features)
            return window.hidden


def _encode(native: Any, features: Any) -> Any:
    import ctranslate2

    return native.encode(ctranslate2.StorageView.from_array(np.ascontiguousarray(features)))


class _Native:
    """A stand-in for ``ctranslate2.models.Whisper``: the calls of the library's loop go to the rendezvous."""

    def __init__(self, native: Any, rendezvous: _Rendezvous) -> None:
        self._native, self._rendezvous = native, rendezvous

    def __getattr__(self, name: str) -> Any:
        return getattr(self._native, name)

    def encode(self, features: Any, to_cpu: bool = False) -> _Window:  # noqa: ARG002 - as the library calls it
        # The view is on memory of an array that the caller lets go of.
        return _Window(np.array(features))

    def generate(self, window: _Window, prompts: list[list[int]], **options: Any) -> list[Any]:
        return [self._rendezvous.decode(_Request(window, prompt, options)) for prompt in prompts]

    def detect_language(self, window: _Window) -> Any:
        return self._native.detect_language(self._rendezvous.encode(window))

    def align(self, window: _Window, *rest: Any, **options: Any) -> Any:
        return self._native.align(self._rendezvous.encode(window), *rest, **options)


class _OneAtATime:
    """A stand-in for the feature extractor that makes one spectrogram at a time."""

    def __init__(self, extractor: Any) -> None:
        self._extractor, self._lock = extractor, threading.Lock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._extractor, name)

    def __call__(self, *args: Any, **options: Any) -> Any:
        with self._lock:
            return self._extractor(*args, **options)
