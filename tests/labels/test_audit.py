"""The audit of records: suspects, each model's rate without those that others name, and corrected rates."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.comparison.study import record
from tests.labels.planted import dataset as made_up
from tests.labels.planted import exchanged, shifted

import earwitness as ew
from earwitness.cli import main
from earwitness.comparison.table import compare
from earwitness.data.clips import fingerprint
from earwitness.errors import ComparisonError, UsageError
from earwitness.labels.audit import audit_runs, wer_without, with_reference
from earwitness.labels.audit_plan import audit_plan
from earwitness.labels.audit_records import runs_over
from earwitness.labels.estimate import estimate_labels
from earwitness.labels.label import Label, now
from earwitness.labels.plan_file import read_plan, refuse_other_pool
from earwitness.labels.pool import pool_of
from earwitness.records.run_texts import families_of, lineages_of, texts_of_runs
from earwitness.records.select import newest_with_clips
from earwitness.reports.scorecard import notes
from earwitness.scoring.findings.clip_texts import ClipTexts
from earwitness.types import Clip, Dataset, Hypothesis, Transcript

HOLDS = (
    "audit_records.py", "audit_plan.py", "records/run_texts.py", "comparison/reference_remark.py", "api/audit.py",
    "cli/audit.py",
)  # fmt: skip
CLEAN = made_up()
WRONG = exchanged(shifted(CLEAN, 10, 14), 2, 40)


def write(root: Path, clips: Sequence[ClipTexts], models: Sequence[str] = ("good", "fair")) -> list[Path]:
    """Write a record of each model."""
    paths = []
    for number, model in enumerate(models):
        texts = [(each.clip, Transcript(" ".join(each.texts[model]))) for each in clips]
        lines = [(clip, Hypothesis(clip.id, text, None, 1.0, wall_s=0.1)) for clip, text in texts]
        paths.append(record(root, f"{model}:{model}", "calls", lines, number=number))
    return paths


def dataset_of(clips: Sequence[ClipTexts], name: str = "calls") -> Dataset:
    rows: tuple[Clip, ...] = tuple(each.clip for each in clips)
    return Dataset(name, rows, fingerprint(rows))


def test_suspects_are_named_and_each_model_is_rated_without_its_own_vote(tmp_path: Path) -> None:
    runs = newest_with_clips(write(tmp_path, WRONG))
    found = audit_runs(runs, "calls")
    assert {one.clip_id for one in found.clips} == {f"clip-{n:03d}" for n in (2, 40, 10, 11, 12, 13, 14)}
    assert found.families == ("fair", "good")
    for model in found.models:
        assert model.n_left_out == 7
        assert model.as_is.value is not None
        assert model.without is not None
        assert model.without.value is not None
        assert model.without.value < model.as_is.value
        assert model.without.n_clips == model.as_is.n_clips - 7
        assert model.without.ci95 is not None
        assert model.corrected is None
    assert not found.order_changes
    assert len(found.order) == found.n_clips


def test_one_family_names_no_suspects_for_itself(tmp_path: Path) -> None:
    (model,) = audit_runs(newest_with_clips(write(tmp_path, WRONG, ["good"])), "calls").models
    assert model.without is None
    assert model.reason == "only one family of models has transcripts, and a model is no witness of its own"


def test_corrected_rates_come_from_labels_of_suspects_and_others(tmp_path: Path) -> None:
    runs = newest_with_clips(write(tmp_path, WRONG))
    first = audit_runs(runs, "calls")
    true = {each.clip.id: each.clip.reference for each in CLEAN}
    labels = {draw.clip_id: true[draw.clip_id] for draw in first.order[:30]}
    found = audit_runs(runs, "calls", references=labels)
    right = {run.label: wer_without(run, ()) for run in newest_with_clips(write(tmp_path / "right", CLEAN))}
    for model in found.models:
        assert model.corrected is not None
        assert model.corrected.value is not None
        truth, wrong = right[model.label].value, model.as_is.value
        assert truth is not None
        assert wrong is not None
        assert abs(model.corrected.value - truth) < abs(wrong - truth) / 4


def test_the_estimates_from_labels_read_the_plan_of_an_audit(tmp_path: Path) -> None:
    runs = newest_with_clips(write(tmp_path, WRONG))
    plan = audit_plan(audit_runs(runs, "calls").order, [each.clip for each in WRONG])
    true = {each.clip.id: each.clip for each in CLEAN}
    labels = [
        Label(one, true[one].audio_sha256, 0.0, true[one].duration_s, true[one].reference, "text", "ana", now())
        for one in plan.clips
    ]
    found = estimate_labels(plan, labels, runs)
    right = {run.label: wer_without(run, ()).value for run in newest_with_clips(write(tmp_path / "right", CLEAN))}
    for model in found.models:
        truth = right[model.label]
        assert truth is not None
        assert model.estimate.value == pytest.approx(truth, abs=0.05)


def test_a_clip_of_which_nobody_can_say_what_was_spoken_stays_as_it_is(tmp_path: Path) -> None:
    run = newest_with_clips(write(tmp_path, CLEAN))[0]
    assert with_reference(run.results[0], None, run) is run.results[0]
    assert with_reference(run.results[0], "other words", run).clip.reference == "other words"


def test_records_over_an_older_version_are_scored_against_the_present_references(tmp_path: Path) -> None:
    paths = write(tmp_path, WRONG)
    runs = runs_over(dataset_of(CLEAN), paths)
    right = newest_with_clips(write(tmp_path / "right", CLEAN))
    assert {run.label: wer_without(run, ()) for run in runs} == {run.label: wer_without(run, ()) for run in right}
    assert audit_runs(runs, "calls").clips == ()


def test_records_over_other_audio_are_passed_over(tmp_path: Path) -> None:
    with pytest.raises(ComparisonError, match="No complete run is over the clips of 'others'"):
        runs_over(dataset_of([*CLEAN, *made_up(30, seed=5)][60:], "others"), write(tmp_path, CLEAN[:20]))


def test_texts_stand_side_by_side_with_their_families(tmp_path: Path) -> None:
    runs = newest_with_clips(write(tmp_path, CLEAN))
    texts = texts_of_runs(runs)
    assert [each.clip.id for each in texts] == [each.clip.id for each in CLEAN]
    assert set(texts[0].texts) == {run.label for run in runs} == set(families_of(runs))
    assert set(lineages_of(runs)) == set(families_of(runs).values())


def test_a_table_says_that_references_do_not_belong_to_the_audio(tmp_path: Path) -> None:
    moved = [*shifted(CLEAN, 0, 58)]
    (table,) = compare(write(tmp_path, moved)).tables
    assert table.references is not None
    assert table.references.startswith("The references of calls do not belong to its audio: of ")
    assert notes(table)[0] == table.references
    (fine,) = compare(write(tmp_path / "fine", CLEAN)).tables
    assert fine.references is None


def test_a_bad_model_is_no_reason_to_doubt_the_references(tmp_path: Path) -> None:
    paths = write(tmp_path, made_up(good=0.7, fair=0.8))
    assert compare(paths).tables[0].references is None


@pytest.fixture
def manifest(tmp_path: Path, tone: Path) -> Path:
    """A manifest of sixty spans of one file, whose texts are shifted by a row in five places."""
    path = tmp_path / "calls.jsonl"
    rows = [
        {"audio_filepath": str(tone), "offset": n / 100, "duration": each.clip.duration_s, "text": each.clip.reference,
         "id": each.clip.id, "lang": "en"}
        for n, each in enumerate(shifted(CLEAN, 10, 14))
    ]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    import numpy as np
    import soundfile

    path = tmp_path / "tone.wav"
    soundfile.write(path, np.sin(np.arange(16_000 * 12) / 20).astype("float32"), 16_000)
    return path


def test_the_command_prints_writes_and_exits_with_one_for_suspects(
    tmp_path: Path, manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = ew.read_data(manifest).clips
    placed = [ClipTexts(clip, each.reference, each.texts) for clip, each in zip(clips, CLEAN, strict=True)]
    write(tmp_path / "runs", placed)
    arguments = ["audit", str(manifest), "--runs", str(tmp_path / "runs")]
    assert main([*arguments, "--out", str(tmp_path / "s.csv"), "--order", str(tmp_path / "o.json")]) == 1
    shown = capsys.readouterr().out
    assert "calls: 60 clips with a reference, 2 families of models\n5 suspect clips\n" in shown
    assert "clip-012: text off by rows" in shown
    with (tmp_path / "s.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["clip_id"] for row in rows if row["sort"] == "clip"} == {f"clip-{n:03d}" for n in range(10, 15)}
    plan = read_plan(tmp_path / "o.json")
    assert [(one.name, one.n_clips, one.n_labels) for one in plan.strata] == [
        ("suspects", 5, 5),
        ("others", 55, 30),
    ]
    refuse_other_pool(plan, pool_of(clips))
    assert main([*arguments, "--json"]) == 1
    assert len(json.loads(capsys.readouterr().out)["clips"]) == 5
    assert len(ew.audit(manifest, tmp_path / "runs").clips) == 5
    assert main(["data", "check", str(manifest), "--runs", str(tmp_path / "runs")]) == 0
    assert "do not belong" not in capsys.readouterr().out


def test_data_check_says_that_references_do_not_belong_to_the_audio(
    tmp_path: Path, manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = ew.read_data(manifest).clips
    turned = [ClipTexts(clip, (), CLEAN[(n + 1) % 60].texts) for n, clip in enumerate(clips)]
    write(tmp_path / "runs", turned)
    assert main(["data", "check", str(manifest), "--runs", str(tmp_path / "runs")]) == 1
    assert "error: The references of calls do not belong to its audio: of " in capsys.readouterr().out


def test_lists_have_a_known_kind_and_data_needs_references(tmp_path: Path, manifest: Path) -> None:
    assert main(["audit", str(manifest), "--runs", str(tmp_path), "--out", str(tmp_path / "s.txt")]) == 2
    blank = tmp_path / "blank.jsonl"
    lines = [json.loads(line) for line in manifest.read_text("utf-8").splitlines()]
    blank.write_text("".join(json.dumps({**line, "text": None}) + "\n" for line in lines), encoding="utf-8")
    clips = ew.read_data(blank).clips
    texts = [ClipTexts(clip, (), each.texts) for clip, each in zip(clips, CLEAN, strict=True)]
    write(tmp_path / "blank", texts)
    with pytest.raises(UsageError, match="itself has no references"):
        ew.audit(blank, tmp_path / "blank")
