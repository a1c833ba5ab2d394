from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from earwitness import data
from earwitness.data import bundle, bundle_writer
from earwitness.errors import ArchiveError, DataNotFoundError, EarwitnessError, UsageError
from earwitness.runs.bundle_study import read_study

HOLDS = ("bundle_writer.py",)

pytestmark = pytest.mark.usefixtures("cache")
STUDY = {"models": ["fake:echo"], "settings": {"beam_size": 5}}


@pytest.fixture
def packed(tmp_path: Path, three_clips: Path) -> Path:
    (tmp_path / "LICENSE.txt").write_text("CC0")
    (tmp_path / "corpus.json").write_text(json.dumps({"name": "three", "license": "CC0-1.0", "attribution": "me"}))
    bundle_writer.pack([data.load(three_clips)], STUDY, tmp_path / "study.zip")
    return tmp_path / "study.zip"


def rewritten(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The zip with other members."""
    with zipfile.ZipFile(path) as zipped:
        members = {name: zipped.read(name) for name in zipped.namelist()}
    change(members)
    target = path.with_name("changed.zip")
    with zipfile.ZipFile(target, "w") as zipped:
        for name, content in members.items():
            zipped.writestr(name, content)
    return target


def edited(path: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    """The zip with another index."""

    def edit(members: dict[str, bytes]) -> None:
        index = json.loads(members["bundle.json"])
        change(index)
        members["bundle.json"] = json.dumps(index).encode()

    return rewritten(path, edit)


def test_opened_elsewhere_it_is_the_same_data(packed: Path, three_clips: Path, tmp_path: Path) -> None:
    here = data.load(three_clips)
    for file in tmp_path.glob("*.wav"):
        file.unlink()
    there = data.load(packed)
    assert there.sha256 == here.sha256
    assert (there.name, there.license, there.synthetic) == ("three", "CC0-1.0", False)
    for mine, theirs in zip(here.clips, there.clips, strict=True):
        assert Path(theirs.audio_path).is_file()
        assert (mine.id, mine.recording, mine.reference) == (theirs.id, theirs.recording, theirs.reference)
    folder = Path(there.clips[0].audio_path).parents[1]
    assert (folder / "LICENSE.txt").read_text() == "CC0"
    assert json.loads((folder / "corpus.json").read_text())["attribution"] == "me"


def test_the_same_data_give_the_same_zip(packed: Path, three_clips: Path, tmp_path: Path) -> None:
    bundle_writer.pack([data.load(three_clips)], STUDY, tmp_path / "again.zip")
    assert packed.read_bytes() == (tmp_path / "again.zip").read_bytes()


def test_nothing_in_it_says_where_it_was_made(packed: Path, tmp_path: Path) -> None:
    assert str(tmp_path).encode() not in packed.read_bytes()


def test_only_what_was_chosen_is_packed(three_clips: Path, tmp_path: Path) -> None:
    chosen = data.load(three_clips, limit=1, language="de", channel=0)
    made = bundle_writer.pack([chosen], {}, tmp_path / "one.zip")
    assert sum(name.endswith(".wav") for name in made.files) == 1
    assert data.load(tmp_path / "one.zip").sha256 == chosen.sha256


def test_of_several_datasets_one_is_named(three_clips: Path, tmp_path: Path) -> None:
    path = tmp_path / "two.zip"
    bundle_writer.pack([data.load("sample", limit=2), data.load(three_clips), data.load(three_clips)], {}, path)
    assert [source.removeprefix(f"{path}/") for source in bundle.sources(path)] == ["sample-2", "three", "three-2"]
    assert data.load(path / "three-2").sha256 == data.load(three_clips).sha256
    assert data.load(path / "sample-2").synthetic is True
    with pytest.raises(DataNotFoundError, match=r"not have exactly one dataset ''. Name .*two.zip/sample-2 or "):
        data.load(path)
    with pytest.raises(DataNotFoundError, match="not have exactly one dataset 'four'"):
        data.load(path / "four")


def test_a_clip_without_audio_is_not_packed(three_clips: Path, tmp_path: Path) -> None:
    (tmp_path / "2.wav").unlink()
    with pytest.raises(UsageError, match="Clip 'clip2' of 'three' has no audio"):
        bundle_writer.pack([data.load(three_clips)], {}, tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


def test_audio_that_is_not_what_was_packed_is_refused_and_nothing_is_kept(packed: Path, cache: Path) -> None:
    def swap(members: dict[str, bytes]) -> None:
        first, second = sorted(name for name in members if name.endswith(".wav"))[:2]
        members[first], members[second] = members[second], members[first]

    with pytest.raises(ArchiveError, match="has changed since it was packed. Copy or download it again"):
        data.load(rewritten(packed, swap))
    assert list((cache / "bundles").iterdir()) == []


def test_files_too_many_and_too_few_are_named(packed: Path) -> None:
    with pytest.raises(ArchiveError, match=r"'data/three/virus.exe' is in the zip and not in its index"):
        data.load(rewritten(packed, lambda members: members.update({"data/three/virus.exe": b"MZ"})))
    with pytest.raises(ArchiveError, match="'data/three/corpus.json' is in its index and not in the zip"):
        data.load(rewritten(packed, lambda members: members.__delitem__("data/three/corpus.json")))


def test_a_manifest_that_points_out_of_the_bundle_is_refused(packed: Path, tmp_path: Path) -> None:
    import hashlib

    outside = tmp_path / "1.wav"
    row = {"audio_filepath": str(outside), "text": "one", "id": "clip1", "duration": 1.0, "lang": "en"}
    line = (json.dumps(row) + "\n").encode()
    (tmp_path / "outside.jsonl").write_bytes(line)
    sha256 = data.load(tmp_path / "outside.jsonl").sha256

    def point_out(members: dict[str, bytes]) -> None:
        index = json.loads(members["bundle.json"])
        index["files"]["data/three/manifest.jsonl"] = hashlib.sha256(line).hexdigest()
        index["datasets"][0]["sha256"] = sha256
        members |= {"bundle.json": json.dumps(index).encode(), "data/three/manifest.jsonl": line}

    with pytest.raises(ArchiveError, match="the clips of 'three' differ from those that were packed"):
        data.load(rewritten(packed, point_out))


@pytest.mark.parametrize("folder", ["../../three", "/etc", "no/such"])
def test_a_dataset_s_folder_that_leads_elsewhere_is_refused(packed: Path, folder: str) -> None:
    hostile = edited(packed, lambda index: index["datasets"][0].update(folder=folder))
    with pytest.raises(ArchiveError, match="differ from those that were packed"):
        data.load(hostile)


def test_an_index_that_does_not_fit_is_named(packed: Path, tmp_path: Path) -> None:
    for change, message in (
        (lambda index: index.update(bundle_version=99), "version 99; this Earwitness reads up to 3. Upgrade it"),
        (lambda index: index.update(extra=1), "does not fit: extra"),
        (lambda index: index.pop("study"), "does not fit: study"),
    ):
        with pytest.raises(ArchiveError, match=message):
            bundle.read(edited(packed, change))
    with pytest.raises(ArchiveError, match=r"is not JSON"):
        bundle.read(rewritten(packed, lambda members: members.update({"bundle.json": b"{"})))
    with pytest.raises(ArchiveError, match="is a zip, but no bundle"):
        bundle.read(rewritten(packed, lambda members: members.__delitem__("bundle.json")))


def test_the_study_of_an_earlier_version_is_read_with_the_names_of_today(packed: Path) -> None:
    def age(index: dict[str, Any]) -> None:
        index["bundle_version"] = 2
        index["study"] = {"models": ["fake:echo"], "assignments": ["beam_size=5", "vad=true"], "method": "sclite"}

    study = read_study(bundle.read(edited(packed, age)))
    assert (study.models, study.align, study.settings) == (("fake:echo",), "sclite", {"beam_size": "5", "vad": "true"})
    with pytest.raises(ArchiveError, match=r"The study of the bundle does not fit: warmup"):
        read_study(bundle.read(edited(packed, lambda index: index["study"].update(warmup="often"))))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10**7), flip=st.integers(1, 255))
def test_a_damaged_bundle_is_the_same_data_or_one_sentence(packed: Path, cache: Path, place: int, flip: int) -> None:
    shutil.rmtree(cache / "bundles", ignore_errors=True)
    whole = bundle.read(packed).datasets[0].sha256
    content = bytearray(packed.read_bytes())
    # Half of the blows fall on the list at the end, where the structure is.
    content[-(place % 2000) if place % 2 else place % len(content)] ^= flip
    damaged = packed.with_name("damaged.zip")
    damaged.write_bytes(content)
    try:
        found = data.load(damaged).sha256
    except EarwitnessError as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert found == whole


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    row=st.fixed_dictionaries(
        {"text": st.none() | texts},
        optional={
            "id": texts,
            "lang": st.sampled_from(["en", "es-MX", "", None]),
            "speaker": texts,
            "channel": st.integers(0, 3),
            "offset": st.floats(0, 0.5),
            "duration": st.floats(0, 3),
            "note": texts,
        },
    )
)
def test_every_row_keeps_its_fingerprint(tmp_path: Path, write_wav: Callable[..., Path], row: dict[str, Any]) -> None:
    write_wav("sound.wav", 1.0)
    manifest = tmp_path / "any.jsonl"
    manifest.write_text(json.dumps({"audio_filepath": "sound.wav", **row}) + "\n", encoding="utf-8")
    here = data.load(manifest)
    bundle_writer.pack([here], {}, tmp_path / "any.zip")
    there = data.load(tmp_path / "any.zip")
    assert there.sha256 == here.sha256
    assert there.clips[0].tags == here.clips[0].tags
    assert there.clips[0].speaker == here.clips[0].speaker
