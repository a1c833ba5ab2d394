"""Labels over records: rates come from labels, ranks from estimates, and the records stay as they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.comparison.study import clip, heard, misheard, record, said

from earwitness.api.compare import compare, decide
from earwitness.api.gate import baseline, gate
from earwitness.api.label_estimates import label_estimates
from earwitness.api.report import report
from earwitness.errors import RecordError, UsageError
from earwitness.labels.label import Label
from earwitness.labels.over_runs import CHOSEN_BY_HAND
from earwitness.labels.overlay import append_label, plan_path
from earwitness.labels.plan import plan_labels
from earwitness.labels.plan_file import write_plan
from earwitness.labels.pool import pool_of
from earwitness.labels.record_view import BY_HAND
from earwitness.records.select import newest_with_clips
from earwitness.records.store import clips_path, find_records, read_clips
from earwitness.types import Clip

HOLDS = ["over_runs.py", "api/label_records.py", "api/label_estimates.py", "decision/pool_rate.py"]
N = 60
SPOKEN = {f"c{number:02d}": said(10, number) for number in range(N)}
"""What was said in each clip; no record knows it."""
ERRORS = {"steady:base": [n % 3 for n in range(N)], "quick:base": [2 + n % 4 for n in range(N)]}
"""Of the ten words of each clip: 10 % and 35 %."""


def silent(id_: str) -> Clip:
    return replace(clip(id_, SPOKEN[id_], 4.0), reference=None)


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two models over sixty clips without references."""
    monkeypatch.chdir(tmp_path)
    for model, wrong in ERRORS.items():
        clips = [silent(id_) for id_ in SPOKEN]
        texts = [misheard(SPOKEN[one.id], n) for one, n in zip(clips, wrong, strict=True)]
        hypotheses = [(one, heard(one, text, 1.0)) for one, text in zip(clips, texts, strict=True)]
        record(tmp_path / "runs", model, "calls.jsonl", hypotheses)
    return tmp_path / "runs"


def label(id_: str, author: str = "ana", text: str | None = None) -> Label:
    one = silent(id_)
    words = " ".join(SPOKEN[id_]) if text is None else text
    return Label(id_, one.audio_sha256, 0.0, 4.0, words, "text", author, "2026-11-30T09:00:00Z")


def plan(runs: Path, overlay: Path, n_labels: int) -> list[str]:
    """Write the plan beside the overlay, and return the clips to label."""
    found = newest_with_clips(find_records([runs]))
    made = plan_labels(pool_of([result.clip for result in found[0].results], found), n_labels)
    write_plan(plan_path(overlay), made)
    return list(made.clips)


def test_a_few_labels_of_a_plan_give_every_model_a_rate_of_the_pool_and_a_rank(runs: Path) -> None:
    overlay = runs.parent / "calls.labels.jsonl"
    before = {path: path.read_bytes() for path in runs.rglob("*.json*")}
    for id_ in plan(runs, overlay, 30):
        append_label(overlay, label(id_))
    (table,) = compare(runs).tables
    assert [(row.label, row.rank) for row in table.rows] == [("steady:base", "1"), ("quick:base", "2")]
    for row, rate in zip(table.rows, (0.1, 0.35), strict=True):
        wer = row.run.score("wer")
        assert wer is not None
        assert wer.value is not None
        assert wer.ci95 is not None
        assert wer.value == pytest.approx(rate, abs=0.04)
        assert wer.ci95[0] < rate < wer.ci95[1]
        assert "|target:this pool|labels:30/60|overlay:" in wer.signature
    assert table.labels[0].startswith("Target: this pool. 30 of 60 clips have a label (calls.labels.jsonl)")
    assert {path: path.read_bytes() for path in runs.rglob("*.json*")} == before
    assert [pair.difference.target for pair in table.pairs] == ["this pool"]
    details = label_estimates(overlay, runs=runs)
    assert {one.label: one.estimate.value for one in details.models} == {
        row.label: score.value for row in table.rows if (score := row.run.score("wer"))
    }
    with pytest.raises(RecordError, match="no label plan"):
        label_estimates(overlay, runs=runs, plan="gone.json")


def test_the_report_shows_the_rates_by_labels_and_says_what_they_are_about(runs: Path, tmp_path: Path) -> None:
    overlay = tmp_path / "elsewhere" / "calls.labels.jsonl"
    for id_ in plan(runs, overlay, 30):
        append_label(overlay, label(id_))
    made = report(runs, out=tmp_path / "without", audio="none")
    assert "30 of 60 clips have a label" not in made.page.read_text(encoding="utf-8")
    made = report(runs, out=tmp_path / "out", overlay=overlay, audio="none")
    (table,) = compare(runs, overlay=overlay).tables
    wer = table.rows[0].run.score("wer")
    assert wer is not None
    assert wer.value is not None
    for text in (made.page.read_text(encoding="utf-8"), (tmp_path / "out" / "results.md").read_text(encoding="utf-8")):
        assert "Target: this pool. 30 of 60 clips have a label (calls.labels.jsonl)" in text
        assert f"{100 * wer.value:.1f} %" in text
        assert "of recordings like these" not in text


def test_labels_that_a_person_chose_give_rates_without_intervals_and_no_rank(runs: Path) -> None:
    for id_ in list(SPOKEN)[:20]:
        append_label(runs.parent / "calls.labels.jsonl", label(id_))
    (table,) = compare(runs).tables
    assert table.unranked == BY_HAND
    wer = table.rows[0].run.score("wer")
    assert wer is not None
    assert (wer.value, wer.ci95, wer.reason, wer.n_clips) == (19 / 200, None, CHOSEN_BY_HAND, 20)
    assert "which a person chose" in table.labels[0]


def test_when_every_clip_has_a_label_nothing_is_estimated(runs: Path) -> None:
    for id_ in SPOKEN:
        append_label(runs.parent / "calls.labels.jsonl", label(id_))
    (table,) = compare(runs).tables
    assert table.unranked is None
    assert [row.rank for row in table.rows] == ["1", "2"]
    assert table.labels == (
        "References: 60 of 60 clips have a label (calls.labels.jsonl); every clip has a reference.",
    )


def test_without_an_overlay_all_is_as_before(runs: Path) -> None:
    (table,) = compare(runs).tables
    assert table.labels == ()
    assert "no clip has a reference" in (table.unranked or "")


def test_an_overlay_elsewhere_is_named_and_one_of_other_data_is_refused(runs: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "others" / "mine.labels.jsonl"
    for id_ in list(SPOKEN)[:20]:
        append_label(elsewhere, label(id_))
    assert compare(runs, overlay=elsewhere).tables[0].labels
    other = tmp_path / "others" / "other.labels.jsonl"
    append_label(other, replace(label("c00"), clip_id="z"))
    with pytest.raises(UsageError, match=r"No label of '.*other\.labels\.jsonl' is of a clip of these records"):
        compare(runs, overlay=other)
    with pytest.raises(UsageError, match="There is no overlay 'gone'"):
        compare(runs, overlay="gone")


def test_problems_of_the_labels_are_said_under_the_table(runs: Path) -> None:
    overlay = runs.parent / "calls.labels.jsonl"
    append_label(overlay, label("c00"))
    append_label(overlay, label("c00", "ben", "something else"))
    append_label(overlay, replace(label("c01"), audio_sha256="f" * 64))
    (table,) = compare(runs).tables
    assert any("Labels disagree" in line and "'c00'" in line for line in table.labels)
    assert any("The audio changed" in line and "'c01'" in line for line in table.labels)


@pytest.fixture
def policy(tmp_path: Path) -> Callable[[float], str]:
    """Writes a policy whose one gate is a WER."""

    def write(limit: float) -> str:
        path = tmp_path / "policy.toml"
        path.write_text(
            f'name = "words"\nsummary = "words"\n[gates]\nwer = {{ at_most = {limit} }}\n', encoding="utf-8"
        )
        return str(path)

    return write


def test_a_policy_is_judged_by_the_estimate_and_the_condition_says_so(
    runs: Path, policy: Callable[[float], str]
) -> None:
    overlay = runs.parent / "calls.labels.jsonl"
    for id_ in plan(runs, overlay, 30):
        append_label(overlay, label(id_))
    decision = decide(runs, policy=policy(0.2))
    status = {verdict.candidate: verdict.status for verdict in decision.verdicts}
    assert status == {"steady:base": "conditional", "quick:base": "rejected"}
    assert decision.chosen == "steady:base"
    assert any("Target: this pool. 30 of 60 clips have a label" in one for one in decision.verdicts[0].conditions)
    assert next(one for one in decision.winners if one.category == "accuracy").candidates == ("steady:base",)


def test_a_policy_is_not_passed_on_labels_that_a_person_chose(runs: Path, policy: Callable[[float], str]) -> None:
    for id_ in list(SPOKEN)[:20]:
        append_label(runs.parent / "calls.labels.jsonl", label(id_))
    decision = decide(runs, policy=policy(0.2))
    assert "production" not in {verdict.status for verdict in decision.verdicts}
    assert any(CHOSEN_BY_HAND.removeprefix("no interval: ") in json.dumps(one.conditions + one.reasons)
               for one in decision.verdicts)  # fmt: skip


def test_the_gate_compares_the_labelled_clips_with_those_of_the_baseline(runs: Path) -> None:
    for id_ in list(SPOKEN)[:20]:
        append_label(runs.parent / "calls.labels.jsonl", label(id_))
    baseline(runs)
    assert gate(runs).passed
    worse = runs.parent / "worse"
    for model in ERRORS:
        clips = [silent(id_) for id_ in SPOKEN]
        record(worse, model, "calls.jsonl", [(one, heard(one, misheard(SPOKEN[one.id], 6), 1.0)) for one in clips])
    verdict = gate(worse)
    assert not verdict.passed
    words = [check for entry in verdict.judged for check in entry.checks if hasattr(check, "n_clips")]
    assert {check.n_clips for check in words} == {20}


def test_the_record_is_read_as_it_is_where_no_labels_were_put_over_it(runs: Path) -> None:
    from earwitness.api.label_records import record_view

    (path, *_) = find_records([runs])
    assert record_view().clips(path) == read_clips(path)
    assert clips_path(path).is_file()


def test_labels_of_spans_give_a_rate_of_a_long_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = said(200, 7)
    one = replace(clip("long", words, 100.0), reference=None)
    for model, wrong in (("steady:base", 20), ("quick:base", 60)):
        record(tmp_path / "runs", model, "calls.jsonl", [(one, heard(one, misheard(words, wrong), 9.0))])
    text = " ".join(words[50:100])
    span = Label("long@25.00-50.00", one.audio_sha256, 25.0, 25.0, text, "text", "ana", "2026-11-30T09:00:00Z")
    append_label(tmp_path / "calls.labels.jsonl", span)
    (table,) = compare(tmp_path / "runs").tables
    scores = [row.run.score("wer") for row in table.rows]
    assert [score.value for score in scores if score] == [0.1, 0.3]
    assert [score.n_clips for score in scores if score] == [1, 1]
    assert "1 of 4 spans have a label" in table.labels[0]
