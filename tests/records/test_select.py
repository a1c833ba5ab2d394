"""All that read several records see the same candidates, and of each the newest that is complete and sealed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.comparison.study import MACHINE, clip, heard, misheard, record, said

from earwitness.comparison.robustness import robustness
from earwitness.comparison.table import compare
from earwitness.decision.candidates import gather
from earwitness.records import store
from earwitness.records.prune import surplus
from earwitness.records.record import Run
from earwitness.records.select import newest, newest_with_clips

MODEL = "steady:base"
OTHERS: dict[str, Callable[[Run], Run]] = {
    "weights": lambda run: replace(run, model=replace(run.model, weights_sha256="0" * 64)),
    "options": lambda run: replace(run, model=replace(run.model, options={"voice": "low"})),
    "device": lambda run: replace(run, device_used="cuda:0"),
    "settings in force": lambda run: replace(run, settings_in_force={**run.settings_in_force, "beam_size": 9}),
    "processor": lambda run: replace(run, environment=replace(MACHINE, cpu="another processor")),
    "cores": lambda run: replace(run, environment=replace(MACHINE, cores=2)),
}
LATER = "2026-03-02T09:00:00.000+00:00"


def written(root: Path, number: int, change: Callable[[Run], Run], **more: Any) -> Path:
    """A record of five recordings."""
    pairs = []
    for n in range(5):
        words = said(20, n)
        one = clip(f"call-{n}", words, 10.0)
        pairs.append((one, heard(one, misheard(words, 2 + n % 2), 1.0)))
    path = record(root, MODEL, "calls", pairs, number=number, **more)
    store.write_run(path, change(store.read_run(path)))
    return path


def later(run: Run) -> Run:
    return replace(run, created_at=LATER, finished_at=LATER)


def counts(records: list[Path], noisy: list[Path]) -> dict[str, int]:
    """How many candidates each of those who ask sees in records of one dataset."""
    pairs = [(path, store.read_run(path)) for path in records]
    return {
        "compare": len(compare(records, alone=True).tables[0].rows),
        "analyze and plan": len(newest_with_clips(records)),
        "decide": len(gather(records).candidates),
        "prune": len(pairs) - len(surplus(pairs, {"superseded"})),
        "robustness": sum(len(panel.curves) for panel in robustness([*records, *noisy]).panels),
    }


@pytest.mark.parametrize("what", OTHERS)
def test_runs_that_differ_in_one_thing_are_two_candidates_to_all(tmp_path: Path, what: str) -> None:
    change = OTHERS[what]
    records = [written(tmp_path, 1, lambda run: run), written(tmp_path, 2, lambda run: later(change(run)))]
    noisy = [
        written(tmp_path / "noisy", 3, lambda run: run, condition="noise:10dB"),
        written(tmp_path / "noisy", 4, change, condition="noise:10dB"),
    ]
    found = counts(records, noisy)
    assert found == dict.fromkeys(found, 2)


def test_of_runs_that_differ_in_time_alone_the_newest_counts_to_all(tmp_path: Path) -> None:
    records = [written(tmp_path, 1, lambda run: run), written(tmp_path, 2, later)]
    noisy = [written(tmp_path / "noisy", 3, lambda run: run, condition="noise:10dB")]
    found = counts(records, noisy)
    assert found == dict.fromkeys(found, 1)
    left_out: list[str] = []
    assert [path for path, _ in newest(records, left_out)] == records[1:]
    assert newest_with_clips(records)[0].path == records[1]
    assert left_out == [f"{records[0]} was measured or scored again later."]


def test_a_record_whose_clips_were_edited_counts_to_nobody(tmp_path: Path) -> None:
    kept, edited = written(tmp_path, 1, lambda run: run), written(tmp_path, 2, later)
    lines = store.clips_path(edited)
    lines.write_text(lines.read_text("utf-8").replace("river", "desert"), "utf-8")
    left_out: list[str] = []
    assert [run.path for run in newest_with_clips([kept, edited], left_out)] == [kept]
    assert "its clips file was changed after the run" in left_out[0]
    assert [row.record for row in compare([kept, edited], alone=True).tables[0].rows] == [kept]
    judged = gather([kept, edited]).candidates
    assert [heard.path for candidate in judged for heard in candidate.runs] == [kept]
