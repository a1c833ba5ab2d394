"""Which channel and which span a clip is, in every format, and what is no data at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from earwitness import data
from earwitness.audio import decode
from earwitness.data.dataset import read_rows
from earwitness.data.default_names import dataset_name
from earwitness.data.rows import Remark
from earwitness.errors import ManifestError
from earwitness.types import Clip

HOLDS = ("default_names.py",)

Writer = Callable[..., Path]


def lines(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def kaldi(root: Path, **files: str) -> Path:
    root.mkdir(exist_ok=True)
    for name, text in files.items():
        (root / name.replace("wav_scp", "wav.scp")).write_text(text)
    return root


def loudest(clip: Clip) -> float:
    """What is heard: of ``write_wav``'s channels, each is half as loud as the one before."""
    audio = decode(clip.audio_path, start_s=clip.start_s, duration_s=clip.duration_s, channel=clip.channel)
    return float(abs(audio.samples).max())


@pytest.fixture
def call(write_wav: Writer) -> Path:
    return write_wav("call.wav", 1.0, channels=2)


@pytest.mark.parametrize("key", ["channel", "channel_selector", "Channel", "canal"])
@pytest.mark.parametrize("sides", [(0, 1), ("A", "B"), ("left", "right"), ([0], [1]), (0.0, 1.0), ("0", "1")])
def test_two_lines_of_a_stereo_file_are_two_clips(tmp_path: Path, call: Path, key: str, sides: tuple[object]) -> None:
    rows = [{"audio_filepath": "call.wav", key: side, "text": "x", "speaker": str(side)} for side in sides]
    clips = data.load(lines(tmp_path / "m.jsonl", *rows)).clips
    assert [(clip.id, clip.channel, clip.recording) for clip in clips] == [
        ("call-ch0", 0, "call"),
        ("call-ch1", 1, "call"),
    ]
    assert [loudest(clip) for clip in clips] == pytest.approx([0.3, 0.15], rel=0.01)
    assert data.check(tmp_path / "m.jsonl") == []


def test_a_column_of_a_table_is_the_channel(tmp_path: Path, call: Path) -> None:
    (tmp_path / "m.csv").write_text("audio,Canal,Inicio,texto\ncall.wav,A,,uno\ncall.wav,B,0.5,dos\ncall.wav,,,tres\n")
    clips = data.load(tmp_path / "m.csv").clips
    assert [(clip.id, clip.channel) for clip in clips] == [("call-ch0", 0), ("call-ch1@0.5", 1), ("call", None)]


@pytest.mark.parametrize("average", ["average", "mean", None, ""])
def test_the_mean_of_the_channels_may_be_asked_for(tmp_path: Path, call: Path, average: str | None) -> None:
    (clip,) = data.load(lines(tmp_path / "m.jsonl", {"audio": "call.wav", "channel_selector": average})).clips
    assert (clip.id, clip.channel) == ("call", None)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ([0, 1], r"names several channels, \[0, 1\]. Write a line for each, or 'average'"),
        (-1, "must be a whole number from 0"),
        (True, "must be a whole number from 0, .*, not True"),
        (0.5, "must be a whole number from 0"),
        ("C", "must be a whole number from 0"),
        ({}, "must be a whole number from 0"),
    ],
)
def test_what_is_no_channel_is_named(tmp_path: Path, value: object, sentence: str) -> None:
    with pytest.raises(ManifestError, match=f"m.jsonl:1: 'channel' {sentence}"):
        data.load(lines(tmp_path / "m.jsonl", {"audio": "a.wav", "channel": value}))


@pytest.mark.parametrize(("side", "channel"), [("", None), (" 0", 0), (" 1", 1), ("\t1", 1)])
def test_kaldis_fifth_field_is_the_channel(tmp_path: Path, call: Path, side: str, channel: int | None) -> None:
    root = kaldi(tmp_path / "k", wav_scp=f"call {call}\n", segments=f"u call 0.0 0.5{side}\n", text="u words\n")
    (clip,) = data.load(root).clips
    assert (clip.channel, clip.duration_s, clip.recording) == (channel, 0.5, "call")


def test_kaldis_recordings_of_one_file_are_its_channels(tmp_path: Path, call: Path) -> None:
    sides = "call-A call A\ncall-B call B\nmono mono A\n"
    root = kaldi(
        tmp_path / "k", wav_scp=f"call-A {call}\ncall-B {call}\nmono {call}.mono\n", reco2file_and_channel=sides
    )
    assert [(clip.id, clip.channel, clip.recording) for clip in data.load(root).clips] == [
        ("call-A", 0, "call"),
        ("call-B", 1, "call"),
        ("mono", None, "mono"),
    ]


@pytest.mark.parametrize(
    ("end", "duration_s"),
    [("-1", 0.75), ("-1.0", 0.75), ("1.0", 0.75), ("1.2", 0.75), ("1.499", 0.75), ("0.5", 0.25), ("1.6", 1.35)],
)
def test_kaldis_rules_of_ends(tmp_path: Path, call: Path, end: str, duration_s: float) -> None:
    # As extract-segments: -1 is the end of the recording, less than half a second past it is cut off there.
    root = kaldi(tmp_path / "k", wav_scp=f"call {call}\n", segments=f"u call 0.25 {end} 0\n", text="u words\n")
    (clip,) = data.load(root).clips
    assert clip.duration_s == pytest.approx(duration_s)
    errors = [finding for finding in data.check(root, deep=True) if finding.severity == "error"]
    assert bool(errors) == (end == "1.6")


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"segments": "u call 0\n"}, "segments:1 must be: utterance recording start end, and perhaps a channel"),
        ({"segments": "u call 0 1 0 0\n"}, "segments:1 must be: utterance recording"),
        ({"segments": "u call 1 1\n"}, "segments:1 ends at 1.0 s, not after its start"),
        ({"segments": "u call 0 -2\n"}, "segments:1: an end must be seconds, at least 0, not '-2'"),
        ({"segments": "u call 0 1 x\n"}, "segments:1: a channel must be a whole number from 0"),
        ({"segments": "u other 0 1\n"}, "segments:1: recording 'other' is not in wav.scp"),
        ({"wav_scp": "call raw.ark:1234\n"}, "wav.scp:1 'raw.ark:1234' is a place in a Kaldi archive"),
        ({"wav_scp": "call sph2pipe x.sph |\n"}, "wav.scp:1 is a command, not a file"),
        ({"wav_scp": "call\n"}, "wav.scp:1 recording 'call' has no path"),
        ({"wav_scp": "call a.wav\ncall b.wav\n"}, "wav.scp:2 recording 'call' is already used"),
        ({"text": "u one\nu two\n"}, "text:2: 'u' occurs twice. Remove one."),
    ],
)
def test_what_kaldis_files_cannot_say_is_named(tmp_path: Path, files: Mapping[str, str], sentence: str) -> None:
    root = kaldi(tmp_path / "k", **{"wav_scp": "call a.wav\n", **files})
    with pytest.raises(ManifestError, match=sentence):
        data.load(root)


def test_kaldis_texts_and_recordings_that_make_no_clip_are_named(tmp_path: Path, call: Path) -> None:
    root = kaldi(
        tmp_path / "k", wav_scp=f"call {call}\nidle {call}\n", segments="u call 0 1 0\n", text="u one\nv two\nw three\n"
    )
    assert [str(row) for row in read_rows(root) if isinstance(row, Remark)] == [
        f"{root / 'text'}: texts of utterances that have no audio: 'v', 'w'.",
        f"{root / 'wav.scp'}: recordings that no segment is cut from are not read: 'idle'.",
    ]


def cut(id_: str, channel: object, sources: list[object], said: Mapping[str, object], kind: str = "MonoCut") -> object:
    supervisions = [
        {"id": text, "recording_id": "r", "start": 0.0, "duration": 1.0, "channel": json.loads(on), "text": text,
         "speaker": f"of {text}"}
        for text, on in said.items() if isinstance(on, str)
    ]  # fmt: skip
    recording = {"id": "r", "sources": sources, "sampling_rate": 16_000, "num_samples": 16_000, "duration": 1.0}
    return {"id": id_, "start": 0, "duration": 1.0, "channel": channel, "type": kind, "supervisions": supervisions,
            "recording": recording}  # fmt: skip


def source(name: str, *channels: int) -> object:
    return {"type": "file", "channels": list(channels), "source": name}


def test_lhotses_channels_may_lie_in_files_of_their_own(tmp_path: Path, write_wav: Writer) -> None:
    write_wav("a.wav", 1.0)
    write_wav("b.wav", 1.0, channels=2)
    sources = [source("a.wav", 0), source("b.wav", 2, 5)]
    rows = [cut(f"m{n}", n, sources, {"words": str(n)}) for n in (0, 2, 5)]
    clips = data.load(lines(tmp_path / "cuts.jsonl", *rows)).clips
    assert [(Path(clip.audio_path).name, clip.channel, clip.recording) for clip in clips] == [
        ("a.wav", None, "r"),
        ("b.wav", 0, "r"),
        ("b.wav", 1, "r"),
    ]
    with pytest.raises(ManifestError, match=r"cuts.jsonl:1 has channel 1, but its recording has \[0, 2, 5\]"):
        data.load(lines(tmp_path / "cuts.jsonl", cut("m", 1, sources, {"words": "1"})))


def test_lhotses_multicut_is_a_clip_for_every_channel(tmp_path: Path, call: Path) -> None:
    row = cut("m", [0, 1], [source("call.wav", 0, 1)], {"hello": "0", "who": "1", "there": "0"}, "MultiCut")
    clips = data.load(lines(tmp_path / "cuts.jsonl", row)).clips
    assert [(clip.id, clip.channel, clip.reference, clip.speaker) for clip in clips] == [
        ("m-ch0", 0, "hello there", None),
        ("m-ch1", 1, "who", "of who"),
    ]


def test_lhotses_multicut_of_words_on_all_channels_is_their_mean(tmp_path: Path, call: Path) -> None:
    row = cut("m", [0, 1], [source("call.wav", 0, 1)], {"hello": "[0, 1]"}, "MultiCut")
    (clip,) = data.load(lines(tmp_path / "cuts.jsonl", row)).clips
    assert (clip.id, clip.channel, clip.reference) == ("m", None, "hello")
    row = cut("m", [0, 1], [source("a.wav", 0), source("b.wav", 1)], {"hello": "[0, 1]"}, "MultiCut")
    with pytest.raises(ManifestError, match="words that are on several channels at once"):
        data.load(lines(tmp_path / "cuts.jsonl", row))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"recording": {"sources": [5]}}, "is not a cut of Lhotse: recording.sources.0"),
        ({"supervisions": [{"start": "soon"}]}, "is not a cut of Lhotse: supervisions.0.start"),
        ({"custom": [1]}, "is not a cut of Lhotse: custom"),
        ({"type": "MixedCut"}, "is a 'MixedCut'; only MonoCut and MultiCut can be read"),
        ({"recording": {"sources": [{"type": "command", "source": "x"}]}}, "audio of type 'command' is not a file"),
    ],
)
def test_what_is_no_cut_is_named(tmp_path: Path, change: Mapping[str, object], sentence: str) -> None:
    row = cut("m", None, [source("a.wav", 0)], {})
    assert isinstance(row, dict)
    with pytest.raises(ManifestError, match=f"cuts.jsonl:1:? {sentence}"):
        data.load(lines(tmp_path / "cuts.jsonl", {**row, **change}))


@pytest.mark.parametrize(
    "junk",
    ["._a.wav", ".hidden.wav", "__MACOSX/a.wav", "__MACOSX/._a.wav", ".Trash/a.wav", "@eaDir/a.wav", "Thumbs.db"],
)
def test_what_systems_leave_behind_is_no_data(tmp_path: Path, write_wav: Writer, junk: str) -> None:
    write_wav("x/a.wav")
    (tmp_path / "x" / junk).parent.mkdir(exist_ok=True)
    (tmp_path / "x" / junk).write_bytes(b"\0\5\x16\7junk")
    assert [clip.id for clip in data.load(tmp_path / "x").clips] == ["a"]


def test_a_folder_that_is_hidden_itself_is_read(tmp_path: Path, write_wav: Writer) -> None:
    write_wav(".cache/x/a.wav")
    assert len(data.load(tmp_path / ".cache/x").clips) == 1


@pytest.mark.parametrize("beside", ["lab", "TextGrid", "txt", "json", "wav.txt"])
@pytest.mark.parametrize("audio", ["flac", "wav", "FLAC"])
def test_other_files_of_an_utterances_name_are_no_audio(
    tmp_path: Path, write_wav: Writer, beside: str, audio: str
) -> None:
    folder = write_wav("libri/84/121/84-121-0000.wav").rename(tmp_path / f"libri/84/121/84-121-0000.{audio}").parent
    (folder / f"84-121-0000.{beside}").write_text("a word")
    (folder / "._84-121.trans.txt").write_bytes(b"\xff\0")
    (folder / "84-121.trans.txt").write_text("84-121-0000 A WORD\n")
    (clip,) = data.load(tmp_path / "libri").clips
    assert (Path(clip.audio_path).suffix, clip.reference) == (f".{audio}", "A WORD")


def test_librispeechs_flac_goes_before_another_file_and_what_has_no_line_is_named(
    tmp_path: Path, write_wav: Writer
) -> None:
    folder = write_wav("libri/84-121-0000.wav").parent
    write_wav("libri/84-121-0000.flac")
    write_wav("libri/84-121-0009.flac")
    (folder / "84-121.trans.txt").write_text("84-121-0000 A WORD\n")
    dataset = data.load(folder)
    assert Path(dataset.clips[0].audio_path).suffix == ".flac"
    assert "without a line in a .trans.txt are not read: '84-121-0009'" in dataset.remarks[0]


@pytest.mark.parametrize(
    ("path", "name"),
    [("calls/manifest.jsonl", "calls"), ("chats/metadata.csv", "chats"), ("calls/june.jsonl.gz", "june"),
     ("calls/cuts.jsonl.gz", "calls"), ("cv/test.tsv", "test"), ("call.v2.wav", "call.v2")],
)  # fmt: skip
def test_a_dataset_is_called_after_what_tells_it_apart(tmp_path: Path, path: str, name: str) -> None:
    assert dataset_name(tmp_path / path) == name


def test_a_folder_keeps_its_whole_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "calls.2025").mkdir()
    monkeypatch.chdir(tmp_path / "calls.2025")
    assert [dataset_name(path) for path in (Path(), tmp_path / "calls.2025")] == ["calls.2025", "calls.2025"]


def test_a_prediction_in_a_manifest_is_a_tag_and_never_the_reference(tmp_path: Path) -> None:
    rows = [
        {"audio_filepath": "a.wav", "pred_text": "heard"},
        {"audio_filepath": "b.wav", "text": None, "pred_text": "x"},
    ]
    clips = data.load(lines(tmp_path / "m.jsonl", *rows)).clips
    assert [(clip.reference, clip.tags["pred_text"]) for clip in clips] == [(None, "heard"), (None, "x")]
