"""What the contract is asked of: every engine, installed where it is not, with its smallest model."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.engines import make_tiny_whisper_mlx
from tests.installed import engine_python

from earwitness import weights
from earwitness.engines.catalog import Model, find, models
from earwitness.engines.registry import get_engine
from earwitness.workers.environments import python_of, variables_for

PROBE = Path(__file__).with_name("probe.py")
SCRIPTS = Path(__file__).parents[1] / "engines"
MAKE_TINY = {"lfm2.5-audio": "make_tiny_lfm2.py", "mlx-audio": "make_tiny_lfm2_mlx.py"}
# Nobody knows what a program or a server makes of a language, the scripted engine hears none, and LFM2.5-Audio cannot
# be told one: a run compares the languages of the data with those of the row before.
TAKES_ANY_LANGUAGE = {"command", "fake", "lfm2.5-audio", "mlx-audio", "openai-api"}
SMALLEST = {
    "faster-whisper": "faster-whisper:tiny.en",
    "pocketsphinx": "pocketsphinx:en-us",
    "transformers": "transformers:whisper-tiny.en",
    "whisper": "whisper:tiny.en",
    "whisper-cpp": "whisper-cpp:tiny.en",
}
# Engines whose model is a few lines of a test; all others need weights.
MADE_HERE = {"command", "fake", "openai-api"}
PROGRAM = """
import sys, wave
with wave.open(sys.argv[1]) as file:
    print("heard", file.getnframes(), "samples in", sys.argv[2])
print("a program may say a lot", file=sys.stderr)
"""


@dataclass(frozen=True)
class Subject:
    """One engine with one model."""

    engine: str
    model: str
    folder: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    language: str = "en"
    stranger: str = "tlh"


def subject_of(engine: str, folder: Path, base_url: str) -> Subject | str:
    """The engine with its smallest model that is here, or why there is none."""
    if engine == "command":
        program = folder / "program.py"
        program.write_text(PROGRAM)
        argv = [sys.executable, str(program), "{audio}", "{language}"]
        return Subject(engine, "command:test", options={"argv": argv})
    if engine == "openai-api":
        return Subject(engine, "openai-api:test", options={"base_url": base_url, "model": "test"})
    engine_python(engine)
    if engine in MAKE_TINY:
        return _tiny_lfm2(engine, folder)
    if engine == "mlx-whisper":
        make_tiny_whisper_mlx.make(folder)
        return Subject(engine, "mlx-whisper:tiny", str(folder))
    if engine in SMALLEST:
        weights.pull(find(SMALLEST[engine]))
    here = {model: size for model in models() if model.engine == engine and (size := _size(model)) is not None}
    if not here:
        return "earwitness models list has names, earwitness models pull NAME gets one"
    smallest = min(here, key=lambda model: (here[model], model.id != "fake:echo"))
    found = weights.require(smallest)
    language = "en" if "*" in smallest.languages else smallest.languages[0]
    return Subject(engine, smallest.id, str(found) if found else None, dict(smallest.options), language)


def _tiny_lfm2(engine: str, folder: Path) -> Subject:
    # Real weights are on the hub alone. A checkpoint of the library's own making, with random numbers, is no less of a
    # model to a contract, which asks what is done with sound and not what is heard.
    python = python_of(get_engine(engine).spec)
    command = [str(python), str(SCRIPTS / MAKE_TINY[engine]), str(folder)]
    subprocess.run(command, env=variables_for(python), check=True, capture_output=True, timeout=300)
    return Subject(engine, f"{engine}:tiny", str(folder))


def _size(model: Model) -> int | None:
    held = weights.local_weights(model)
    if held is None:
        return 0 if not model.sources else None
    return held.size_bytes


def probed(subject: Subject, speech: Path) -> dict[str, Any]:
    """What the probe says of a subject, in the engine's own Python."""
    python = python_of(get_engine(subject.engine).spec)
    request = json.dumps({**asdict(subject), "speech": str(speech)})
    command = [str(python), str(PROBE), request]
    done = subprocess.run(command, env=variables_for(python), capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))
