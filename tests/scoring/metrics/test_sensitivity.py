from __future__ import annotations

import pytest
from tests.conftest import clip, heard

from earwitness.errors import ScoringError
from earwitness.scoring.metrics.sensitivity import flips, levels
from earwitness.types import Clip, Hypothesis


def system(*texts: str) -> list[tuple[Clip, Hypothesis]]:
    said = "I do not owe twenty dollars"
    return [(clip(f"c{n}", said), heard(text, f"c{n}")) for n, text in enumerate(texts)]


def test_a_model_that_writes_otherwise_is_behind_when_raw_and_ahead_when_normalized() -> None:
    writes_otherwise = system(*["i don't owe $20!"] * 8)
    mishears = system(*["I do not owe plenty dollars"] * 8)
    found = levels([writes_otherwise, mishears])
    assert [level.normalizer for level in found] == ["none", "multilingual", "auto", "whisper"]
    assert [level.wer[0] for level in found][-1] == 0
    (flip,) = flips(found)
    assert (flip.first, flip.second) == (0, 1)
    assert flip.ahead_first == ("full", "whisper")
    assert flip.ahead_second == ("raw", "light")
    assert flip.called == ("raw", "light", "full", "whisper")
    assert [str(rank) for rank in found[2].ranks] == ["1", "2"]
    assert [level.place for level in found] == [(2, 1), (2, 1), (1, 2), (1, 2)]


def test_models_that_keep_their_order_do_not_flip() -> None:
    assert flips(levels([system("I do not owe twenty dollars"), system("not")])) == ()


def test_systems_over_other_clips_are_refused() -> None:
    with pytest.raises(ScoringError, match="did not transcribe the same clips"):
        levels([system("a"), system("a", "b")])


def test_without_references_there_is_nothing_to_rank() -> None:
    with pytest.raises(ScoringError, match="No clip has a reference"):
        levels([[(clip("c", None), heard("x", "c"))]])


def test_rules_that_hide_an_error_are_told_from_rules_that_do_not() -> None:
    clips = [clip(f"c{n}", "it costs one dollar") for n in range(8)]
    misses = [(c, heard("it costs one", c.id)) for c in clips]
    hears = [(c, heard("It costs $1.", c.id)) for c in clips]
    found = {level.name: level.wer for level in levels([misses, hears])}
    assert found["whisper"] == (0, 0)
    assert found["full"] == (0.25, 0)
