from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from tests.comparison.study import clip, heard, misheard, record, said

from earwitness.comparison.study import Board, StudyView, study
from earwitness.counts import percent
from earwitness.records import store
from earwitness.records.record import Run
from earwitness.reports import charts, draw
from earwitness.reports.labels import beside
from earwitness.scoring.metrics.slices import slices

HOLDS = ("labels.py",)

N_WORDS, N_CALLS, N_PHONE = 40, 12, 6
CALLS = [
    replace(clip(f"call-{n}", said(N_WORDS, n), 10.0 + n), tags={"line": "phone" if n < N_PHONE else "room"})
    for n in range(N_CALLS)
]
ERRORS = {
    "steady:base": (1, 2, 1, 3, 2, 0, 3, 2, 4, 2, 3, 1),
    "quick:base": (4, 5, 6, 3, 6, 5, 7, 8, 6, 7, 5, 9),
    "slow:base": (9, 8, 10, 9, 7, 9, 8, 11, 9, 10, 9, 8),
}
UNDER_NOISE = ("steady:base", "quick:base")
WALL_OF_AUDIO = {"steady:base": 0.5, "quick:base": 0.25, "slow:base": 0.75}
MORE_UNDER_NOISE = 8
WER = {model: sum(errors) / (N_WORDS * N_CALLS) for model, errors in ERRORS.items()}


def write(root: Path, model: str, *, more: int = 0, condition: str | None = None) -> Path:
    """Write a record of the calls in which each has as many errors as ``ERRORS`` says, and some more."""
    hypotheses = []
    for call, n in zip(CALLS, ERRORS[model], strict=True):
        text = misheard((call.reference or "").split(), n + more)
        hypotheses.append((call, heard(call, text, WALL_OF_AUDIO[model] * call.duration_s)))
    return record(root, model, "calls", hypotheses, condition=condition)


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> StudyView:
    root = tmp_path_factory.mktemp("calls")
    clean = [write(root, model) for model in ERRORS]
    noisy = [
        write(root, model, more=MORE_UNDER_NOISE, condition="noise:10dB") for model in ("steady:base", "quick:base")
    ]
    one = clip("letter", said(N_WORDS, 99), 8.0)
    silence = clip("silence", [], 8.0)
    others = [
        record(root, model, dataset, [(each, heard(each, text, 1.0))])
        for dataset, each, text in (("letters", one, misheard(said(N_WORDS, 99), 4)), ("silence", silence, ""))
        for model in ("steady:base", "quick:base")
    ]
    return study([*clean, *noisy, *others])


@pytest.fixture(scope="module")
def board(calls: StudyView) -> Board:
    return next(board for board in calls.boards if board.table.name == "calls")


def runs_of(board: Board) -> dict[str, Run]:
    return {row.label: store.read_run(row.record) for row in board.table.rows}


def wer_row(label: str, run: Run) -> dict[str, Any]:
    score = run.score("wer")
    assert score is not None
    assert score.ci95 is not None
    low, high = score.ci95
    return {"label": label, "wer": score.value, "low": low, "high": high, "shown": percent(score)}


def spec(*names: str) -> charts.Spec:
    rows = [{"label": name, "wer": 0.1} for name in names]
    x = {"field": "wer", "type": "quantitative"}
    y = {"field": "label", "type": "nominal"}
    tip = {"description": {"field": "label", "type": "nominal"}}
    layer = {"mark": {"type": "point", "color": charts.SERIES[0]}, "encoding": {"x": x, "y": y, **tip}}
    return {"data": {"values": rows}, "layer": [layer], "config": {"axis": {"labelColor": charts.INK}}}


def test_a_drawing_takes_on_the_colours_of_the_page() -> None:
    made = draw.svg(spec("one"), "a chart", "c")
    assert "var(--c0)" in made
    assert "var(--ink)" in made
    assert charts.SERIES[0] not in made


def test_a_name_with_markup_is_text_in_a_drawing() -> None:
    hostile = "</svg><script>alert(1)</script>"
    tree = ET.fromstring(draw.svg(spec(hostile), hostile, "c"))
    tags = {element.tag.rpartition("}")[2] for element in tree.iter()}
    assert tags <= {"svg", "g", "path", "rect", "line", "circle", "text", "tspan", "defs", "clipPath", "title"}
    assert hostile in {element.text for element in tree.iter()}
    assert not [name for element in tree.iter() for name in element.attrib if name.startswith("on") or "href" in name]


def test_ids_of_two_drawings_differ() -> None:
    def ids(prefix: str) -> set[str]:
        return {found for e in ET.fromstring(draw.svg(spec("a"), "", prefix)).iter() if (found := e.get("id"))}

    assert not ids("one") & ids("two")


def test_the_same_specification_is_a_png_file() -> None:
    assert draw.png(spec("one"))[:8] == b"\x89PNG\r\n\x1a\n"


def test_names_of_points_in_one_place_are_written_in_different_places() -> None:
    found = beside([(100, 100)] * 4, ["one", "two", "three", "four"], (300, 200))
    assert len({(place["align"], place["dx"], place["dy"]) for place in found}) == 4


@pytest.mark.parametrize(("x", "align"), [(5, "left"), (295, "right")])
def test_a_name_stays_inside_the_plot(x: float, align: str) -> None:
    (place,) = beside([(x, 100)], ["a name of some length"], (300, 200))
    assert place["align"] == align


def test_the_chart_of_wer_has_the_rates_and_intervals_of_the_records(board: Board) -> None:
    chart = charts.wer(board.table)
    rows = chart["data"]["values"]
    assert rows == [wer_row(label, run) for label, run in runs_of(board).items()]
    assert {row["label"]: row["wer"] for row in rows} == WER
    assert all(row["low"] <= row["wer"] <= row["high"] for row in rows)
    assert chart["encoding"]["y"]["sort"] == ["steady:base", "quick:base", "slow:base"]
    line, point, text = (layer["encoding"] for layer in chart["layer"])
    assert (line["x"]["field"], line["x2"]["field"], point["x"]["field"]) == ("low", "high", "wer")
    assert text["text"]["field"] == "shown"
    assert chart["layer"][1]["encoding"]["x"]["scale"]["domain"][1] > max(row["high"] for row in rows)


def test_a_run_without_an_interval_is_a_point_of_its_rate(calls: StudyView) -> None:
    letters = next(board for board in calls.boards if board.table.name == "letters")
    rows = charts.wer(letters.table)["data"]["values"]
    assert [(row["wer"], row["low"], row["high"]) for row in rows] == [(0.1, 0.1, 0.1)] * 2


def test_every_dataset_with_a_wer_has_its_chart_under_its_name(calls: StudyView) -> None:
    tables = [board.table for board in calls.boards if board.table.dataset.condition is None]
    chart = charts.wer_by_dataset(tables)
    scored = [table for table in tables if table.name != "silence"]
    assert len(scored) == len(tables) - 1
    assert [part["data"] for part in chart["vconcat"]] == [charts.wer(table)["data"] for table in scored]
    names = [part["title"]["text"].partition(":")[0] for part in chart["vconcat"]]
    assert names == [table.name for table in scored]
    drawing = draw.svg(chart, "WER", "c")
    assert all(percent(row.run.score("wer")) in drawing for table in scored for row in table.rows)


def test_the_chart_of_speed_has_the_clocks_of_the_records_and_their_front(board: Board) -> None:
    line, dots, *names = charts.speed(board, "cpu")["layer"]
    points = dots["data"]["values"]
    assert {p["label"]: (p["wer"], p["rtfx"]) for p in points} == {
        label: (run.score("wer").value, run.speed.rtfx)  # type: ignore[union-attr]
        for label, run in runs_of(board).items()
    }
    assert {p["label"]: p["rtfx"] for p in points} == pytest.approx(
        {m: 1 / share for m, share in WALL_OF_AUDIO.items()}
    )
    assert [p["label"] for p in line["data"]["values"]] == ["quick:base", "steady:base"]
    assert [name["data"]["values"] for name in names] == [[p] for p in points]
    (left, right), (bottom, top) = (dots["encoding"][axis]["scale"]["domain"] for axis in "xy")
    assert all(left < p["rtfx"] < right and bottom < p["wer"] < top for p in points)


def test_the_chart_of_times_has_the_percentiles_of_the_clips(board: Board) -> None:
    rows = charts.times(board)["data"]["values"]
    assert [row["label"] for row in rows] == list(board.times)
    for row in rows:
        walls = [WALL_OF_AUDIO[row["label"]] * call.duration_s for call in CALLS]
        shares = [5, 25, 50, 75, 95, 99]
        assert [row[f"p{share}"] for share in shares] == pytest.approx(np.percentile(walls, shares).tolist())


def test_the_chart_of_a_part_has_the_rates_and_intervals_of_its_clips(board: Board) -> None:
    cut = next(cut for cut in board.parts if cut.by == "line")
    labels = [row.label for row in board.table.rows]
    rows = charts.part(cut, labels)["data"]["values"]
    assert [(row["value"], row["label"]) for row in rows] == list(product(cut.values, labels))
    with_interval = 0
    for row in rows:
        places = range(N_PHONE) if row["value"] == "phone" else range(N_PHONE, N_CALLS)
        errors = [ERRORS[row["label"]][n] for n in places]
        assert row["wer"] == sum(errors) / (len(errors) * N_WORDS)
        pairs = [(result.clip, result.score) for result in board.results[row["label"]]]
        of_clips = next(part for part in slices(pairs, "line") if part.value == row["value"])
        assert (row["low"], row["high"]) == (of_clips.ci95 or (row["wer"], row["wer"]))
        with_interval += of_clips.ci95 is not None
    assert with_interval >= 3


def test_the_curves_have_the_rates_and_intervals_of_the_runs_under_each_condition(calls: StudyView) -> None:
    assert calls.robustness is not None
    (panel,) = calls.robustness.panels
    chart = charts.curves(panel)
    rows = chart["data"]["values"]
    more = MORE_UNDER_NOISE / N_WORDS
    assert {(row["label"], row["condition"]): row["wer"] for row in rows} == pytest.approx(
        {(model, name): WER[model] + extra for model in UNDER_NOISE
         for name, extra in (("clean", 0.0), ("noise:10dB", more))}
    )  # fmt: skip
    for curve in panel.curves:
        by_name = {row["condition"]: row for row in rows if row["label"] == curve.label}
        for name, path in [("clean", curve.clean_record), *((p.condition, p.record) for p in curve.points)]:
            expected = wer_row(curve.label, store.read_run(path))
            assert {key: by_name[name][key] for key in ("wer", "low", "high")} == {
                key: expected[key] for key in ("wer", "low", "high")
            }
    assert chart["layer"][0]["encoding"]["x"]["sort"] == ["clean", "noise:10dB"]


def test_the_card_has_the_numbers_of_the_best_runs_and_no_more(board: Board) -> None:
    many = replace(board, table=replace(board.table, rows=board.table.rows * 4))
    card = charts.card(many, "Steady is best", ["Of three models."])
    assert card["data"]["values"] == charts.wer(many.table)["data"]["values"][: charts.MOST]
    assert card["title"]["text"] == ["Steady is best"]
    assert card["title"]["subtitle"] == ["Of three models."]
