"""Records leave and come back through real zips; what was tampered with stays outside."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from earwitness import data
from earwitness.engines.catalog import find
from earwitness.errors import ArchiveError, RecordError
from earwitness.records import store
from earwitness.records.exchange import Arrival, pack, take_in
from earwitness.records.record import RunLimits, Selection
from earwitness.runs.drive import Job, start

HOLDS = ("cli/bundle.py", "cli/export.py", "cli/import_.py", "scoring/text/old_names.py")

Edit = Callable[[dict[str, Any]], Any]


@pytest.fixture
def there(tmp_path: Path, three_clips: Path) -> Path:
    """The runs folder of the other machine, with two records."""
    for model in ("fake:echo", "fake:chat"):
        selection = Selection(str(three_clips))
        job = Job(find(model), None, None, data.load(three_clips), selection, limits=RunLimits(warmup=0))
        start(job, tmp_path / "there", lambda *_: None)
    return tmp_path / "there"


@pytest.fixture
def zipped(there: Path, tmp_path: Path) -> Path:
    pack(store.find_records([there]), tmp_path / "records.zip")
    return tmp_path / "records.zip"


def edit(path: Path, change: Edit) -> None:
    found = json.loads(path.read_text())
    change(found)
    path.write_text(json.dumps(found))


def echo(root: Path) -> Path:
    return next((root / "fake-echo" / "asr").glob("*.json"))


def outcomes(arrivals: list[Arrival]) -> list[str]:
    return [arrival.outcome for arrival in arrivals]


def tree(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_what_comes_back_is_what_was_measured(zipped: Path, there: Path, tmp_path: Path) -> None:
    arrivals = take_in(zipped, tmp_path / "here")
    assert outcomes(arrivals) == ["imported", "imported"]
    assert tree(tmp_path / "here") == tree(there)
    for arrival in arrivals:
        assert arrival.record is not None
        assert store.seal_fits(arrival.record, store.read_run(arrival.record))


def test_a_record_keeps_the_machine_that_it_was_measured_on(there: Path, tmp_path: Path) -> None:
    edit(echo(there), lambda run: run["environment"].update(cpu="Somebody's processor", cores=96))
    edit(echo(there), lambda run: run.update(device_used="cuda:0"))
    take_in(there, tmp_path / "here")
    run = store.read_run(echo(tmp_path / "here"))
    assert (run.environment.cpu, run.environment.cores, run.device_used) == ("Somebody's processor", 96, "cuda:0")


def test_the_same_records_again_are_left_alone(zipped: Path, there: Path, tmp_path: Path) -> None:
    take_in(zipped, tmp_path / "here")
    before = tree(tmp_path / "here")
    assert outcomes(take_in(zipped, tmp_path / "here")) == ["already here", "already here"]
    assert outcomes(take_in(there, tmp_path / "here")) == ["already here", "already here"]
    assert tree(tmp_path / "here") == before


def test_a_taken_name_gives_a_new_name_and_both_records_are_whole(zipped: Path, there: Path, tmp_path: Path) -> None:
    here = tmp_path / "here"
    shutil.copytree(there, here)
    edit(echo(here), lambda run: run.update(id="another/run"))
    mine = tree(here)
    renamed = take_in(zipped, here)[1]
    assert renamed.outcome == "renamed"
    assert renamed.record == here / "fake-echo" / "asr" / f"{echo(there).stem}-2.json"
    assert store.seal_fits(renamed.record, store.read_run(renamed.record))
    assert mine.items() <= tree(here).items()


def test_one_id_with_two_texts_is_a_refusal_and_what_is_here_stays(zipped: Path, there: Path, tmp_path: Path) -> None:
    here = tmp_path / "here"
    take_in(zipped, here)
    record = echo(here)
    lines = store.clips_path(record).read_text().replace("heard 1.00", "heard 9.00")
    store.clips_path(record).write_text(lines)
    store.write_run(record, store.seal_record(record, store.read_run(record)))
    before = tree(here)
    arrival = take_in(zipped, here)[1]
    assert arrival.outcome == "refused"
    assert "but other texts. The existing record was kept" in arrival.reason
    assert tree(here) == before


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda run: run.update(status="running"), "is running. Finish it where it was begun"),
        (lambda run: run.update(schema_version=99), "schema version 99; this Earwitness reads up to"),
        (lambda run: run.update(surprise=1), "does not fit the record's schema: surprise"),
        (lambda run: run.pop("environment"), "does not fit the record's schema: environment"),
        (lambda run: run["clips_file"].update(sha256=None), "differs from the one that it was written with"),
        (lambda run: run["clips_file"].update(sha256="0" * 64), "differs from the one that it was written with"),
        (
            lambda run: run["clips_file"].update(name="../../x.clips.jsonl"),
            "differs from the one that it was written with",
        ),
        (lambda run: run["clips_file"].update(lines=2), "differs from the one that it was written with"),
        (lambda run: run["dataset"].update(sha256="0" * 64), "its clips do not match the sha256 of its dataset"),
        (lambda run: run["scores"][0].update(signature=""), "its 'wer' has no signature"),
        (lambda run: run.update(scores=[]), "its 'wer' has no signature"),
        (lambda run: run["scores"][0].update(value=0.0), "its WER does not follow from its texts' counts"),
        (lambda run: run["scores"][0]["edits"].update(hits=99), "its WER does not follow from its texts' counts"),
    ],
)
def test_a_tampered_record_is_refused_with_the_reason_and_the_other_comes_in(
    there: Path, tmp_path: Path, change: Edit, reason: str
) -> None:
    edit(echo(there), change)
    arrivals = take_in(there, tmp_path / "here")
    assert outcomes(arrivals) == ["imported", "refused"]
    assert reason in arrivals[1].reason
    assert str(tmp_path) not in arrivals[1].reason
    assert sorted(p.name for p in (tmp_path / "here").iterdir()) == ["fake-chat"]


def test_texts_that_were_changed_are_refused(there: Path, tmp_path: Path) -> None:
    clips = store.clips_path(echo(there))
    clips.write_text(clips.read_text().replace("heard 2.00", "two words"))
    assert "differs from the one that it was written with" in take_in(there, tmp_path / "here")[1].reason


def test_half_a_record_is_refused_and_named(there: Path, tmp_path: Path) -> None:
    store.clips_path(echo(there)).unlink()
    next((there / "fake-chat" / "asr").glob("*[0-9].json")).unlink()
    first, second = take_in(there, tmp_path / "here")
    assert (first.outcome, second.outcome) == ("refused", "refused")
    assert first.reason.startswith("There is no record 'fake-chat/asr/")
    assert "has no '.clips.jsonl' beside it" in second.reason


def test_a_model_id_cannot_choose_the_folder(there: Path, tmp_path: Path) -> None:
    edit(echo(there), lambda run: run["model"].update(id="../../../evil:model"))
    arrivals = take_in(there, tmp_path / "here")
    assert all(a.record and a.record.resolve().is_relative_to(tmp_path / "here") for a in arrivals)
    assert not list(tmp_path.parent.glob("evil*"))


def test_a_zip_by_hand_may_hold_other_things_and_a_mac_s_shadows(there: Path, tmp_path: Path) -> None:
    path = tmp_path / "by-hand.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.mkdir("runs")
        made.writestr("runs/scorecard.md", "# table")
        made.writestr("notes.json", "{}")
        for name, content in tree(there).items():
            made.writestr(f"runs/{name}", content)
            made.writestr(f"__MACOSX/runs/{Path(name).parent}/._{Path(name).name}", b"\x00\x05\x16\x07")
    assert outcomes(take_in(path, tmp_path / "here")) == ["imported", "imported"]
    assert tree(tmp_path / "here") == tree(there)


def test_a_hostile_zip_brings_nothing_in(zipped: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(zipped, "a") as made:
        made.writestr("../../evil.json", "{}")
    with pytest.raises(ArchiveError, match="leads out of the folder"):
        take_in(zipped, tmp_path / "here")
    assert not (tmp_path / "here").exists()


def test_a_zip_without_records_is_one_sentence(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as made:
        made.writestr("readme", "nothing")
    with pytest.raises(RecordError, match=r"There is no run record in .*empty.zip"):
        take_in(tmp_path / "empty.zip", tmp_path / "here")


def test_only_complete_records_are_packed_and_the_others_named(there: Path, tmp_path: Path) -> None:
    edit(echo(there), lambda run: run.update(status="interrupted"))
    packed, left_out = pack(store.find_records([there]), tmp_path / "x.zip")
    assert [path.parts[-3] for path in packed] == ["fake-chat"]
    assert "is interrupted. Finish it where it was begun" in left_out[0]
    edit(packed[0], lambda run: run.update(status="failed"))
    with pytest.raises(RecordError, match="no complete record to pack"):
        pack(store.find_records([there]), tmp_path / "y.zip")
    assert not (tmp_path / "y.zip").exists()


def earwitness(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "earwitness", *arguments]
    return subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=120)


def test_the_commands_answer_with_the_house_s_exit_codes(there: Path, tmp_path: Path) -> None:
    assert earwitness(tmp_path, "export", "there", "--out", "r.zip").returncode == 0
    done = earwitness(tmp_path, "import", "r.zip", "--json")
    assert done.returncode == 0, done.stderr
    assert [arrival["outcome"] for arrival in json.loads(done.stdout)] == ["imported", "imported"]
    edit(echo(there), lambda run: run.update(status="failed", id="new"))
    assert earwitness(tmp_path, "export", "there", "--out", "r.zip").returncode == 1
    done = earwitness(tmp_path, "import", "there")
    assert (done.returncode, done.stdout.count("already here: "), done.stdout.count("refused: ")) == (1, 1, 1)
    (tmp_path / "r.zip").write_bytes(b"PK\x03\x04 and no more")
    done = earwitness(tmp_path, "import", "r.zip")
    assert done.returncode == 2
    assert "is damaged" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bundle_is_run_as_it_was_packed_and_typed_options_win(three_clips: Path, tmp_path: Path) -> None:
    pack_it = (
        "bundle",
        three_clips.name,
        "-m",
        "fake:echo",
        "-m",
        "fake:chat",
        "--set",
        "beam_size=5",
        "--out",
        "s.zip",
    )
    done = earwitness(tmp_path, *pack_it, "--normalizer", "basic", "--warmup", "0", "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    three_clips.unlink()
    assert earwitness(tmp_path, "run", "s.zip", "--out", "a").returncode == 0
    runs = [store.read_run(path) for path in store.find_records([tmp_path / "a"])]
    assert {run.model.id for run in runs} == {"fake:echo", "fake:chat"}
    assert {run.dataset.sha256 for run in runs} == {made["datasets"][0]["sha256"]}
    assert {(r.settings_asked.beam_size, r.scoring.normalizer, r.limits.warmup) for r in runs} == {(5, "basic", 0)}
    assert (
        earwitness(tmp_path, "run", "s.zip", "-m", "fake:empty", "--set", "beam_size=2", "--out", "b").returncode == 0
    )
    (path,) = store.find_records([tmp_path / "b"])
    run = store.read_run(path)
    assert (run.settings_asked.beam_size, run.scoring.normalizer) == (2, "basic")
    assert earwitness(tmp_path, "run", "--resume", str(path)).returncode == 0


def test_a_model_that_cannot_travel_is_refused_at_home(three_clips: Path, tmp_path: Path) -> None:
    done = earwitness(tmp_path, "bundle", three_clips.name, "-m", "fake:/some/folder", "--out", "s.zip")
    assert done.returncode == 2
    assert "are a folder on this machine. Name a model that can be downloaded" in done.stderr
    assert not (tmp_path / "s.zip").exists()
