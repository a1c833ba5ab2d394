"""Rows from several devices and machines: said, never ranked by speed in silence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from earwitness import data
from earwitness.comparison.matrix import matrix
from earwitness.comparison.table import Table, compare
from earwitness.engines.catalog import find
from earwitness.records.record import RunLimits, Selection
from earwitness.reports.matrix import legend, matrix_grid, plain_matrix
from earwitness.reports.scorecard import columns, markdown, notes
from earwitness.runs.drive import Job, start
from earwitness.types import Settings

HOLDS = ("comparison/matrix.py", "reports/matrix.py")

Measure = Callable[..., Path]
T4 = {"cpu": "Intel(R) Xeon(R) CPU @ 2.00GHz", "cores": 2}


@pytest.fixture
def measure(tmp_path: Path, three_clips: Path) -> Measure:
    """Runs a model here; a record from elsewhere is one whose place is written over."""

    def run(model: str, device: str = "cpu", machine: dict[str, Any] | None = None, **settings: Any) -> Path:
        selection = Selection(str(three_clips))
        job = Job(find(model), None, None, data.load(three_clips), selection,
                  settings=Settings(**settings), limits=RunLimits(warmup=0))  # fmt: skip
        path = start(job, tmp_path / "runs", lambda *_: None)
        record = json.loads(path.read_text())
        record["device_used"] = device
        record["environment"] |= machine or {}
        path.write_text(json.dumps(record))
        return path

    return run


def only_table(*paths: Path) -> Table:
    (table,) = compare(paths).tables
    return table


def test_one_place_has_no_device_column_and_no_note(measure: Measure) -> None:
    table = only_table(measure("fake:echo"), measure("fake:chat"))
    assert "Device" not in [column.heading for column in columns(table)]
    assert not [note for note in notes(table) if "devices or machines" in note]
    assert "machine A" not in markdown(compare([row.record for row in table.rows]))


def test_two_devices_of_one_machine_give_a_column_and_a_note(measure: Measure) -> None:
    table = only_table(measure("fake:echo"), measure("fake:chat", "cuda:0"))
    assert [row.place for row in table.rows] == ["cpu", "cuda:0"]
    assert [column.heading for column in columns(table)][:2] == ["Model", "Device"]
    (note,) = (note for note in notes(table) if "devices or machines" in note)
    assert "2 devices or machines (cpu; cuda:0)" in note
    assert "RTF, times and memory compare only between rows of the same one" in note


def test_the_same_device_of_two_machines_is_two_places(measure: Measure) -> None:
    here, there = measure("fake:echo"), measure("fake:echo", machine={"cpu": "Another", "cores": 2})
    table = only_table(here, there)
    assert {row.label for row in table.rows} == {"fake:echo on cpu of machine A", "fake:echo on cpu of machine B"}
    text = markdown(compare([here, there]))
    assert "| fake:echo on cpu of machine B | cpu of machine B |" in text
    assert "- machine B: Another, 2 cores" in text


def test_only_labels_that_are_there_twice_are_made_longer(measure: Measure) -> None:
    paths = measure("fake:echo"), measure("fake:chat"), measure("fake:chat", "cuda:0")
    assert {row.label for row in only_table(*paths).rows} == {"fake:echo", "fake:chat on cpu", "fake:chat on cuda:0"}


def test_every_cell_says_measured_not_run_or_unsupported_with_the_reason(measure: Measure) -> None:
    made = matrix(only_table(measure("fake:echo"), measure("fake:chat"), measure("fake:chat", "cuda:0", T4)))
    # Letters go by the order of the records' names.
    assert [place.partition(" of machine ")[0] for place in made.places] == ["cpu", "cuda:0", "mps", "tpu"]
    assert {place[-1] for place in made.places[:2]} == {"A", "B"}
    states = {line.label: [cell.state for cell in line.cells] for line in made.lines}
    assert states == {
        "fake:echo": ["measured", "unsupported", "unsupported", "unsupported"],
        "fake:chat": ["measured", "measured", "unsupported", "unsupported"],
    }
    header, rows = matrix_grid(made)
    assert header == ["Model", *made.places]
    shown = dict(zip(header, next(row for row in rows if row[0] == "fake:chat"), strict=True))
    assert shown[made.places[0]].startswith("WER ")
    assert ", RTF " in shown[made.places[1]]
    assert shown["tpu"].startswith("unsupported [")
    assert "fake: it has no use for one" in legend(made)[int(shown["tpu"][-2]) - 1]


def test_supported_and_not_measured_is_not_run(measure: Measure) -> None:
    made = matrix(only_table(measure("fake:echo", "cuda:0"), measure("fake:chat", "cuda:0")))
    cell = made.lines[0].cells[made.places.index("cpu")]
    assert (cell.state, cell.reason, cell.rows) == ("not run", "", ())


def test_an_engine_that_is_not_known_here_is_not_run_and_the_legend_says_why(measure: Measure) -> None:
    path = measure("fake:echo")
    record = json.loads(path.read_text())
    record["engine"]["name"] = "theirs"
    path.write_text(json.dumps(record))
    made = matrix(only_table(path, measure("fake:chat")))
    line = next(line for line in made.lines if line.engine == "theirs")
    assert [cell.state for cell in line.cells] == ["measured", "not run", "not run", "not run"]
    assert any(
        text.endswith("theirs: this Earwitness does not know the engine, nor what it runs on") for text in legend(made)
    )


def test_settings_that_were_asked_for_are_lines_of_their_own_and_threads_are_not(measure: Measure) -> None:
    paths = [measure("fake:echo"), measure("fake:echo", beam_size=5), measure("fake:echo", "cuda:0", T4, threads=7)]
    made = matrix(only_table(*paths))
    assert {line.label for line in made.lines} == {"fake:echo (beam_size=1)", "fake:echo (beam_size=5)"}
    greedy = next(line for line in made.lines if line.label.endswith("=1)"))
    assert [cell.state for cell in greedy.cells[:2]] == ["measured", "measured"]


def test_the_numbers_of_the_matrix_are_those_of_the_records(measure: Measure) -> None:
    table = only_table(measure("fake:echo"), measure("fake:chat", "cuda:0"))
    measured = {
        run["record"]: (run["wer"]["value"], run["rtf"])
        for line in plain_matrix(table)["lines"]
        for cell in line["cells"]
        for run in cell["runs"]
    }
    assert measured == {
        str(row.record): (row.run.score("wer").value, row.run.speed.rtf)  # type: ignore[union-attr]
        for row in table.rows
    }
