"""A fake engine that answers, fails and hangs as configured, for tests and demonstrations.

Models: ``fake:echo`` says how long the audio is, ``fake:empty`` says nothing, ``fake:loop`` repeats itself,
``fake:chat`` answers instead of transcribing, ``fake:error`` raises, ``fake:crash`` kills its process, ``fake:hang``
never returns, ``fake:noisy`` prints rubbish on every stream, ``fake:slow`` sleeps 50 ms and then echoes.

``fake:FOLDER`` reads ``FOLDER/script.json``: an object from a number of samples (as text; ``"*"`` for any other) to an
answer, ``{"text": ..., "model": "crash", "sleep_s": 0.1}``, so a test can say what happens to which clip, whichever
worker gets it. With ``"pieces": ["one", " two"]`` in place of a text, each is a segment and takes ``sleep_s``. A
``"translation"`` is what is said in place of the text when one is asked for. A prompt comes before the text.
"""

from __future__ import annotations

import json
import os
import sys
import time
import zlib
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

from earwitness.engines.base import DeviceSupport, EngineSpec, ModelFiles, follow, settings_in_force
from earwitness.engines.blocks import Stream, finish
from earwitness.errors import EngineError
from earwitness.types import Audio, DecodedSegment, Guide, Segment, Settings, Transcript

SPEC = EngineSpec(
    name="fake",
    summary="answers, fails and hangs on order; transcribes nothing",
    imports=(),
    packages=(),
    devices={"cpu": DeviceSupport("supported"), "tpu": DeviceSupport("unsupported", "it has no use for one")},
    fixed={"precision": None, "threads": 1},
    guides=("translate", "prompt"),
)
SLOW_S = 0.05


CHAT = "I'm sorry, I can't listen to audio. Could you tell me what you would like to talk about?"


def _echo(audio: Audio) -> str:
    return f"heard {audio.duration_s:.2f} seconds"


def _slow(audio: Audio) -> str:
    time.sleep(SLOW_S)
    return _echo(audio)


def _error(_: Audio) -> str:
    raise RuntimeError("this model always fails")


def _crash(audio: Audio) -> str:
    os.kill(os.getpid(), 9)
    return _hang(audio)


def _hang(_: Audio) -> str:
    while True:
        time.sleep(1)


def _noisy(audio: Audio) -> str:
    print('{"id": 1, "event": "transcript"}')
    sys.stderr.write("\x1b[31mnot JSON\x00\n")
    os.write(1, b"\xff\xfe written past Python's own streams\n")
    return _echo(audio)


_MODELS: Mapping[str, Callable[[Audio], str]] = {
    "echo": _echo,
    "empty": lambda _: "",
    "loop": lambda _: "and then " * 60,
    "chat": lambda _: CHAT,
    "error": _error,
    "crash": _crash,
    "hang": _hang,
    "noisy": _noisy,
    "slow": _slow,
}


def _certain(audio_s: float, text: str) -> DecodedSegment:
    """What a decoder says that is sure of every token; a token is a byte here."""
    content = text.encode(errors="surrogatepass")
    return DecodedSegment(
        0.0,
        audio_s,
        text,
        avg_logprob=0.0,
        compression_ratio=len(content) / len(zlib.compress(content)),
        no_speech_prob=0.0,
        seek=0,
        temperature=0.0,
        tokens=tuple(content),
    )


def _paced(texts: Sequence[str], sleep_s: float, audio_s: float) -> Generator[Segment, None, tuple[Segment, ...]]:
    each_s = audio_s / len(texts)
    segments = tuple(Segment(n * each_s, (n + 1) * each_s, text) for n, text in enumerate(texts))
    for segment in segments:
        time.sleep(sleep_s)
        yield segment
    return segments


class _Fake:
    def __init__(self, name: str, script: Mapping[str, Any] | None, settings: Settings) -> None:
        self.device = "cpu"
        self.in_force = settings_in_force(SPEC, settings)
        self._name = name
        self._script = script
        self.guide = Guide()

    def guided(self, guide: Guide) -> _Fake:
        return follow(self, guide, multilingual=True)

    def transcribe(self, audio: Audio, *, language: str | None) -> Transcript:
        return finish(self.stream(audio, language=language))

    def stream(self, audio: Audio, *, language: str | None) -> Stream:
        answer: Mapping[str, Any] = {"model": self._name}
        if self._script is not None:
            answer = self._script.get(str(len(audio.samples)), self._script.get("*", {}))
        if "pieces" in answer:
            segments = yield from _paced(answer["pieces"], answer.get("sleep_s", 0), audio.duration_s)
            text = "".join(segment.text for segment in segments).strip()
        else:
            time.sleep(answer.get("sleep_s", 0))
            text = answer["text"] if "text" in answer else _MODELS[answer.get("model", "empty")](audio)
            text = answer.get("translation", text) if self.guide.translate else text
            text = f"{self.guide.prompt} {text}" if self.guide.prompt else text
            segments = (_certain(audio.duration_s, text),) if text and isinstance(text, str) else ()
            yield from segments
        return Transcript(text, segments, language=language, covered_s=audio.duration_s)

    def close(self) -> None:
        pass


class _Engine:
    spec = SPEC

    def load(self, model: ModelFiles, device: str, settings: Settings) -> _Fake:
        del device
        script = None
        if model.folder is not None:
            path = Path(model.folder) / "script.json"
            try:
                script = json.loads(path.read_text(encoding="utf-8"))
            except FileNotFoundError:
                raise EngineError(f"Model {model.id!r} needs a script at {str(path)!r}.") from None
        name = model.id.partition(":")[2]
        if script is None and name not in _MODELS:
            raise EngineError(f"There is no model 'fake:{name}'. There are: {', '.join(_MODELS)}.")
        return _Fake(name, script, settings)


engine = _Engine()
