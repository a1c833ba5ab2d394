"""Programs are real here: small Python files, started the way that a row says."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from earwitness.engines.base import ModelFiles
from earwitness.engines.command import PLACEHOLDERS, engine
from earwitness.engines.registry import require_options
from earwitness.errors import EngineError
from earwitness.types import Audio, Segment, Settings
from earwitness.workers.worker import Worker, WorkerFailedError

AUDIO = Audio(np.linspace(-1.2, 1.2, 16_000, dtype=np.float32), 16_000)


def load(tmp_path: Path, code: str, *arguments: str, folder: Path | None = None, **options: Any) -> Any:
    program = tmp_path / "program.py"
    program.write_text(code)
    argv = [sys.executable, str(program), *(arguments or ("{audio}",))]
    row = {"argv": argv, **options}
    require_options(engine.spec, "command:test", row)
    return engine.load(ModelFiles("command:test", folder, row), "auto", Settings(threads=3))


def said(tmp_path: Path, code: str, *arguments: str, language: str | None = "es-MX", **options: Any) -> Any:
    return load(tmp_path, code, *arguments, **options).transcribe(AUDIO, language=language)


ARGUMENTS = "import sys; print('|'.join(sys.argv[2:]))"


def test_the_program_hears_16_bit_mono_16_khz_clipped_at_full_scale(tmp_path: Path) -> None:
    code = """
import array, sys, wave
with wave.open(sys.argv[1]) as file:
    samples = array.array("h", file.readframes(10**9))
    print(file.getnchannels(), file.getsampwidth(), file.getframerate(), len(samples), min(samples), max(samples))
"""
    assert said(tmp_path, code).text == "1 2 16000 16000 -32768 32767"


def test_placeholders_are_filled_in_and_every_other_brace_is_left(tmp_path: Path) -> None:
    parts = ("{audio}", "{language}", "{lang}", "-t{threads}", "{}", "{1}", '{"a": 1}')
    assert said(tmp_path, ARGUMENTS, *parts).text == 'es-MX|es|-t3|{}|{1}|{"a": 1}'


def test_a_language_to_be_detected_is_what_the_row_calls_it(tmp_path: Path) -> None:
    assert said(tmp_path, ARGUMENTS, "{audio}", "{language}", language=None).text == "auto"
    assert said(tmp_path, ARGUMENTS, "{audio}", "{lang}", language=None, auto_language="detect").text == "detect"


def test_no_shell_ever_sees_an_argument(tmp_path: Path) -> None:
    assert said(tmp_path, ARGUMENTS, "{audio}", "$HOME;`id`", "*").text == "$HOME;`id`|*"


def test_json_is_read_as_the_row_says(tmp_path: Path) -> None:
    answer = {"result": [{"t": [0, 1500], "say": " hello "}, {"t": [1500, 2000], "say": "world"}]}
    found = said(
        tmp_path,
        f"print({json.dumps(answer)!r})",
        output="json",
        text_path="result.*.say",
        segments_path="result",
        segment_keys=["t.0", "t.1", "say"],
        segment_unit_s=0.001,
    )
    assert found.text == "hello world"
    assert found.segments == (Segment(0.0, 1.5, "hello"), Segment(1.5, 2.0, "world"))


def test_a_program_may_write_a_file_instead(tmp_path: Path) -> None:
    code = "import sys; open(sys.argv[2] + '.txt', 'w').write('from a file'); print('chatter')"
    assert said(tmp_path, code, "{audio}", "{output}", output_suffix=".txt").text == "from a file"
    with pytest.raises(EngineError, match=r"The program wrote no 'output'\. Set output_suffix"):
        said(tmp_path, code, "{audio}", "{output}")


@pytest.mark.parametrize(
    ("code", "options", "sentence"),
    [
        (
            "import sys; print('x\\n' * 50, 'bad weights\\nno such file', file=sys.stderr); sys.exit(3)",
            {},
            r"ended with code 3\. It said: x / bad weights / no such file",
        ),
        ("import sys; sys.exit(1)", {}, r"ended with code 1\. It said: nothing"),
        ("import os; os.kill(os.getpid(), 9)", {}, r"was killed by signal SIGKILL"),
        ("import sys; sys.stdout.buffer.write(b'\\xff')", {}, "output is not UTF-8: invalid start byte at byte 0"),
        ("print('hello')", {"output": "json"}, r"output is not JSON: 'hello\\n'\. Set output = 'text'"),
        ("print('{}')", {"output": "json"}, "no 'text' on the way to 'text'; there is: nothing"),
        ("print('{\"a\": 1}')", {"output": "json"}, "no 'text' on the way to 'text'; there is: a"),
        ("print('{\"text\": 1}')", {"output": "json"}, "has 'int' at 'text', where text is needed"),
        (
            'print(\'{"text": "", "s": {}}\')',
            {"output": "json", "segments_path": "s"},
            "has 'dict' at 's', where a list is needed",
        ),
        (
            'print(\'{"text": "", "s": [{"start": null}]}\')',
            {"output": "json", "segments_path": "s"},
            "has None at 'start', where a number is needed",
        ),
    ],
)
def test_what_goes_wrong_is_one_sentence(tmp_path: Path, code: str, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(EngineError, match=sentence) as caught:
        said(tmp_path, code, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "needs the option 'argv': the program and its arguments"),
        ({"argv": "asr {audio}"}, "Option 'argv' of model 'command:x' must be the program and its arguments"),
        ({"argv": []}, "'argv' of model 'command:x' is empty"),
        ({"argv": ["no-such-program-here", "{audio}"]}, "There is no program 'no-such-program-here'"),
        ({"argv": [sys.executable, "x"]}, r"has no \{audio\}: the program would get no audio"),
        ({"argv": [sys.executable, "{audoi}"]}, r"no placeholder \{audoi\} .*Did you mean 'audio'\?"),
        ({"argv": [sys.executable, "{audio}", "{folder}"]}, r"has \{folder\}, and the row has no sources"),
        ({"argv": [sys.executable, "{audio}"], "output": "xml"}, "'output' of model 'command:x' must be what it gives"),
        ({"argv": [sys.executable, "{audio}"], "ouput": "text"}, "no option 'ouput' .*Did you mean 'output'"),
        ({"argv": [sys.executable, "{audio}"], "segment_keys": ["a"]}, "needs three paths"),
        (
            {"argv": [sys.executable, "{audio}"], "segment_unit_s": "ms"},
            "must be seconds of the segments' unit of time",
        ),
    ],
)
def test_a_row_that_cannot_work_is_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(EngineError, match=sentence):
        require_options(engine.spec, "command:x", options)
        engine.load(ModelFiles("command:x", None, options), "auto", Settings(threads=1))


def test_only_what_the_program_is_told_is_in_force(tmp_path: Path) -> None:
    told = load(tmp_path, "", "{audio}", "{lang}", "{threads}").in_force
    untold = load(tmp_path, "", "{audio}").in_force
    assert (told["threads"], told["language"]) == (3, "clip")
    assert (untold["threads"], untold["language"], untold["beam_size"]) == (None, None, None)


def test_the_page_in_the_module_names_only_real_options_and_placeholders() -> None:
    import tomllib

    from earwitness.engines import command

    text = (command.__doc__ or "").partition("\n\n")[2].partition("\n\nThe program gets")[0]
    (row,) = tomllib.loads(text)["model"]
    require_options(engine.spec, row["id"], row["options"])
    used = {name.strip("{}") for part in row["options"]["argv"] for name in [part] if part.startswith("{")}
    assert used <= PLACEHOLDERS.keys()


SLEEP = "import sys, time; open(sys.argv[2], 'w').write('started'); time.sleep(600)"


def sleeping(tmp_path: Path) -> tuple[dict[str, Any], Path, Path]:
    started, audio = tmp_path / "started", tmp_path / "audio" / "clip.f32"
    (tmp_path / "program.py").write_text(SLEEP)
    audio.parent.mkdir()
    np.zeros(1600, "<f4").tofile(audio)
    return {"argv": [sys.executable, str(tmp_path / "program.py"), "{audio}", str(started)]}, started, audio


def gone(program: str) -> bool:
    deadline = time.monotonic() + 120
    while any(program in (p.info["cmdline"] or []) for p in psutil.process_iter(["cmdline"])):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_a_program_that_takes_too_long_ends_with_its_worker(tmp_path: Path) -> None:
    options, started, audio = sleeping(tmp_path)
    with (
        Worker("command", "command:x", None, "auto", Settings(threads=1), options=options, budget_s=60) as worker,
        pytest.raises(WorkerFailedError, match="No answer within"),
    ):
        worker.transcribe(audio, 1600, 16_000, "en", budget_s=4)
    assert started.exists()
    assert gone(str(tmp_path / "program.py"))


@pytest.mark.skipif(sys.platform == "win32", reason="there are no POSIX signals here: run it on Linux")
@pytest.mark.parametrize("victim", ["parent", "worker"])
def test_a_program_outlives_neither_a_killed_parent_nor_a_killed_worker(tmp_path: Path, victim: str) -> None:
    options, started, audio = sleeping(tmp_path)
    code = (
        "from pathlib import Path; from earwitness.types import Settings\n"
        "from earwitness.workers.worker import Worker, WorkerFailedError\n"
        f"w = Worker('command', 'command:x', None, 'auto', Settings(threads=1), options={options!r})\n"
        "print(w.pid, flush=True)\n"
        f"try: w.transcribe(Path({str(audio)!r}), 1600, 16000, 'en', budget_s=60)\n"
        "except WorkerFailedError as error: print(error, flush=True)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        worker = int(parent.stdout.readline())
        deadline = time.monotonic() + 120
        while not started.exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        psutil.Process(parent.pid if victim == "parent" else worker).send_signal(signal.SIGKILL)
        parent.wait(120)
    assert gone(str(tmp_path / "program.py"))


def test_what_a_program_leaves_lies_beside_the_audio_and_nowhere_else(tmp_path: Path) -> None:
    audio = tmp_path / "audio" / "clip.f32"
    audio.parent.mkdir()
    np.zeros(1600, "<f4").tofile(audio)
    (tmp_path / "program.py").write_text("import sys; print(sys.argv[1])")
    options = {"argv": [sys.executable, str(tmp_path / "program.py"), "{audio}"]}
    with Worker("command", "command:x", None, "auto", Settings(threads=1), options=options) as worker:
        text = worker.transcribe(audio, 1600, 16_000, "en", budget_s=60).transcript.text
    assert Path(text).parent.parent == audio.parent
    assert list(audio.parent.iterdir()) == [audio]
