"""Families are weights: four engines with Whisper base are one witness; base and base.en are two of one lineage."""

from __future__ import annotations

from pathlib import Path

import pytest

from earwitness.engines.catalog import models
from earwitness.engines.families import family_of, lineage_of, shared_lineages


@pytest.mark.parametrize(
    "weights_id",
    [
        "openai/whisper-base",
        "Systran/faster-whisper-base",
        "guillaumekln/faster-whisper-base",
        "mlx-community/whisper-base-mlx",
        "mlx-community/whisper-base-mlx-q4",
        "Xenova/whisper-base",
        "onnx-community/whisper-base-ONNX",
        "openai/whisper-base@9f2a1c0",
        "local/ggml-base.bin",
        "local/whisper-base",
        "base",
    ],
)
def test_the_same_weights_in_any_format_are_one_family(weights_id: str) -> None:

    assert family_of(weights_id) == "openai/whisper-base"


@pytest.mark.parametrize(
    ("weights_id", "family"),
    [
        ("openai/whisper-base.en", "openai/whisper-base.en"),
        ("Systran/faster-whisper-tiny", "openai/whisper-tiny"),
        ("someone/whisper-base-norwegian", "someone/whisper-base-norwegian"),
        ("distil-whisper/distil-large-v3", "distil-whisper/distil-large-v3"),
        ("UsefulSensors/moonshine-base", "UsefulSensors/moonshine-base"),
        ("facebook/wav2vec2-base-960h", "facebook/wav2vec2-base-960h"),
        ("nvidia/parakeet-ctc-1.1b", "nvidia/parakeet-ctc-1.1b"),
    ],
)
def test_other_weights_are_another_family(weights_id: str, family: str) -> None:
    assert family_of(weights_id) == family


def test_names_that_mean_a_version() -> None:
    assert family_of("large") == family_of("large-v3") == family_of("openai/whisper-large-v3")
    assert family_of("openai/whisper-large") == family_of("openai/whisper-large-v1")
    assert family_of("whisper-1") == family_of("openai/whisper-large-v2")
    assert family_of("turbo") == family_of("openai/whisper-large-v3-turbo") != family_of("openai/whisper-large-v3")


def test_every_weights_id_of_the_catalog_is_the_name_of_its_family() -> None:
    assert [row.weights_id for row in models() if family_of(row.weights_id) != row.weights_id] == []


def test_a_row_can_state_its_family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = '[[model]]\nid = "command:x"\nengine = "command"\nweights_id = "mine"\nfamily = "openai/whisper-base"\n'
    (tmp_path / "earwitness.toml").write_text(row)
    monkeypatch.chdir(tmp_path)
    models.cache_clear()
    try:
        assert family_of("mine") == "openai/whisper-base"
        assert lineage_of("mine") == "Whisper"
    finally:
        models.cache_clear()


def test_what_was_trained_on_the_same_data_or_by_the_same_teacher_is_of_one_lineage() -> None:
    ids = ["openai/whisper-tiny.en", "distil-whisper/distil-small.en", "kotoba-tech/kotoba-v1", "someone/whisper-x"]
    assert {lineage_of(name) for name in ids} == {"Whisper"}
    assert lineage_of("cmusphinx/en-us") != "Whisper"


def test_the_sentence_names_the_families_of_a_lineage_once() -> None:
    ids = ["openai/whisper-tiny", "openai/whisper-base", "Systran/faster-whisper-base", "openai/whisper-small"]
    (sentence,) = shared_lineages([*ids, "cmusphinx/en-us"])
    assert sentence.startswith("whisper-tiny, whisper-base and whisper-small are all of Whisper: ")
