"""Records are listed as they are, and what is put away comes back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.runs.jobs import job, quiet

from earwitness.cli import main
from earwitness.errors import UsageError
from earwitness.records import store
from earwitness.records.environment import this_process
from earwitness.records.filters import moment, parse
from earwitness.records.listing import list_records, state
from earwitness.records.prune import bring_back, surplus, throw_away
from earwitness.records.record import Run
from earwitness.runs.drive import start

HOLDS = (
    "environment.py", "filters.py", "listing.py", "prune.py", "query.py", "record.py", "spread.py",
    "cli/runs.py", "files/schema.py",
)  # fmt: skip

Record = Callable[..., Path]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record of a real run."""
    import soundfile
    from tests.conftest import tone

    folder = tmp_path_factory.mktemp("measured")
    soundfile.write(folder / "1.wav", tone(1.0), 16_000)
    (folder / "one.jsonl").write_text('{"audio_filepath": "1.wav", "text": "one", "lang": "en", "id": "clip1"}\n')
    return start(job(folder / "m", folder / "one.jsonl", {"1": {"text": "won"}}), folder / "runs", quiet)


@pytest.fixture
def record(measured: Path, tmp_path: Path) -> Record:
    """Writes the measured record again, a minute younger each time, with something changed."""
    n = 0

    def write(model: str = "fake:m", **more: Any) -> Path:
        nonlocal n
        n += 1
        run = store.read_run(measured)
        begun = datetime(2026, 1, 31, 12, n, tzinfo=UTC).isoformat(timespec="milliseconds")
        path = store.new_record_path(store.record_folder(tmp_path / "runs", model))
        store.clips_path(path).write_bytes(store.clips_path(measured).read_bytes())
        run = replace(
            run, id=f"{model}/{n}", created_at=more.pop("created_at", begun), model=replace(run.model, id=model), **more
        )
        store.write_run(path, store.seal_record(path, run))
        return path

    return write


def kept(folder: Path) -> list[Path]:
    return [path for path, _ in list_records([folder]).records]


def going(folder: Path, *kinds: Any, **more: Any) -> list[Path]:
    return [each.path for each in surplus(list_records([folder]).records, kinds, **more)]


def as_json(capfd: pytest.CaptureFixture[str], *arguments: str | Path) -> Any:
    capfd.readouterr()
    assert main(["runs", *map(str, arguments), "--json"]) == 0
    return json.loads(capfd.readouterr().out)


def test_the_newest_stands_first_with_what_became_of_it(
    record: Record, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    complete = record()
    record("fake:alive", status="running", process=this_process(), scores=(), speed=None)
    record("fake:dead", status="running", process=replace(this_process(), started_at_s=1.0))
    edited = record("fake:edited")
    store.clips_path(edited).write_text(store.clips_path(edited).read_text("utf-8").replace("won", "one"), "utf-8")
    rows = as_json(capfd, tmp_path / "runs")
    assert [(row["model"], row["status"]) for row in rows] == [
        ("fake:edited", "edited"), ("fake:dead", "killed"), ("fake:alive", "running"), ("fake:m", "complete"),
    ]  # fmt: skip
    assert rows[-1]["wer"]["value"] == 1.0
    assert rows[-1]["record"] == str(complete)
    assert main(["runs", str(tmp_path / "runs")]) == 0
    shown = capfd.readouterr().out
    assert shown.index("fake:edited") < shown.index("fake:dead") < shown.index("fake:m ")
    assert "2026-01-31 12:01" in shown


def test_a_record_that_cannot_be_read_is_named_and_the_others_are_listed(
    record: Record, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    record()
    broken = record("fake:new")
    broken.write_text(broken.read_text("utf-8").replace('"schema_version": 1', '"schema_version": 99'), "utf-8")
    assert main(["runs", str(tmp_path / "runs"), "--json"]) == 0
    both = capfd.readouterr()
    assert len(json.loads(both.out)) == 1
    assert "has schema version 99; this Earwitness reads up to 1. Upgrade it." in both.err


def test_filters_take_what_they_name(record: Record, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    record("faster:tiny")
    record("faster:base", device_used="cuda:0")
    record("other:base", created_at="2026-02-02T00:00:00.000+00:00")
    runs = tmp_path / "runs"

    def models(*arguments: str) -> list[str]:
        return [row["model"] for row in as_json(capfd, runs, *arguments)]

    assert models("--model", "faster:*") == ["faster:base", "faster:tiny"]
    assert models("--model", "faster:tiny", "--model", "other:*") == ["other:base", "faster:tiny"]
    assert models("--since", "2026-02-01") == ["other:base"]
    assert models("--where", "device_used=cuda:0") == ["faster:base"]
    assert (
        models("--where", "settings_asked.beam_size=1", "--where", "settings_asked.vad=false", "--dataset", "one") != []
    )
    assert models("--where", "settings_asked.beam_size=2") == models("--dataset", "two") == []
    assert models("--where", "no.such.key=1") == []
    assert len(models("--status", "complete")) == 3


def test_a_name_with_brackets_is_no_pattern(record: Record, measured: Path, tmp_path: Path) -> None:
    record(dataset=replace(store.read_run(measured).dataset, name="one[noise:10dB]"))
    ((path, run),) = list_records([tmp_path / "runs"]).records
    assert parse((), ("one[noise:10dB]",), (), None, ()).takes(path, run)
    assert parse((), ("one[*]",), (), None, ()).takes(path, run)
    assert not parse((), ("one",), (), None, ()).takes(path, run)


@pytest.mark.parametrize("text", ["yesterday", "7", "7y", "2026-13-01", "-1d", ""])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a date or an age"):
        moment(text)


def test_mistakes_are_one_sentence(record: Record, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    record()
    for arguments, message in (
        (["--status", "complet"], "There is no status 'complet'. Did you mean 'complete'?"),
        (["--where", "cores"], "'cores' is not KEY=VALUE"),
        (["--prune", "old"], "There is no kind 'old' to prune."),
        (["--yes"], "--yes, --even-newest and --older-than need --prune KIND."),
        (["--sql", "SELECT 1", "--prune", "any"], "Use one after the other"),
    ):
        assert main(["runs", str(tmp_path / "runs"), *arguments]) == 2
        assert message in capfd.readouterr().err
    assert main(["runs", str(tmp_path / "nowhere")]) == 2


def test_the_newest_complete_record_of_a_setting_stays_unless_it_is_asked_for(record: Record, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    old, new, other = record(), record(), record("fake:other")
    assert going(runs, "superseded", "failed", "any") == [old]
    assert set(going(runs, "any", even_newest=True)) == {old, new, other}


def test_what_was_measured_in_another_way_supersedes_nothing(record: Record, measured: Path, tmp_path: Path) -> None:
    run = store.read_run(measured)
    record(measure=replace(run.measure, protocols=("throughput",)))
    record(settings_asked=replace(run.settings_asked, beam_size=5))
    record(scoring=replace(run.scoring, normalizer="none"))
    record(environment=replace(run.environment, cores=99))
    record()
    assert going(tmp_path / "runs", "superseded") == []


def test_failed_and_unfinished_runs_are_different_things(record: Record, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    failed = record("fake:a", status="failed")
    cut = record("fake:b", status="interrupted")
    working = record("fake:c", status="running", process=this_process())
    assert going(runs, "failed") == [failed]
    assert going(runs, "superseded") == []
    assert set(going(runs, "any")) == {failed, cut}
    assert working not in going(runs, "any", even_newest=True)
    record("fake:b")
    assert going(runs, "superseded") == [cut]


def test_an_edited_record_does_not_stand_for_an_older_one(record: Record, tmp_path: Path) -> None:
    good, edited = record(), record()
    store.clips_path(edited).write_text("", "utf-8")
    assert good not in going(tmp_path / "runs", "superseded", "any")


def test_only_those_begun_before_a_moment_go(record: Record, tmp_path: Path) -> None:
    oldest, second, _ = record(), record(), record()
    runs = tmp_path / "runs"
    begun = datetime.fromisoformat(store.read_run(second).created_at)
    assert going(runs, "superseded", before=begun) == [oldest]
    assert set(going(runs, "superseded", before=begun + timedelta(seconds=1))) == {oldest, second}


def test_nothing_goes_until_it_is_said_and_everything_comes_back(
    record: Record, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    runs = tmp_path / "runs"
    old, new = record(), record()
    before = {path: path.read_bytes() for path in runs.rglob("*.json*")}
    shown = as_json(capfd, runs, "--prune", "superseded")
    assert (shown["pruned"], [row["record"] for row in shown["records"]]) == (False, [str(old)])
    assert set(kept(runs)) == {old, new}
    assert as_json(capfd, runs, "--prune", "superseded", "--yes")["pruned"] is True
    assert kept(runs) == [new]
    assert not store.clips_path(old).exists()
    assert as_json(capfd, runs, "--restore")["back"] == [str(old)]
    assert {path: path.read_bytes() for path in runs.rglob("*.json*")} == before
    assert not (runs / ".trash").exists()


def test_filters_narrow_what_goes_and_not_what_is_the_newest(
    record: Record, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    record("fake:a", status="failed")
    failed = record("fake:b", status="failed")
    rows = as_json(capfd, tmp_path / "runs", "--prune", "failed", "--model", "fake:b")["records"]
    assert [row["record"] for row in rows] == [str(failed)]


def test_a_place_that_is_taken_keeps_its_record(
    record: Record, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    runs = tmp_path / "runs"
    path = record()
    (thrown,) = throw_away([path], [runs])
    path.write_text("something else")
    assert bring_back([runs]) == ([], [thrown])
    assert path.read_text() == "something else"
    assert main(["runs", str(runs), "--restore"]) == 1
    path.unlink()
    assert bring_back([runs]) == ([path], [])


def test_two_records_of_one_name_thrown_away_in_one_second_are_both_kept(record: Record, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    path = record()
    other = path.read_bytes(), store.clips_path(path).read_bytes()
    throw_away([path], [runs])
    path.write_bytes(other[0])
    store.clips_path(path).write_bytes(other[1])
    throw_away([path], [runs])
    assert len([p for p in (runs / ".trash").rglob("*.json") if store.clips_path(p).exists()]) == 2


def test_a_record_that_lost_its_texts_is_not_complete(record: Record, tmp_path: Path) -> None:
    path = record()
    run: Run = store.read_run(path)
    store.clips_path(path).unlink()
    assert state(path, run) == "edited"


def test_sql_answers_over_runs_scores_and_clips(
    record: Record, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("duckdb", reason="there is no duckdb here: pip install 'earwitness[sql]'")
    runs = tmp_path / "runs"
    record()
    record("fake:other")
    assert as_json(capfd, runs, "--sql", "SELECT model, wer, state FROM runs ORDER BY model") == [
        {"model": "fake:m", "wer": 1.0, "state": "complete"},
        {"model": "fake:other", "wer": 1.0, "state": "complete"},
    ]
    joined = (
        "SELECT r.model, s.value FROM runs r JOIN scores s ON s.run_id = r.id WHERE metric = 'wer' AND model = 'fake:m'"
    )
    assert as_json(capfd, runs, "--sql", joined) == [{"model": "fake:m", "value": 1.0}]
    clips = "SELECT sum(substitutions) n, any_value(text) text, avg(wall_s) > 0 timed, max(failure) f FROM clips"
    assert as_json(capfd, runs, "--sql", clips) == [{"n": 2, "text": "won", "timed": True, "f": None}]
    assert as_json(capfd, runs, "--model", "fake:m", "--sql", "SELECT count(*) n FROM runs") == [{"n": 1}]
    assert as_json(capfd, runs, "--sql", "SELECT 'nan'::DOUBLE x, 1.5::DECIMAL(3,1) y, DATE '2026-01-31' z") == [
        {"x": None, "y": 1.5, "z": "2026-01-31"}
    ]
    assert main(["runs", str(runs), "--sql", "SELECT model, NULL AS nothing FROM runs"]) == 0
    assert "fake:other" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("DROP TABLE runs", "one SELECT"),
        ("SELECT 1; SELECT 2", "one SELECT"),
        ("COPY runs TO 'out.csv'", "one SELECT"),
        ("ATTACH 'x.db'", "one SELECT"),
        ("SET enable_external_access = true", "one SELECT"),
        ("INSTALL httpfs", "one SELECT"),
        ("", "one SELECT"),
        ("SELECT * FROM read_text('secret.txt')", "does not work: Permission Error"),
        ("SELECT * FROM 'secret.csv'", "does not work"),
        ("SELECT * FROM glob('*')", "does not work: Permission Error"),
        ("SELECT nothing FROM runs", "does not work: Binder Error"),
        ("SELEC 1", "does not work: Parser Error"),
    ],
)
def test_sql_reads_the_tables_and_nothing_else(
    record: Record, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    sql: str, message: str,
) -> None:  # fmt: skip
    pytest.importorskip("duckdb", reason="there is no duckdb here: pip install 'earwitness[sql]'")
    record()
    monkeypatch.chdir(tmp_path)
    for name in ("secret.txt", "secret.csv"):
        (tmp_path / name).write_text("secret\n1\n")
    before = sorted(tmp_path.rglob("*"))
    assert main(["runs", "--sql", sql]) == 2
    error = capfd.readouterr().err
    assert message in error
    assert "secret\n" not in error
    assert error.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_without_duckdb_the_way_to_it_is_told(
    record: Record, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    record()
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert main(["runs", str(tmp_path / "runs"), "--sql", "SELECT 1"]) == 2
    assert capfd.readouterr().err == "SQL needs DuckDB, which is not installed. Run: pip install 'earwitness[sql]'\n"


@pytest.mark.parametrize(
    ("signature", "name"),
    [
        ("auto(en=whisper-english@0.1.15,*=basic@0.1.15)", "whisper"),
        ("auto(en=whisper-english@0.1.11,*=basic@0.1.11)", "whisper"),
        ("auto(en=english-1@0.1.15,*=multilingual@1)", "auto"),
    ],
)
def test_a_record_is_read_with_the_rules_of_its_signature(record: Record, signature: str, name: str) -> None:
    path = record()
    raw = json.loads(path.read_text())
    assert raw["scoring"]["normalizer"] == "auto"
    assert raw["scores"]
    for score in raw["scores"]:
        head, _, rest = score["signature"].partition("|norm:")
        score["signature"] = f"{head}|norm:{signature}|{rest.partition('|')[2]}"
    path.write_text(json.dumps(raw))
    assert store.read_run(path).scoring.normalizer == name


@pytest.mark.parametrize("n_bytes", [0, 1, 1 << 20, (2 << 20) + 5])
def test_what_was_never_finished_is_cut_however_long_it_is(tmp_path: Path, n_bytes: int) -> None:
    path = tmp_path / "a.clips.jsonl"
    for whole in (b"", b"one\ntwo\n"):
        path.write_bytes(whole + b"x" * n_bytes)
        store.cut_unfinished_line(path)
        assert path.read_bytes() == whole
