from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runs.jobs import write_script

import earwitness as ew
from earwitness.cli import main
from earwitness.scoring import ScoringOptions
from earwitness.scoring.formats import ctm, stm
from earwitness.scoring.formats.sclite import ScliteFiles, write_sclite
from earwitness.scoring.formats.transcripts import read_pairs
from earwitness.types import Clip, Edits, Failure, Hypothesis, Segment, Transcript

HOLDS = ("cli/sclite.py",)

PLAIN = ScoringOptions("none", method="sclite")
WORDS = st.lists(st.sampled_from("abcd"), max_size=6)


def clip(
    id_: str, start_s: float = 0.0, length_s: float = 2.0, said: str | None = "a b", file: str = "tape.wav"
) -> Clip:
    return Clip(id_, f"/audio/{file}", "0" * 64, start_s, length_s, said, "en", recording="tape")


def heard(id_: str, text: str, *segments: Segment, words: tuple[Segment, ...] | None = None) -> Hypothesis:
    return Hypothesis(id_, Transcript(text, segments, words), None, audio_s=2.0)


def lines(path: Path | None) -> list[str]:
    assert path is not None
    return path.read_text(encoding="utf-8").splitlines()


def counted(made: ScliteFiles) -> Edits:
    """What is counted when the stm and the ctm are read again."""
    assert made.stm is not None
    assert made.ctm is not None
    wer = ew.score(made.stm, made.ctm, normalizer="none", align="sclite").score("wer")
    assert wer is not None
    assert wer.edits is not None
    return wer.edits


def test_ids_that_sclite_cannot_read_are_changed_and_two_that_become_one_are_refused(tmp_path: Path) -> None:
    made = write_sclite([(clip("line 1"), heard("line 1", "a"))], PLAIN, tmp_path / "new" / "folder")
    assert lines(made.trn[0]) == ["a b (line_1)"]
    with pytest.raises(ew.ScoringError, match="Two ids become one"):
        write_sclite([(clip(id_), heard(id_, "x")) for id_ in ("a b", "a_b")], PLAIN, tmp_path)


def test_times_of_words_are_the_engines_own_where_it_has_them(tmp_path: Path) -> None:
    words = (Segment(0.25, 0.5, "Twenty"), Segment(0.5, 0.75, "one,"), Segment(1.0, 1.5, "please"))
    one = replace(clip("c", 10.0, said="21 please"), speaker="Ann Lee", channel=1)
    made = write_sclite([(one, heard("c", "Twenty one, please", words=words))], ScoringOptions(), tmp_path)
    assert lines(made.stm) == ["tape 2 Ann_Lee 10.000 12.000 <o> 21 please"]
    assert lines(made.ctm)[1:] == ["tape 2 10.250 0.500 21", "tape 2 11.000 0.500 please"]
    assert made.notes[0] == "Times of words are the engine's own, in 1 clip."
    assert "look for the fewest" in made.notes[1]


def test_words_of_a_segment_share_its_time_and_the_file_says_so(tmp_path: Path) -> None:
    texts = [(clip("c", 10.0), heard("c", "a b c", Segment(0.5, 1.5, "a b"), Segment(1.5, 9.0, "c")))]
    made = write_sclite(texts, PLAIN, tmp_path)
    assert lines(made.ctm) == [
        ";; Times of words: spread evenly over the engine's segments in 1 clip.",
        "tape 1 10.500 0.500 a", "tape 1 11.000 0.500 b", "tape 1 11.500 0.500 c",
    ]  # fmt: skip
    assert lines(made.stm) == ["tape 1 unknown 10.000 12.000 <o> a b"]


def test_words_without_times_are_given_none_and_the_reason_is_told(tmp_path: Path) -> None:
    (tmp_path / "hyp.ctm").write_text("of an earlier time\n")
    texts = [(clip("c"), heard("c", "")), (clip("d", 2.0), heard("d", "a b"))]
    made = write_sclite(texts, PLAIN, tmp_path)
    assert (made.ctm, (tmp_path / "hyp.ctm").exists()) == (None, False)
    assert made.notes == ("No ctm: the engine gave no times for 1 of 2 clips, such as 'd'.",)
    assert len(lines(made.stm)) == len(lines(made.trn[1])) == 2
    assert [command.count("trn") for command in made.commands] == [4]


def test_texts_without_times_are_trn_alone(tmp_path: Path) -> None:
    found = ew.score(["a b", "c"], ["a b", None], normalizer="none", align="sclite", export_sclite=tmp_path)
    assert found.sclite is not None
    assert (found.sclite.stm, found.sclite.ctm) == (None, None)
    assert found.sclite.notes == ("No stm and no ctm: the texts have no times.",)
    assert lines(found.sclite.trn[1]) == ["a b (line_1)", " (line_2)"]


def test_clips_that_share_their_time_have_no_ctm_because_a_time_does_not_say_whose_a_word_is(tmp_path: Path) -> None:
    texts = [(clip(id_, start_s), heard(id_, "a b", Segment(0.0, 2.0, "a b"))) for id_, start_s in (("c", 0), ("d", 1))]
    made = write_sclite(texts, PLAIN, tmp_path)
    assert made.ctm is None
    assert "has its time in common" in made.notes[0]
    apart = [(texts[0]), (replace(texts[1][0], channel=1), texts[1][1])]
    assert write_sclite(apart, PLAIN, tmp_path).ctm is not None


def test_files_of_one_name_are_recordings_of_their_own(tmp_path: Path) -> None:
    texts = [(clip(name, file=f"{name}/a b.wav"), heard(name, "a b", Segment(0.0, 2.0, "a b"))) for name in "xy"]
    made = write_sclite(texts, PLAIN, tmp_path)
    assert [line.split()[0] for line in lines(made.stm)] == ["a_b", "a_b-2"]
    assert counted(made) == Edits(hits=4)


def test_a_clip_without_a_reference_is_not_scored_and_a_failed_one_is_deleted(tmp_path: Path) -> None:
    failed = Hypothesis("f", None, Failure("transcribe", "error", "no"), audio_s=2.0)
    texts = [(clip("c"), heard("c", "a", Segment(0.0, 2.0, "a"))), (clip("f", 2.0), failed)]
    texts.append((clip("u", 4.0, said=None), heard("u", "x y", Segment(0.0, 2.0, "x y"))))
    made = write_sclite(texts, PLAIN, tmp_path)
    assert lines(made.stm)[2].endswith(stm.IGNORED)
    assert len(lines(made.trn[0])) == 2
    assert counted(made) == Edits(hits=1, deletions=3)


@given(
    texts=st.lists(
        st.tuples(WORDS, WORDS, st.lists(st.integers(-5, 30), min_size=6, max_size=6)), min_size=1, max_size=6
    )
)
def test_every_word_is_dealt_back_to_its_own_clip_whatever_times_the_engine_gave(
    texts: list[tuple[list[str], list[str], list[int]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Times before the clip, after it, of no length, and in no order; clips that follow each other without a gap."""
    rows = []
    for number, (said, got, tenths) in enumerate(texts):
        words = tuple(
            Segment(t / 10, max(t, u) / 10, w) for w, t, u in zip(got, tenths, [*tenths[1:], 3], strict=False)
        )
        id_ = f"c{number}"
        rows.append((clip(id_, 2.0 * number, said=" ".join(said)), heard(id_, " ".join(got), words=words)))
    made = write_sclite(rows, PLAIN, tmp_path_factory.mktemp("files"))
    assert made.stm is not None
    assert made.ctm is not None
    assert [(pair.reference, pair.hypothesis) for pair in read_pairs(made.stm, made.ctm).pairs] == [
        (" ".join(said), " ".join(got)) for said, got, _ in texts
    ]
    times = [word.start_s for word in ctm.read("x", lines(made.ctm))]
    assert times == sorted(times)


def test_an_stm_and_a_ctm_are_written_as_they_were_read(tmp_path: Path) -> None:
    segments = ["rec1 A bob 0.500 2.250 <o,f0> hello { there / their }", "rec2 B amy 1.000 2.000 <o> yes"]
    words = ["rec1 A 0.600 0.300 hello", "rec1 A 1.000 0.250 their", "rec2 B 1.500 0.100 no"]
    for name, rows in (("r.stm", segments), ("h.ctm", words)):
        (tmp_path / name).write_text("".join(f"{row}\n" for row in rows))
    command = [sys.executable, "-m", "earwitness", "score", "r.stm", "h.ctm", "--export-sclite", "out", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
    found = json.loads(done.stdout)["sclite"]
    assert found["stm"] == "out/ref.stm"
    assert len(found["commands"]) == 2
    assert lines(tmp_path / "out" / "ref.stm") == segments
    assert lines(tmp_path / "out" / "hyp.ctm")[1:] == words


def test_records_are_written_each_into_a_folder_of_its_own(three_clips: Path, tmp_path: Path) -> None:
    write_script(
        tmp_path / "one", {"1": {"pieces": ["one", " to"]}, "2": {"model": "error"}, "3": {"text": "three little"}}
    )
    models = [f"fake:{tmp_path / 'one'}", "fake:empty"]
    records = ew.run(three_clips, models, warmup=0, align="sclite", out=tmp_path / "runs")
    made = ew.export_sclite(records, tmp_path / "check")
    assert (len(made.files), made.left_out) == (2, ())
    for path, files in made.files.items():
        (record,) = [record for record in records if record.path == path]
        wer = record.run.score("wer")
        assert wer is not None
        assert files.stm is not None
        assert files.stm.parent.name == path.stem
        assert counted(files) == wer.edits
    assert main(["export", str(tmp_path / "runs")]) == 2
