from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reports.reports import records

from earwitness.comparison.pareto import front
from earwitness.comparison.study import study
from earwitness.comparison.table import ModelRow
from earwitness.records.store import read_run

HOLDS = ("pareto.py", "slices.py", "scoring/metrics/timing.py")


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return records(tmp_path_factory.mktemp("study"))


def rows_of(path: Path, pairs: list[tuple[float, float]]) -> list[ModelRow]:
    run = read_run(path)
    assert run.speed is not None
    made = []
    for number, (wer, rtf) in enumerate(pairs):
        scores = tuple(replace(s, value=wer) if s.metric == "wer" else s for s in run.scores)
        altered = replace(run, scores=scores, speed=replace(run.speed, rtf=rtf))
        made.append(ModelRow(str(number), path, altered, "cpu", None, ""))
    return made


@given(pairs=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5)), min_size=1, max_size=8))
def test_a_row_is_on_the_front_exactly_when_no_other_beats_it(paths: list[Path], pairs: list[tuple[int, int]]) -> None:
    found = front(rows_of(paths[0], [(float(wer), float(rtf)) for wer, rtf in pairs]))
    for number, (wer, rtf) in enumerate(pairs):
        beaten = any(w <= wer and r <= rtf and (w, r) != (wer, rtf) for w, r in pairs)
        assert (str(number) in found) is not beaten
    speeds = [pairs[int(label)][1] for label in found]
    assert speeds == sorted(speeds)
    assert all(pairs[int(a)][0] >= pairs[int(b)][0] for a, b in itertools.pairwise(found))


def test_parts_are_what_divides_the_clips_and_add_up_to_the_whole(paths: list[Path]) -> None:
    (board,) = study(paths).boards
    assert [cut.by for cut in board.parts] == ["language", "duration", "rate", "kind"]
    for cut in board.parts:
        for row in board.table.rows:
            whole = row.run.score("wer")
            assert whole is not None
            assert whole.edits is not None
            parts = cut.slices[row.label].values()
            assert sum(part.edits.errors for part in parts) == whole.edits.errors
            assert sum(part.edits.length for part in parts) == whole.edits.length


def test_a_failed_clip_has_no_time(paths: list[Path]) -> None:
    (board,) = study(paths).boards
    assert board.times["fake:good"].n == board.times["fake:poor"].n + 1
