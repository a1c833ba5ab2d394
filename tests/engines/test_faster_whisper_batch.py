"""Several clips together through faster-whisper: the texts of one clip at a time, and one that fails fails alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from earwitness import data, weights
from earwitness.audio import decode
from earwitness.engines.base import BatchModel, ModelFiles
from earwitness.engines.catalog import find
from earwitness.engines.registry import get_engine
from earwitness.types import Audio, Settings

pytestmark = pytest.mark.real
MODEL = "faster-whisper:tiny.en"


@pytest.mark.parametrize("settings", [Settings(), Settings(timestamps="word", context=True, beam_size=2)], ids=str)
def test_texts_times_and_all_else_are_those_of_one_clip_at_a_time(settings: Settings) -> None:
    model = find(MODEL)
    files = ModelFiles(model.id, weights.require(model), model.options)
    loaded = get_engine(model.engine).load(files, "cpu", replace(settings, threads=2))
    assert isinstance(loaded, BatchModel)
    audio = [decode(clip.audio_path) for clip in data.load("sample").clips[:3]]
    # Of more than one window, so that one goes on when the others have ended.
    audio.append(Audio(np.concatenate([each.samples for each in audio * 3]), 16_000))
    alone = [loaded.transcribe(each, language="en") for each in audio]
    together = dict(loaded.transcribe_batch([*((each, "en") for each in audio), (audio[0], "xx")]))
    assert [together[n] for n in range(len(audio))] == alone
    assert "does not know the language" in str(together[len(audio)])
    loaded.close()
