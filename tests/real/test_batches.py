"""Whisper in batches: what it loses, and that comparing calls it out."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from earwitness import data, weights
from earwitness.audio import decode_to
from earwitness.data import corpora
from earwitness.engines.base import ModelFiles
from earwitness.engines.catalog import find
from earwitness.engines.registry import get_engine
from earwitness.errors import SettingsError
from earwitness.types import Audio, Settings, Transcript

pytestmark = pytest.mark.real

MODEL = "faster-whisper:tiny.en"


@pytest.fixture(scope="session", autouse=True)
def pulled() -> None:
    """Weights and corpora, in the user's cache."""
    weights.pull(find(MODEL))
    corpora.pull("librivox-mini")


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Audio:
    """A bit over a minute of people who read aloud: three windows."""
    samples = []
    for clip in itertools.cycle(data.load("librivox-mini").clips):
        target = tmp_path_factory.mktemp("decoded") / "clip.f32"
        decode_to(clip.audio_path, target, start_s=clip.start_s, duration_s=clip.duration_s, channel=0, rate_hz=16_000)
        samples.append(np.fromfile(target, np.float32))
        if sum(map(len, samples)) > 65 * 16_000:
            return Audio(np.concatenate(samples), 16_000)
    raise AssertionError("there is no speech")


def heard(audio: Audio, **settings: Any) -> tuple[Transcript, dict[str, Any]]:
    model = find(MODEL)
    files = ModelFiles(model.id, weights.require(model))
    loaded = get_engine(model.engine).load(files, "cpu", Settings(threads=2, **settings))
    try:
        return loaded.transcribe(audio, language="en"), dict(loaded.in_force)
    finally:
        loaded.close()


@pytest.mark.parametrize("settings", [{}, {"vad": True}, {"timestamps": "word"}, {"timestamps": "none"}], ids=str)
def test_a_batch_covers_the_recording_in_order_and_says_its_size(speech: Audio, settings: dict[str, Any]) -> None:
    transcript, in_force = heard(speech, batch_size=4, **settings)
    assert in_force["batch_size"] == 4
    starts = [segment.start_s for segment in transcript.segments]
    assert starts == sorted(starts)
    assert transcript.segments[-1].end_s <= speech.duration_s + 0.1
    assert transcript.segments[-1].end_s > 0.7 * speech.duration_s
    if not settings.get("vad"):
        assert transcript.covered_s == pytest.approx(speech.duration_s, abs=0.1)
    assert (transcript.words is not None) == (settings.get("timestamps") == "word")


def test_without_times_a_batch_hears_as_many_words_as_the_sequential_way(speech: Audio) -> None:
    alone, _ = heard(speech, timestamps="none")
    batched, _ = heard(speech, timestamps="none", batch_size=4)
    assert len(batched.text.split()) == pytest.approx(len(alone.text.split()), rel=0.1)


def test_nothing_is_heard_in_no_samples() -> None:
    assert heard(Audio(np.zeros(0, np.float32), 16_000), batch_size=4)[0].text == ""


@pytest.mark.parametrize("setting", ["context", "temperature_fallback"])
def test_what_a_batch_cannot_do_is_refused(setting: str) -> None:
    with pytest.raises(SettingsError, match="every window is decoded by itself and once"):
        heard(Audio(np.zeros(16_000, np.float32), 16_000), batch_size=2, **{setting: True})


def test_comparing_says_how_many_texts_a_batch_changed(tmp_path: Path) -> None:
    def earwitness(*arguments: str) -> Any:
        command = [sys.executable, "-m", "earwitness", *arguments, "--json"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    for size in (1, 4):
        earwitness("run", "librivox-mini", "-m", MODEL, "--set", f"batch_size={size}", "--limit", "3")
    (table,) = earwitness("compare", "runs")["tables"]
    (change,) = table["batch_changes"]
    assert (change["batch_sizes"], change["n_clips"]) == ([1, 4], 3)
    assert 0 <= change["n_differ"] <= 3
    assert table["unranked"].startswith("Not ranked: batch_size is ")
    assert any("batch_size 4 in place of 1" in note for note in table["notes"])
