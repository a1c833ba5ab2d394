"""Questions to the catalog: what a model asks of a machine and of its user."""

from __future__ import annotations

import pytest

from earwitness.engines.catalog import find, models
from earwitness.engines.needs import (
    COMMERCIAL_LICENSES,
    fits_license,
    knows_language,
    memory_bytes,
    parse_bytes,
    runs_on,
)
from earwitness.engines.registry import engine_names, get_engine
from earwitness.errors import UsageError

NO_WEIGHTS_IN_MEMORY = {"command", "fake", "openai-api", "pocketsphinx"}


def test_every_engine_with_weights_says_how_large_a_parameter_is_wherever_it_runs() -> None:
    for name in set(engine_names()) - NO_WEIGHTS_IN_MEMORY:
        spec = get_engine(name).spec
        runs = {kind for kind, support in spec.devices.items() if support.level != "unsupported"}
        assert runs <= spec.parameter_bytes.keys(), name


def test_the_precision_of_a_row_goes_before_that_of_its_engine() -> None:
    whole, int8 = (find(f"onnx-asr:parakeet-tdt-0.6b-v3{suffix}") for suffix in ("", "-int8"))
    assert memory_bytes(whole, "cpu") == 600_000_000 * 8 + 500_000_000
    assert memory_bytes(int8, "cpu") == 600_000_000 + 500_000_000
    assert memory_bytes(find("pocketsphinx:en-us"), "cpu") is None


def test_a_licence_with_conditions_for_companies_is_not_commercial() -> None:
    assert fits_license(find("faster-whisper:base"), "commercial")
    assert not fits_license(find("lfm2.5-audio:1.5b"), "commercial")
    assert fits_license(find("lfm2.5-audio:1.5b"), "lfm open license v1.0")
    unsorted = {model.license for model in models()} - COMMERCIAL_LICENSES - {"LFM Open License v1.0"}
    assert not unsorted, "say in needs.py whether these allow commercial use"


def test_a_model_is_asked_about_languages_and_devices() -> None:
    parakeet = find("mlx-audio:parakeet-tdt-0.6b-v3")
    assert [knows_language(parakeet, tag) for tag in ("de-AT", "ja")] == [True, False]
    assert [runs_on(parakeet, kind) for kind in ("mps", "cpu", "tpu")] == [True, True, False]


@pytest.mark.parametrize("text", ["", "2 Gigs", "-1GB", "GB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a size. Write one such as 2GB"):
        parse_bytes(text)
