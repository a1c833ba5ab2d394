from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.comparison.study import clip, heard, misheard, record, said

import earwitness as ew
from earwitness.api.analysis import pairs
from earwitness.comparison.study import study
from earwitness.comparison.table import compare
from earwitness.decision.decide import decide
from earwitness.decision.policy import load
from earwitness.errors import ComparisonError, EarwitnessError, RecordError
from earwitness.records import store
from earwitness.records.environment import this_process
from earwitness.records.record import RunLimits, Selection
from earwitness.records.rescore import rescore_record
from earwitness.reports import sections
from earwitness.reports.decision import winner_names
from earwitness.reports.scorecard import markdown
from earwitness.reports.statistics import pair_sentence
from earwitness.runs.drive import Job, start
from earwitness.types import Settings

HOLDS = ("dataset_names.py",)

Measure = Callable[..., Path]


@pytest.fixture
def measure(tmp_path: Path, three_clips: Path) -> Measure:
    """Really runs a scripted model over three clips and returns the record."""
    from earwitness import data
    from earwitness.engines.catalog import Model

    def run(name: str, *texts: str | None, manifest: Path = three_clips, settings: Settings | None = None) -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        answers = {str(16_000 * n): {"model": "error"} if t is None else {"text": t} for n, t in enumerate(texts, 1)}
        (folder / "script.json").write_text(json.dumps(answers))
        model = Model(f"fake:{name}", "fake", f"fake/{name}", sources=(f"path:{folder}",))
        job = Job(
            model=model,
            folder=folder,
            weights_sha256="0" * 64,
            dataset=data.load(manifest),
            selection=Selection(str(manifest)),
            settings=settings or Settings(),
            limits=RunLimits(warmup=0),
        )
        return start(job, tmp_path / "runs", lambda *_: None)

    return run


PERFECT = ("one", "two words", "three little words")


def test_rows_stand_best_first_with_the_numbers_of_their_records(measure: Measure) -> None:
    worse, best = measure("worse", "won", "two words", "three little words"), measure("best", *PERFECT)
    (table,) = compare([worse, best]).tables
    assert [row.label for row in table.rows] == ["fake:best", "fake:worse"]
    assert [row.record for row in table.rows] == [best, worse]
    assert replace(table.rows[1].run, scores=()) == replace(store.read_run(worse), scores=())
    assert table.rows[1].run.scores[0].value == store.read_run(worse).scores[0].value


def test_one_run_has_nothing_to_be_compared_with(measure: Measure) -> None:
    with pytest.raises(ComparisonError, match="There is only one run to compare, 'fake:a'"):
        compare([measure("a", *PERFECT)])


def test_runs_on_different_data_are_refused_and_named(measure: Measure, three_clips: Path) -> None:
    first = measure("a", *PERFECT)
    other = three_clips.with_name("other.jsonl")
    other.write_text(three_clips.read_text().replace("two words", "too words"))
    with pytest.raises(ComparisonError, match=r"different data.*'fake:a' ran on 'three'.*'fake:b' ran on 'other'"):
        compare([first, measure("b", *PERFECT, manifest=other)])


def test_scores_made_in_different_ways_are_refused_with_both_signatures(measure: Measure) -> None:
    first, second = measure("a", *PERFECT), measure("b", *PERFECT)
    again = rescore_record(second, replace(store.read_run(second).scoring, normalizer="none"))
    with pytest.raises(ComparisonError, match=r"WER was computed in different ways.*norm:auto.*norm:none"):
        compare([first, second, again])


def test_the_newest_of_equal_runs_is_taken_and_the_other_named(measure: Measure) -> None:
    old, new, other = measure("a", *PERFECT), measure("a", *PERFECT), measure("b", *PERFECT)
    found = compare([old, new, other])
    assert {row.record for row in found.tables[0].rows} == {new, other}
    assert found.left_out == (f"{old} was measured or scored again later.",)


def test_settings_that_differ_are_said_and_tell_rows_apart(measure: Measure) -> None:
    first, second = measure("a", *PERFECT), measure("a", *PERFECT, settings=Settings(beam_size=5))
    (table,) = compare([first, second]).tables
    assert {row.label for row in table.rows} == {"fake:a on cpu (beam_size=1)", "fake:a on cpu (beam_size=5)"}
    assert [difference.what for difference in table.differences] == ["beam_size"]


def test_with_failures_both_views_are_given(measure: Measure) -> None:
    failing, whole = measure("failing", "one", None, "three little words"), measure("whole", "one", "x", PERFECT[2])
    (table,) = compare([failing, whole]).tables
    by_label = {row.label: row for row in table.rows}
    shared = by_label["fake:whole"].wer_on_shared
    assert shared is not None
    assert (shared.n_clips, shared.value) == (2, 0.0)
    assert by_label["fake:failing"].run.score("wer").value == pytest.approx(2 / 6)  # type: ignore[union-attr]


def test_a_record_whose_texts_were_edited_by_hand_is_left_out(measure: Measure) -> None:
    edited, *rest = (measure(name, *PERFECT) for name in "abc")
    clips = store.clips_path(edited)
    clips.write_text(clips.read_text().replace("two words", "two swords"))
    found = compare([edited, *rest])
    assert "its clips file was changed after the run" in found.left_out[0]


def edit(record: Path) -> Path:
    clips = store.clips_path(record)
    clips.write_text(clips.read_text().replace("two words", "two swords"))
    return record


def interrupt(record: Path, n_clips: int = 2) -> Path:
    """Leave the record as Ctrl-C does after so many clips."""
    clips = store.clips_path(record)
    clips.write_bytes(b"".join(clips.read_bytes().splitlines(keepends=True)[:n_clips]))
    store.write_run(record, store.seal_record(record, replace(store.read_run(record), status="interrupted")))
    return record


def test_a_run_that_is_alone_because_the_other_was_edited_says_so(measure: Measure) -> None:
    whole, edited = measure("a", *PERFECT), edit(measure("b", *PERFECT))
    for refused in (lambda: compare([whole, edited]), lambda: pairs([whole, edited])):
        with pytest.raises(EarwitnessError, match="only one run to compare, 'fake:a'") as caught:
            refused()
        assert f"Left out: {edited}: its clips file was changed after the run." in str(caught.value)
        assert f"earwitness rescore {edited}" in str(caught.value)


@pytest.mark.parametrize("command", ["compare", "decide", "report", "baseline", "terms"])
def test_where_the_only_record_was_interrupted_the_answer_is_how_to_go_on(
    measure: Measure, tmp_path: Path, command: str
) -> None:
    path = interrupt(measure("a", *PERFECT))
    extra = {"report": {"out": tmp_path / "r"}, "baseline": {"out": tmp_path / "b.json"}}
    with pytest.raises(EarwitnessError) as caught:
        getattr(ew, command)(path, **extra.get(command, {}))
    assert f"{path} was interrupted after 2 of 3 clips. Continue it: earwitness run --resume {path}" in str(
        caught.value
    )
    assert "Make one" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"status": "failed"}, "failed after 3 of 3 clips. Continue it"),
        ({"status": "running"}, "was killed after 3 of 3"),
    ],
)
def test_what_became_of_a_record_is_said(measure: Measure, change: dict[str, Any], sentence: str) -> None:
    path = measure("a", *PERFECT)
    store.write_run(path, replace(store.read_run(path), **change))
    with pytest.raises(ComparisonError, match=sentence):
        compare([path])


def test_a_record_that_is_being_written_is_to_be_waited_for(measure: Measure) -> None:
    path = measure("a", *PERFECT)
    store.write_run(path, replace(store.read_run(path), status="running", process=this_process()))
    with pytest.raises(ComparisonError, match=r"is still running, 3 of 3 clips done\. Wait for it"):
        compare([path])


def test_a_folder_without_records_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="There is no run record in"):
        store.find_records([tmp_path])


def test_the_markdown_holds_every_row_the_recipe_and_no_raw_markup(measure: Measure) -> None:
    records = [measure("a|b", *PERFECT), measure("c", *PERFECT)]
    text = markdown(compare(records))
    assert "| fake:c | 0.0 %" in text
    assert r"fake:a\|b" in text
    assert "wer|norm:auto" in text
    assert "sha256 `" in text
    assert "nan" not in text.lower()


def test_two_programs_under_one_name_are_two_rows_and_network_time_is_said(measure: Measure) -> None:
    paths = [measure("a", *PERFECT), measure("a", *PERFECT)]
    for path, argv in zip(paths, (["one"], ["two"]), strict=True):
        run = store.read_run(path)
        assert run.speed is not None
        speed = replace(run.speed, wall_s=4.0, network_s=1.5)
        store.write_run(path, replace(run, model=replace(run.model, options={"argv": argv}), speed=speed))
    found = compare(paths)
    assert found.left_out == ()
    assert len(found.tables[0].rows) == 2
    assert "fake:a on cpu #1: of 4.0 s, the network took 1.5 s" in markdown(found)


def test_presets_that_differ_are_said(measure: Measure) -> None:
    first, second = measure("a", *PERFECT), measure("b", *PERFECT)
    store.write_run(second, replace(store.read_run(second), preset="native"))
    (table,) = compare([first, second]).tables
    assert [difference.what for difference in table.differences] == ["preset"]


def test_answers_and_cut_off_texts_are_noted_where_there_are_any(measure: Measure) -> None:
    answering = measure("answering", "one", "I'm sorry, but I can't listen to audio.", "As an AI, I cannot.")
    text = markdown(compare([answering, measure("perfect", *PERFECT)]))
    assert "fake:answering: the model answered instead of transcribing in 2 of 3 clips" in text
    assert "fake:perfect: the model answered" not in text
    assert "cut off" not in text


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_a_narrow_screen_divides_a_table_and_cuts_no_number_off(
    measure: Measure, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int
) -> None:
    from earwitness.cli.compare import show
    from earwitness.reports.scorecard import COLUMNS, main_columns

    monkeypatch.setenv("COLUMNS", str(width))
    found = compare([measure("a", *PERFECT), measure("b", "one", "", "three little words")])
    for wide, shown in ((True, COLUMNS), (False, main_columns(found.tables[0]))):
        show(found, wide=wide)
        printed = capsys.readouterr().out
        for row in found.tables[0].rows:
            for column in shown:
                assert column.heading in printed
                assert column.show(row) in printed


def test_the_columns_that_decide_fit_a_screen_of_100_columns_and_count_every_problem(
    measure: Measure, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from earwitness.cli.compare import show
    from earwitness.reports.scorecard import problems

    monkeypatch.setenv("COLUMNS", "100")
    found = compare([measure("perfect", *PERFECT), measure("b", "one", "", "three little words")])
    show(found)
    printed = capsys.readouterr().out
    assert printed.count("Model") == 1
    assert max(map(len, printed.splitlines())) <= 100
    assert {row.run.model.id: problems(row) for row in found.tables[0].rows} == {
        "fake:perfect": "none",
        "fake:b": "1 empty text",
    }


def unlabelled(manifest: Path) -> Path:
    rows = [json.loads(line) for line in manifest.read_text().splitlines()]
    path = manifest.with_name("unlabelled.jsonl")
    path.write_text("".join(json.dumps({k: v for k, v in row.items() if k != "text"}) + "\n" for row in rows))
    return path


def test_without_references_there_is_no_rank_and_what_is_known_is_said(measure: Measure, three_clips: Path) -> None:
    bare = unlabelled(three_clips)
    found = compare([measure("a", *PERFECT, manifest=bare), measure("b", *PERFECT, manifest=bare)])
    (table,) = found.tables
    assert [row.rank for row in table.rows] == ["–", "–"]
    assert table.pairs == ()
    text = markdown(found)
    assert (
        "- Not ranked: no clip has a reference, so there is no error rate. What is known without references: " in text
    )
    assert " tie" not in text
    assert "| Model | WER | RTF |" in text  # and no rank, CER, length
    assert sections.leader(table)["name"] == "No rank:"


@pytest.mark.parametrize("n_recordings", [1, 3])
def test_too_few_recordings_are_no_tie_and_give_no_rank(tmp_path: Path, n_recordings: int) -> None:
    words = said(20, 1)
    for name, errors in (("a:good", 1), ("b:bad", 9)):
        clips = [clip(f"c{n}", words, 5.0) for n in range(n_recordings)]
        record(tmp_path, name, "d", [(one, heard(one, misheard(words, errors), 1.0)) for one in clips])
    paths = store.find_records([tmp_path])
    found = compare(paths)
    (table,) = found.tables
    assert [row.rank for row in table.rows] == ["–", "–"]
    like, seconds = ("this one", 5) if n_recordings == 1 else ("these", 15)
    reason = f"it takes 100 s of recordings like {like}, and there are {seconds} s"
    assert table.unranked == f"Not ranked: their error rates cannot be compared: {reason}"
    assert pair_sentence(table.pairs[0]) == f"a:good and b:bad cannot be compared: {reason}"
    assert " tie" not in markdown(found)
    decision = decide(paths, load(), out=tmp_path / "decision.json")
    accuracy = next(winner for winner in decision.winners if winner.category == "accuracy")
    assert accuracy.note == f"they cannot be compared ({reason})"
    assert winner_names(accuracy) == "a:good, b:bad"


def test_four_recordings_with_a_rank_have_one_and_ties_among_them(tmp_path: Path) -> None:
    words = said(20, 1)
    for name, errors in (("a:good", 1), ("b:bad", 2)):
        clips = [clip(f"c{n}", words, 5.0) for n in range(4)]
        record(tmp_path, name, "d", [(one, heard(one, misheard(words, errors), 1.0)) for one in clips])
    (table,) = compare(store.find_records([tmp_path])).tables
    assert table.unranked is None
    assert [row.rank for row in table.rows] == ["1–2", "1–2"]
    assert "a:good and b:bad tie" in pair_sentence(table.pairs[0])


def test_two_datasets_of_one_name_are_told_apart_by_where_they_came_from(measure: Measure, three_clips: Path) -> None:
    others = {}
    for language in ("en", "es"):
        others[language] = three_clips.parent / language / "three.jsonl"
        others[language].parent.mkdir()
        text = three_clips.read_text().replace('"audio_filepath": "', f'"audio_filepath": "{three_clips.parent}/')
        others[language].write_text(text.replace('"lang": "en"', f'"lang": "{language}"'))
    records = [measure(name, *PERFECT, manifest=path) for path in others.values() for name in "ab"]
    found = compare(records)
    assert [table.name for table in found.tables] == ["three (en/three.jsonl)", "three (es/three.jsonl)"]
    text = markdown(found)
    assert "## three (en/three.jsonl): 3 clips" in text
    assert "## three (es/three.jsonl): 3 clips" in text
    lead = sections.lead(study(records))
    assert "three (en/three.jsonl)" in lead
    assert "three (es/three.jsonl)" in lead


def test_a_dataset_that_changed_in_its_place_is_told_apart_by_its_hash(measure: Measure, three_clips: Path) -> None:
    records = [measure(name, *PERFECT) for name in "ab"]
    three_clips.write_text(three_clips.read_text().replace("two words", "too words"))
    records += [measure(name, *PERFECT) for name in "ab"]
    names = {table.dataset.sha256: table.name for table in compare(records).tables}
    assert sorted(names.values()) == sorted(f"three (sha256 {sha256[:8]})" for sha256 in names)
