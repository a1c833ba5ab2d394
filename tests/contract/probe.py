"""Puts one engine through everything that the contract asks, in the engine's own Python, and prints JSON.

    PYTHON probe.py '{"engine": "fake", "model": "fake:echo", "folder": null, "options": {}, "language": "en",
                      "stranger": "tlh", "speech": "/tmp/speech.f32"}'

Needs nothing but the standard library, numpy, Earwitness's engine side, and the engine. What must hold of the answer
is in ``test_contract.py``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from earwitness.engines.base import GuidableModel, LoadedModel, ModelFiles, Streaming
from earwitness.engines.blocks import finish
from earwitness.engines.contract import conform, require_finished, require_tag
from earwitness.engines.devices import require_device
from earwitness.engines.registry import get_engine, require_options, require_settings
from earwitness.errors import EarwitnessError
from earwitness.types import Audio, Guide, Settings, Transcript

RATE_HZ = 16_000
ROUNDS = 6
SETTINGS = Settings(threads=2)


def inputs(speech: np.ndarray) -> dict[str, tuple[np.ndarray, int]]:
    """Every kind of sound, by name, with its rate; ``speech`` is first and last, with all the others between."""
    two = np.stack([speech, speech], axis=1)
    sounds = {
        "speech": speech,
        "empty": np.zeros(0, np.float32),
        "one sample": np.full(1, 0.5, np.float32),
        "80 samples": speech[:80],
        "silence": np.zeros(RATE_HZ, np.float32),
        "loud": np.clip(speech * 100, -1, 1),
        "a little over full scale": speech / np.abs(speech).max() * np.float32(1.4),
        "int16": np.round(speech * 32768).astype(np.int16),
        "float64": speech.astype(np.float64),
        "big-endian": speech.astype(">f4"),
        "stereo": two,
        "stereo, channels first": two.T,
        "every second sample of another": np.repeat(speech, 2)[::2],
        "int16-scaled floats": speech * np.float32(32768),
        "int16-scaled float64": speech.astype(np.float64) * 32768,
        "not a number": np.where(np.arange(len(speech)) == 5, np.float32("nan"), speech),
    }
    return {
        **{name: (samples, RATE_HZ) for name, samples in sounds.items()},
        "8 kHz": (speech[::2], 8_000),
        "speech again": (speech.copy(), RATE_HZ),
    }


def heard(model: LoadedModel, samples: np.ndarray, rate_hz: int, language: str | None) -> dict[str, Any]:
    """What the engine made of a sound, by the way that the worker's child takes."""

    def transcript() -> Transcript:
        found = model.transcribe(conform(samples, rate_hz), language=require_tag(language))
        require_finished(found)
        return found

    answer = outcome(transcript)
    found = answer.pop("value")
    if found is not None:
        answer["text"] = found.text
        answer["ordered"] = all(0 <= s.start_s <= s.end_s for s in (*found.segments, *(found.words or ())))
    return answer


def streamed(model: Streaming, audio: Audio, language: str | None) -> dict[str, Any]:
    """What came piece by piece, what came at the end, and what is said after a stream that nobody hears to its end."""
    pieces, stream = [], model.stream(audio, language=language)
    while True:
        try:
            pieces.append(next(stream))
        except StopIteration as end:
            whole: Transcript = end.value
            break
    broken = model.stream(audio, language=language)
    next(broken, None)
    broken.close()
    again = finish(model.stream(audio, language=language))
    return {"pieces": [piece.text for piece in pieces], "text": whole.text, "again": again.text}


def guided(model: GuidableModel, guide: Guide, speech: np.ndarray, language: str | None) -> str:
    """What is heard under a guide."""
    return model.guided(guide).transcribe(conform(speech, RATE_HZ), language=language).text


def outcome(call: Callable[[], Any]) -> dict[str, Any]:
    """What a call returned, or the error that it raised and whether that one was meant for people."""
    try:
        return {"value": call(), "error": None, "meant": None}
    except Exception as error:  # noqa: BLE001 - that nothing else is raised is what is tested
        return {"value": None, "error": f"{type(error).__name__}: {error}", "meant": isinstance(error, EarwitnessError)}


def rss_bytes() -> int | None:
    """Resident memory of this process; ``None`` where the system does not tell it without a package."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


def probe(subject: dict[str, Any]) -> dict[str, Any]:
    """Everything."""
    engine = get_engine(subject["engine"])
    spec, language = engine.spec, subject["language"]
    files = ModelFiles(subject["model"], Path(subject["folder"]) if subject["folder"] else None, subject["options"])
    speech = np.fromfile(subject["speech"], "<f4")

    def load(device: str = "auto", files: ModelFiles = files, settings: Settings = SETTINGS) -> None:
        require_device(spec, device)
        require_options(spec, files.id, files.options)
        asked = frozenset({"precision"} if settings.precision != "auto" else ())
        require_settings(spec, settings, asked)
        engine.load(files, device, settings).close()

    before = rss_bytes()
    model = engine.load(files, "auto", SETTINGS)
    answer: dict[str, Any] = {
        "deterministic": spec.deterministic,
        "device": model.device,
        "in_force": sorted(model.in_force),
        "sounds": {name: heard(model, *sound, language) for name, sound in inputs(speech).items()},
        "stranger": heard(model, speech, RATE_HZ, subject["stranger"]),
        "refused": {"not a language": heard(model, speech, RATE_HZ, "--help; x")},
    }
    if isinstance(model, Streaming):
        answer["streamed"] = streamed(model, conform(speech, RATE_HZ), language)
    if isinstance(model, GuidableModel):
        answer["guides"] = list(spec.guides)
        guides = {"translate": Guide(translate=True), "prompt": Guide(prompt="Earwitness, 1984.")}
        answer["guided"] = {
            name: outcome(partial(guided, model, guides[name], speech, language)) for name in spec.guides
        }
        answer["unguided"] = heard(model, speech, RATE_HZ, language)
    loaded = rss_bytes()
    model.close()
    del model
    closed = []
    for _ in range(ROUNDS):
        again = engine.load(files, "auto", SETTINGS)
        heard(again, speech, RATE_HZ, language)
        again.close()
        del again
        closed.append(rss_bytes())
    answer["rss_bytes"] = {"before": before, "loaded": loaded, "closed": closed}
    answer["refused"] |= {
        "a device that nobody has": outcome(lambda: load("abacus")),
        "a GPU that is not here": outcome(lambda: load("cuda:99")),
        "an unknown option": outcome(lambda: load(files=replace(files, options={**files.options, "no_such": 1}))),
        "an unknown precision": outcome(lambda: load(settings=replace(SETTINGS, precision="float3"))),
    }
    return answer


def main() -> int:
    """Print the answer where standard output was; engines that print get standard error."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    json.dump(probe(json.loads(sys.argv[1])), replies)
    replies.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
