"""Files as Kaldi, NIST and others write them: each with the right counts, or refused with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.parity.tools import require_sclite, sclite

import earwitness as ew
from earwitness.errors import ScoringError, UsageError
from earwitness.scoring.align.edits import align
from earwitness.scoring.text.lines import split_lines

HOLDS = ("kaldi.py", "nist.py", "scoring/text/lines.py")


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def score(folder: Path, said: str, heard: str, kind: str = "txt", **more: Any) -> ew.ScoreResult:
    other = "ctm" if kind == "stm" else kind
    return ew.score(write(folder / f"r.{kind}", said), write(folder / f"h.{other}", heard), **more)


def counts(found: ew.ScoreResult) -> tuple[int, int, int, int]:
    wer = found.score("wer")
    assert wer is not None
    assert wer.edits is not None
    e = wer.edits
    return e.hits, e.substitutions, e.deletions, e.insertions


# a missing hypothesis

MANIFEST = (
    '{"audio_filepath":"a.wav","text":"the first one was heard","pred_text":"the first one was heard"}\n'
    '{"audio_filepath":"b.wav","text":"the second one failed","pred_text":null}\n'
    '{"audio_filepath":"c.wav","text":"the third one failed too"}\n'
    '{"audio_filepath":"d.wav","text":"the fourth came back empty","pred_text":""}\n'
)


def test_a_row_without_a_hypothesis_is_refused_or_counts_as_failed_and_never_as_right(tmp_path: Path) -> None:
    manifest = write(tmp_path / "m.jsonl", MANIFEST)
    with pytest.raises(ScoringError, match=r"There are 2 references without hypothesis: 'b.wav', 'c.wav'\."):
        ew.score(manifest, manifest)
    found = ew.score(manifest, manifest, missing_as_empty=True, normalizer="none")
    assert counts(found) == (5, 0, 14, 0)
    failed = found.score("failed_clips")
    assert failed is not None
    assert failed.value == 2


@pytest.mark.parametrize("key", ["pred_text", "hypothesis", "hyp", "prediction"])
def test_null_in_a_key_of_hypotheses_is_missing_even_in_a_file_of_its_own(key: str, tmp_path: Path) -> None:
    said = '{"id": 1, "text": "a b"}\n{"id": 2, "text": "c"}\n'
    heard = f'{{"id": 1, "text": "a b", "{key}": null}}\n{{"id": 2, "text": "c", "{key}": "x"}}\n'
    with pytest.raises(ScoringError, match="There is 1 reference without hypothesis: '1'"):
        score(tmp_path, said, heard, "jsonl")
    assert counts(score(tmp_path, said, heard, "jsonl", missing_as_empty=True)) == (0, 1, 2, 0)


def test_text_is_the_hypothesis_only_where_no_row_has_another_and_the_file_is_not_the_reference(tmp_path: Path) -> None:
    said = '{"id": 1, "text": "a b"}\n'
    assert counts(score(tmp_path, said, '{"id": 1, "text": "a x"}\n', "jsonl")) == (1, 1, 0, 0)
    same = write(tmp_path / "only.jsonl", said)
    (tmp_path / "link.jsonl").symlink_to(same)
    for other in (same, tmp_path / "link.jsonl"):
        with pytest.raises(ScoringError, match="has no hypotheses: no line has 'pred_text'"):
            ew.score(same, other)
    with pytest.raises(ScoringError, match=r"h.jsonl:1: the hypothesis must be text, not 7"):
        score(tmp_path, said, '{"id": 1, "pred_text": 7}\n', "jsonl")


# Kaldi's text


@pytest.mark.parametrize(
    ("said", "heard", "right"),
    [
        ("u1 a b\nu2 c d\n", "u1 a x\nu2 c d\n", (3, 1, 0, 0)),
        ("u1 a b\nu2 c d\n", "u2 c d\nu1 a x\n", (3, 1, 0, 0)),
        ("u1 hello there my friend\nu2 good morning\n", "u1 hallo there me friend\nu2 good evening\n", (3, 3, 0, 0)),
        ("84-1-0000\ta b\n84-1-0001\n", "84-1-0000 a b\n84-1-0001 c\n", (2, 0, 0, 1)),
        ("spk_a-x a\nspk_b-x b\n", "spk_a-x a\nspk_b-x\n", (1, 0, 1, 0)),
    ],
)  # fmt: skip
def test_the_text_of_kaldi_is_paired_by_id_and_it_is_said(
    said: str, heard: str, right: tuple[int, ...], tmp_path: Path
) -> None:
    found = score(tmp_path, said, heard, normalizer="none")
    assert counts(found) == right
    assert "read as Kaldi's text" in found.notes[0]
    assert counts(score(tmp_path, said, heard, format="kaldi", normalizer="none")) == right


def test_an_utterance_of_kaldi_without_hypothesis_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScoringError, match="There is 1 reference without hypothesis: 'u3'"):
        score(tmp_path, "u1 a\nu2 b\nu3 c\n", "u1 a\nu2 b\n")


def test_first_words_without_signs_of_an_id_are_words_unless_a_person_says_otherwise(tmp_path: Path) -> None:
    said, heard = "anna good day\nbob bye\n", "anna good day\nbob by\n"
    found = score(tmp_path, said, heard)
    assert counts(found) == (4, 1, 0, 0)
    assert "use --format kaldi" in found.notes[0]
    assert counts(score(tmp_path, said, heard, format="kaldi")) == (2, 1, 0, 0)
    plain = score(tmp_path, "so it goes\nso be it\n", "so it goes\nso be it\n")
    assert (counts(plain), plain.notes) == ((6, 0, 0, 0), ())
    numbers = score(tmp_path, "u1 a\nu2 b\n", "u1 a\nu2 b\n", format="plain", normalizer="none")
    assert counts(numbers) == (4, 0, 0, 0)


# lines


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
def test_only_line_ends_end_a_line(sign: str, tmp_path: Path) -> None:
    assert counts(score(tmp_path, f"a b\nc{sign}d\n", f"a{sign}b\nc d\n", normalizer="none")) == (4, 0, 0, 0)
    if sign > "\x1f":
        row = f'{{"id": "1", "text": "a{sign}b"}}\n'
        assert counts(score(tmp_path, row, row, "jsonl")) == (2, 0, 0, 0)
    assert counts(score(tmp_path, f"a{sign}b (x-1)\n", "a b (x-1)\n", "trn", normalizer="none")) == (2, 0, 0, 0)


def test_line_ends_of_every_system_are_read() -> None:
    assert split_lines("a\nb") == split_lines("a\r\nb\r\n") == split_lines("a\rb\r") == ["a", "b"]
    assert split_lines("") == []
    assert split_lines("\n\na\n") == ["", "", "a"]


@given(st.lists(st.text(st.characters(exclude_characters="\r\n")), min_size=1))
def test_lines_are_what_was_joined(lines: list[str]) -> None:
    if len(lines) > 1 or lines[-1]:
        assert split_lines("\n".join(lines) + "\n") == lines


def test_encodings_are_stated_or_begin_with_their_mark(tmp_path: Path) -> None:
    said, heard = "今天天气\n", "今天天汽\n"
    for name, stated in (("utf-16", None), ("utf-8-sig", None), ("gb18030", "gb18030")):
        files = write(tmp_path / "r.txt", said, name), write(tmp_path / "h.txt", heard, name)
        assert counts(ew.score(*files, language="zh", encoding=stated)) == (3, 1, 0, 0)
    with pytest.raises(ScoringError, match="is not UTF-8 .* --encoding gb18030"):
        ew.score(*files)
    with pytest.raises(ScoringError, match="no encoding 'gbk2'"):
        ew.score(*files, encoding="gbk2")


# NIST's notation

SEGMENT = "r A x 0 10 <o> "


def ctm(text: str) -> str:
    return "".join(f"r A {number} 0.5 {word}\n" for number, word in enumerate(text.split()))


@pytest.mark.parametrize(
    ("said", "heard", "right"),
    [
        ("a b", "a { b / c }", (2, 0, 0, 0)),
        ("a c", "a { b / c }", (2, 0, 0, 0)),
        ("a", "a { b / @ }", (1, 0, 0, 0)),
        ("a { x / y }", "{ q / a } { z / y }", (2, 0, 0, 0)),
        ("a b;noun", "a b", (2, 0, 0, 0)),
        ("a b", "a b;verb", (2, 0, 0, 0)),
        ("a @ b", "a b", (2, 0, 0, 0)),
        ("a b", "@ a b @", (2, 0, 0, 0)),
        ("yes (right) go on", "yes right go on", (4, 0, 0, 0)),
        ("yes (right) go on", "yes go on", (3, 0, 1, 0)),
    ],
)
@pytest.mark.parametrize("normalizer", ["none", "auto"])
def test_choices_tags_and_optional_words_are_read_as_nist_writes_them(
    said: str, heard: str, right: tuple[int, ...], normalizer: str, tmp_path: Path
) -> None:
    found = score(tmp_path, f"{said} (u-1)\n", f"{heard} (u-1)\n", "trn", normalizer=normalizer)
    assert counts(found) == right
    if "{" not in heard:
        assert counts(score(tmp_path, SEGMENT + said, ctm(heard), "stm", normalizer=normalizer)) == right


def test_words_in_brackets_may_be_left_out_on_request(tmp_path: Path) -> None:
    said = "yes (right) go on (u-1)\n"
    for heard, right in (("yes right go on", (4, 0, 0, 0)), ("yes go on", (3, 0, 0, 0)), ("yes x go on", (3, 0, 0, 1))):
        assert counts(score(tmp_path, said, f"{heard} (u-1)\n", "trn", optional_words=True)) == right


def test_tags_choices_and_lone_signs_have_the_counts_of_sclite(tmp_path: Path) -> None:
    require_sclite()
    rows = [("a b", "a { b / c }"), ("a b;noun", "a b"), ("a b", "a b;verb"), ("a @ b", "a b"), ("a", "@ a"),
            ("yes (right) go", "yes go"), ("a { b / @ } c", "a c")]  # fmt: skip
    for name, column in zip(("r.trn", "h.trn"), zip(*rows, strict=True), strict=True):
        write(tmp_path / name, "".join(f"{text} (u-{number})\n" for number, text in enumerate(column)))
    ours = ew.score(tmp_path / "r.trn", tmp_path / "h.trn", normalizer="none", align="sclite")
    assert [clip.score.words for clip in ours.clips] == sclite(tmp_path / "r.trn", tmp_path / "h.trn")


def test_more_wordings_than_can_be_tried_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ScoringError, match="more than 256 wordings"):
        score(tmp_path, "a (u-1)\n", "{ a / b } " * 9 + "(u-1)\n", "trn")


def test_a_word_whose_middle_is_the_end_of_a_segment_belongs_to_the_next(tmp_path: Path) -> None:
    found = score(tmp_path, "r A x 0 1 <o> a\nr A x 1 2 <o> b\n", "r A 0.90 0.20 b\n", "stm", align="sclite")
    assert counts(found) == (1, 0, 1, 0)


# what is not scored


@pytest.mark.parametrize(
    "mark", ["IGNORE_TIME_SEGMENT_IN_SCORING", "IGNORETIMESEGMENTINSCORING", "x ignore_time_segment_in_scoring y"]
)
def test_what_is_not_scored_is_left_out_and_counted_as_left_out(mark: str, tmp_path: Path) -> None:
    stretches = score(tmp_path, f"r A x 0 1 <o> a\nr A x 1 2 <o> {mark}\n", "r A 0.1 0.1 a\nr A 1.1 0.1 b\n", "stm")
    assert (counts(stretches), stretches.ignored) == ((1, 0, 0, 0), 1)
    rows = score(
        tmp_path, f'{{"id": 1, "text": "a"}}\n{{"id": 2, "text": "{mark}"}}\n',
        '{"id": 1, "text": "a"}\n{"id": 2, "text": "b"}\n', "jsonl",
    )  # fmt: skip
    assert (counts(rows), rows.ignored) == ((1, 0, 0, 0), 1)
    plain = score(tmp_path, f"a\n{mark}\n", "a\nb\n")
    assert (counts(plain), plain.ignored) == ((1, 0, 0, 0), 1)


# harmless


def test_ids_that_differ_in_case_are_paired_and_it_is_said(tmp_path: Path) -> None:
    found = score(tmp_path, "a b (Spk-A)\nc (spk-b)\n", "c (spk-b)\na b (SPK-a)\n", "trn")
    assert counts(found) == (3, 0, 0, 0)
    assert found.notes == ("1 id was paired although the case of letters differs, such as 'SPK-a'.",)
    both = score(tmp_path, "a (u-A)\nb (u-a)\n", "b (u-a)\na (u-A)\n", "trn")
    assert (counts(both), both.notes) == ((2, 0, 0, 0), ())


def test_a_segment_of_no_length_and_a_comment_behind_a_word_are_read(tmp_path: Path) -> None:
    found = score(
        tmp_path, "r A x 0 1 <o> a\nr A x 1 1 <o>\n", "r A 0.1 0.1 a ;; sure\nr A 0.3 0.1 b 0.5 ;; so so\n", "stm"
    )
    assert counts(found) == (1, 0, 0, 1)
    assert found.notes == ("1 segment has no length.",)


def test_a_no_break_space_does_not_end_a_field(tmp_path: Path) -> None:
    assert counts(score(tmp_path, "r A x 0 1 <o> 10\u00a0000 b\n", "r A 0.1 0.1 10\u00a0000\n", "stm")) == (1, 0, 1, 0)


def test_compounds_and_sclites_alignment_are_refused_wherever_they_meet() -> None:
    with pytest.raises(UsageError, match="sclite does not support compounds"):
        align(["a"], ["a"], compounds=True, method="sclite")


# files for sclite

ODD = ["Stop; go on.", "mail me @ home", "a {b / c} d", ";; not a comment", "a* b", "\\x y\\z", "50% (off) <b> #1 ~"]


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize("heard", ["go on home", None])
def test_sclite_counts_what_was_counted_whatever_signs_are_in_the_texts(
    text: str, heard: str | None, tmp_path: Path
) -> None:
    require_sclite()
    said, got = [text, "x y"], [heard or text, "x z"]
    found = ew.score(said, got, normalizer="none", align="sclite", export_sclite=tmp_path / "out")
    assert found.sclite is not None
    theirs = sclite(*found.sclite.trn)
    assert theirs == [clip.score.words for clip in found.clips]
    assert ew.score(*found.sclite.trn, normalizer="none", align="sclite").score("wer") is not None
    again = ew.score(*found.sclite.trn, normalizer="none", align="sclite")
    assert [clip.score.words for clip in again.clips] == theirs


PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="()"), max_size=12)


@settings(deadline=None)
@given(texts=st.lists(st.tuples(PRINTABLE, PRINTABLE), min_size=1))
def test_exported_files_are_read_again_with_the_same_counts(
    texts: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    said, heard = [list(column) for column in zip(*texts, strict=True)]
    found = ew.score(said, heard, normalizer="none", export_sclite=tmp_path_factory.mktemp("files"))
    assert found.sclite is not None
    again = ew.score(*found.sclite.trn, normalizer="none")
    assert [clip.score.words for clip in again.clips] == [clip.score.words for clip in found.clips]


def test_a_sign_that_cannot_be_written_otherwise_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ScoringError, match="The texts have ';'"):
        ew.score(["a; \uff1b \ue03b"], ["a"], normalizer="none", export_sclite=tmp_path)
