from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earwitness.engines.registry import (
    engine_names,
    get_engine,
    not_honoured,
    parse_settings,
    preset_settings,
    require_settings,
)
from earwitness.errors import SettingsError
from earwitness.records import store
from earwitness.types import Settings

HOLDS = ("faster_whisper.py",)

NAMES = Settings.__dataclass_fields__.keys()
every_engine = pytest.mark.parametrize("name", engine_names())


@every_engine
def test_what_an_engine_says_of_settings_is_in_the_vocabulary_and_agrees_with_itself(name: str) -> None:
    spec = get_engine(name).spec
    assert spec.native.keys() <= NAMES
    assert spec.maps.keys() <= NAMES
    assert not spec.native.keys() & spec.fixed.keys()
    assert "language" not in spec.native
    assert all(value != getattr(Settings(), key) for key, value in spec.native.items())
    assert all(option.meaning and option.kind for option in spec.options.values())


@every_engine
def test_an_engine_can_do_what_its_authors_ship(name: str) -> None:
    spec = get_engine(name).spec
    native = preset_settings(spec, "native", Settings(), frozenset())
    require_settings(spec, native, frozenset(spec.native))


@every_engine
@given(beam_size=st.integers(1, 9), vad=st.booleans())
def test_what_is_set_is_on_top_of_every_preset(name: str, beam_size: int, vad: bool) -> None:
    settings, asked = parse_settings([f"beam_size={beam_size}", f"vad={str(vad).lower()}"])
    for preset in ("matched", "native"):
        found = preset_settings(get_engine(name).spec, preset, settings, asked)
        assert (found.beam_size, found.vad) == (beam_size, vad)


def test_matched_is_alike_for_all_and_native_is_each_ones_own() -> None:
    specs = [get_engine(name).spec for name in engine_names()]
    assert {preset_settings(spec, "matched", Settings(), frozenset()) for spec in specs} == {Settings()}
    native = preset_settings(get_engine("faster-whisper").spec, "native", Settings(), frozenset())
    assert native == Settings(beam_size=5, temperature_fallback=True, context=True, precision="default")


def test_a_preset_that_does_not_exist_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(SettingsError, match=r"There is no preset 'nativ'\. Did you mean 'native'\?"):
        preset_settings(get_engine("fake").spec, "nativ", Settings(), frozenset())


def test_native_faster_whisper_is_what_its_signatures_say() -> None:
    library = pytest.importorskip(
        "faster_whisper", reason="there is no faster-whisper here: pip install 'earwitness[faster-whisper]'"
    )
    defaults: dict[str, Any] = {
        name: parameter.default
        for function in (library.WhisperModel.__init__, library.WhisperModel.transcribe)
        for name, parameter in inspect.signature(function).parameters.items()
    }
    spec = get_engine("faster-whisper").spec
    native = preset_settings(spec, "native", Settings(), frozenset())
    assert defaults["beam_size"] == native.beam_size
    assert (len(defaults["temperature"]) > 1) == native.temperature_fallback
    assert defaults["condition_on_previous_text"] == native.context
    assert defaults["vad_filter"] == native.vad
    assert (defaults["without_timestamps"], defaults["word_timestamps"]) == (False, False)
    assert native.timestamps == "segment"
    assert defaults["compute_type"] == native.precision
    theirs = {part for names in spec.maps.values() for part in names.split(", ")}
    batched = inspect.signature(library.BatchedInferencePipeline.transcribe).parameters
    assert theirs - {"batch_size"} <= defaults.keys()
    assert {"batch_size", "clip_timestamps"} <= batched.keys()


def test_one_line_says_what_an_engine_cannot_do() -> None:
    spec = get_engine("pocketsphinx").spec
    assert not_honoured(spec, Settings()) == (
        "pocketsphinx: beam_size, temperature_fallback, context do not apply; timestamps is always word; "
        "threads is always 1; chunk_s is always 30"
    )
    assert not_honoured(get_engine("faster-whisper").spec, Settings()) is None
    assert not_honoured(get_engine("faster-whisper").spec, Settings(batch_size=4)) is None
    assert "; batch_size is always 1; " in (not_honoured(spec, Settings(batch_size=4)) or "")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "earwitness", "run", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def test_what_cannot_be_honoured_is_said_before_the_run_and_is_in_the_record(tmp_path: Path, three_clips: Path) -> None:
    done = run(tmp_path, str(three_clips), "-m", "fake:echo", "-m", "fake:empty", "--preset", "native",
               "--set", "beam_size=3")  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert lines.count("fake: precision does not apply; threads is always 1") == 1
    assert lines[0].startswith("fake: ")
    for path in store.find_records([tmp_path / "runs"]):
        record = store.read_run(path)
        assert record.preset == "native"
        assert (record.settings_asked.beam_size, record.settings_asked.precision) == (3, "auto")
        assert (record.settings_in_force["beam_size"], record.settings_in_force["precision"]) == (3, None)


def test_machines_get_json_and_no_remarks(tmp_path: Path, three_clips: Path) -> None:
    done = run(tmp_path, str(three_clips), "-m", "fake:echo", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)[0]["status"] == "complete"


def test_an_unknown_preset_is_refused_before_the_first_clip(tmp_path: Path) -> None:
    done = run(tmp_path, "sample", "-m", "fake:echo", "--preset", "natve")
    assert done.returncode == 2
    assert done.stderr == "There is no preset 'natve'. Did you mean 'native'?\n"
    assert not (tmp_path / "runs").exists()


def test_a_resumed_run_keeps_its_settings_and_its_preset(tmp_path: Path, three_clips: Path) -> None:
    given = ("--preset", "native", "--set", "beam_size=4")
    assert run(tmp_path, str(three_clips), "-m", "fake:crash", *given).returncode == 1
    (path,) = store.find_records([tmp_path / "runs"])
    before = store.read_run(path)
    assert before.status == "failed"
    done = run(tmp_path, "--resume", "--set", "beam_size=2", "--preset", "matched")
    assert done.returncode in (0, 1), done.stderr
    after = store.read_run(path)
    assert after.resumed == 1
    assert (after.preset, after.settings_asked) == ("native", before.settings_asked)
    assert after.settings_asked.beam_size == 4


def test_a_run_is_not_resumed_with_another_program(tmp_path: Path, three_clips: Path) -> None:
    row = "[[model]]\nid = 'command:x'\nengine = 'command'\nweights_id = 'x'\n[model.options]\nargv = {}\n"
    toml = tmp_path / "earwitness.toml"
    # Ends its worker's group, itself included, so that the run is given up and can be resumed.
    killer = [sys.executable, "-c", "import os; os.killpg(0, 9)", "{audio}"]
    toml.write_text(row.format(killer))
    done = run(tmp_path, str(three_clips), "-m", "command:x", "--warmup", "0")
    assert done.returncode == 1, done.stderr
    toml.write_text(row.format([sys.executable, "-c", "print('x')", "{audio}"]))
    done = run(tmp_path, "--resume")
    assert done.returncode == 2
    assert "cannot be resumed: the model's options changed since. Start a new run." in done.stderr
