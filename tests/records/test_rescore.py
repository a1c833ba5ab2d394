"""A run that an earlier version began under other rules is finished under one set of rules."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.runs.jobs import job, quiet

from earwitness.records import store
from earwitness.records.record import ClipResult
from earwitness.records.rescore import rescore, score_run
from earwitness.runs.drive import Job, resume, start
from earwitness.scoring import ScoringInfo
from earwitness.scoring.text import rules
from earwitness.scoring.text.old_names import current_name

# Whisper's rules take "one dollar" and "one" for the same; ours do not.
ANSWERS = {"1": {"text": "one"}, "2": {"text": "one"}, "3": {"text": "one"}}
RULES = 'rules:{"base": "auto", "before": [], "words": {"uh": ""}}'


@pytest.fixture
def begun(tmp_path: Path, three_clips: Path) -> tuple[Path, Job]:
    """A record of the old edition: two of three clips were scored by Whisper's rules, called ``auto`` then."""
    three_clips.write_text(three_clips.read_text().replace('"one"', '"one dollar"').replace("two words", "one dollar"))
    return old_record(tmp_path, three_clips, "auto", "whisper")


def old_record(folder: Path, manifest: Path, name: str, in_force: str) -> tuple[Path, Job]:
    work = job(folder / "m", manifest, ANSWERS, scoring=ScoringInfo(in_force))
    path = start(work, folder / "runs", quiet)
    lines = store.clips_path(path).read_bytes().splitlines(keepends=True)
    store.clips_path(path).write_bytes(b"".join(lines[:2]))
    edit(path, status="interrupted", scoring={**json.loads(path.read_text())["scoring"], "normalizer": name})
    return path, work


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def errors(results: Sequence[ClipResult]) -> list[int | None]:
    return [result.score.words.errors if result.score.words else None for result in results]


def assert_one_set_of_rules(path: Path, normalizer: str) -> None:
    run, results = store.read_run(path), store.read_clips(path)
    assert run.status == "complete"
    assert len(results) == 3
    assert run.scoring.normalizer == normalizer
    assert rescore(results, run.scoring) == results
    assert score_run(results, run.scoring) == run.scores
    assert store.seal_fits(path, run)


def test_an_interrupted_run_goes_on_under_the_rules_it_was_begun_with(begun: tuple[Path, Job]) -> None:
    path, work = begun
    assert errors(store.read_clips(path)) == [0, 0]
    resume(path, work, quiet)
    assert errors(store.read_clips(path))[:2] == [0, 0]
    assert_one_set_of_rules(path, "whisper")


def test_a_killed_run_has_no_signature_and_is_scored_again_by_the_rules_of_its_name(begun: tuple[Path, Job]) -> None:
    path, work = begun
    edit(path, status="running", scores=[], process=None)
    resume(path, work, quiet)
    assert errors(store.read_clips(path))[:2] == [1, 1]
    assert_one_set_of_rules(path, "auto")


def test_own_rules_on_the_base_auto_go_on_with_the_base_they_had(tmp_path: Path, three_clips: Path) -> None:
    three_clips.write_text(three_clips.read_text().replace('"one"', '"uh one dollar"'))
    today = current_name(RULES, ["wer|norm:rules-0123456789ab(auto(en=whisper-english@0.1.15,*=basic@0.1.15))|"])
    assert rules.parse(today).base == "whisper"
    path, work = old_record(tmp_path, three_clips, RULES, today)
    resume(path, work, quiet)
    assert errors(store.read_clips(path))[0] == 0
    assert_one_set_of_rules(path, today)


def test_a_run_of_today_is_resumed_without_writing_its_lines_again(
    tmp_path: Path, three_clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, work = old_record(tmp_path, three_clips, "auto", "auto")
    before = store.clips_path(path).read_bytes()
    monkeypatch.setattr(store, "write_clips", lambda *_: pytest.fail("the lines were written again"))
    resume(path, work, quiet)
    assert store.clips_path(path).read_bytes().startswith(before)
    assert_one_set_of_rules(path, "auto")


def test_a_failed_clip_of_an_old_run_stays_failed(tmp_path: Path, three_clips: Path) -> None:
    three_clips.with_name("1.wav").write_bytes(b"no audio")
    path, work = old_record(tmp_path, three_clips, "auto", "whisper")
    resume(path, work, quiet)
    assert [result.score.failed for result in store.read_clips(path)] == [True, False, False]
    assert_one_set_of_rules(path, "whisper")


@pytest.mark.parametrize(
    ("name", "signature", "today"),
    [
        ("auto", "auto(en=whisper-english@0.1.15,*=basic@0.1.15)", "whisper"),
        ("auto", "auto(en=english-1@0.1.15,*=multilingual@1)", "auto"),
        ("whisper", "auto(en=whisper-english@0.1.15,*=basic@0.1.15)", "whisper"),
        ("basic", "basic@0.1.15", "basic"),
        (RULES, "rules-0123456789ab(auto(en=english-1@0.1.15,*=multilingual@1))", RULES),
        (RULES.replace("auto", "basic"), "rules-0123456789ab(basic@0.1.15)", RULES.replace("auto", "basic")),
    ],
)
def test_names_of_normalizers_are_read_by_the_signature_beside_them(name: str, signature: str, today: str) -> None:
    assert current_name(name, [f"wer|norm:{signature}|align:levenshtein"]) == today
