"""Rows and labels are read, or the line that holds them is named; none vanishes."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from earwitness import data
from earwitness.data.dataset import read_rows
from earwitness.data.readers.columns import NAMES, fold, roles
from earwitness.data.rows import DataRow, Remark
from earwitness.errors import DataError, EarwitnessError, ManifestError

HOLDS = ("clips.py", "flaws.py", "lines.py", "rows.py")

Writer = Callable[..., Path]


def rows_of(path: Path) -> list[DataRow]:
    return [row for row in read_rows(path) if isinstance(row, DataRow)]


def remarks_of(path: Path) -> list[str]:
    return [str(row) for row in read_rows(path) if isinstance(row, Remark)]


def errors_of(path: Path) -> list[str]:
    return [str(row) for row in read_rows(path) if isinstance(row, ManifestError)]


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    "header",
    ["audio,Text", "AUDIO,TEXT", " Audio File ,Sentence", "audioPath,Transkript", "archivo,Transcripción",
     "file_name,texto", "fichier,Texte", "файл,Текст", "音频,文本", "파일,텍스트", "\ufeffaudio,transcription",
     '"wav","Raw Transcription"'],
)  # fmt: skip
def test_the_text_is_known_by_many_names(tmp_path: Path, header: str) -> None:
    (row,) = rows_of(written(tmp_path / "m.csv", f"{header}\na.wav,one two\n"))
    assert (row.audio.name, row.reference, row.tags) == ("a.wav", "one two", {})


@pytest.mark.parametrize("key", ["Text", "transcription", "Transcripción", "sentence"])
def test_a_key_of_json_lines_is_known_as_a_column_is(tmp_path: Path, key: str) -> None:
    (row,) = rows_of(written(tmp_path / "m.jsonl", json.dumps({"file_name": "a.wav", key: "one two"})))
    assert (row.audio.name, row.reference) == ("a.wav", "one two")


def test_no_name_stands_for_two_roles() -> None:
    folded = [fold(name) for names in NAMES.values() for name in names]
    assert len(folded) == len(set(folded))


def test_the_name_that_comes_first_in_the_list_is_taken_and_the_other_is_a_tag(tmp_path: Path) -> None:
    (row,) = rows_of(written(tmp_path / "m.csv", "audio,transcript,text\na.wav,draft,final\n"))
    assert (row.reference, row.tags) == ("final", {"transcript": "draft"})
    assert roles(["Text", "text"], {}) == {"text": "text"}


@pytest.mark.parametrize(
    ("name", "content"),
    [("m.csv", "audio,Wording\na.wav,one\nb.wav,two\n"), ("m.jsonl", '{"audio": "a.wav", "Wording": "one"}\n' * 2)],
)
def test_labels_that_are_not_found_are_said_once_with_the_columns_there_are(
    tmp_path: Path, name: str, content: str
) -> None:
    path = written(tmp_path / name, content)
    (remark,) = remarks_of(path)
    assert "no column is known as the text, so no clip has a reference. There are: audio, Wording." in remark
    assert "--column text=NAME" in remark
    labelled = [row for row in read_rows(path, columns={"text": "wording"}) if isinstance(row, DataRow)]
    assert labelled[0].reference == "one"
    with pytest.raises(DataError, match="There is no column role 'texts'. Choose one of: audio, text"):
        read_rows(path, columns={"texts": "Wording"})


def test_a_column_that_is_stated_and_not_there_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "m.csv", "audio,Wording\na.wav,one\n")
    with pytest.raises(ManifestError, match="has no column 'Words' among audio, Wording"):
        data.load(path, columns={"text": "Words"})


def test_the_dataset_carries_the_remarks_of_its_reader(tmp_path: Path, write_wav: Writer) -> None:
    write_wav("a.wav")
    dataset = data.load(written(tmp_path / "m.csv", "audio,Wording\na.wav,one\n"))
    assert ["no column is known as the text" in remark for remark in dataset.remarks] == [True]
    assert data.load(tmp_path / "m.csv", columns={"text": "Wording"}).remarks == ()


@pytest.mark.parametrize("delimiter", list(",;\t|"))
@pytest.mark.parametrize("suffix", ["csv", "tsv"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_table_is_read_whatever_divides_it(
    tmp_path: Path, delimiter: str, suffix: str, encoding: str, end: str
) -> None:
    lines = (delimiter.join(cells) for cells in (("audio", "text", "duration"), ("é.wav", "uno dos", "1.5")))
    (row,) = rows_of(written(tmp_path / f"m.{suffix}", end.join(lines) + end, encoding))
    assert (row.audio.name, row.reference, row.duration_s) == ("é.wav", "uno dos", 1.5)


def test_tables_as_excel_writes_them(tmp_path: Path) -> None:
    text = "sep=;\r\nArchivo;Texto;Duración;;\r\na.wav;uno, dos;1,5;;\r\n"
    (row,) = rows_of(written(tmp_path / "m.csv", text))
    assert (row.reference, row.duration_s, row.where) == ("uno, dos", 1.5, f"{tmp_path / 'm.csv'}:3")


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ('a.wav,"the first is open\nb.wav,two\nc.wav,three\n', 2),
        ('a.wav,one\nb.wav,"the second is open\nc.wav,"three"\n', 3),
        ('a.wav,"he said "yes""\nb.wav,two\n', 2),
        ('a.wav,"the first is open\nb.wav,two\nc.wav,three"\n', 2),
        ('a.wav,one\nb.wav,"open', 3),
    ],
)
def test_an_open_quotation_mark_is_named_by_its_line(tmp_path: Path, body: str, line: int) -> None:
    path = written(tmp_path / "m.csv", "audio,text\n" + body)
    with pytest.raises(ManifestError, match=rf"m.csv:{line} (opens|has text behind)"):
        data.load(path)


def test_rows_behind_an_open_quotation_mark_are_looked_at_by_check(tmp_path: Path) -> None:
    path = written(tmp_path / "m.csv", 'audio,text\na.wav,"one\nb.wav,two\nc.wav,three\n')
    assert [row.audio.name for row in rows_of(path)] == ["b.wav", "c.wav"]
    assert len(errors_of(path)) == 1


def test_quotation_marks_of_a_tsv_are_letters_unless_every_row_fits_them(tmp_path: Path) -> None:
    spoken = written(tmp_path / "a.tsv", 'path\tsentence\na.wav\t"Yes" she said\nb.wav\t"open\n')
    assert [row.reference for row in rows_of(spoken)] == ['"Yes" she said', '"open']
    quoted = written(tmp_path / "b.tsv", 'path\tsentence\na.wav\t"""Yes"" she\tsaid"\nb.wav\ttwo\n')
    assert [row.reference for row in rows_of(quoted)] == ['"Yes" she\tsaid', "two"]


@pytest.mark.parametrize("suffix", ["csv", "tsv"])
def test_a_cell_may_be_longer_than_the_csv_module_likes(tmp_path: Path, suffix: str) -> None:
    words = "every word of a long talk " * 6000
    delimiter = "," if suffix == "csv" else "\t"
    (row,) = rows_of(written(tmp_path / f"m.{suffix}", f"audio{delimiter}text\na.wav{delimiter}{words}\n"))
    assert len((row.reference or "").split()) == 36_000


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    (error,) = errors_of(written(tmp_path / "m.csv", "audio,text,text\na.wav,one,two\n"))
    assert "has two columns 'text'. Rename one." in error


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_text_that_is_not_utf8_is_named_by_line_and_byte(tmp_path: Path, suffix: str) -> None:
    content = "audio,text\na.wav,uno\nb.wav,está\n" if suffix == ".csv" else '{"audio": "a.wav"}\n\n{"text": "está"}\n'
    with pytest.raises(ManifestError, match=r":3 is not UTF-8: it has the byte 0xE1. .* iconv -f WINDOWS-1252"):
        data.load(written(tmp_path / f"m{suffix}", content, "latin-1"))


def test_utf16_without_a_mark_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="m.csv:1 has a zero byte: .* UTF-16 without a byte order mark"):
        data.load(written(tmp_path / "m.csv", "audio,text\na.wav,one\n", "utf-16-le"))


def test_start_and_end_are_a_span(tmp_path: Path) -> None:
    (row,) = rows_of(written(tmp_path / "m.csv", "audio,start,end,text\na.wav,1.5,4,one\n"))
    assert (row.start_s, row.duration_s) == (1.5, 2.5)
    (error,) = errors_of(written(tmp_path / "n.csv", "audio,start,end,text\na.wav,4,1.5,one\n"))
    assert "n.csv:2 ends at 1.5 s, not after its start at 4 s" in error


@pytest.mark.parametrize(
    "content",
    [gzip.compress(b'{"audio": "a.wav", "text": "one"}\n' * 9)[:-9], b"\x1f\x8bx", gzip.compress(b"x") + b"y"],
    ids=["cut", "only the magic number", "junk behind"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["m.jsonl.gz", "m.csv.gz", "cuts.jsonl.gz"])
def test_broken_gzip_is_named(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ManifestError, match=f"{name}' is broken gzip"):
        data.load(tmp_path / name)


@pytest.mark.parametrize("content", [b"", gzip.compress(b"", mtime=0), b"\n\n", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("name", ["m.jsonl", "m.jsonl.gz", "m.csv", "m.csv.gz", "m.tsv"])
def test_an_empty_manifest_is_named(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ManifestError, match="is empty"):
        data.load(tmp_path / name)


def test_gzip_of_something_else_is_named_by_line(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl.gz").write_bytes(gzip.compress(b"\x00\x01binary"))
    with pytest.raises(ManifestError, match="gz:1 has a zero byte"):
        data.load(tmp_path / "m.jsonl.gz")


@pytest.mark.parametrize("suffix", ["bz2", "xz", "zst", "lz4"])
def test_files_packed_otherwise_are_refused_by_name(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"m.jsonl.{suffix}").write_bytes(b"x")
    with pytest.raises(DataError, match=f"is packed as .{suffix}. Unpack it first"):
        data.load(tmp_path / f"m.jsonl.{suffix}")


def test_half_a_character_is_replaced_and_said(tmp_path: Path, write_wav: Writer) -> None:
    write_wav("a.wav")
    lines = [
        r'{"audio_filepath": "a.wav", "text": "nice \ud83d one"}',
        r'{"audio_filepath": "a.wav", "id": "b", "text": "whole \ud83d\ude00"}',
        r'{"audio_filepath": "a.wav", "id": "c\udfff", "note": ["\ud83d"], "text": "fine"}',
    ]
    dataset = data.load(written(tmp_path / "m.jsonl", "\n".join(lines)))
    assert [clip.reference for clip in dataset.clips] == ["nice \ufffd one", "whole \U0001f600", "fine"]
    assert dataset.clips[2].id == "c\ufffd"
    (remark,) = dataset.remarks
    assert remark.startswith(f"{tmp_path / 'm.jsonl'}:1: half of a character (a lone surrogate such as \\ud83d)")
    assert remark.endswith("is read as U+FFFD, and on 1 more lines.")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[{"audio_filepath": "a.wav"}]', r"is one JSON array; one object on each line is expected. .* jq -c '.\[\]'"),
        ('{\n "audio_filepath": "a.wav"\n}', "is one JSON document over several lines; one object on each line"),
        ('{"utterances": []}', "m.json:1 has no 'audio_filepath' among utterances"),
        ('{"audio_filepath": "a.wav", "text": "x", "text": "y"}', "m.json:1 has the key 'text' twice"),
        ('{"audio_filepath": "a.wav", "duration": Infinity}', "m.json:1: 'duration' must be seconds"),
        ('{"audio_filepath": "a.wav", "text": NaN}', "m.json:1: 'text' must be text, not nan"),
        ('{"audio_filepath": "a.wav", "offset": 1' + "0" * 400 + "}", "m.json:1: 'offset' must be seconds"),
        ('{"audio_filepath": "a.wav", "offset": 1' + "0" * 5000 + "}", "m.json:1 is not JSON that can be read"),
        ('{"audio_filepath": ' + "[" * 100_000, "m.json:1 is not JSON"),
        ('{"audio_filepath": "a\\u0000.wav"}', "m.json:1 has .* for the path of its audio"),
    ],
)
def test_json_that_is_no_manifest_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ManifestError, match=sentence):
        data.load(written(tmp_path / "m.json", text))


def test_odd_paths_are_clips_whose_audio_is_missing(tmp_path: Path) -> None:
    texts = ["~nobody/a.wav", "a\nb.wav", "https://example.org/a.wav"]
    path = written(tmp_path / "m.jsonl", "\n".join(json.dumps({"audio": text}) for text in texts))
    assert [clip.audio_sha256 for clip in data.load(path).clips] == ["", "", ""]


@pytest.mark.parametrize("given", ["x" * 300, "é" * 200, "x/" * 3000, " "])
def test_a_path_that_no_file_can_have_is_named_by_line(tmp_path: Path, given: str) -> None:
    for name, content in {"m.jsonl": json.dumps({"audio": given}), "m.csv": f"audio,text\n{given},one\n"}.items():
        with pytest.raises(ManifestError, match=rf"{name}:[12] has .* path"):
            data.load(written(tmp_path / name, content))


def test_a_file_name_that_is_not_utf8_is_named(tmp_path: Path, write_wav: Writer) -> None:
    audio = write_wav("x/a.wav")
    audio.rename(audio.with_name(os.fsdecode(b"caf\xe9.wav")))
    with pytest.raises(ManifestError, match=r"caf.*' is not UTF-8. Rename the file"):
        data.load(tmp_path / "x")
    (finding,) = [found for found in data.check(tmp_path / "x") if found.severity == "error"]
    assert "not UTF-8" in finding.message


def test_hugging_faces_metadata_labels_the_audio_beside_it(tmp_path: Path, write_wav: Writer) -> None:
    for name in ("x/train/a.wav", "x/test/a.wav", "x/test/b.wav", "x/c.wav"):
        write_wav(name)
    written(tmp_path / "x/train/metadata.csv", "file_name,transcription\na.wav,one\n")
    written(tmp_path / "x/test/metadata.jsonl", '{"file_name": "a.wav", "text": "two", "speaker_id": 7}\n')
    clips = {clip.id: (clip.reference, clip.speaker) for clip in data.load(tmp_path / "x").clips}
    assert clips == {"train/a": ("one", None), "test/a": ("two", "7"), "test/b": (None, None), "c": (None, None)}


def test_metadata_without_a_column_of_audio_is_said(tmp_path: Path, write_wav: Writer) -> None:
    write_wav("x/a.wav")
    written(tmp_path / "x/metadata.csv", "a|hello|hello\nb|there|there\n")
    dataset = data.load(tmp_path / "x")
    assert (len(dataset.clips), "no column is known as the audio" in dataset.remarks[0]) == (1, True)


def test_texts_without_audio_are_named(tmp_path: Path, write_wav: Writer) -> None:
    write_wav("x/a.wav")
    for name in ("a", "b", "deep/c"):
        (tmp_path / "x" / name).parent.mkdir(exist_ok=True)
        written(tmp_path / "x" / f"{name}.txt", "words")
    assert remarks_of(tmp_path / "x") == [
        f"{tmp_path / 'x'}: 2 texts have no audio beside it and no clip: 'b.txt', 'deep/c.txt'."
    ]
    (finding,) = data.check(tmp_path / "x")
    assert (finding.severity, "'b.txt'" in finding.message) == ("warning", True)


def test_a_table_beside_unlabelled_audio_is_named(tmp_path: Path, write_wav: Writer) -> None:
    write_wav("x/a.wav")
    written(tmp_path / "x/texts.csv", "audio,text\na.wav,one\n")
    assert (
        "'texts.csv' is not read. If it has the texts, name it in place of the folder" in remarks_of(tmp_path / "x")[0]
    )


def test_a_text_in_capitals_is_beside_its_audio(tmp_path: Path, write_wav: Writer) -> None:
    write_wav("x/a.wav").rename(tmp_path / "x/a.WAV")
    written(tmp_path / "x/a.TXT", "one")
    assert [row.reference for row in rows_of(tmp_path / "x")] == ["one"]


@pytest.mark.parametrize(
    ("one", "two", "ids"),
    [
        ("/n/a/x.wav", "/n/b/x.wav", ["a/x", "b/x"]),
        ("/n/a/1/x.wav", "/n/b/1/x.wav", ["a/1/x", "b/1/x"]),
        ("x.wav", "x.flac", ["x.wav", "x.flac"]),
        ("sub/x.wav", "x.wav", ["sub/x", "x"]),
    ],
)
def test_files_of_one_base_name_are_told_apart(tmp_path: Path, one: str, two: str, ids: list[str]) -> None:
    path = written(tmp_path / "m.jsonl", "\n".join(json.dumps({"audio": name}) for name in (one, two)))
    clips = data.load(path).clips
    assert [clip.id for clip in clips] == ids
    assert [clip.recording for clip in clips] == ids
    assert not any("is already used" in finding.message for finding in data.check(path))


def test_one_file_twice_is_refused_with_both_places(tmp_path: Path) -> None:
    path = written(tmp_path / "m.csv", "audio,text\na.wav,one\na.wav,two\n")
    with pytest.raises(ManifestError, match=r"m.csv:3: id 'a' is already used at .*m.csv:2. Rename one."):
        data.load(path)


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
def test_only_a_line_end_ends_a_line(tmp_path: Path, write_wav: Writer, character: str) -> None:
    text = f"one{character}two"
    for name, content in {
        "m.jsonl": json.dumps({"audio": "a.wav", "text": text}, ensure_ascii=character < " "),
        "m.csv": f"audio,text\na.wav,{text}\n",
        "m.tsv": f"audio\ttext\na.wav\t{text}\n",
    }.items():
        assert [row.reference for row in rows_of(written(tmp_path / name, content))] == [text], name
    folder = write_wav("folder/a.wav").parent
    written(folder / "a.txt", text)
    assert [row.reference for row in rows_of(folder)] == [text]
    (tmp_path / "kaldi").mkdir()
    written(tmp_path / "kaldi/wav.scp", "a a.wav\n")
    written(tmp_path / "kaldi/text", f"a {text}\n")
    assert [row.reference for row in rows_of(tmp_path / "kaldi")] == [text]


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
NO_SURPRISE = {"max_examples": 60, "deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}


@settings(**NO_SURPRISE)  # type: ignore[arg-type]
@given(
    st.lists(TEXTS, min_size=1, max_size=6), st.sampled_from(",;|\t"), st.booleans(), st.sampled_from(["\n", "\r\n"])
)
def test_what_the_csv_writer_writes_is_read_row_for_row(
    tmp_path: Path, texts: list[str], delimiter: str, packed: bool, end: str
) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([["audio", "text"], *([f"{n}.wav", text] for n, text in enumerate(texts))])
    content = file.getvalue().encode()
    path = tmp_path / ("m.csv.gz" if packed else "m.csv")
    path.write_bytes(gzip.compress(content) if packed else content)
    assert errors_of(path) == []
    assert [row.reference for row in rows_of(path)] == texts


@settings(**NO_SURPRISE)  # type: ignore[arg-type]
@given(st.lists(TEXTS, min_size=1, max_size=6), st.booleans(), st.booleans(), st.sampled_from(["\n", "\r\n", "\r"]))
def test_what_json_writes_is_read_row_for_row(
    tmp_path: Path, texts: list[str], ascii_only: bool, packed: bool, end: str
) -> None:
    lines = (json.dumps({"audio_filepath": "a.wav", "text": text}, ensure_ascii=ascii_only) for text in texts)
    content = end.join(lines).encode()
    path = tmp_path / ("m.jsonl.gz" if packed else "m.jsonl")
    path.write_bytes(gzip.compress(content) if packed else content)
    assert [row.reference for row in rows_of(path)] == texts


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["m.csv", "m.tsv", "m.jsonl", "cuts.jsonl", "m.csv.gz"]),
    st.one_of(
        st.binary(max_size=60),
        st.text(alphabet='audio,text"\n\r;\t|{}[]:.wav\\ud8', max_size=80).map(lambda text: text.encode()),
        st.lists(st.text(alphabet='"a,\n\r', max_size=8), max_size=5).map(
            lambda lines: ("audio,text\n" + "\n".join(lines)).encode()
        ),
    ),
)
def test_whatever_lies_in_a_file_is_read_or_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with suppress(EarwitnessError):
        assert all(isinstance(row, DataRow | Remark | ManifestError) for row in read_rows(tmp_path / name))
    # Bytes that begin as a zip does are taken for a bundle, and refused as a damaged one.
    with suppress(EarwitnessError):
        assert isinstance(data.check(tmp_path / name, format="table" if ".csv" in name else "nemo"), list)
