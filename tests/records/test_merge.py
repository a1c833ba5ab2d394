"""Merged shards are the record that one machine writes; whatever does not belong together is refused by name."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.records.same import content
from tests.runs.jobs import job, quiet

import earwitness as ew
from earwitness.cli import main
from earwitness.data.shards import part_of
from earwitness.records import store
from earwitness.records.machines import one_environment, one_speed, one_workers
from earwitness.records.merge import MergeResult, merge
from earwitness.records.record import Run
from earwitness.records.select import newest
from earwitness.runs.conditions import under
from earwitness.runs.drive import start
from earwitness.runs.job import Job
from earwitness.types import Settings

HOLDS = ("machines.py", "api/merge.py", "cli/merge.py")
ANSWERS: dict[str, dict[str, Any]] = {
    "1": {"text": "one"}, "2": {"text": "too words"}, "3": {"model": "error"}, "*": {"text": "uno dos"},
}  # fmt: skip


@pytest.fixture
def whole(tmp_path: Path, three_clips: Path, write_wav: Callable[..., Path]) -> Job:
    """Five clips, of which one fails."""
    with three_clips.open("a") as manifest:
        for seconds, lang in ((4, "es"), (5, "en")):
            write_wav(f"{seconds}.wav", seconds)
            row = {"audio_filepath": f"{seconds}.wav", "text": "uno dos", "lang": lang, "recording": "r"}
            manifest.write(json.dumps(row) + "\n")
    return job(tmp_path / "m", three_clips, ANSWERS)


def shard_of(whole: Job, text: str) -> Job:
    clean = replace(whole.dataset, condition=None)
    dataset = under(part_of(clean, text), whole.selection.condition)
    return replace(whole, dataset=dataset, selection=replace(whole.selection, shard=text))


def shards(whole: Job, of: int, out: Path) -> list[Path]:
    return [start(shard_of(whole, f"{number}/{of}"), out, quiet) for number in range(1, of + 1)]


def change(record: Path, **more: Any) -> None:
    """Write a record again with other values."""
    store.write_run(record, replace(store.read_run(record), **more))


def only(results: Sequence[MergeResult]) -> MergeResult:
    (result,) = results
    return result


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(of=st.integers(1, 5), seed=st.randoms(use_true_random=False))
def test_merged_shards_are_the_record_of_one_machine_whatever_their_number_and_order(
    whole: Job, tmp_path_factory: pytest.TempPathFactory, of: int, seed: Any
) -> None:
    out = tmp_path_factory.mktemp("out")
    records = shards(whole, of, out / "shards")
    seed.shuffle(records)
    result = only(merge(records, out / "runs"))
    assert result.outcome == "merged", result.reason
    assert result.record is not None
    assert content(result.record) == content(start(whole, out / "alone", quiet))
    run = store.read_run(result.record)
    assert store.seal_fits(result.record, run)
    assert [machine.name for machine in run.machines] == [f"shard {n} of {of}" for n in range(1, of + 1)]
    assert run.speed is not None
    assert run.speed.n_timed == 4


def test_under_a_condition_that_takes_other_voices_the_merged_record_is_the_same(
    tmp_path: Path, write_wav: Callable[..., Path]
) -> None:
    rows = [{"audio_filepath": str(write_wav(f"b{n}.wav", 1 + n / 4)), "text": f"{n}", "id": f"b{n}"} for n in range(8)]
    manifest = tmp_path / "many.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    clean = job(tmp_path / "m", manifest, {"*": {"model": "echo"}})
    name = "babble:10dB"
    noisy = replace(clean, dataset=under(clean.dataset, name), selection=replace(clean.selection, condition=name))
    parts = [replace(shard_of(noisy, f"{n}/2"), dataset=under(part_of(clean.dataset, f"{n}/2"), name)) for n in (1, 2)]
    records = [start(part, tmp_path / "shards", quiet) for part in parts]
    result = only(merge(records, tmp_path / "runs"))
    assert result.record is not None, result.reason
    assert content(result.record) == content(start(noisy, tmp_path / "alone", quiet))
    assert ew.export(result.record, tmp_path / "r.zip").left_out == ()


def test_what_is_merged_stands_for_its_shards_and_is_merged_once(whole: Job, tmp_path: Path) -> None:
    out = tmp_path / "runs"
    records = shards(whole, 2, out)
    with pytest.raises(
        ew.ComparisonError, match="and 1 other are shards of .*Merge the shards first: earwitness merge"
    ):
        ew.compare(out)
    with pytest.raises(ew.ComparisonError, match="Merge the shards first"):
        ew.decide(out)
    result = only(ew.merge(records, out=out))
    assert (result.outcome, result.shards) == ("merged", tuple(records))
    left_out: list[str] = []
    assert [path for path, _ in newest(store.find_records([out]), left_out)] == [result.record]
    assert left_out == []
    again = only(ew.merge(out, out=out))
    assert (again.outcome, again.record) == ("already here", result.record)


Case = tuple[Callable[[Path, list[Path]], None], str]
CASES: dict[str, Case] = {
    "missing": (
        lambda _, records: store.clips_path(records[1]).unlink(),
        "Shard 2 of 2 is missing. Run it: earwitness",
    ),
    "unfinished": (lambda _, records: change(records[1], status="interrupted"), "Shard 2 of 2 is interrupted. Finish"),
    "edited": (lambda _, records: edit(records[1]), "its clips file was changed after the run"),
    "weights": (
        lambda _, records: change(records[1], model=replace(run_of(records[1]).model, weights_sha256="f" * 64)),
        "Shard [12] of 2 is missing: .* differs from .* in weights",
    ),
    "settings": (
        lambda _, records: change(records[1], settings_asked=Settings(threads=2, beam_size=7)),
        "differs from .* in settings",
    ),
    "data": (
        lambda _, records: change(records[1], dataset=with_data(run_of(records[1]), "0" * 64)),
        "differs from .* in data",
    ),
    "engine": (
        lambda _, records: change(records[1], engine=replace(run_of(records[1]).engine, packages={"fake": "2"})),
        "differs from .* in engine version",
    ),
}


def run_of(record: Path) -> Run:
    return store.read_run(record)


def with_data(run: Run, sha256: str) -> Any:
    assert run.dataset.shard is not None
    return replace(run.dataset, shard=replace(run.dataset.shard, sha256=sha256))


def edit(record: Path) -> None:
    path = store.clips_path(record)
    path.write_text(path.read_text().replace("uno dos", "uno tres"))


@pytest.mark.parametrize("name", CASES)
def test_a_shard_that_does_not_belong_is_refused_by_name(name: str, whole: Job, tmp_path: Path) -> None:
    records = shards(whole, 2, tmp_path / "runs")
    harm, says = CASES[name]
    harm(tmp_path, records)
    results = merge(store.find_records([tmp_path / "runs"]), tmp_path / "merged")
    assert [result.outcome for result in results] == ["refused"] * len(results)
    assert re.search(says, results[0].reason), results[0].reason
    assert not (tmp_path / "merged").exists()


def test_a_shard_that_is_there_twice_is_refused_with_both_names(
    whole: Job, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = [*shards(whole, 2, tmp_path / "runs"), start(shard_of(whole, "2/2"), tmp_path / "again", quiet)]
    assert main(["merge", *map(str, records), "--out", str(tmp_path / "merged")]) == 1
    said = capsys.readouterr().out
    assert f"Shard 2 of 2 is there 2 times: '{records[1]}' and '{records[2]}'. Name the one to take." in said
    assert main(["merge", *map(str, records[:2]), "--out", str(tmp_path / "merged"), "--json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert (answer["outcome"], answer["shards"]) == ("merged", list(map(str, records[:2])))


def test_without_a_shard_there_is_nothing_to_merge(whole: Job, tmp_path: Path) -> None:
    with pytest.raises(ew.RecordError, match="no shard among these records"):
        merge([start(whole, tmp_path / "runs", quiet)], tmp_path)


def test_machines_of_different_kinds_have_no_speed_together(whole: Job, tmp_path: Path) -> None:
    records = shards(whole, 2, tmp_path / "runs")
    other = replace(run_of(records[1]).environment, cpu="Another CPU", cores=64)
    change(records[1], environment=other)
    result = only(merge(records, tmp_path / "merged"))
    assert result.record is not None
    run = run_of(result.record)
    assert run.speed is None
    assert "Another CPU (64 cores)" in run.environment.cpu
    assert [machine.speed is not None for machine in run.machines] == [True, True]
    assert one_environment([other, other]) is other
    assert one_workers([None, None]) is None
    speed = run.machines[0].speed
    assert speed is not None
    assert one_speed(run.machines[:1], speed) is speed
