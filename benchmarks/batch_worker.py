"""One process of ``serve_batching.py``: a faster-whisper model that is given clips over a pipe. Not run by hand.

A line in is requests, ``[[number, clip], ...]``; a line out is the texts that are finished, ``{number: text}``. Without
a batch size a clip goes through ``WhisperModel.transcribe``, by itself. With one, a window of every clip is decoded
together with those of the others, by the loop of ``transcribe`` written for several clips: its options, its rules for
skipping and for where the next window begins, so that a batch of one gives its very texts. A clip that is finished
leaves the batch after the window that it is at, and another takes its place. The last line, when the pipe has ended, is
peak memory in bytes and the processor's seconds since it was ready, of all threads.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from earwitness.workers.host_memory import peak_rss_bytes

Requests = Sequence[tuple[int, Any]]
ASKED = {"language": "en", "beam_size": 1, "temperature": 0.0, "condition_on_previous_text": False}


class OneAtATime:
    """A clip by itself, as the library does it."""

    def __init__(self, model: Any) -> None:
        """Take the model."""
        self._model = model

    def step(self, new: Requests) -> dict[int, str]:
        """Transcribe what is new."""
        return {number: self._text(samples) for number, samples in new}

    def _text(self, samples: Any) -> str:
        pieces, _ = self._model.transcribe(samples, **ASKED)
        return "".join(piece.text for piece in pieces).strip()


@dataclass
class UnderWay:
    """A clip that is not finished."""

    number: int
    features: Any
    seek: int = 0
    pieces: list[str] = field(default_factory=list)

    @property
    def frames(self) -> int:
        """As ``transcribe`` counts them."""
        return int(self.features.shape[-1]) - 1


class Batch:
    """A window of every clip under way, decoded together."""

    def __init__(self, model: Any, threads: int) -> None:
        """Take the model, and the library's own options for what is asked."""
        from faster_whisper.tokenizer import Tokenizer

        _, info = model.transcribe(np.zeros(16_000, np.float32), **ASKED)
        self._model, self._options = model, info.transcription_options
        self._tokenizer = Tokenizer(model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language="en")
        self._prompt = model.get_prompt(self._tokenizer, [])
        self._under_way: list[UnderWay] = []
        self._pool = ThreadPoolExecutor(threads)

    def step(self, new: Requests) -> dict[int, str]:
        """Decode a window of every clip, old and new; return what is finished."""
        features = self._pool.map(self._model.feature_extractor, [samples for _, samples in new])
        self._under_way += [UnderWay(number, made) for (number, _), made in zip(new, features, strict=True)]
        for one, found in zip(self._under_way, self._decoded(), strict=True):
            self._take(one, found)
        finished = {one.number: "".join(one.pieces).strip() for one in self._under_way if one.seek >= one.frames}
        self._under_way = [one for one in self._under_way if one.number not in finished]
        return finished

    def _decoded(self) -> Any:
        from faster_whisper.audio import pad_or_trim

        options, model = self._options, self._model
        windows = [pad_or_trim(one.features[:, one.seek : one.seek + self._size(one)]) for one in self._under_way]
        return model.model.generate(
            model.encode(np.stack(windows)),
            [self._prompt] * len(windows),
            beam_size=options.beam_size,
            patience=options.patience,
            length_penalty=options.length_penalty,
            repetition_penalty=options.repetition_penalty,
            no_repeat_ngram_size=options.no_repeat_ngram_size,
            max_length=model.max_length,
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=options.suppress_blank,
            suppress_tokens=options.suppress_tokens,
            max_initial_timestamp_index=round(options.max_initial_timestamp / model.time_precision),
        )

    def _size(self, one: UnderWay) -> int:
        return min(int(self._model.feature_extractor.nb_max_frames), one.frames - one.seek)

    def _take(self, one: UnderWay, found: Any) -> None:
        tokens, size = found.sequences_ids[0], self._size(one)
        likely = found.scores[0] * len(tokens) ** self._options.length_penalty / (len(tokens) + 1)
        unlikely = likely <= self._options.log_prob_threshold
        if found.no_speech_prob > self._options.no_speech_threshold and unlikely:
            one.seek += size
            return
        step_s = self._model.feature_extractor.time_per_frame
        segments, one.seek, _ = self._model._split_segments_by_timestamps(
            tokenizer=self._tokenizer,
            tokens=tokens,
            time_offset=one.seek * step_s,
            segment_size=size,
            segment_duration=size * step_s,
            seek=one.seek,
        )
        for segment in segments:
            text = self._tokenizer.decode(segment["tokens"])
            if segment["start"] != segment["end"] and text.strip():
                one.pieces.append(text)


def main() -> None:
    """Load, warm up, say so, and work until the pipe ends."""
    from faster_whisper import WhisperModel

    folder, threads, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    clips = [np.load(path) for path in sorted(Path(sys.argv[4]).glob("*.npy"))]
    model = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=threads)
    side = Batch(model, threads) if batch else OneAtATime(model)
    left = max(1, batch)
    new: Requests = [(number, clips[number % len(clips)]) for number in range(left)]
    while left:
        left -= len(side.step(new))
        new = ()
    began_s = time.process_time()
    print("ready", flush=True)
    for line in sys.stdin:
        finished = side.step([(number, clips[clip]) for number, clip in json.loads(line)])
        print(json.dumps(finished), flush=True)
    print(json.dumps([peak_rss_bytes() or 0, time.process_time() - began_s]), flush=True)


if __name__ == "__main__":
    main()
