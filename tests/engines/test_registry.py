from __future__ import annotations

import pytest

from earwitness.engines.base import Engine, EngineSpec
from earwitness.engines.registry import (
    engine_names,
    get_engine,
    parse_settings,
    require_installed,
    require_options,
    require_settings,
)
from earwitness.errors import EngineError, EngineNotInstalledError, SettingsError
from earwitness.types import Settings

HOLDS = ("base.py",)


@pytest.mark.parametrize("name", engine_names())
def test_every_engine_has_an_identity_card(name: str) -> None:
    engine = get_engine(name)
    assert isinstance(engine, Engine)
    assert engine.spec.name == name
    assert "cpu" in engine.spec.devices
    assert engine.spec.fixed.keys() <= Settings.__dataclass_fields__.keys()
    assert engine.spec.devices.keys() <= {"cpu", "cuda", "mps", "tpu"}
    assert all(support.reason for support in engine.spec.devices.values() if support.level != "supported")


def test_a_misspelt_engine_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(EngineError, match=r"There is no engine 'faster-wisper'\. Did you mean 'faster-whisper'\?"):
        get_engine("faster-wisper")


def test_a_missing_package_is_answered_with_the_command_that_installs_it() -> None:
    spec = EngineSpec("x", "", ("no_such_module",), (), {})
    with pytest.raises(
        EngineNotInstalledError, match=r"no module 'no_such_module'.*Run: earwitness engines install x$"
    ):
        require_installed(spec)


def test_a_setting_without_a_value_is_told_how_to_be_written() -> None:
    with pytest.raises(SettingsError, match="Setting 'vad' has no value. Write it as vad=VALUE."):
        parse_settings(["vad"])


def test_an_unknown_setting_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(SettingsError, match="Did you mean 'beam_size'"):
        parse_settings(["beamsize=5"])


@pytest.mark.parametrize("text", ["beam_size=0", "beam_size=two", "vad=maybe", "timestamps=all", "chunk_s=-1"])
def test_a_value_of_the_wrong_kind_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=text.partition("=")[0]):
        parse_settings([text])


def test_a_setting_that_was_asked_for_and_cannot_be_honoured_is_refused_and_a_default_is_not() -> None:
    spec = get_engine("pocketsphinx").spec
    settings, asked = parse_settings(["beam_size=5"])
    with pytest.raises(SettingsError, match="cannot honour beam_size=5"):
        require_settings(spec, settings, asked)
    require_settings(spec, Settings(), frozenset())


def test_an_engine_without_options_takes_none() -> None:
    with pytest.raises(EngineError, match=r"Engine 'fake' has no option 'speed' \(model 'fake:x'\)\. It takes none"):
        require_options(get_engine("fake").spec, "fake:x", {"speed": 1})
    require_options(get_engine("fake").spec, "fake:x", {})
