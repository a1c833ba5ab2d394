"""What the functions answer: the numbers of the command line, as values, without a word printed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import soundfile
from tests.runs.jobs import write_script
from tests.server.serving import write_decision

import earwitness as ew
from earwitness.cli import main

HOLDS = (
    "analysis.py", "audio.py", "bundle.py", "collector.py", "compare.py", "data.py", "doctor.py", "engines.py",
    "gate.py", "init.py", "records.py", "run.py", "runs.py", "score.py", "serve.py", "study.py",
    "terms.py", "cli/analyze.py", "cli/completeness.py", "cli/doctor.py", "cli/plan.py", "cli/score.py",
)  # fmt: skip

TEXTS = {
    "good": {"1": {"text": "one"}, "2": {"text": "two words"}, "3": {"text": "three little words"}},
    "worse": {"1": {"text": "won"}, "2": {"text": "two words"}, "3": {"model": "error"}},
}


@pytest.fixture
def models(tmp_path: Path) -> list[str]:
    for name, answers in TEXTS.items():
        write_script(tmp_path / name, answers)
    return [f"fake:{tmp_path / name}" for name in TEXTS]


@pytest.fixture
def records(models: list[str], three_clips: Path, tmp_path: Path) -> list[ew.Record]:
    return ew.run(three_clips, models, warmup=0, out=tmp_path / "runs")


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """What a command prints with --json."""

    def run(*arguments: str | Path) -> Any:
        capsys.readouterr()
        main([*map(str, arguments), "--json"])
        return json.loads(capsys.readouterr().out)

    return run


def plain(value: Any) -> Any:
    """As it would be in JSON."""
    return json.loads(json.dumps(value, default=str))


def test_a_run_returns_its_records_tells_of_every_clip_and_prints_nothing(
    models: list[str], three_clips: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    seen: list[ew.RunProgress] = []
    made = ew.run(
        three_clips, models, warmup=0, limit=2, settings={"beam_size": 3}, out=tmp_path / "out", progress=seen.append
    )
    assert [record.run.model.id for record in made] == models
    told = sorted((one.model, one.data, one.done, one.total) for one in seen)
    assert told == sorted((model, "three[:2]", done, 2) for model in models for done in (1, 2))
    assert [one.result.hypothesis.ok for one in seen] == [True] * 4
    first = made[0].run
    assert (first.status, first.settings_asked.beam_size) == ("complete", 3)
    assert first.command[0] == "earwitness.run"
    assert "limit=2" in first.command
    wer = first.score("wer")
    assert wer is not None
    assert wer.value == 0
    assert tuple(capfd.readouterr()) == ("", "")


def test_a_record_is_taken_wherever_its_path_is(records: list[ew.Record], tmp_path: Path) -> None:
    assert ew.list_records(tmp_path / "runs") == sorted(records, key=lambda record: record.path)
    assert ew.list_records(records[0]) == [records[0]]
    assert ew.clips(records[0]) == ew.clips(records[0].path)
    one, another, third = (ew.compare(given) for given in (records, str(tmp_path / "runs"), [r.path for r in records]))
    assert asdict(one) == asdict(another) == asdict(third)


def test_a_run_that_was_ended_is_gone_on_with(models: list[str], three_clips: Path, tmp_path: Path) -> None:
    def stop(progress: ew.RunProgress) -> None:
        if progress.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ew.run(three_clips, models[0], warmup=0, out=tmp_path / "runs", progress=stop)
    (broken,) = ew.list_records(tmp_path / "runs")
    assert broken.run.status == "interrupted"
    (whole,) = ew.resume(tmp_path / "runs")
    assert (whole.path, whole.run.status, len(ew.clips(whole))) == (broken.path, "complete", 3)
    assert ew.resume(tmp_path / "runs") == []


def test_the_answers_are_those_of_the_commands(
    records: list[ew.Record], tmp_path: Path, printed: Callable[..., Any]
) -> None:
    runs = tmp_path / "runs"
    names = tmp_path / "names.txt"
    names.write_text("two words\n")
    assert plain(asdict(ew.plan(records))) == printed("plan", runs)
    assert plain([asdict(one) for one in ew.slices(records, by="duration")]) == printed(
        "analyze", "slices", runs, "--by", "duration"
    )
    assert plain(asdict(ew.sensitivity(records))) == printed("analyze", "sensitivity", runs)
    found = ew.terms(records, terms=["two words"])
    assert plain({label: asdict(one) for label, one in found.items()}) == printed(
        "analyze", "terms", runs, "--terms", names
    )
    assert plain({label: asdict(one) for label, one in ew.completeness(records).items()}) == printed(
        "analyze", "completeness", runs
    )
    (pair,) = ew.pairs(records)
    assert plain({label: asdict(found) for label, found in ew.entities(records).items()}) == printed(
        "analyze", "entities", runs
    )
    assert plain({**asdict(pair.test), "mapsswe": pair.mapsswe._asdict()}) == printed("analyze", "pairs", runs)[0]
    (table,) = ew.compare(records).tables
    assert [row.label for row in table.rows] == [row["label"] for row in printed("compare", runs)["tables"][0]["rows"]]


def test_lists_files_and_the_command_score_alike(tmp_path: Path, printed: Callable[..., Any]) -> None:
    said, heard = ["the cat sat", "on the mat", "in 1990"], ["the cat sat", "on a mat", "in nineteen ninety"]
    for name, lines in (("ref.txt", said), ("hyp.txt", heard)):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines))
    by_list = ew.score(said, heard, compounds=True)
    by_file = ew.score(tmp_path / "ref.txt", tmp_path / "hyp.txt", compounds=True)
    by_id = ew.score(dict(zip("abc", said, strict=True)), dict(zip("abc", heard, strict=True)), compounds=True)
    assert by_list == replace(by_file, notes=())
    assert by_list.scores == by_id.scores
    answer = printed("score", tmp_path / "ref.txt", tmp_path / "hyp.txt", "--compounds")
    scores = {score.metric: asdict(score) for score in by_list.scores}
    assert plain(scores | {"ignored": 0, "notes": by_file.notes, "unfolded": []}) == answer
    assert by_list.score("no such thing") is None


def test_a_hypothesis_that_is_none_is_a_failure_and_one_that_is_missing_only_on_request() -> None:
    found = ew.score(["one", "two"], ["one", None])
    wer = found.score("wer")
    assert wer is not None
    assert (wer.value, wer.n_failed) == (0.5, 1)
    with pytest.raises(ew.ScoringError, match="There is 1 reference without hypothesis: 'b'"):
        ew.score({"a": "one", "b": "two"}, {"a": "one"})
    assert ew.score({"a": "one", "b": "two"}, {"a": "one"}, missing_as_empty=True).scores == found.scores


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: ew.score(["a"], ["a", "b"]), "1 references and 2 hypotheses"),
        (lambda: ew.score(["a"], {"a": "b"}), "One side has ids"),
        (lambda: ew.score("ref.txt", ["a"]), "One side is a file"),
        (lambda: ew.score("ref.txt", "hyp.txt"), "no file 'ref.txt'"),
        (lambda: ew.score(["a"], ["a"], align="levenstein"), "Did you mean 'levenshtein'"),
        (lambda: ew.run("sample"), "Name a model"),
        (lambda: ew.run("sample", "fake:ecko"), "Did you mean 'fake:echo'"),
        (lambda: ew.run("sample", "fake:echo", limt=1), "run has no option 'limt'. Did you mean 'limit'?"),  # type: ignore[call-arg]
        (lambda: ew.run("sample", "fake:echo", limit=0), "limit must be at least 1, not 0"),
        (lambda: ew.run("sample", "fake:echo", settings={"beam_size": 0}), "whole number from 1"),
        (lambda: ew.run("sample", "fake:echo", conditions="nose:1dB"), "Did you mean"),
        (lambda: ew.compare("nowhere"), "no record 'nowhere'"),
        (lambda: ew.plan("nowhere", width=0), "width must be above 0"),
        (lambda: ew.robustness("nowhere", points=0), "points must be above 0"),
        (lambda: ew.pull("faster-whisper:tiniest"), "There is no model"),
        (lambda: ew.pull("telephony-eo"), "telephony-eo"),
        (lambda: ew.remove(["fake:ecko", "telephony-en"]), "Did you mean 'fake:echo'"),
        (lambda: ew.gate("nowhere", baseline="b.json", slower=0.5), "slower must be at least 1, not 0.5"),
        (lambda: ew.gate("nowhere", baseline="b.json"), "no record 'nowhere'"),
        (ew.serve, "Give one of --decision decision.json, or --model"),
        (lambda: ew.serve(models="fake:echo", prot=1), "serve has no option 'prot'. Did you mean 'port'?"),  # type: ignore[call-arg]
        (lambda: ew.serve(models="fake:ecko"), "Did you mean 'fake:echo'"),
        (lambda: ew.serve(models="fake:echo", candidates="x"), "--candidate needs --decision"),
        (lambda: ew.serve(decision="d.json", settings={"beam_size": 2}), "with its measured settings"),
        (lambda: ew.serve(models="fake:echo", workers=0), "workers must be at least 1, not 0"),
        (lambda: ew.deploy("d.json", "out", weights="boiled"), "must be baked or mounted, not 'boiled'"),
        (lambda: ew.bundle("sample", out="x.zip", limt=1), "bundle has no option 'limt'. Did you mean 'limit'?"),  # type: ignore[call-arg]
        (lambda: ew.notebook("my-recordings/", "fake:echo", out="x.ipynb"), "exists only on this machine"),
        (lambda: ew.study("nowhere.toml"), "'nowhere.toml' is not TOML"),
    ],
)  # fmt: skip
def test_a_mistake_is_an_error_of_the_tree_in_one_sentence(call: Callable[[], Any], says: str) -> None:
    with pytest.raises(ew.EarwitnessError) as caught:
        call()
    assert says in str(caught.value)


def test_rescoring_names_the_parent_and_leaves_it_as_it_was(records: list[ew.Record]) -> None:
    before = records[0].path.read_bytes()
    (made,) = ew.rescore(records[0], normalizer="none")
    assert (made.run.parent, made.run.scoring.normalizer) == (records[0].run.id, "none")
    assert records[0].path.read_bytes() == before


def test_records_travel(records: list[ew.Record], tmp_path: Path) -> None:
    made = ew.export(records, tmp_path / "records.zip")
    assert (sorted(made.records), made.left_out) == (sorted(record.path for record in records), ())
    arrivals = ew.import_(made.zip, out=tmp_path / "elsewhere")
    assert [arrival.outcome for arrival in arrivals] == ["imported", "imported"]
    assert {record.run.id for record in ew.list_records(tmp_path / "elsewhere")} == {
        record.run.id for record in records
    }


def test_the_gate_is_that_of_the_command(records: list[ew.Record], tmp_path: Path, printed: Callable[..., Any]) -> None:
    good, worse = records
    kept = tmp_path / "baseline.json"
    made = ew.baseline(good, kept)
    assert [entry.model for entry in made.entries] == [good.run.model.id]
    before = kept.read_bytes()
    printed("gate", good.path, "--baseline", kept, "--update")
    assert kept.read_bytes() == before
    verdict = ew.gate(records, baseline=kept, junit=tmp_path / "gate.xml", markdown=tmp_path / "gate.md")
    answer = printed("gate", good.path, worse.path, "--baseline", kept)
    assert (verdict.passed, len(verdict.judged), len(verdict.without)) == (answer["passed"], 1, 1) == (True, 1, 1)
    assert "<testsuites" in (tmp_path / "gate.xml").read_text()
    assert "The gate is open" in (tmp_path / "gate.md").read_text()
    assert not ew.gate(worse, baseline=kept).passed
    assert ew.gate(worse, baseline=kept, partial=True).passed


def test_a_study_is_begun_done_and_skipped(three_clips: Path, tmp_path: Path) -> None:
    begun = ew.init(tmp_path)
    assert (begun.study, bool(begun.models)) == (tmp_path / "earwitness.toml", True)
    with pytest.raises(ew.UsageError, match="already exists. To overwrite it"):
        ew.init(tmp_path)
    begun.study.write_text(f'[study]\ndata = ["{three_clips.name}"]\nmodels = ["fake:echo"]\nspeech = false\n')
    here = Path.cwd()
    (first,) = ew.study(begun.study)
    (again,) = ew.study(begun.study)
    assert (first.outcome, again.outcome, Path.cwd()) == ("done", "skipped", here)
    assert first.record is not None
    assert first.record == again.record
    assert first.record.path.is_relative_to(tmp_path / "runs")


def test_what_goes_to_another_machine_is_what_the_commands_make(
    three_clips: Path, tmp_path: Path, printed: Callable[..., Any]
) -> None:
    by_name, typed = tmp_path / "a.zip", tmp_path / "b.zip"
    made = ew.bundle(three_clips, "fake:echo", limit=2, out=by_name)
    printed("bundle", three_clips, "--model", "fake:echo", "--limit", "2", "--out", typed)
    assert (by_name.read_bytes(), made.study["models"]) == (typed.read_bytes(), ("fake:echo",))
    settings = {"beam_size": 5}
    notebook = ew.notebook(by_name, out=tmp_path / "x" / "s.ipynb", settings=settings, source="index")
    printed("notebook", "--data", by_name, "--set", "beam_size=5", "--source", "index", "--out", tmp_path / "s.ipynb")
    assert notebook.notebook.read_bytes() == (tmp_path / "s.ipynb").read_bytes()
    assert (notebook.models, notebook.data) == (("fake:echo",), ("a.zip",))


def test_a_decision_is_deployed_as_by_the_command(tmp_path: Path, printed: Callable[..., Any]) -> None:
    write_decision(tmp_path / "decision.json", "fake:slow", promise={"wer": 0.1, "peak_rss_bytes": 7e8})
    made = ew.deploy(tmp_path / "decision.json", tmp_path / "a", workers=2, hashes=False)
    answer = printed(
        "deploy", "--decision", tmp_path / "decision.json", "--out", tmp_path / "b", "--workers", "2", "--no-hashes"
    )
    assert plain({**asdict(made), "out": str(tmp_path / "b")}) == answer


def test_records_are_asked_in_sql(records: list[ew.Record], tmp_path: Path, printed: Callable[..., Any]) -> None:
    pytest.importorskip("duckdb", reason="there is no duckdb here: pip install 'earwitness[sql]'")
    sql = "SELECT model, n_clips FROM runs ORDER BY model"
    answer = ew.query(records, sql=sql)
    assert answer.rows == tuple(sorted((record.run.model.id, 3) for record in records))
    assert [dict(zip(answer.columns, row, strict=True)) for row in answer.rows] == printed(
        "runs", tmp_path / "runs", "--sql", sql
    )


def test_what_is_not_here_is_not_removed(cache: Path) -> None:
    del cache
    assert ew.remove(["telephony-en", "faster-whisper:base"]) == {"telephony-en": False, "faster-whisper:base": False}
    assert ew.uninstall("whisper") == {"whisper": False}


def test_data_is_loaded_looked_over_and_joined(three_clips: Path, tmp_path: Path) -> None:
    assert [clip.id for clip in ew.read_data(three_clips, limit=2).clips] == ["clip1", "clip2"]
    assert {found.severity for found in ew.check(three_clips)} <= {"warning"}
    joined = ew.join(three_clips, 6.0, gap=0.1, out=tmp_path / "joined")
    assert (len(joined.clips), joined.source) == (1, str(tmp_path / "joined"))


def test_a_file_is_altered_as_in_a_run(tmp_path: Path, write_wav: Callable[..., Path]) -> None:
    out = tmp_path / "out.wav"
    assert ew.apply(write_wav("a.wav", 1.0), "pad:1s", out) == 3.0
    assert ew.read_data(out).audio_s == 3.0
    samples, rate_hz = soundfile.read(out, dtype="float32")
    # Nothing but the samples and what they are: a time of day would make every file another.
    assert (rate_hz, out.stat().st_size, out.read_bytes()[56:]) == (16_000, 56 + 4 * 48_000, samples.tobytes())
    with pytest.raises(ew.UsageError, match="already exists. Name another file"):
        ew.apply(tmp_path / "a.wav", "pad:1s", out)


def test_the_machine_is_described_as_the_commands_do(printed: Callable[..., Any]) -> None:
    assert [row.model.id for row in ew.list_models()] == [row["id"] for row in printed("models", "list")]
    assert plain([asdict(row) for row in ew.list_engines()]) == printed("engines", "list")
    assert [kind.example for kind in ew.list_conditions()] == [row["example"] for row in printed("conditions", "list")]
    assert [asdict(check) for check in ew.doctor()] == printed("doctor")


def test_the_doctor_looks_for_the_speech_model(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from earwitness.audio import speech as heard

    monkeypatch.setattr(heard, "unavailable", lambda: None)
    (found,) = [check for check in ew.doctor() if check.what == "speech activity"]
    assert (found.works, found.needed, found.remedy) == (False, False, "earwitness run DATA --model M --speech")
    assert "silero-vad" in found.found
    monkeypatch.setattr(heard, "unavailable", lambda: "onnxruntime cannot be imported (x). Run: pip install y")
    (found,) = [check for check in ew.doctor() if check.what == "speech activity"]
    assert (found.found, found.remedy) == ("onnxruntime cannot be imported (x).", "pip install y")


def test_engines_that_this_python_has_are_not_installed_again() -> None:
    told: list[str] = []
    (row,) = ew.install("fake", progress=told.append)
    assert (row.engine, row.place, told) == ("fake", "here", [])
