from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.comparison.study import (
    GOLDEN,
    MACHINE,
    answer,
    clip,
    decided,
    heard,
    misheard,
    record,
    said,
    steadied,
    write_study,
)
from tests.decision.rulings import ruling

from earwitness.cli import main
from earwitness.decision.decide import decide
from earwitness.decision.decision import Decision, RuleResult, Verdict
from earwitness.decision.decision_file import decision_schema, plain_decision, read_decision, write_decision
from earwitness.decision.measures import incomplete_s
from earwitness.decision.policy import load
from earwitness.errors import ComparisonError, RecordError
from earwitness.records import store
from earwitness.records.record import ClipResult
from earwitness.records.speed import Drift
from earwitness.scoring import ScoringInfo
from earwitness.types import Clip, ClipScore, Finding, Hypothesis, Settings

HOLDS = (
    "candidates.py", "decision_file.py", "evidence.py", "grade.py", "judge.py", "next_steps.py", "winners.py",
    "cli/decide.py", "records/speed.py", "reports/decision.py",
)  # fmt: skip

FEW = (3, 1, 4, 2, 3, 2, 5, 1, 2, 3)
GATE = "[gates]\nwer = 0.3\n"


def clips(n: int = 10, words: int = 40) -> list[Clip]:
    return [clip(f"c{number}", said(words, number), 12.0) for number in range(n)]


def lines(
    errors: Sequence[int | None], wall_s: Sequence[float] | float = 1.0, **more: Any
) -> list[tuple[Clip, Hypothesis]]:
    """A model that makes so many errors in each clip; ``None`` is a failure."""
    walls = [wall_s] * len(errors) if isinstance(wall_s, float) else wall_s
    return [
        (one, heard(one, None if wrong is None else misheard((one.reference or "").split(), wrong), wall, **more))
        for one, wrong, wall in zip(clips(len(errors)), errors, walls, strict=True)
    ]


def verdict(text: str, path: Path) -> Verdict:
    (only,) = ruling(text, path).verdicts
    return only


def rule(text: str, path: Path) -> RuleResult:
    return verdict(text, path).rules[0]


def status(text: str, path: Path) -> str:
    return verdict(text, path).status


# The study


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("study") / "runs"
    write_study(root)
    return root


@pytest.fixture(scope="session")
def studied(study: Path) -> Decision:
    return decided(study)


def test_the_study_has_the_rates_of_the_one_that_was_made(studied: Decision) -> None:
    assert {v.candidate: v.promise["wer"] for v in studied.verdicts} == {
        "steady:base": 0.241, "quick:base": 0.285, "talker:chat": 1.378,
    }  # fmt: skip
    assert sorted(round(data.audio_s) for data in studied.datasets) == [163, 944]


def test_two_models_of_the_study_are_usable_and_the_one_that_answers_is_rejected(studied: Decision) -> None:
    by_name = {v.candidate: v for v in studied.verdicts}
    assert [v.status for v in studied.verdicts] == ["conditional", "conditional", "rejected"]
    assert studied.chosen == "steady:base"
    assert by_name["steady:base"].conditions[0] == (
        "measured on 2 recordings: the WER is of these recordings, and others may be harder; add more"
    )
    assert by_name["quick:base"].conditions[0].startswith("target missed: WER of these recordings 28.5 % [")
    why = by_name["talker:chat"].reasons
    assert why[0] == "it answers instead of transcribing, in 2 of 2 clips"
    assert "WER is 138 % because 756 words were inserted" in why[1]
    assert "2 clips with an answer in place of a transcript" in why[1]


@pytest.mark.parametrize(
    ("targets", "reason"),
    [("", "the one gate passes"), ("[targets]\nloop_share = 0.9\n", "the one gate passes and the one target passes")],
)
def test_one_gate_and_one_target_are_not_said_in_the_plural(tmp_path: Path, targets: str, reason: str) -> None:
    assert verdict(GATE + targets, record(tmp_path, "m:one", "d", lines(FEW))).reasons == (reason,)


@pytest.mark.parametrize(
    ("limit", "outcome"), [(0.05, "failed"), (0.07, "undecided"), (0.09, "undecided"), (0.2, "passed")]
)
def test_a_limit_of_speed_that_drift_leaves_open_is_undecided(tmp_path: Path, limit: float, outcome: str) -> None:
    path = record(tmp_path, "m:one", "d", lines(FEW, 1.0))  # an RTF of 1 / 12, open from 0.8 to 1.25 times
    run = store.read_run(path)
    store.write_run(path, replace(run, drift=Drift(9, 0.01, 0.8, 1.0, 1.25)))
    result = rule(f'[gates.rtf]\nat_most = {limit}\nby = "value"\n', path)
    assert result.outcome == outcome
    assert ("the machine drifted" in (result.reason or "")) == (outcome == "undecided")


def test_a_gate_that_was_not_measured_is_not_among_those_that_pass(tmp_path: Path) -> None:
    found = verdict("[gates]\nwer = 0.3\ncold_start_s = 5.0\n", record(tmp_path, "m:one", "d", lines(FEW)))
    assert found.reasons[0] == "the one measured gate passes"


def test_the_decision_of_the_study_is_the_golden_one(studied: Decision) -> None:
    assert steadied(plain_decision(studied)) == json.loads(GOLDEN.read_text("utf-8"))


def test_the_same_records_give_the_same_bytes(study: Path, studied: Decision, tmp_path: Path) -> None:
    again = decide(
        list(reversed(store.find_records([study]))), load(), out=study / "decision.json", command=("decide", "runs")
    )
    for name, one in (("a", studied), ("b", again)):
        write_decision(tmp_path / name, replace(one, created_at=""))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_decision_is_read_as_it_was_written_and_fits_the_published_schema(studied: Decision, tmp_path: Path) -> None:
    import jsonschema

    write_decision(tmp_path / "decision.json", studied)
    assert read_decision(tmp_path / "decision.json") == studied
    schema = json.loads((Path(__file__).parents[2] / "docs" / "schema" / "decision.json").read_text("utf-8"))
    assert schema == decision_schema()
    jsonschema.validate(json.loads((tmp_path / "decision.json").read_text("utf-8")), schema)


@pytest.mark.parametrize(
    ("text", "says"),
    [("{", "is not a decision"), ('{"schema_version": 99}', "has schema version 99"), ("[]", "does not fit"),
     ('{"schema_version": 1}', "does not fit")],
)  # fmt: skip
def test_what_is_no_decision_is_refused(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text(text)
    with pytest.raises(RecordError, match=says):
        read_decision(tmp_path / "d.json")


def test_every_number_leads_to_its_record(studied: Decision, study: Path) -> None:
    import hashlib

    by_run = {evidence.run_id: evidence for evidence in studied.evidence}
    for found in studied.verdicts:
        for result in found.rules:
            assert result.evidence
            for run_id in result.evidence:
                path = study / by_run[run_id].record
                assert hashlib.sha256(path.read_bytes()).hexdigest() == by_run[run_id].record_sha256
                assert by_run[run_id].candidate == found.candidate
                assert store.read_run(path).clips_file.sha256 == by_run[run_id].clips_sha256


# Statuses


def test_all_gates_and_targets_with_their_intervals_make_production(tmp_path: Path) -> None:
    found = verdict("[gates]\nwer = 0.3\nrtf = 0.2\nlicence = 'commercial'\n[targets]\nwer = 0.2", record(
        tmp_path, "a:b", "d", lines(FEW, [1.0 + n / 100 for n in range(10)])
    ))  # fmt: skip
    assert (found.status, found.conditions) == ("production", ())
    assert all(one.outcome == "passed" for one in found.rules)


@pytest.mark.parametrize(
    ("policy", "becomes"),
    [
        ("[gates]\nwer = 0.3\n[targets]\nwer = 0.01", "conditional"),
        ("[gates]\nwer = 0.3\ncold_start_s = 3", "conditional"),
        ("[gates]\nwer = 0.3\nrtf = { at_most = 1, device = 'cuda' }", "conditional"),
        ("[gates]\nwer = 0.065", "undecided"),
        ("[gates]\nwer = { at_most = 0.01, research = 0.1 }", "research"),
        ("[gates]\nwer = { at_most = 0.01, research = 0.05 }", "rejected"),
        ("[gates]\nwer = 0.01", "rejected"),
        ("[gates]\nwer = { at_most = 0.3, dataset = 'other' }", "undecided"),
    ],
)
def test_the_status_follows_from_the_worst_that_was_found(policy: str, becomes: str, tmp_path: Path) -> None:
    assert status(policy, record(tmp_path, "a:b", "d", lines(FEW))) == becomes


def test_an_interval_that_straddles_a_gate_says_how_many_minutes_would_settle_it(tmp_path: Path) -> None:
    found = verdict("[gates]\nwer = 0.075", record(tmp_path, "a:b", "d", lines(FEW)))
    (only,) = found.rules
    assert only.ci95 is not None
    assert only.ci95[0] < 0.075 < only.ci95[1]
    assert only.minutes_needed is not None
    assert only.minutes_needed > 0
    assert re.search(r"lies inside; about \d+ more minutes like these would settle it", found.reasons[0])
    assert (found.grade, found.grade_points) == ("-", None)


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ("[gates]\nwer = 0.3\n[targets]\nwer = 0.2", "It passes the one gate of the policy and every target."),
        ("[gates]\nwer = 0.3\n[targets]\nwer = 0.01", "It passes every gate that was measured, on 1 condition."),
        ("[gates]\nwer = 0.01", "The best, a:b, is rejected: WER "),
        ("[gates]\nwer = 0.065", "The best, a:b, is undecided: WER "),
    ],
)
def test_the_answer_is_what_to_serve_and_why_once(policy: str, says: str, tmp_path: Path) -> None:
    from earwitness.reports.decision import answer

    policy_file = tmp_path / "policy.toml"
    policy_file.write_text(policy, encoding="utf-8")
    found = decide([record(tmp_path, "a:b", "d", lines(FEW))], load(str(policy_file)), out=tmp_path / "decision.json")
    first = "Serve a:b. " if found.chosen else "None of the models may be served. "
    assert answer(found).startswith(first + says)
    assert answer(found).count("served") <= 1


def test_a_limit_on_the_value_itself_cannot_be_settled(tmp_path: Path) -> None:
    found = rule("[gates]\nwer = 0.065", record(tmp_path, "a:b", "d", lines(FEW)))
    assert (found.measured, found.outcome, found.minutes_needed) == (0.065, "undecided", None)


def test_speed_is_judged_on_the_device_that_was_measured_only(tmp_path: Path) -> None:
    path = record(tmp_path, "a:b", "d", lines(FEW, [1.0 + n / 100 for n in range(10)]), device="cuda:1")
    policy = "[gates]\nwer = 0.3\nrtf = { at_most = 1, device = '%s' }"
    assert [status(policy % name, path) for name in ("cuda", "cuda:1", "cuda:0", "cpu")] == [
        "production", "production", "conditional", "conditional",
    ]  # fmt: skip
    assert "it ran on cuda:1" in verdict(policy % "cpu", path).conditions[0]


@pytest.mark.parametrize(
    ("license_", "becomes"),
    [("MIT", "production"), ("Apache-2.0", "production"), ("CC-BY-4.0", "production"), ("CC-BY-NC-4.0", "research"),
     ("research only", "research"), ("A Licence of Our Own v1", "conditional"), ("", "conditional")],
)  # fmt: skip
def test_a_licence_that_forbids_commerce_is_for_research_and_an_unknown_one_is_a_condition(
    license_: str, becomes: str, tmp_path: Path
) -> None:
    path = record(tmp_path, "a:b", "d", lines(FEW), license_=license_)
    assert status("[gates]\nwer = 0.3\nlicence = 'commercial'", path) == becomes


def test_a_policy_that_names_licences_takes_no_other(tmp_path: Path) -> None:
    path = record(tmp_path, "a:b", "d", lines(FEW), license_="A Licence of Our Own v1")
    assert status("[gates]\nlicence = ['MIT', 'A Licence of Our Own v1']", path) == "production"
    assert status("[gates]\nlicence = ['MIT']", path) == "rejected"


def test_synthetic_speech_alone_is_a_condition(tmp_path: Path) -> None:
    path = record(tmp_path, "a:b", "d", lines(FEW))
    run = store.read_run(path)
    store.write_run(path, replace(run, dataset=replace(run.dataset, synthetic=True)))
    found = verdict(GATE, path)
    assert found.conditions == ("it ran on synthetic speech only; real speech may give other results",)


# Measures


def test_the_interval_of_one_run_is_that_of_its_record(tmp_path: Path) -> None:
    path = record(tmp_path, "a:b", "d", lines(FEW))
    score = store.read_run(path).score("wer")
    assert score is not None
    assert (rule(GATE, path).measured, rule(GATE, path).ci95) == (score.value, score.ci95)


def test_no_failure_of_ten_recordings_is_bounded_and_a_condition(tmp_path: Path) -> None:
    path = record(tmp_path, "a:b", "d", lines(FEW))
    found = verdict("[gates]\nwer = 0.3\nfailed_share = 0.05", path)
    assert found.rules[1].ci95 == pytest.approx((0.0, 0.3085), abs=1e-4)
    assert found.status == "conditional"
    assert "failed clips 0.0 % [0.0, 30.8]: nothing was seen, and up to 30.8 % cannot be excluded" in str(
        found.conditions
    )
    assert status("[gates]\nwer = 0.3\nfailed_share = { at_most = 0.05, by = 'value' }", path) == "production"


def test_clips_of_one_recording_count_as_one_trial(tmp_path: Path) -> None:
    four = [replace(one, recording=f"r{n % 4}") for n, (one, _) in enumerate(lines(FEW))]
    pairs = [(one, hypothesis) for one, (_, hypothesis) in zip(four, lines(FEW), strict=True)]
    found = rule("[gates]\nfailed_share = 0.5", record(tmp_path, "a:b", "d", pairs))
    assert found.ci95 == pytest.approx((0.0, 1 - 0.025**0.25))


def test_failed_clips_count_as_failed_as_incomplete_and_as_errors(tmp_path: Path) -> None:
    path = record(tmp_path, "a:b", "d", lines((None, *FEW[1:])))
    promise = verdict(GATE, path).promise
    assert (promise["failed_share"], promise["incomplete_share"]) == (0.1, 0.1)
    assert promise["wer"] == pytest.approx((40 + sum(FEW[1:])) / 400)


def test_findings_silence_and_lengths_are_measured(tmp_path: Path) -> None:
    spoken = clips(4)
    silent = [clip("s1", [], 30.0), clip("s2", [], 30.0)]
    texts = [misheard((spoken[0].reference or "").split(), 1), "", "and then " * 30, spoken[3].reference or ""]
    pairs = [(one, heard(one, text, 1.0)) for one, text in zip(spoken, texts, strict=True)]
    pairs += [(silent[0], heard(silent[0], "three words here", 1.0)), (silent[1], heard(silent[1], "", 1.0))]
    promise = verdict(GATE, record(tmp_path, "a:b", "d", pairs)).promise
    assert promise["empty_share"] == 1 / 4
    assert promise["loop_share"] == 1 / 6
    assert promise["words_on_silence_per_min"] == 3.0
    assert promise["length_ratio"] == (40 + 0 + 60 + 40) / 160
    assert promise["incomplete_share"] >= 3 / 6


def test_a_decision_tells_how_fast_clips_of_a_length_were(tmp_path: Path) -> None:
    lengths = [2.0, 2.1, 2.2, 2.3, 2.8, 7.0, 30.0, 31.0, 32.0, 33.0, 34.0]
    pairs = [(one, heard(one, "words", one.duration_s / 10)) for one in (clip(str(s), ["words"], s) for s in lengths)]
    pairs[-1] = (pairs[-1][0], heard(pairs[-1][0], None, 0.0))
    found = verdict(GATE, record(tmp_path, "a:b", "d", pairs)).by_length
    assert [(band.from_s, band.n_clips) for band in found] == [(2.0, 5)], "four of the long ones have a time"
    assert found[0].rtf == pytest.approx(0.1)
    assert found[0].latency_p50_s == pytest.approx(0.22)
    assert found[0].first_text_s is None


def test_data_without_silence_and_without_references_say_so(tmp_path: Path) -> None:
    path = record(tmp_path, "a:b", "d", lines(FEW))
    assert rule("[gates]\nwords_on_silence_per_min = 1", path).reason == "no clip is known to be silent (reference '')"
    unlabelled = [(replace(one, reference=None), hypothesis) for one, hypothesis in lines(FEW)]
    other = record(tmp_path, "a:b", "unlabelled", unlabelled)
    found = verdict("[gates]\nwer = 0.3\nfailed_share = { at_most = 1, by = 'value' }", other)
    assert (found.status, found.grade) == ("undecided", "-")
    assert found.reasons == ("WER was not measured: no clip has a reference",)


def test_latency_has_an_exact_interval_from_72_clips_on(tmp_path: Path) -> None:
    walls = [0.5 + n / 100 for n in range(72)]
    policy = "[gates]\nlatency_p95_s = 2"
    full = rule(policy, record(tmp_path, "a:b", "d", lines([1] * 72, walls)))
    assert full.measured == pytest.approx(0.5 + 0.95 * 0.71)
    assert full.ci95 == pytest.approx((0.5 + 0.63, 0.5 + 0.71), abs=0.011)
    short = rule(policy, record(tmp_path / "short", "a:b", "d", lines([1] * 71, walls[:71])))
    assert (short.ci95, short.reason) == (None, "no interval: it takes at least 72 clips, and there are 71")


def test_cold_start_throughput_and_memory_come_from_their_protocols(tmp_path: Path) -> None:
    cold = (2.0, 2.2, 2.4, 2.1, 2.3, 2.5)
    path = record(tmp_path, "a:b", "d", lines(FEW), cold=cold, rtfx=20.0, peak_rss_bytes=800_000_000)
    found = verdict("[gates]\ncold_start_s = 3\nthroughput_rtfx = 10\npeak_rss_bytes = 1e9", path)
    assert [one.measured for one in found.rules] == [pytest.approx(2.25), 20.0, 8e8]
    assert found.rules[0].ci95 == pytest.approx((2.0, 2.5))
    assert (found.rules[1].ci95, found.status) == (None, "production")
    assert status("[gates]\nthroughput_rtfx = 30", path) == "rejected"


def test_what_was_not_measured_comes_with_the_command_that_measures_it(tmp_path: Path) -> None:
    path = record(tmp_path, "a:b", "d", lines(FEW), settings=Settings(beam_size=5))
    found = verdict(f"{GATE}cold_start_s = 3\nwer_increase = {{ at_most = 0.1, condition = 'noise:10dB' }}", path)
    command = "earwitness run d --model a:b --device cpu --set beam_size=5"
    assert f"cold start: {command} --measure cold" in found.missing
    assert f"rise of WER under noise:10dB: {command} --condition noise:10dB" in found.missing


def test_rules_may_be_about_a_condition_or_one_dataset(tmp_path: Path) -> None:
    record(tmp_path, "a:b", "easy", lines(FEW))
    record(
        tmp_path, "a:b", "hard", [(replace(c, id=f"h{c.id}", audio_sha256=c.id), h) for c, h in lines([8] * 9 + [9])]
    )
    record(tmp_path, "a:b", "easy", lines([2 * n for n in FEW]), condition="noise:10dB")
    policy = """[gates]
    wer = [{ at_most = 0.5 }, { at_most = 0.5, dataset = "easy" }, { at_most = 0.5, condition = "noise:10dB" }]
    wer_increase = { at_most = 0.5, condition = "noise:10dB" }
    """
    found = ruling(policy, *store.find_records([tmp_path])).verdicts[0]
    assert [one.measured for one in found.rules] == [
        pytest.approx((26 + 81) / 800), 26 / 400, 52 / 400, pytest.approx(26 / 400),
    ]  # fmt: skip
    assert [len(one.evidence) for one in found.rules] == [2, 1, 1, 3]
    assert "wer_increase" in found.promise


def test_a_clip_that_is_in_two_datasets_counts_once(tmp_path: Path) -> None:
    record(tmp_path, "a:b", "d", lines(FEW))
    record(tmp_path, "a:b", "d-first-three", lines(FEW[:3]))
    found = ruling(GATE, *store.find_records([tmp_path])).verdicts[0].rules[0]
    assert found.measured == sum(FEW) / 400


# Who is compared with whom


def test_runs_on_different_data_or_scored_differently_are_refused(tmp_path: Path) -> None:
    first = record(tmp_path, "a:b", "d", lines(FEW))
    with pytest.raises(ComparisonError, match="different data, and|no dataset was run by all models"):
        ruling(GATE, first, record(tmp_path, "c:d", "other", lines(FEW[:9])))
    with pytest.raises(ComparisonError, match=r"no dataset was run by all models: 'a:b' ran on 'd \(sha256 \w{8}\)'; "):
        ruling(GATE, first, record(tmp_path, "c:d", "d", lines(FEW[:9])))
    with pytest.raises(ComparisonError, match="WER was computed in different ways"):
        ruling(GATE, first, record(tmp_path, "e:f", "d", lines(FEW), scoring=ScoringInfo("none")))


def from_place(path: Path, source: str) -> Path:
    run = store.read_run(path)
    selection = replace(run.dataset.selection, source=source)
    store.write_run(path, replace(run, dataset=replace(run.dataset, selection=selection)))
    return path


def two_of_one_name(root: Path) -> list[Path]:
    """Two models over two datasets ``calls`` of other clips, from two folders."""
    found = []
    for model, errors in (("a:b", FEW), ("c:d", (9,) * 10)):
        other = [(replace(one, id=f"es-{one.id}", audio_sha256=f"es-{one.id}"), text) for one, text in lines(errors)]
        found.append(from_place(record(root, model, "calls", lines(errors)), "/data/en/calls.jsonl"))
        found.append(from_place(record(root, model, "calls", other, number=1), "/data/es/calls.jsonl"))
    return found


def test_two_datasets_of_one_name_are_judged_and_told_apart_by_where_they_came_from(tmp_path: Path) -> None:
    records = two_of_one_name(tmp_path)
    found = ruling(GATE, *records)
    labels = ["calls (en/calls.jsonl)", "calls (es/calls.jsonl)"]
    assert [data.name for data in found.datasets] == labels
    best, worse = found.verdicts
    assert (best.rules[0].measured, worse.rules[0].measured) == (sum(FEW) / 400, 90 / 400)
    assert len(best.rules[0].evidence) == 2
    (alone,) = ruling("[gates]\nwer = { at_most = 0.3, dataset = 'calls (es/calls.jsonl)' }", *records[:2]).verdicts
    assert alone.rules[0].evidence == (store.read_run(records[1]).id,)
    partial = next(v for v in ruling(GATE, *records[:3]).verdicts if v.candidate == "c:d")
    assert any("not measured on 'calls (es/calls.jsonl)'" in condition for condition in partial.conditions)


def test_a_rule_on_a_name_that_two_datasets_share_is_refused_with_their_labels(tmp_path: Path) -> None:
    with pytest.raises(ComparisonError, match=r"'calls', but 2 datasets .*'calls \(en/.*'; 'calls \(es/.* Name one"):
        ruling("[gates]\nwer = { at_most = 0.3, dataset = 'calls' }", *two_of_one_name(tmp_path))


def test_two_editions_of_a_dataset_with_other_references_are_refused(tmp_path: Path) -> None:
    first = record(tmp_path, "a:b", "d", lines(FEW))
    corrected = [(replace(one, reference=f"{one.reference} more"), text) for one, text in lines(FEW)]
    with pytest.raises(ComparisonError, match="Clip 'c0' of 'd' has one reference in .* and another in"):
        ruling(GATE, first, record(tmp_path, "a:b", "d", corrected, number=1))


def test_a_dataset_that_grew_counts_each_clip_once(tmp_path: Path) -> None:
    first = record(tmp_path, "a:b", "d", lines(FEW[:6]))
    found = ruling(GATE, first, record(tmp_path, "a:b", "d", lines(FEW), number=1))
    assert all(re.fullmatch(r"d \(sha256 \w{8}\)", data.name) for data in found.datasets)
    assert found.verdicts[0].rules[0].measured == sum(FEW) / 400


def test_a_candidate_that_did_not_hear_a_dataset_is_conditional_and_says_how_to_change_that(tmp_path: Path) -> None:
    pairs = [record(tmp_path, model, "d", lines(FEW)) for model in ("a:b", "c:d")]
    more = record(tmp_path, "a:b", "more", [(replace(c, id=f"m{c.id}", audio_sha256=c.id), h) for c, h in lines(FEW)])
    whole, part = sorted(ruling(GATE, *pairs, more).verdicts, key=lambda found: found.candidate)
    assert (whole.status, part.status) == ("production", "conditional")
    assert part.conditions == ("not measured on 'more', on which other candidates ran",)
    assert "'more': earwitness run more --model c:d --device cpu" in part.missing


def test_one_model_with_two_settings_is_two_candidates(tmp_path: Path) -> None:
    paths = [record(tmp_path, "a:b", "d", lines(FEW), settings=Settings(beam_size=n), number=n) for n in (1, 5)]
    found = ruling(GATE, *paths)
    assert {v.candidate for v in found.verdicts} == {"a:b on cpu (beam_size=1)", "a:b on cpu (beam_size=5)"}
    accuracy = found.winners[0]
    assert "beam_size is 1 in" in (accuracy.note or "")


def test_records_changed_by_hand_are_said_and_left_out(tmp_path: Path) -> None:
    good, text, score = (record(tmp_path, model, "d", lines(FEW)) for model in ("a:b", "c:d", "e:f"))
    where = store.clips_path(text)
    where.write_text(where.read_text().replace("violin", "river"))
    run = store.read_run(score)
    better = tuple(replace(s, value=0.01) if s.metric == "wer" else s for s in run.scores)
    store.write_run(score, replace(run, scores=better))
    found = ruling(GATE, good, text, score)
    assert [v.candidate for v in found.verdicts] == ["a:b"]
    assert len(found.left_out) == 2
    assert "its clips file was changed after the run" in found.left_out[0]
    assert "its wer is 0.01 and its clips file counts 0.065, so it was changed by hand" in found.left_out[1]
    with pytest.raises(ComparisonError, match="There is no complete run over clean audio to decide on"):
        ruling(GATE, text)


def test_a_record_from_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = record(tmp_path, "a:b", "d", lines(FEW))
    path.write_text(path.read_text().replace('"schema_version": 1', '"schema_version": 99'))
    with pytest.raises(RecordError, match="schema version 99"):
        ruling(GATE, path)


# Winners, grades, guidance


def winners(*records: Path, policy: str = GATE) -> dict[str, tuple[str, ...]]:
    return {one.category: one.candidates for one in ruling(policy, *records).winners}


def test_a_clear_difference_has_a_winner_and_a_small_one_a_tie(tmp_path: Path) -> None:
    walls = [1.0 + n / 50 for n in range(10)]
    good = record(tmp_path, "good:x", "d", lines(FEW, walls), cold=[1.0] * 6, rtfx=30.0, peak_rss_bytes=400_000_000)
    bad = record(tmp_path, "bad:x", "d", lines([n + 4 for n in FEW], [2 * w for w in walls]), cold=[2.0] * 6, rtfx=10.0)
    found = winners(good, bad)
    assert {category for category, who in found.items() if who == ("good:x",)} == {
        "accuracy", "latency", "throughput", "memory", "cold_start",
    }  # fmt: skip
    assert found["completeness"] == ("bad:x", "good:x")
    assert found["robustness"] == ()
    near = [n + (-1) ** place for place, n in enumerate(FEW)]
    close = record(tmp_path, "close:x", "d", lines(near, walls[::-1]), cold=[1.0, 1.1] * 3)
    found = winners(good, close)
    assert (found["accuracy"], found["latency"], found["cold_start"]) == (("close:x", "good:x"),) * 3


def test_a_model_that_is_tied_is_not_called_the_first(tmp_path: Path) -> None:
    good = record(tmp_path, "good:x", "d", lines(FEW))
    near = record(tmp_path, "near:x", "d", lines([n + (-1) ** place for place, n in enumerate(FEW)]))
    same = record(tmp_path, "same:x", "d", lines(FEW))
    bad = record(tmp_path, "bad:x", "d", lines([n + 4 for n in FEW]))
    weighted = f"{GATE}\n[weights]\naccuracy = 1\n"
    assert ruling(weighted, good, bad).why.endswith("It ranks first of the 2 models that may be served.")
    found = ruling(weighted, good, near, bad)
    assert "In WER it is tied with" in found.why
    assert "of the 3 models that may be served" in found.why
    (accuracy,) = (one for one in ruling(GATE, good, near, same).winners if one.category == "accuracy")
    assert accuracy.note == (
        "a tie: the tests cannot separate them (with same:x: their counts are the same in every recording)"
    )


def test_times_of_different_machines_have_no_winner(tmp_path: Path) -> None:
    here = record(tmp_path, "a:x", "d", lines(FEW, 1.0))
    there = record(tmp_path, "b:x", "d", lines([n + 4 for n in FEW], 2.0), machine=replace(MACHINE, cpu="another"))
    found = winners(here, there)
    assert (found["accuracy"], found["latency"], found["memory"]) == (("a:x",), (), ())


def test_what_is_rejected_wins_nothing(tmp_path: Path) -> None:
    good = record(tmp_path, "good:x", "d", lines(FEW, 2.0))
    talking = [(one, heard(one, answer(60, n), 0.1)) for n, (one, _) in enumerate(lines(FEW))]
    quick = record(tmp_path, "quick:x", "d", talking, peak_rss_bytes=1_000_000)
    found = {one.category: one for one in ruling(GATE, good, quick).winners}
    assert found["latency"].candidates == ("good:x",)
    assert found["memory"].note is not None
    assert "quick:x is as good or better, and rejected" in found["memory"].note
    assert found["memory"].values == {"good:x": 5e8, "quick:x": 1e6}


def test_the_grade_is_the_weighted_mean_that_its_parts_say(tmp_path: Path) -> None:
    path = record(tmp_path, "a:b", "d", lines(FEW), peak_rss_bytes=4_000_000_000)
    text = f"""{GATE}
    [weights]
    accuracy = {{ weight = 3, full = 0, zero = 0.13 }}
    memory = {{ full = 1e9, zero = 16e9 }}
    cold_start = 2
    """
    found = verdict(text, path)
    parts = {part.category: part for part in found.grade_parts}
    assert (parts["accuracy"].points, parts["memory"].points, parts["cold_start"].points) == (50.0, 50.0, None)
    assert (found.grade_points, found.grade) == (50.0, "F")
    assert parts["accuracy"].derivation.startswith("WER 6.5 % gives 50.0: 100 at 0.0 %, 0 at 13.0 %")
    assert "cold start: earwitness run d --model a:b --device cpu --measure cold" in found.missing


def test_guidance_names_the_best_for_each_use_among_those_that_meet_its_rules(tmp_path: Path) -> None:
    walls = [1.0 + n / 50 for n in range(10)]
    slow = record(tmp_path, "slow:x", "d", lines(FEW, [4 * w for w in walls]))
    fast = record(tmp_path, "fast:x", "d", lines([n + 4 for n in FEW], walls))
    uses = """
    [[use]]
    name = "reading"
    best = "accuracy"
    [[use]]
    name = "talking"
    best = "latency"
    [[use]]
    name = "printing"
    best = "latency"
    gates.wer = 0.1
    [[use]]
    name = "miracles"
    best = "accuracy"
    gates.wer = 0.001
    """
    assert ruling(GATE + uses, slow, fast).guidance == (
        "For reading: slow:x, by WER: slow:x 6.5 %.",
        "For talking: fast:x, by p95 latency: fast:x 1.17 s.",
        "For printing: slow:x, the only one with WER at most 10.0 %.",
        "For miracles: none with WER at most 0.1 %.",
    )


# Properties

STATUSES = ("production", "conditional", "undecided", "research", "rejected")
LIMITED = {
    "wer": 0.3,
    "rtf": 0.2,
    "failed_share": 0.4,
    "incomplete_share": 0.5,
    "latency_p50_s": 2.0,
    "peak_rss_bytes": 1e9,
}


@pytest.fixture(scope="session")
def candidates(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp("candidates")
    patterns: list[Sequence[int | None]] = [FEW, FEW[:3], [0] * 6, [10, 0, 0, 0, 0], [None, 2, 3, 4, 1, 2], [30] * 5]
    return [
        record(root / str(n), "a:b", "d", lines(errors, [0.5 + i / 9 for i in range(len(errors))]))
        for n, errors in enumerate(patterns)
    ]


@given(data=st.data())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_tightening_a_limit_never_improves_a_status(data: st.DataObject, candidates: list[Path]) -> None:
    path = data.draw(st.sampled_from(candidates))
    chosen = data.draw(st.lists(st.sampled_from(sorted(LIMITED)), min_size=1, max_size=3, unique=True))
    loose = {name: data.draw(st.floats(0, LIMITED[name]), label=name) for name in chosen}
    tightened = data.draw(st.sampled_from(chosen))
    tight = {**loose, tightened: loose[tightened] * data.draw(st.floats(0, 1), label="factor")}
    kinds = {name: data.draw(st.sampled_from(["gates", "targets"]), label=f"{name} is of") for name in chosen}
    by = data.draw(st.sampled_from(["interval", "value"]))
    beyond = data.draw(st.floats(1, 3))

    def text(limits: dict[str, float]) -> str:
        found = {"gates": ["loop_share = { at_most = 1, by = 'value' }"], "targets": [""]}
        for name, limit in limits.items():
            research = f", research = {loose[name] * beyond!r}" if kinds[name] == "gates" else ""
            found[kinds[name]].append(f"{name} = {{ at_most = {limit!r}, by = '{by}'{research} }}")
        return "\n".join(["[gates]", *found["gates"], "[targets]", *found["targets"]])

    assert STATUSES.index(status(text(tight), path)) >= STATUSES.index(status(text(loose), path))


EVERYTHING = (
    "[gates]\nwer = 0.2\nrtf = 0.15\npeak_rss_bytes = 1e9\n"
    "[targets]\nwer = 0.1\nlatency_p50_s = 2\nthroughput_rtfx = 10\n"
)


@given(
    st.lists(st.integers(1, 8), min_size=6, max_size=6),
    st.lists(st.integers(0, 12), min_size=6, max_size=6),
    st.floats(0.2, 3.0),
    st.floats(1.01, 4.0),
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_candidate_that_is_better_in_every_measure_never_ranks_behind(
    tmp_path_factory: pytest.TempPathFactory, errors: list[int], more: list[int], wall_s: float, slower: float
) -> None:
    root = tmp_path_factory.mktemp("two")
    walls = [wall_s * (1 + n / 20) for n in range(6)]
    good = record(root, "z:good", "d", lines(errors, walls), rtfx=20 / wall_s, peak_rss_bytes=400_000_000)
    worse = [e + 1 + m for e, m in zip(errors, more, strict=True)]
    bad = record(root, "a:bad", "d", lines(worse, [w * slower for w in walls]), rtfx=19 / wall_s / slower)
    found = ruling(EVERYTHING, good, bad)
    results = {v.candidate: v.rules for v in found.verdicts}
    for a, b in zip(results["z:good"], results["a:bad"], strict=True):
        # Better in the interval too: fewer errors, all in one recording, may still leave more open.
        wider = (a.ci95 or (0, 0))[1] > (b.ci95 or (9, 9))[1] or (a.ci95 is None) != (b.ci95 is None)
        if a.measure != "throughput_rtfx" and wider:
            return
    assert found.verdicts[0].candidate == "z:good"


# The command


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def earwitness(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Done]:
    """Runs the command in the test's folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["earwitness", "decide", *arguments])
        code = main(["decide", *arguments])
        return Done(code, *capsys.readouterr())

    return run


def test_the_exit_code_says_whether_a_model_may_be_served(
    study: Path, tmp_path: Path, earwitness: Callable[..., Done]
) -> None:
    done = earwitness(str(study), "--out", "d.json")
    assert done.returncode == 0, done.stderr
    assert "Serve steady:base. It passes every gate" in done.stdout
    assert "it answers instead of transcribing" in done.stdout
    assert read_decision(tmp_path / "d.json").chosen == "steady:base"
    (tmp_path / "strict.toml").write_text("[gates]\nwer = 0.05\n")
    none = earwitness(str(study), "--policy", "strict.toml", "--out", "d.json", "--json")
    assert none.returncode == 1
    assert json.loads(none.stdout)["chosen"] is None
    assert json.loads(none.stdout) == json.loads((tmp_path / "d.json").read_text("utf-8"))
    wrong = earwitness(str(study), "--policy", "stric.toml")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert len(wrong.stderr.splitlines()) == 1


def test_without_out_the_decision_lies_in_the_folder_that_was_named_and_is_no_record(
    tmp_path: Path, earwitness: Callable[..., Done]
) -> None:
    path = record(tmp_path / "runs", "a:b", "d", lines(FEW))
    for _ in range(2):
        assert earwitness("runs").stderr.splitlines()[-1] == "Written: runs/decision.json"
    found = read_decision(tmp_path / "runs" / "decision.json")
    assert found.command == ("decide", "runs")
    assert found.evidence[0].record.startswith("a-b/asr/")
    assert earwitness(str(path)).stderr.splitlines()[-1] == f"Written: {path.parent / 'decision.json'}"


def test_the_rules_are_explained_without_any_run(earwitness: Callable[..., Done]) -> None:
    done = earwitness("--explain", "--policy", "live-captions")
    assert done.returncode == 0, done.stderr
    assert "p95 latency at most 3 s (upper end of the interval); for research up to 6 s" in done.stdout
    assert "accuracy, weight 4" in done.stdout
    nothing = earwitness("--json")
    assert (nothing.returncode, nothing.stdout) == (2, "")
    assert "Name run records or a folder" in nothing.stderr


def test_a_finding_counts_for_the_audio_that_it_lies_in_and_each_second_once() -> None:
    one = clip("long", ["word"] * 40, 600.0)
    found = heard(one, one.reference or "", 1.0)
    score = ClipScore("long", None, None, False, 40, ("cut_tail", "ghost_phrase"), ())
    spans = [(590.0, 600.0), (598.0, 599.0), (100.0, 101.5)]
    placed = replace(score, findings=tuple(Finding("ghost_phrase", *span, "") for span in spans))
    nowhere = replace(score, findings=(Finding("ghost_phrase", None, None, ""),))
    assert incomplete_s(ClipResult(one, found, placed)) == 11.5
    assert incomplete_s(ClipResult(one, found, nowhere)) == 600.0
