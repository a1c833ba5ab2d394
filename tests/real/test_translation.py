"""Whisper's own translation, in every engine that runs Whisper: Spanish prompts become English text."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.installed import engine_python

from earwitness import data, weights
from earwitness.audio import decode
from earwitness.data import corpora
from earwitness.engines.catalog import find
from earwitness.types import Guide, Settings
from earwitness.workers.worker import Worker

pytestmark = pytest.mark.real
# torch takes a minute each to be loaded and to hear three times.
MODELS = (
    "faster-whisper:base",
    pytest.param("whisper-cpp:base", marks=pytest.mark.long),
    pytest.param("whisper:base", marks=pytest.mark.long),
    pytest.param("transformers:whisper-base", marks=pytest.mark.long),
)
# Too common in either language to be missing from a few sentences of it, and foreign to the other.
ENGLISH = {"the", "your", "you", "to", "is", "for", "of", "please"}
SPANISH = {"el", "la", "su", "usted", "para", "es", "de", "por", "que", "los"}


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """Some 16 s of Spanish: a few sentences, and one window of Whisper."""
    import numpy as np

    corpora.pull("telephony-es")
    parts, n_samples = [], 0
    for clip in data.load("telephony-es", tags={"kind": "speech"}).clips:
        samples = decode(clip.audio_path).samples
        if clip.duration_s > 2 and n_samples + len(samples) < 16 * 16_000:
            parts.append(samples)
            n_samples += len(samples)
    path = tmp_path_factory.mktemp("spanish") / "prompts.f32"
    np.concatenate(parts).astype("<f4").tofile(path)
    return path, n_samples


def words(text: str) -> set[str]:
    return set("".join(c if c.isalpha() else " " for c in text.lower()).split())


@pytest.mark.parametrize("model_id", MODELS)
def test_spanish_becomes_english_when_asked_and_spanish_when_not(model_id: str, prompts: tuple[Path, int]) -> None:
    model = find(model_id)
    assert model.translates
    engine_python(model.engine)
    path, n_samples = prompts
    with Worker(model.engine, model.id, weights.pull(model), "cpu", Settings(threads=2)) as worker:

        def hear(guide: Guide | None) -> set[str]:
            answer = worker.transcribe(path, n_samples, 16_000, "es", budget_s=120, guide=guide)
            return words(answer.transcript.text)

        before, english, after = hear(None), hear(Guide(translate=True)), hear(None)
    assert len(before & SPANISH) >= 3 > len(before & ENGLISH)
    assert len(english & ENGLISH) >= 3 > len(english & SPANISH)
    assert after == before


def test_a_prompt_does_what_it_does_in_a_plain_call_of_the_library(prompts: tuple[Path, int]) -> None:
    import numpy as np
    from faster_whisper import WhisperModel

    model, (path, n_samples) = find("faster-whisper:base"), prompts
    folder = weights.pull(model)
    prompt = "ingrese su número de agente seguido por la tecla numeral"
    plain = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=2)
    pieces, _ = plain.transcribe(
        np.fromfile(path, "<f4"), language="es", beam_size=1, temperature=0.0, condition_on_previous_text=False,
        initial_prompt=prompt,
    )  # fmt: skip
    expected = "".join(piece.text for piece in pieces).strip()
    with Worker(model.engine, model.id, folder, "cpu", Settings(threads=2)) as worker:
        without = worker.transcribe(path, n_samples, 16_000, "es", budget_s=120).transcript.text
        found = worker.transcribe(path, n_samples, 16_000, "es", budget_s=120, guide=Guide(prompt=prompt))
    assert found.transcript.text == expected
    assert "numeral" in expected
    assert "numeral" not in without
