"""sclite reads what is written for it, and counts what was counted here."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.parity.tools import TOKENS, misheard, require_sclite, sclite

import earwitness as ew
from earwitness.scoring import ScoringOptions
from earwitness.scoring.formats import ctm, stm
from earwitness.scoring.formats.sclite import ScliteFiles, write_sclite
from earwitness.types import Clip, Edits, Failure, Hypothesis, Segment, Transcript

SPOKEN = [*TOKENS, "twenty", "one", "Mr.", "won't", "um", "colour", "U.S."]
OPTIONS = ScoringOptions("whisper-english", method="sclite")


def total(counts: list[Edits]) -> Edits:
    return sum(counts, Edits())


def theirs(made: ScliteFiles) -> tuple[Edits, Edits]:
    """What sclite counts in the trn, and in the stm with the ctm."""
    assert made.stm is not None
    assert made.ctm is not None
    return total(sclite(*made.trn)), total(sclite(made.stm, made.ctm, kinds=("stm", "ctm")))


def ours(texts: list[tuple[Clip, Hypothesis]]) -> Edits:
    from earwitness.scoring import score_clip

    counts = [score_clip(clip, heard, OPTIONS).words for clip, heard in texts]
    return total([edits for edits in counts if edits is not None])


def timed(rng: random.Random, words: list[str], length_s: float) -> tuple[Segment, ...]:
    """Times in order, some without any length, some a little outside of the clip."""
    cuts = sorted(rng.uniform(-0.1, length_s + 0.1) for _ in range(2 * len(words)))
    return tuple(Segment(cuts[2 * n], cuts[2 * n + rng.randrange(2)], word) for n, word in enumerate(words))


def test_clips_of_recordings_have_the_same_errors_in_trn_and_in_stm_with_ctm(tmp_path: Path) -> None:
    """Clips follow each other without a gap; some fail, some have no reference, some recordings have no word at all."""
    require_sclite()
    rng = random.Random(3)
    texts: list[tuple[Clip, Hypothesis]] = []
    for file in range(30):
        here_s = 0.0
        for number in range(rng.randrange(1, 6)):
            length_s = round(rng.uniform(0.5, 8), 3)
            said = rng.choices(SPOKEN, k=rng.randrange(9))
            heard = [] if file % 7 == 3 else misheard(rng, said)
            clip = Clip(
                f"f{file}-{number}", f"/a/tape {file}.wav", "0" * 64, here_s, length_s,
                None if rng.random() < 0.1 else " ".join(said), "en", rng.choice([None, "Ann Lee"]),
            )  # fmt: skip
            words = timed(rng, heard, length_s)
            by_word = rng.random() < 0.5
            whole = (Segment(0.0, length_s, " ".join(heard)),) if heard else ()
            transcript = Transcript(" ".join(heard), whole, words if by_word else None)
            failed = Hypothesis(clip.id, None, Failure("transcribe", "error", "no"), audio_s=length_s)
            texts.append((clip, failed if rng.random() < 0.1 else Hypothesis(clip.id, transcript, None, length_s)))
            here_s = round(here_s + length_s, 3)
    made = write_sclite(texts, OPTIONS, tmp_path)
    assert theirs(made) == (ours(texts), ours(texts))


def test_two_files_that_were_read_have_the_same_errors_written_again(tmp_path: Path) -> None:
    require_sclite()
    rng = random.Random(4)
    segments, words = [], []
    for recording in (f"rec{number:02d}" for number in range(30)):
        here_s = 0.0
        for _ in range(rng.randrange(1, 6)):
            end_s = round(here_s + rng.uniform(0.5, 4), 2)
            said = rng.choices(SPOKEN, k=rng.randrange(7))
            text = stm.IGNORED if rng.random() < 0.15 else " ".join([*said, "{ a dog / @ }"])
            segments.append(stm.StmSegment(recording, "B", f"s-{recording}", here_s, end_s, text, "<o,f0>"))
            here_s = round(end_s + rng.choice([0, 0.5]), 2)
        at_s = 0.0
        while at_s < here_s + 1:
            at_s = round(at_s + rng.uniform(0.05, 0.9), 3)
            words.append(ctm.Word(recording, "B", at_s, round(rng.uniform(0, 0.5), 3), rng.choice(SPOKEN)))
    (tmp_path / "ref.stm").write_text("".join(stm.line_of(segment) + "\n" for segment in segments))
    (tmp_path / "hyp.ctm").write_text("".join(ctm.line_of(word) + "\n" for word in words))
    files = tmp_path / "ref.stm", tmp_path / "hyp.ctm"
    found = ew.score(*files, align="sclite", normalizer="whisper-english", export_sclite=tmp_path / "out")
    wer = found.score("wer")
    assert wer is not None
    assert found.sclite is not None
    as_trn, as_ctm = theirs(found.sclite)
    # Of wordings that cost the same, sclite now and then takes another than we do.
    assert as_trn == as_ctm
    assert as_ctm.errors == pytest.approx(wer.edits.errors if wer.edits else 0, abs=2)
