"""Curves through runs, and breaking points that are where they were put."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earwitness.cli import main
from earwitness.comparison.robustness import crossings, robustness
from earwitness.comparison.table import compare
from earwitness.errors import ComparisonError
from earwitness.records import store
from earwitness.records.record import ClipResult, RunLimits, Selection
from earwitness.records.rescore import rescore_record, score_result, score_run
from earwitness.reports.robustness import breaks_at, markdown, rows
from earwitness.runs.conditions import under
from earwitness.runs.drive import Job, start
from earwitness.types import Clip, Dataset, Hypothesis, Transcript

HOLDS = ("cli/robustness.py", "reports/robustness.py")

Measure = Callable[..., Path]
WORDS = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliett"]


@pytest.fixture
def base(three_clips: Path, tmp_path: Path) -> Path:
    """A complete record of a real run, whose texts the others are made from."""
    from earwitness import data
    from earwitness.engines.catalog import Model

    model = Model("fake:echo", "fake", "fake/echo", sources=())
    dataset = data.load(three_clips)
    job = Job(model, None, None, dataset, Selection(str(three_clips)), limits=RunLimits(warmup=0))
    return start(job, tmp_path / "base", lambda *_: None)


@pytest.fixture
def measure(base: Path, tmp_path: Path) -> Measure:
    """Writes the record of a model that gets so many of every ten words wrong in forty clips."""
    clips = tuple(Clip(f"c{n}", "", "", 0.0, 1.0, " ".join(WORDS), "en", recording=f"r{n}") for n in range(40))

    def write(
        model: str, condition: str | None, errors: int, *, spread: int = 0, recordings: int = 40, sha256: str = ""
    ) -> Path:
        dataset = under(Dataset("forty", clips[:recordings], "f" * 64), condition)
        template = store.read_run(base)
        path = store.new_record_path(store.record_folder(tmp_path / "runs", model))
        results: list[ClipResult] = []
        for n, clip in enumerate(dataset.clips):
            wrong = errors + (spread if n % 2 else -spread)
            text = " ".join(["wrong"] * wrong + WORDS[wrong:])
            heard = Hypothesis(clip.id, Transcript(text), None, audio_s=1.0, wall_s=0.1)
            results.append(score_result(clip, heard, template.scoring))
        with store.clips_path(path).open("ab") as file:
            for result in results:
                store.append(file, result)
        info = replace(
            template.dataset,
            name=dataset.name,
            sha256=sha256 or dataset.sha256,
            n_clips=len(clips),
            condition=dataset.condition,
        )
        run = replace(
            template,
            id=store.new_run_id(model),
            created_at=store.now(),
            model=replace(template.model, id=model),
            dataset=info,
            scores=score_run(results, template.scoring),
        )
        store.write_run(path, store.seal_record(path, run))
        return path

    return write


def curve_of(measure: Measure, model: str, errors: Mapping[str | None, int]) -> list[Path]:
    return [measure(model, condition, n) for condition, n in errors.items()]


def test_a_model_breaks_where_the_line_reaches_ten_points(measure: Measure) -> None:
    records = curve_of(measure, "a", {None: 1, "noise:20dB": 1, "noise:10dB": 3, "noise:0dB": 9})
    (panel,) = robustness(records).panels
    (curve,) = panel.curves
    assert panel.conditions == ("noise:20dB", "noise:10dB", "noise:0dB")
    assert [point.broken for point in curve.points] == [False, True, True]
    assert [point.increase for point in curve.points] == pytest.approx([0, 0.2, 0.8])
    assert curve.breaks is not None
    assert curve.breaks.severity == pytest.approx(15.0)  # half of the way from +0 points at 20 dB to +20 at 10 dB
    assert curve.breaks.ci95 == pytest.approx((15.0, 15.0))  # every recording has the same errors
    assert breaks_at(curve, panel) == "15.0 dB [15.0, 15.0]"


def test_where_clean_is_a_number_the_line_begins_there(measure: Measure) -> None:
    records = curve_of(measure, "a", {None: 0, "loss:10%": 4})
    (panel,) = robustness(records).panels
    assert panel.curves[0].breaks is not None
    assert panel.curves[0].breaks.severity == pytest.approx(2.5)


def test_broken_at_the_mildest_noise_it_is_only_known_to_break_before(measure: Measure) -> None:
    records = curve_of(measure, "a", {None: 0, "noise:20dB": 4, "noise:0dB": 8})
    (panel,) = robustness(records).panels
    assert panel.curves[0].breaks is not None
    assert panel.curves[0].breaks.severity is None
    assert breaks_at(panel.curves[0], panel) == "before 20 dB"


def test_a_model_that_holds_comes_first_and_says_how_far(measure: Measure) -> None:
    strong = curve_of(measure, "strong", {None: 2, "noise:10dB": 2, "noise:0dB": 2})
    weak = curve_of(measure, "weak", {None: 1, "noise:10dB": 3, "noise:0dB": 5})
    middling = curve_of(measure, "middling", {None: 1, "noise:10dB": 1, "noise:0dB": 5})
    found = robustness([*weak, *strong, *middling])
    (panel,) = found.panels
    assert [curve.label for curve in panel.curves] == ["strong", "middling", "weak"]
    assert rows(panel)[0][-1] == "not by 0 dB"
    assert "✗" in rows(panel)[2][3]
    text = markdown(found)
    assert "| strong | 20.0 %" in text
    assert "noise:\\*dB on forty" in text


def test_an_increase_that_may_be_chance_breaks_nothing(measure: Measure) -> None:
    records = [measure("a", None, 3), measure("a", "noise:0dB", 4, spread=4, recordings=4)]
    assert robustness([records[0], measure("a", "noise:0dB", 5, spread=3)]).panels[0].curves[0].points[0].broken
    few = [measure("b", None, 4, recordings=4, sha256="e" * 64)]
    noisy = measure("b", "noise:0dB", 5, spread=5, recordings=4)
    run = store.read_run(noisy)
    assert run.dataset.condition is not None
    same = replace(run.dataset, condition=replace(run.dataset.condition, clean_sha256="e" * 64))
    store.write_run(noisy, replace(run, dataset=same))
    (panel,) = robustness([*few, noisy]).panels
    (point,) = panel.curves[0].points
    assert point.increase == pytest.approx(0.1)
    assert point.increase_ci95 is not None
    assert point.increase_ci95[0] < 0 < point.increase_ci95[1]
    assert point.broken is False


def test_one_recording_has_no_interval_and_breaks_nothing(measure: Measure) -> None:
    records = [measure("a", condition, n, recordings=1) for condition, n in ((None, 0), ("noise:0dB", 9))]
    (panel,) = robustness(records).panels
    assert panel.curves[0].points[0].broken is None
    assert rows(panel)[0][-1] == "– (one recording)"


def test_conditions_without_a_severity_stand_in_one_panel(measure: Measure) -> None:
    records = curve_of(measure, "a", {None: 0, "mulaw": 0, "alaw": 5, "noise:0dB": 1})
    names = {panel.family: panel.conditions for panel in robustness(records).panels}
    assert names == {"": ("alaw", "mulaw"), "noise:*dB": ("noise:0dB",)}


def test_a_run_without_a_clean_one_is_left_out_with_a_reason(measure: Measure) -> None:
    alone = measure("alone", "noise:0dB", 3)
    with pytest.raises(ComparisonError, match=r"No run under a condition has a clean run.*'alone' has no run"):
        robustness([alone])
    found = robustness([alone, *curve_of(measure, "a", {None: 0, "noise:0dB": 3})])
    assert found.left_out == (f"{alone}: 'alone' has no run on the same data without a condition.",)


def test_runs_scored_in_different_ways_are_not_subtracted(measure: Measure) -> None:
    clean, noisy = curve_of(measure, "a", {None: 0, "noise:0dB": 3})
    again = rescore_record(noisy, replace(store.read_run(noisy).scoring, normalizer="none"))
    other = curve_of(measure, "b", {None: 0, "noise:0dB": 3})
    assert f"{again} was scored otherwise than {clean}" in robustness([clean, again, *other]).left_out[0]


def test_one_condition_made_by_two_versions_is_refused(measure: Measure) -> None:
    here = curve_of(measure, "a", {None: 0, "opus:6k": 3})
    there = [measure("b", None, 0), measure("b", "opus:6k", 3, sha256="d" * 64)]
    with pytest.raises(ComparisonError, match="'opus:6k' was produced in different ways"):
        robustness([*here, *there])


def test_a_table_of_one_model_under_conditions_is_refused_with_the_command_that_draws_it(measure: Measure) -> None:
    records = curve_of(measure, "fake:a", {None: 0, "noise:10dB": 2})
    with pytest.raises(ComparisonError, match=r"\(clean, noise:10dB\).* run: earwitness robustness RUN"):
        compare(records)
    other = curve_of(measure, "fake:b", {None: 0, "noise:10dB": 2})
    assert len(compare([*records, *other]).tables) == 2


def test_the_command_prints_writes_and_answers_machines(
    measure: Measure, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    curve_of(measure, "a", {None: 0, "noise:10dB": 0, "noise:0dB": 4})
    out = tmp_path / "r.md"
    assert main(["robustness", str(tmp_path / "runs"), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "40.0 %" in printed
    assert "7.5 dB [7.5, 7.5]" in printed
    assert "7.5 dB" in out.read_text()
    assert main(["robustness", str(tmp_path / "runs"), "--points", "50", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["limit"] == 0.5
    assert answer["panels"][0]["curves"][0]["breaks"] is None


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=6), st.floats(0.01, 0.9))
def test_a_crossing_lies_between_the_last_place_under_and_the_first_over(increases: list[float], limit: float) -> None:
    places = [float(n + 1) for n in range(len(increases))]
    (found,) = crossings(np.array([increases]), places, limit, 0.0)
    over = next((n for n, value in enumerate(increases) if value >= limit), None)
    if over is None:
        assert found == np.inf
    else:
        assert over <= found <= over + 1
