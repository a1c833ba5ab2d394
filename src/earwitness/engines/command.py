"""Any program as an engine: its catalog row gives the command line and the format of its output.

    [[model]]
    id = "command:whisper-cli"
    engine = "command"
    weights_id = "openai/whisper-base"
    languages = ["*"]

    [model.options]
    argv = ["whisper-cli", "--model", "base.bin", "--file", "{audio}", "--language", "{lang}", "--threads", "{threads}",
            "--output-json", "--output-file", "{output}"]
    output = "json"
    output_suffix = ".json"
    text_path = "transcription.*.text"

The program gets a 16-bit mono WAV of 16 kHz. It is started once a clip, without a shell, and its time is the whole of
it: writing the WAV, starting the process, loading what it loads, and the work. There is no time-out here; the worker
has one, and ends the program with itself. The row is in the record: give a program its secrets in the environment.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from earwitness.engines.base import DeviceSupport, EngineSpec, ModelFiles, Option, settings_in_force
from earwitness.engines.jsonpath import segments_at, text_at
from earwitness.engines.wav import write_wav
from earwitness.errors import EngineError
from earwitness.files.nearest import nearest
from earwitness.types import Audio, Segment, Settings, Transcript

_ITS_OWN = DeviceSupport("unsupported", "the program chooses its device, and does not report it")
SPEC = EngineSpec(
    name="command",
    summary="any program: a WAV file in, text or JSON out",
    imports=(),
    packages=(),
    devices={"cpu": _ITS_OWN, "cuda": _ITS_OWN, "mps": _ITS_OWN, "tpu": _ITS_OWN},
    fixed={
        "beam_size": None,
        "temperature_fallback": None,
        "context": None,
        "vad": None,
        "timestamps": None,
        "precision": None,
        "batch_size": None,
        "chunk_s": None,
    },
    maps={"language": "{language}, {lang}", "threads": "{threads}"},
    deterministic=False,
    options={
        "argv": Option("texts", "the program and its arguments, with placeholders such as {audio}", required=True),
        "output": Option("text", "what it gives: text or json", pattern="text|json"),
        "output_suffix": Option("text", "what the program adds to {output}, such as .txt", pattern=r"\.[\w.]+"),
        "text_path": Option("text", "where the text is in the JSON, such as results.*.text"),
        "segments_path": Option("text", "where the list of segments is in the JSON"),
        "segment_keys": Option("texts", "paths of start, end and text in a segment: three of them"),
        "segment_unit_s": Option("number", "seconds of the segments' unit of time, such as 0.001"),
        "auto_language": Option("text", "what {language} is for a clip whose language is to be detected"),
    },
)
PLACEHOLDERS = {
    "audio": "path of the WAV file",
    "language": "language tag, such as es-MX",
    "lang": "its first part, such as es",
    "threads": "number of CPU threads",
    "folder": "folder of the model's weights",
    "output": "path of a file, without its suffix, that the program writes; without it, its standard output is read",
}
_PLACEHOLDER = re.compile(r"\{([A-Za-z_]+)\}")
_STDERR_LINES = 3
_STDERR_BYTES = 4096


class _Command:
    def __init__(self, argv: list[str], fixed: Mapping[str, str], settings: Settings, read: _Reader) -> None:
        used = {name for part in argv for name in _PLACEHOLDER.findall(part)}
        self.device = "unknown"
        self.in_force: Mapping[str, Any] = settings_in_force(
            SPEC,
            settings,
            threads=settings.threads if "threads" in used else None,
            language=settings.language if used & {"language", "lang"} else None,
            timestamps="segment" if read.has_segments else "none",
        )
        self._argv, self._fixed, self._read = argv, fixed, read
        self._writes = "output" in used

    def transcribe(self, audio: Audio, *, language: str | None) -> Transcript:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            tag = language or self._fixed["auto_language"]
            values = {
                **self._fixed,
                "audio": str(folder / "audio.wav"),
                "output": str(folder / "output"),
                "language": tag,
                "lang": tag.partition("-")[0],
            }
            write_wav(folder / "audio.wav", audio)
            printed = _run([_PLACEHOLDER.sub(lambda m: values[m[1]], part) for part in self._argv], folder)
            found = _written(folder / f"output{self._read.suffix}") if self._writes else printed
            return self._read(found, language)

    def close(self) -> None:
        pass


class _Reader:
    """Reads the output of a program, in the format of its row."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.suffix = options.get("output_suffix", "")
        self.has_segments = "segments_path" in options
        self._options = options

    def __call__(self, output: bytes, language: str | None) -> Transcript:
        try:
            text = output.decode("utf-8")
        except UnicodeDecodeError as error:
            raise EngineError(f"The program's output is not UTF-8: {error.reason} at byte {error.start}.") from None
        if self._options.get("output", "text") == "text":
            return Transcript(text.strip(), language=language)
        try:
            data = json.loads(text)
        except ValueError:
            raise EngineError(f"The program's output is not JSON: {text[:80]!r}. Set output = 'text'?") from None
        options = self._options
        segments: tuple[Segment, ...] = ()
        if self.has_segments:
            keys = options.get("segment_keys", ["start", "end", "text"])
            segments = segments_at(data, options["segments_path"], keys, options.get("segment_unit_s", 1.0))
        return Transcript(text_at(data, options.get("text_path", "text")), segments, language=language)


def _run(argv: list[str], folder: Path) -> bytes:
    # The worker's own Python ignores the folder of its script; a program in Python wants to find its modules there.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    with (folder / "stderr").open("wb") as log:
        try:
            done = subprocess.run(
                argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, env=environment, check=False
            )
        except OSError as error:
            raise EngineError(f"Program {argv[0]!r} cannot be started: {error.strerror}. Check argv[0].") from None
    if done.returncode == 0:
        return done.stdout
    how = f"ended with code {done.returncode}"
    if done.returncode < 0:
        how = f"was killed by signal {signal.Signals(-done.returncode).name}"
    tail = (folder / "stderr").read_bytes()[-_STDERR_BYTES:].decode("utf-8", "replace").split("\n")
    lines = [line.strip() for line in tail if line.strip()][-_STDERR_LINES:]
    raise EngineError(f"Program {argv[0]!r} {how}. It said: {' / '.join(lines) or 'nothing'}")


def _written(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise EngineError(
            f"The program wrote no {path.name!r}. Set output_suffix to what it adds to {{output}}."
        ) from None


class _Engine:
    spec = SPEC

    def load(self, model: ModelFiles, device: str, settings: Settings) -> _Command:
        del device
        options = model.options
        argv = list(options["argv"])
        _check(argv, model)
        program = shutil.which(argv[0])
        if program is None:
            raise EngineError(f"There is no program {argv[0]!r} for model {model.id!r}. Install it, or give its path.")
        fixed = {
            "threads": str(settings.threads or 1),
            "folder": str(model.folder or ""),
            "auto_language": options.get("auto_language", "auto"),
        }
        return _Command([program, *argv[1:]], fixed, settings, _Reader(options))


def _check(argv: list[str], model: ModelFiles) -> None:
    if not argv:
        raise EngineError(f"Option 'argv' of model {model.id!r} is empty. Give a program and its arguments.")
    used = [name for part in argv for name in _PLACEHOLDER.findall(part)]
    for name in used:
        if name not in PLACEHOLDERS:
            raise EngineError(
                f"There is no placeholder {{{name}}} for model {model.id!r}.{nearest(name, PLACEHOLDERS)}"
            )
    if "audio" not in used:
        raise EngineError(f"Option 'argv' of model {model.id!r} has no {{audio}}: the program would get no audio.")
    if "folder" in used and model.folder is None:
        raise EngineError(f"Option 'argv' of model {model.id!r} has {{folder}}, and the row has no sources.")
    keys = model.options.get("segment_keys")
    if keys is not None and len(keys) != 3:
        raise EngineError(f"Option 'segment_keys' of model {model.id!r} needs three paths: start, end, text.")


engine = _Engine()
