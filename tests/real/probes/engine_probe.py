"""Answers questions about an engine, in the engine's own interpreter: a JSON list of them in, one of answers out.

For example: python engine_probe.py '[{"ask": "texts", "engine": "whisper", "folder": "...", "clips": ["a.npy"]}]'
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from earwitness.engines.base import ModelFiles
from earwitness.errors import EarwitnessError
from earwitness.types import Audio, Settings


def loaded(request: dict[str, Any]) -> Any:
    engine = import_module(f"earwitness.engines.{request['engine'].replace('-', '_')}").engine
    settings = Settings(**{"threads": 1, **request.get("settings", {})})
    return engine.load(ModelFiles(request["model"], Path(request["folder"])), "cpu", settings)


def texts(request: dict[str, Any]) -> dict[str, Any]:
    """What the engine hears in clips of 16 kHz audio."""
    try:
        model = loaded(request)
        heard = [
            model.transcribe(Audio(np.load(clip), 16_000), language=request.get("language", "en"))
            for clip in request["clips"]
        ]
    except EarwitnessError as error:
        return {"refused": type(error).__name__, "message": str(error)}
    answer = {
        "texts": [transcript.text for transcript in heard],
        "segments": [[[s.start_s, s.end_s, s.text] for s in transcript.segments] for transcript in heard],
        "words": [
            transcript.words and [[s.start_s, s.end_s, s.text] for s in transcript.words] for transcript in heard
        ],
        "languages": [transcript.language for transcript in heard],
        "remarks": [transcript.remarks for transcript in heard],
        "device": model.device,
        "in_force": dict(model.in_force),
    }
    model.close()
    return answer


def encoded_without_torch(request: dict[str, Any]) -> dict[str, Any]:
    """The same on MLX or ONNX Runtime, which are checked for torch while they are at it."""
    mel = np.load(request["mel"])
    if request["engine"] == "mlx-whisper":
        import mlx.core as mx
        from mlx_whisper.load_models import load_model

        model = load_model(request["folder"], mx.float32)
        model.set_dtype(mx.float32)
        out = np.array(model.encoder(mx.array(mel.T[None])))
    else:
        import onnxruntime

        session = onnxruntime.InferenceSession(f"{request['folder']}/encoder_model.onnx")
        (out,) = session.run(["last_hidden_state"], {"input_features": mel[None]})
    np.save(request["out"], out[0])
    return {"torch": "torch" in sys.modules}


def mlx_tensors(request: dict[str, Any]) -> dict[str, Any]:
    """The hash and the shape of every tensor that mlx-whisper holds after it has loaded a folder."""
    import mlx.core as mx
    from mlx.utils import tree_flatten
    from mlx_whisper.load_models import load_model

    held = tree_flatten(load_model(request["folder"], mx.float16).parameters())
    return {name: [hashlib.sha256(np.array(values).tobytes()).hexdigest(), list(values.shape)] for name, values in held}


def standing_still(request: dict[str, Any]) -> dict[str, Any]:
    """Let mlx-whisper's model end every window with the times of its beginning, with and without the engine's guard."""
    from mlx_whisper.whisper import Whisper

    from earwitness.engines import mlx_whisper

    decode, n_windows = Whisper.decode, 0

    def stuck(self: Any, sound: Any, options: Any) -> Any:
        nonlocal n_windows
        n_windows += 1
        if n_windows > 3:
            raise RuntimeError("the same window again")
        found, begin = decode(self, sound, options), self.dims.n_vocab - mlx_whisper.N_TIMES
        words = [token for token in found.tokens if token < begin]
        return found if options.without_timestamps else replace(found, tokens=[begin, *words, begin, begin, *words])

    Whisper.decode = stuck
    model, audio = loaded(request), Audio(np.load(request["clip"]), 16_000)
    heard = model.transcribe(audio, language="en")
    mlx_whisper.stands_still, n_windows = lambda tokens, first_time: False, 0
    try:
        model.transcribe(audio, language="en")
        without = "came to an end"
    except RuntimeError as error:
        without = str(error)
    return {"text": heard.text, "remarks": heard.remarks, "without": without}


def encoded(request: dict[str, Any]) -> dict[str, Any]:
    """Run the encoder on a spectrogram, and write what comes out."""
    import torch

    mel = torch.from_numpy(np.load(request["mel"]))[None]
    torch.set_num_threads(1)
    with torch.inference_mode():
        if request["engine"] == "whisper":
            import whisper

            out = whisper.load_model(f"{request['folder']}/model.pt", device="cpu").eval().encoder(mel)
        else:
            from transformers import AutoModelForSpeechSeq2Seq

            model = AutoModelForSpeechSeq2Seq.from_pretrained(request["folder"], dtype=torch.float32).eval()
            out = model.model.encoder(mel).last_hidden_state
    np.save(request["out"], out[0].numpy())
    return {"torch": torch.__version__}


def checkpoint(request: dict[str, Any]) -> dict[str, Any]:
    """Read an OpenAI checkpoint as OpenAI's code does, and return its sizes and the hash of every tensor."""
    import torch

    found = torch.load(request["file"], weights_only=True)
    state = {
        name: hashlib.sha256(value.numpy().tobytes()).hexdigest() for name, value in found["model_state_dict"].items()
    }
    kinds = {name: [str(value.dtype), list(value.shape)] for name, value in found["model_state_dict"].items()}
    return {"dims": found["dims"], "state": state, "kinds": kinds}


def pipeline(request: dict[str, Any]) -> dict[str, Any]:
    """Load a folder in the three ways that its users know."""
    import torch
    from transformers import AutoModelForSpeechSeq2Seq, AutoProcessor
    from transformers import pipeline as made

    torch.set_num_threads(1)
    model, told = AutoModelForSpeechSeq2Seq.from_pretrained(request["folder"], output_loading_info=True)
    ask = made("automatic-speech-recognition", request["folder"], dtype=torch.float32)
    return {
        "model": type(model).__name__,
        "missing": sorted(told["missing_keys"]),
        "unexpected": sorted(told["unexpected_keys"]),
        "processor": type(AutoProcessor.from_pretrained(request["folder"])).__name__,
        "text": ask(np.load(request["clip"]))["text"],
    }


def main() -> None:
    # Libraries print what they like; the answer goes alone to the real standard output.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    known = {
        "texts": texts,
        "encoded": encoded,
        "encoded without torch": encoded_without_torch,
        "checkpoint": checkpoint,
        "mlx tensors": mlx_tensors,
        "pipeline": pipeline,
        "standing still": standing_still,
    }
    answers = [known[request["ask"]](request) for request in json.loads(sys.argv[1])]
    json.dump(answers, out)
    out.flush()


if __name__ == "__main__":
    main()
