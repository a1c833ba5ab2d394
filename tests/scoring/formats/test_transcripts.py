from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earwitness.errors import ScoringError
from earwitness.scoring.formats import ctm, stm, trn
from earwitness.scoring.formats.transcripts import read_pairs, sniff
from earwitness.scoring.text.lines import read_lines

HOLDS = ("ctm.py", "jsonl.py", "stm.py", "trn.py")

TOKEN = st.text(st.characters(categories=["L", "Nd"]), min_size=1, max_size=8)
TEXT = st.lists(TOKEN, max_size=6).map(" ".join)
TIME = st.integers(0, 10**6).map(lambda ms: ms / 1000)
SEGMENT = st.builds(
    lambda recording, channel, speaker, start, size, text, labels: stm.StmSegment(
        recording, channel, speaker, start, round(start + size, 3), text, labels
    ),
    TOKEN, TOKEN, TOKEN, TIME, st.integers(1, 10**5).map(lambda ms: ms / 1000), TEXT, st.sampled_from(["", "<o,f0>"]),
)  # fmt: skip
WORD = st.builds(ctm.Word, TOKEN, TOKEN, TIME, TIME, TOKEN, st.none() | st.integers(0, 10**4).map(lambda n: n / 10**4))


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def sniffed(path: Path) -> str:
    return sniff(path, read_lines(path))


def score(folder: Path, *arguments: str) -> Any:
    command = [sys.executable, "-m", "earwitness", "score", *arguments, "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@given(TOKEN, TEXT)
def test_trn_is_read_as_it_was_written(id_: str, text: str) -> None:
    assert [(key, words) for _, key, words in trn.read("x", [trn.line_of(id_, text)])] == [(id_, text)]


@given(SEGMENT)
def test_stm_is_read_as_it_was_written(segment: stm.StmSegment) -> None:
    assert list(stm.read("x", [";; a comment", stm.line_of(segment)])) == [segment]


@given(WORD)
def test_ctm_is_read_as_it_was_written(word: ctm.Word) -> None:
    assert list(ctm.read("x", [";; a comment", ctm.line_of(word)])) == [word]


@pytest.mark.parametrize(
    ("module", "line", "says"),
    [
        (trn, "no id here", "x:1 does not end with an id in brackets"),
        (stm, "rec 1 bob 0.5", "x:1 is not 'recording channel"),
        (stm, "rec 1 bob 2.0 1.0 text", "x:1 ends at 1.0 s, before its start"),
        (stm, "rec 1 bob one two text", "x:1 is not"),
        (ctm, "rec 1 0.1 word", "x:1 is not"),
        (ctm, "rec 1 * * <ALT_BEGIN>", "x:1 is not"),
    ],
)
def test_a_line_of_another_form_is_named(module: Any, line: str, says: str) -> None:
    with pytest.raises(ScoringError, match=says):
        list(module.read("x", [line]))


def test_formats_are_found_out(tmp_path: Path) -> None:
    assert sniffed(write(tmp_path / "a.trn", ";; comment", "{ a / b } c (x-1)", "(x-2)")) == "trn"
    assert sniffed(write(tmp_path / "a.jsonl", '{"id": "a", "text": "b"}')) == "jsonl"
    assert sniffed(write(tmp_path / "a.txt", "{ a / b } is said here", "more")) == "plain"
    assert sniffed(write(tmp_path / "a.stm", "rec 1 bob 0 1 text")) == "stm"


def test_words_of_a_recording_that_the_stm_does_not_have_are_refused(tmp_path: Path) -> None:
    reference = write(tmp_path / "r.stm", "rec 1 bob 0 1 text")
    hypothesis = write(tmp_path / "h.ctm", "other 1 0.1 0.2 text")
    with pytest.raises(ScoringError, match="'other', channel '1'"):
        read_pairs(reference, hypothesis)


def test_an_ignored_segment_takes_its_words_with_it(tmp_path: Path) -> None:
    reference = write(
        tmp_path / "r.stm", "rec 1 a 0 1 hello", "rec 1 b 1 2 IGNORE_TIME_SEGMENT_IN_SCORING", "rec 1 a 2 3 bye"
    )
    hypothesis = write(tmp_path / "h.ctm", "rec 1 0.1 0.2 hello", "rec 1 1.1 0.2 blah", "rec 1 2.1 0.2 bye")
    assert [(pair.reference, pair.hypothesis) for pair in read_pairs(reference, hypothesis).pairs] == [
        ("hello",) * 2,
        ("bye",) * 2,
    ]
    found = score(tmp_path, "r.stm", "h.ctm")
    assert found["wer"]["value"] == 0
    assert "at least 4 recordings" in found["wer"]["reason"]


def test_braces_mean_alternatives_in_trn_and_only_on_request_elsewhere(tmp_path: Path) -> None:
    write(tmp_path / "r.trn", "i {want to / wanna} go {now / @} (u-1)")
    write(tmp_path / "h.trn", "i wanna go (u-1)")
    write(tmp_path / "r.txt", "i {want to / wanna} go {now / @}")
    write(tmp_path / "h.txt", "i wanna go")
    rules = ("--normalizer", "basic")
    asked = score(tmp_path, "r.txt", "h.txt", *rules, "--alternatives")["wer"]
    plain = score(tmp_path, "r.txt", "h.txt", *rules)["wer"]
    assert score(tmp_path, "r.trn", "h.trn", *rules)["wer"]["value"] == asked["value"] == 0
    assert plain["value"] == 0.5
    assert ("alternatives:best" in asked["signature"], "alternatives:off" in plain["signature"]) == (True, True)


def test_anyone_can_check_the_exported_files_with_sclite(tmp_path: Path) -> None:
    write(tmp_path / "r.trn", "Mr. Brown {isn't / ain't} here (a-1)", "twenty one (a-2)")
    write(tmp_path / "h.trn", "mister Brown ain't there (a-1)", "21 [noise] (a-2)")
    found = score(tmp_path, "r.trn", "h.trn", "--align", "sclite", "--export-sclite", "out")["wer"]["edits"]
    assert (tmp_path / "out" / "ref.trn").read_text() == "mister brown { is not / aint } here (a-1)\n21 (a-2)\n"
    assert found == {"hits": 4, "substitutions": 1, "deletions": 0, "insertions": 0}
    if shutil.which("sctk"):
        from tests.parity.tools import sclite

        theirs = sclite(tmp_path / "out" / "ref.trn", tmp_path / "out" / "hyp.trn")
        assert (sum(e.hits for e in theirs), sum(e.errors for e in theirs)) == (4, 1)


def test_a_number_of_too_many_digits_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"id": "a", "text": "one"}\n{"id": "b", "text": "two", "n": ' + "9" * 5000 + "}\n")
    with pytest.raises(ScoringError, match=r"a\.jsonl:2 has a number of too many digits"):
        read_pairs(file, file)
