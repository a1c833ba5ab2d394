"""Six ways to write the same three clips down."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from earwitness import data
from earwitness.data.dataset import sniff
from earwitness.errors import DataError, DataNotFoundError, ManifestError
from earwitness.files.fetch import sha256_of

HOLDS = (
    "dataset.py", "data/readers/columns.py", "data/readers/folder.py", "data/readers/jsonlines.py",
    "data/readers/kaldi.py", "data/readers/lhotse.py", "data/readers/librispeech.py", "data/readers/nemo.py",
    "data/readers/table.py",
)  # fmt: skip

SPOKEN = {"1001-7-0000": "First things first.", "1001-7-0001": "Second to none.", "1002-9-0000": "Third time lucky."}
Writer = Callable[..., Path]


def speaker(id_: str) -> str:
    return id_.split("-", maxsplit=1)[0]


def recording(id_: str) -> str:
    return id_.rpartition("-")[0]


@pytest.fixture
def audio(tmp_path: Path, write_wav: Writer) -> dict[str, Path]:
    return {id_: write_wav(f"audio/{id_}.wav", 1.0 + n / 2) for n, id_ in enumerate(SPOKEN)}


def as_nemo(root: Path, audio: dict[str, Path]) -> Path:
    lines = [
        {"audio_filepath": f"../audio/{path.name}", "text": SPOKEN[id_], "id": id_, "speaker": speaker(id_),
         "recording": recording(id_), "lang": "en"}
        for id_, path in audio.items()
    ]  # fmt: skip
    (root / "manifest.jsonl").write_text("\ufeff" + "\r\n".join(map(json.dumps, lines)) + "\r\n\r\n", encoding="utf-8")
    return root / "manifest.jsonl"


def as_csv(root: Path, audio: dict[str, Path]) -> Path:
    rows = [f'{id_},../audio/{p.name},"{SPOKEN[id_]}",{speaker(id_)},{recording(id_)},en' for id_, p in audio.items()]
    (root / "all.csv").write_text("\n".join(["id,path,sentence,client_id,recording,locale", *rows]) + "\n")
    return root / "all.csv"


def as_tsv(root: Path, audio: dict[str, Path]) -> Path:
    (root / "clips").mkdir()
    for path in audio.values():
        (root / "clips" / path.name).write_bytes(path.read_bytes())
    header = "client_id\tpath\tsentence\tlocale\tid\trecording"
    rows = [f"{speaker(i)}\t{p.name}\t{SPOKEN[i]}\ten\t{i}\t{recording(i)}" for i, p in audio.items()]
    (root / "validated.tsv").write_text("\n".join([header, *rows]) + "\n")
    return root / "validated.tsv"


def as_kaldi(root: Path, audio: dict[str, Path]) -> Path:
    files: dict[str, list[str]] = {"wav.scp": [], "segments": [], "text": [], "utt2spk": []}
    for n, (id_, path) in enumerate(audio.items()):
        tape = f"{recording(id_)}-tape{n}"
        files["wav.scp"].append(f"{tape} ../audio/{path.name}")
        files["segments"].append(f"{id_} {tape} 0 {1.0 + n / 2}")
        files["text"].append(f"{id_} {SPOKEN[id_]}")
        files["utt2spk"].append(f"{id_} {speaker(id_)}")
    for name, lines in files.items():
        (root / name).write_text("\n".join(lines) + "\n")
    return root


def as_librispeech(root: Path, audio: dict[str, Path]) -> Path:
    for id_, path in audio.items():
        folder = root / speaker(id_) / id_.split("-")[1]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / path.name).write_bytes(path.read_bytes())
        with (folder / f"{recording(id_)}.trans.txt").open("a") as file:
            file.write(f"{id_} {SPOKEN[id_]}\n")
    return root


def as_lhotse(root: Path, audio: dict[str, Path]) -> Path:
    with gzip.open(root / "cuts.jsonl.gz", "wt") as file:
        for id_, path in audio.items():
            words = SPOKEN[id_].split(" ", 1)
            said = [
                {"id": f"{id_}-{n}", "recording_id": recording(id_), "start": 1 - n, "duration": 0.5, "channel": 0,
                 "text": text, "language": "en", "speaker": speaker(id_)}
                for n, text in enumerate(reversed(words))
            ]  # fmt: skip
            source = {"type": "file", "channels": [0], "source": f"../audio/{path.name}"}
            origin = {"id": recording(id_), "sources": [source], "sampling_rate": 16_000}
            cut = {"id": id_, "start": 0, "channel": 0, "supervisions": said, "recording": origin, "type": "MonoCut"}
            file.write(json.dumps(cut) + "\n")
    return root / "cuts.jsonl.gz"


WRITERS = {
    "nemo": as_nemo,
    "csv": as_csv,
    "tsv": as_tsv,
    "kaldi": as_kaldi,
    "librispeech": as_librispeech,
    "lhotse": as_lhotse,
}


@pytest.mark.parametrize("kind", WRITERS)
def test_every_format_gives_the_same_clips(kind: str, tmp_path: Path, audio: dict[str, Path]) -> None:
    root = tmp_path / kind
    root.mkdir()
    clips = data.load(WRITERS[kind](root, audio), language="en").clips
    assert {clip.id: clip.reference for clip in clips} == SPOKEN
    for clip in clips:
        assert clip.audio_sha256 == sha256_of(audio[clip.id])
        assert clip.duration_s == pytest.approx(1.0 + list(SPOKEN).index(clip.id) / 2)
        assert (clip.language, clip.speaker, clip.start_s) == ("en", speaker(clip.id), 0.0)
        assert clip.recording.startswith(recording(clip.id))


def test_a_folder_of_audio_with_text_beside_it(tmp_path: Path, write_wav: Writer) -> None:
    write_wav("calls/monday/one.wav")
    write_wav("calls/two.wav")
    (tmp_path / "calls/monday/one.txt").write_text("Hello\nthere.\n")
    clips = data.load(tmp_path / "calls").clips
    assert [(clip.id, clip.reference) for clip in clips] == [("monday/one", "Hello there."), ("two", None)]
    assert len(data.load(tmp_path / "calls/two.wav").clips) == 1


def test_spans_of_one_file_share_its_hash_and_have_ids_of_their_own(tmp_path: Path, write_wav: Writer) -> None:
    write_wav("talk.wav", 4.0)
    lines = [{"audio_filepath": "talk.wav", "offset": start, "duration": 2, "text": "x"} for start in (0, 2)]
    (tmp_path / "m.jsonl").write_text("\n".join(map(json.dumps, lines)))
    first, second = data.load(tmp_path / "m.jsonl").clips
    assert (first.id, second.id) == ("talk", "talk@2")
    assert first.audio_sha256 == second.audio_sha256
    assert (first.recording, second.recording) == ("talk", "talk")


def test_other_keys_become_tags_and_tags_choose_clips(tmp_path: Path, write_wav: Writer) -> None:
    write_wav("a.wav")
    lines = [{"audio_filepath": "a.wav", "id": n, "text": "x", "room": room, "snr": 10} for n, room in enumerate("xyx")]
    (tmp_path / "m.jsonl").write_text("\n".join(map(json.dumps, lines)))
    chosen = data.load(tmp_path / "m.jsonl", tags={"room": "x"}, limit=1)
    assert [clip.id for clip in chosen.clips] == ["0"]
    assert chosen.clips[0].tags == {"room": "x", "snr": "10"}
    assert chosen.name == "m[room=x][:1]"


def test_the_datasets_hash_changes_with_reference_and_audio_and_with_nothing_else(
    tmp_path: Path, write_wav: Writer
) -> None:
    write_wav("a.wav")

    def sha256(name: str, **row: str) -> str:
        (tmp_path / name).write_text(json.dumps({"audio_filepath": "a.wav", "id": "a", **row}))
        return data.load(tmp_path / name).sha256

    plain = sha256("m.jsonl", text="x")
    assert sha256("elsewhere.jsonl", text="x", mood="good") == plain
    assert sha256("m.jsonl", text="y") != plain
    write_wav("a.wav", 1.5)
    assert sha256("m.jsonl", text="x") != plain


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{not json", r"m.jsonl:2 is not JSON: .* at column"),
        ('["a"]', "m.jsonl:2 is JSON, but not an object"),
        ('{"text": "x"}', "m.jsonl:2 has no 'audio_filepath'"),
        ('{"audio_filepath": "a.wav", "text": 5}', "m.jsonl:2: 'text' must be text, not 5"),
        ('{"audio_filepath": "a.wav", "duration": -1}', "m.jsonl:2: 'duration' must be seconds, at least 0, not -1"),
        ('{"audio_filepath": "a.wav", "offset": NaN}', "m.jsonl:2: 'offset' must be seconds"),
        ('{"audio_filepath": "a.wav", "id": "first"}', r"m.jsonl:2: id 'first' is already used at .*m.jsonl:1"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, write_wav: Writer, line: str, sentence: str) -> None:
    write_wav("a.wav")
    (tmp_path / "m.jsonl").write_text('{"audio_filepath": "a.wav", "id": "first"}\n' + line + "\n")
    with pytest.raises(ManifestError, match=sentence):
        data.load(tmp_path / "m.jsonl")


def test_a_command_in_wav_scp_is_never_run(tmp_path: Path) -> None:
    (tmp_path / "wav.scp").write_text(f"rec touch {tmp_path}/run |\n")
    with pytest.raises(ManifestError, match="is a command, not a file; Earwitness does not run it"):
        data.load(tmp_path)
    assert not (tmp_path / "run").exists()


def test_a_row_of_the_wrong_width_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("path,text\na.wav,one,two\n")
    with pytest.raises(ManifestError, match=r"t.csv:2 has 3 cells where the header has 2"):
        data.load(tmp_path / "t.csv")
    (tmp_path / "t.csv").write_text("name,words\na.wav,one\n")
    with pytest.raises(ManifestError, match="has no column for the audio among name, words"):
        data.load(tmp_path / "t.csv")


def test_missing_audio_does_not_end_the_load(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_text('{"audio_filepath": "gone.wav", "text": "x", "duration": 2}')
    (clip,) = data.load(tmp_path / "m.jsonl").clips
    assert (clip.audio_sha256, clip.duration_s) == ("", 2.0)


def test_what_is_not_there_is_answered_with_a_command(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(DataNotFoundError, match="Run: earwitness data pull telephony-en"):
        data.load("telephony-en")
    with pytest.raises(DataNotFoundError, match="There is no data 'nothing'.*earwitness data list"):
        data.load("nothing")
    with pytest.raises(DataError, match="no audio and no manifest"):
        data.load(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(DataError, match="is not a manifest"):
        sniff(tmp_path / "notes.txt")


def test_the_built_in_sample_says_that_it_is_synthetic() -> None:
    sample = data.load("sample")
    assert sample.synthetic
    assert sample.name == "sample"
    assert {clip.reference for clip in sample.clips if clip.tags["kind"] != "speech"} == {""}
