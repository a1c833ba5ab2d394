"""No rank across settings that differ, unless that was accepted; and what batches do to texts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runs.jobs import job, quiet

from earwitness.comparison.settings_parity import ACCEPTED, MATTERS, accepted_settings
from earwitness.comparison.table import Table, compare
from earwitness.errors import UsageError
from earwitness.records import store
from earwitness.reports.scorecard import markdown
from earwitness.runs.drive import start
from earwitness.types import Settings


@pytest.fixture
def four_clips(three_clips: Path, write_wav: Callable[..., Path]) -> Path:
    """As many recordings as a rank takes."""
    write_wav("4.wav", 4)
    row = {"audio_filepath": "4.wav", "text": "a fourth one", "lang": "en", "id": "clip4"}
    three_clips.write_text(f"{three_clips.read_text()}{json.dumps(row)}\n", encoding="utf-8")
    return three_clips


def measured(tmp_path: Path, manifest: Path, name: str, text: str = "one", **in_force: Any) -> Path:
    """A real run of a scripted model, with settings in force written over those of the fake engine."""
    path = start(job(tmp_path / name, manifest, {"*": {"text": text}}), tmp_path / "runs", quiet)
    run = store.read_run(path)
    store.write_run(path, replace(run, settings_in_force={**run.settings_in_force, **in_force}))
    return path


def table(*paths: Path, accept: frozenset[str] = ACCEPTED) -> Table:
    (found,) = compare(paths, accept=accept).tables
    return found


def test_another_beam_is_shown_without_a_rank_and_named(tmp_path: Path, three_clips: Path) -> None:
    paths = [measured(tmp_path, three_clips, "a", beam_size=1), measured(tmp_path, three_clips, "b", beam_size=5)]
    found = table(*paths)
    assert [row.rank for row in found.rows] == ["–", "–"]
    assert found.pairs == ()
    assert found.unranked == (
        "Not ranked: beam_size is 1 in fake:a, and 5 in fake:b. Run them alike, or accept it: --accept beam_size"
    )
    card = markdown(compare(paths))
    assert found.unranked in card
    assert "tie" not in card


def test_a_difference_that_is_accepted_is_ranked(tmp_path: Path, four_clips: Path) -> None:
    paths = [
        measured(tmp_path, four_clips, "a", beam_size=1),
        measured(tmp_path, four_clips, "b", beam_size=5, vad=True),
    ]
    assert table(*paths, accept=accepted_settings(["beam_size"])).unranked is not None
    for names in (["beam_size,vad"], ["vad", "beam_size"], ["all"]):
        found = table(*paths, accept=accepted_settings(names))
        assert found.unranked is None
        assert "–" not in [row.rank for row in found.rows]
        assert len(found.pairs) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"precision": "int8"},
        {"threads": 7},
        {"timestamps": "word"},
        {"chunk_s": 30.0},
        {"beam_size": None, "vad": None, "context": None, "temperature_fallback": None},
    ],
)
def test_what_belongs_to_an_engine_does_not_apply_or_is_for_speed_does_not_forbid_a_rank(
    tmp_path: Path, four_clips: Path, other: dict[str, Any]
) -> None:
    found = table(
        measured(tmp_path, four_clips, "a", precision="float32"), measured(tmp_path, four_clips, "b", **other)
    )
    assert found.unranked is None
    assert "–" not in [row.rank for row in found.rows]
    assert {difference.what for difference in found.differences} >= other.keys() - {"beam_size"}


@pytest.mark.parametrize(("name", "hint"), [("beamsize", "Did you mean 'beam_size'?"), ("x", "There are: language")])
def test_accepting_what_does_not_exist_is_refused(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match="There is no difference") as refused:
        accepted_settings([name])
    assert hint in str(refused.value)


@given(st.lists(st.sampled_from([*MATTERS, "all"])))
def test_what_may_always_differ_stays_accepted(names: list[str]) -> None:
    assert accepted_settings(names) >= ACCEPTED | (set(names) - {"all"})


def test_the_settings_that_matter_are_settings() -> None:
    assert set(MATTERS) <= Settings.__dataclass_fields__.keys()


def test_a_batch_that_changes_the_text_is_called_out_with_both_error_rates(tmp_path: Path, three_clips: Path) -> None:
    alone = measured(tmp_path, three_clips, "a", "one", batch_size=1)
    batched = measured(tmp_path, three_clips, "a", "won", batch_size=4)
    (change,) = table(alone, batched).batch_changes
    assert (change.batch_sizes, change.n_clips, change.n_differ) == ((1, 4), 3, 3)
    wers = [store.read_run(path).score("wer") for path in (alone, batched)]
    assert change.wer == tuple(wers)
    card = markdown(compare([alone, batched]))
    assert "CHANGED THE TEXT of 3 of 3 clips; WER 100.0 %" in card
    assert "Not ranked: batch_size is " in card


def test_a_batch_that_changes_nothing_is_said_too(tmp_path: Path, three_clips: Path) -> None:
    paths = [measured(tmp_path, three_clips, "a", batch_size=size) for size in (1, 4)]
    assert "changed no text of 3 clips" in markdown(compare(paths))


def test_batches_of_different_models_or_beams_are_not_set_against_each_other(tmp_path: Path, three_clips: Path) -> None:
    paths = [
        measured(tmp_path, three_clips, "a", batch_size=1),
        measured(tmp_path, three_clips, "a", batch_size=4, beam_size=5),
        measured(tmp_path, three_clips, "b", batch_size=4),
    ]
    assert table(*paths).batch_changes == ()
