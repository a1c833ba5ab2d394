"""The report is made of real records: what is in its files is held against them."""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from tests.comparison.study import clip, heard, misheard, record, said
from tests.reports.reports import ARABIC, CLIPS, IMAGE, SCRIPT, decision, records

from earwitness.cli import main
from earwitness.comparison.study import study
from earwitness.decision.decision import Decision
from earwitness.decision.decision_file import read_decision
from earwitness.decision.stale_evidence import departures
from earwitness.errors import RecordError
from earwitness.records import store
from earwitness.records.speed import Drift
from earwitness.reports.build import ReportFiles, build
from earwitness.reports.documents import main_board
from earwitness.reports.scorecard import notes

HOLDS = (
    "build.py", "clip_data.py", "documents.py", "draw.py", "figures.py", "page.py", "scorecard.py", "sections.py",
    "sounds.py", "speed.py", "statistics.py", "markdown.py", "api/report.py", "cli/report.py",
    "comparison/word_diff.py", "decision/stale_evidence.py", "runs/sound.py",
)  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path], ReportFiles]:
    root = tmp_path_factory.mktemp("report")
    paths = records(root)
    return root, paths, build(study(paths), root / "out", decision=decision(paths))


def blob(page: str, name: str) -> Any:
    found = re.search(rf'<script type="text/plain" id="{name}">([A-Za-z0-9+/=]*)</script>', page)
    assert found, name
    return json.loads(gzip.decompress(base64.b64decode(found[1])))


class Elements(HTMLParser):
    """Every element and attribute of a page, and no more."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_every_file_is_written_and_none_is_left_half_done(made: tuple[Path, list[Path], ReportFiles]) -> None:
    root, _, report = made
    names = {path.name for path in report.files}
    assert {"report.html", "results.md", "scorecard.md", "devices.md", "share.md", "card.png"} <= names
    assert {path for path in (root / "out").rglob("*") if path.is_file()} == set(report.files)
    assert all(path.stat().st_size > 100 for path in report.files)


def test_nothing_in_a_record_becomes_an_element_or_a_script(made: tuple[Path, list[Path], ReportFiles]) -> None:
    page = made[2].page.read_text(encoding="utf-8")
    parser = Elements()
    parser.feed(page)
    scripts = [attributes for tag, attributes in parser.found if tag == "script"]
    assert [attributes for attributes in scripts if "type" not in attributes] == [{}]
    assert not [tag for tag, _ in parser.found if tag in ("img", "iframe", "object", "embed", "form", "textarea")]
    assert not [name for _, attributes in parser.found for name in attributes if name.startswith("on")]
    assert html.escape(SCRIPT) in page


def test_the_page_names_no_address_and_forbids_every_request(made: tuple[Path, list[Path], ReportFiles]) -> None:
    page = made[2].page.read_text(encoding="utf-8")
    parser = Elements()
    parser.feed(page)
    addresses = [
        value for _, a in parser.found for key, value in a.items() if key in ("src", "href", "srcset", "action")
    ]
    assert all(value is not None and value.startswith(("#", "data:,")) for value in addresses)
    policy = next(a["content"] for tag, a in parser.found if tag == "meta" and "http-equiv" in a)
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")


def test_the_words_in_the_page_have_the_counts_of_the_record(made: tuple[Path, list[Path], ReportFiles]) -> None:
    _, paths, report = made
    page = report.page.read_text(encoding="utf-8")
    index, texts = blob(page, "index-0"), blob(page, "texts-0-0")
    assert index["ids"] == [clip["id"] for clip in CLIPS]
    labels = ["fake:good", "fake:poor"]
    for place, path in enumerate(paths):
        assert store.read_run(path).model.id == labels[place]
        for number, result in enumerate(store.read_clips(path)):
            words = result.score.words
            assert words is not None
            assert index["errors"][place][number] == words.errors
            ops = re.findall(r"(\d+)([=rdi])", texts[number]["heard"][place].get("ops", ""))
            total = {kind: sum(int(size) for size, found in ops if found == kind) for kind in "=rdi"}
            assert [total[kind] for kind in "=rdi"] == [
                words.hits,
                words.substitutions,
                words.deletions,
                words.insertions,
            ]
            assert texts[number]["heard"][place]["edits"] == list(total.values())


def test_texts_come_back_as_they_were(made: tuple[Path, list[Path], ReportFiles]) -> None:
    texts = blob(made[2].page.read_text(encoding="utf-8"), "texts-0-0")
    assert [text["ref"] for text in texts] == [clip["text"] for clip in CLIPS]
    assert texts[1]["heard"][0]["text"] == ARABIC
    assert texts[0]["tags"]["kind"] == IMAGE
    assert texts[2]["unspaced"] is True


def test_the_sound_in_the_page_is_as_long_as_the_clip(made: tuple[Path, list[Path], ReportFiles]) -> None:
    import io

    import av

    page = made[2].page.read_text(encoding="utf-8")
    assert made[2].n_heard == len(CLIPS)
    found = re.search(r'id="sound-0-3">([A-Za-z0-9+/=]*)<', page)
    assert found
    with av.open(io.BytesIO(base64.b64decode(found[1])), "r") as container:
        assert container.streams.audio[0].codec_context.name in ("opus", "libopus")
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert samples / 48_000 == pytest.approx(4.0, abs=0.1)


def test_the_markdown_shows_hostile_texts_as_texts(made: tuple[Path, list[Path], ReportFiles]) -> None:
    for path in made[2].files:
        if path.suffix == ".md":
            assert "<script" not in path.read_text(encoding="utf-8")
            assert "<img" not in path.read_text(encoding="utf-8")


def test_the_scorecard_of_the_page_has_the_numbers_of_the_records(made: tuple[Path, list[Path], ReportFiles]) -> None:
    _, paths, report = made
    page = report.page.read_text(encoding="utf-8")
    for path in paths:
        wer = store.read_run(path).score("wer")
        assert wer is not None
        assert wer.value is not None
        assert f'data-key="{wer.value}"' in page
        assert f"{100 * wer.value:.1f} %" in (report.page.parent / "results.md").read_text(encoding="utf-8")


def test_a_clip_whose_audio_is_gone_is_in_the_report_with_the_reason(tmp_path: Path) -> None:
    paths = records(tmp_path)
    (tmp_path / "audio" / "3.wav").unlink()
    (tmp_path / "audio" / "4.wav").write_bytes((tmp_path / "audio" / "1.wav").read_bytes())
    report = build(study(paths), tmp_path / "out")
    index = blob(report.page.read_text(encoding="utf-8"), "index-0")
    assert report.n_heard == len(CLIPS) - 2
    assert "'3.wav' is no longer where it was" in index["reasons"][index["silent"][3]]
    assert "'4.wav' has changed since the run" in index["reasons"][index["silent"][4]]
    linked = build(study(paths), tmp_path / "linked", audio="link")
    texts = blob(linked.page.read_text(encoding="utf-8"), "texts-0-0")
    assert texts[1]["link"] == "../audio/1.wav"
    assert texts[0]["link"] == "../audio/%3Cb%3Ebold.wav"
    assert "link" not in texts[3]


def test_one_run_alone_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = records(tmp_path)
    arguments = ["report", str(paths[0]), "--out", str(tmp_path / "out"), "--audio", "none", "--json"]
    assert main(arguments) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["clips"] == len(CLIPS)
    assert told["clips_with_sound"] == 0
    assert Path(told["page"]).stat().st_size == told["page_bytes"]


def test_a_record_edited_by_hand_is_named_before_everything_else(tmp_path: Path) -> None:
    paths = records(tmp_path)
    clips = store.clips_path(paths[1])
    clips.write_text(clips.read_text(encoding="utf-8").replace("yellow", "hello"), encoding="utf-8")
    report = build(study(paths), tmp_path / "out", audio="none")
    assert any("was changed after the run" in warning for warning in report.warnings)
    page = report.page.read_text(encoding="utf-8")
    assert page.index("was changed after the run") < page.index('<section id="verdict">')


def test_a_decision_made_from_other_records_is_said_to_be_one(
    made: tuple[Path, list[Path], ReportFiles], tmp_path: Path
) -> None:
    _, paths, _ = made
    found = decision(paths)
    assert departures(found, paths) == ()
    assert "not among the records" in departures(found, paths[:1])[0]
    changed = replace(found, evidence=tuple(replace(one, record_sha256="0" * 64) for one in found.evidence))
    assert "was changed after the decision" in departures(changed, paths)[0]
    assert "2 of the 2 records" not in " ".join(departures(found, paths))
    assert "did not look at 1 of 2 records" in departures(replace(found, evidence=found.evidence[:1]), paths)[0]


def test_a_decision_is_read_as_it_was_written(made: tuple[Path, list[Path], ReportFiles], tmp_path: Path) -> None:
    from pydantic import TypeAdapter

    found = decision(made[1])
    path = tmp_path / "decision.json"
    data = TypeAdapter(Decision).dump_python(found, mode="json")
    path.write_text(json.dumps(data), encoding="utf-8")
    assert read_decision(path) == found
    path.write_text(json.dumps({**data, "schema_version": 99}), encoding="utf-8")
    with pytest.raises(RecordError, match=r"schema version 99; this Earwitness reads up to 1. Upgrade"):
        read_decision(path)
    path.write_text(json.dumps({**data, "chosen": 3}), encoding="utf-8")
    with pytest.raises(RecordError, match="schema: chosen"):
        read_decision(path)
    with pytest.raises(RecordError, match="Make one: earwitness decide"):
        read_decision(tmp_path / "none.json")


@pytest.mark.parametrize("missing", ["jinja2", "vl_convert"])
def test_without_the_extra_one_sentence_says_what_to_install(
    made: tuple[Path, list[Path], ReportFiles], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, missing, None)
    from earwitness.errors import UsageError

    with pytest.raises(UsageError, match=r"pip install 'earwitness\[report\]'"):
        build(study(made[1]), tmp_path / "out", audio="none")
    assert not (tmp_path / "out" / "report.html").exists()


@pytest.mark.real
def test_the_example_in_the_documents_makes_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = (Path(__file__).parents[2] / "docs" / "report.md").read_text(encoding="utf-8")
    commands = re.findall(r"^\$ earwitness (.*)$", text, re.MULTILINE)
    assert [command.split()[0] for command in commands] == ["run", "report"]
    for command in commands:
        assert main(command.replace(" --open", "").split()) == 0
    made = Path("report")
    assert {"report.html", "results.md", "scorecard.md", "devices.md", "share.md", "card.png", "plots"} == {
        path.name for path in made.iterdir()
    }


def test_a_drift_that_the_models_of_a_run_share_is_said_once(tmp_path: Path) -> None:
    paths = records(tmp_path)[:2]
    drift = Drift(9, 0.02, 0.9, 1.1, 1.6)
    for path in paths:
        store.write_run(path, replace(store.read_run(path), drift=drift))
    (board,) = study(paths).boards
    (line,) = [line for line in notes(board.table) if "the machine drifted" in line]
    assert line.startswith(", ".join(row.label for row in board.table.rows) + ": the machine drifted: ")


def test_the_card_shows_real_speech_where_there_is_any(tmp_path: Path) -> None:
    synthetic = [_synthetic(path) for path in records(tmp_path / "a")[:2]]
    one = clip("call-1", said(50, 1), 20.0)
    real = record(tmp_path / "b", "steady:base", "calls", [(one, heard(one, misheard(said(50, 1), 5), 1.0))])
    found = study([*synthetic, real])
    assert found.boards[0].table.name != "calls"
    assert main_board(found, None).table.name == "calls"


def _synthetic(path: Path) -> Path:
    run = store.read_run(path)
    store.write_run(path, replace(run, dataset=replace(run.dataset, synthetic=True)))
    return path
