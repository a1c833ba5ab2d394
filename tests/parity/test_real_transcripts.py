"""The same numbers as the field's tools on what real engines heard."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jiwer
import kaldialign
import pytest
from tests.parity.tools import require_sclite, sclite, sclite_of
from whisper_normalizer.basic import BasicTextNormalizer
from whisper_normalizer.english import EnglishTextNormalizer

from earwitness import weights
from earwitness.data import corpora
from earwitness.engines.catalog import find
from earwitness.records import store
from earwitness.scoring.align.edits import align, align_letters
from earwitness.scoring.text import normalizer
from earwitness.types import Edits

pytestmark = pytest.mark.real

RUNS = (
    ("telephony-en", "faster-whisper:tiny.en"),
    ("telephony-en", "pocketsphinx:en-us"),
    ("telephony-es", "faster-whisper:base"),
    ("telephony-es", "faster-whisper:tiny.en"),
)
"""Models that know English alone hear Spanish as English: texts as far from their references as can be."""
CLIPS = "5"
Pairs = list[tuple[list[str], list[str]]]


@pytest.fixture(scope="session")
def records(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """A record of some clips for each corpus and model."""
    found = {}
    for corpus, model in RUNS:
        corpora.pull(corpus)
        weights.pull(find(model))
        folder = tmp_path_factory.mktemp("runs")
        command = [sys.executable, "-m", "earwitness", "run", corpus, "-m", model, "--tag", "kind=speech"]
        command += ["--set", "language=en"] if model != "faster-whisper:base" else []
        subprocess.run([*command, "--limit", CLIPS, "--out", str(folder)], check=True, capture_output=True, timeout=900)
        (found[corpus, model],) = store.find_records([folder])
    return found


@pytest.fixture(params=RUNS, ids=" by ".join)
def record(request: pytest.FixtureRequest, records: dict[tuple[str, str], Path]) -> Path:
    return records[request.param]


def pairs_of(record: Path) -> Pairs:
    words = normalizer("auto").words
    results = [(r.clip, r.hypothesis.transcript) for r in store.read_clips(record)]
    assert len(results) == int(CLIPS)
    return [
        (words(clip.reference or "", clip.language), words(text.text if text else "", clip.language))
        for clip, text in results
    ]


def total(counts: list[Edits]) -> Edits:
    return sum(counts, Edits())


def test_every_utterance_has_the_counts_of_sclite(record: Path, tmp_path: Path) -> None:
    require_sclite()
    pairs = pairs_of(record)
    theirs = sclite_of([(" ".join(said), " ".join(heard)) for said, heard in pairs], tmp_path)
    assert [align(said, heard, method="sclite") for said, heard in pairs] == theirs


def test_the_default_has_the_errors_of_kaldialign_and_the_rates_of_jiwer_and_of_the_record(record: Path) -> None:
    pairs = pairs_of(record)
    ours = [align(said, heard) for said, heard in pairs]
    for (said, heard), edits in zip(pairs, ours, strict=True):
        assert edits.errors == kaldialign.edit_distance(said, heard)["total"]
        merged = align(said, heard, compounds=True)
        assert merged.errors == kaldialign.edit_distance(said, heard, merge_compounds=True)["total"]
    said, heard = [" ".join(pair[0]) for pair in pairs], [" ".join(pair[1]) for pair in pairs]
    scores = store.read_run(record)
    wer, cer = scores.score("wer"), scores.score("cer")
    assert wer is not None
    assert cer is not None
    assert wer.value == pytest.approx(jiwer.wer(said, heard))
    assert cer.value == pytest.approx(jiwer.cer(said, heard))
    assert wer.edits == total(ours)
    assert cer.edits == total([align_letters(*pair) for pair in zip(said, heard, strict=True)])


def test_the_words_are_those_of_the_package(record: Path) -> None:
    english, basic = EnglishTextNormalizer(), BasicTextNormalizer(preserve_marks=True)
    for result in store.read_clips(record):
        assert result.hypothesis.transcript is not None
        for text in (result.clip.reference or "", result.hypothesis.transcript.text):
            rules = english if (result.clip.language or "").startswith("en") else basic
            assert normalizer("whisper").words(text, result.clip.language) == rules(text).split()


def test_sclite_counts_the_errors_of_a_record_in_its_trn_and_in_its_stm_with_ctm(record: Path, tmp_path: Path) -> None:
    require_sclite()
    whole = tmp_path / record.name
    for path in (record, store.clips_path(record)):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    commands = (["rescore", whole.name, "--align", "sclite", "--json"], ["export", "", "--sclite", "check", "--json"])
    answer: Any = []
    for command in commands:
        words = [word or answer[0] for word in command]
        done = subprocess.run(
            [sys.executable, "-m", "earwitness", *words], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
    (made,) = answer["sclite"]
    wer = store.read_run(tmp_path / made["record"]).score("wer")
    assert wer is not None
    for kinds, files in ((("trn", "trn"), made["trn"]), (("stm", "ctm"), (made["stm"], made["ctm"]))):
        theirs = sclite(tmp_path / files[0], tmp_path / files[1], kinds=kinds)
        assert (len(theirs), total(theirs)) == (int(CLIPS), wer.edits)
    engine = {"pocketsphinx": "the engine's own, in", "faster-whisper": "spread evenly over the engine's segments in"}
    assert any(text in made["notes"][0] for name, text in engine.items() if store.read_run(record).engine.name == name)


def test_sclite_confirms_what_is_exported(record: Path, tmp_path: Path) -> None:
    require_sclite()
    results = store.read_clips(record)
    for name, texts in (
        ("reference", [r.clip.reference or "" for r in results]),
        ("hypothesis", [r.hypothesis.transcript.text if r.hypothesis.transcript else "" for r in results]),
    ):
        lines = (" ".join(text.split()) + "\n" for text in texts)
        (tmp_path / f"{name}.txt").write_text("".join(lines), encoding="utf-8")
    language = (results[0].clip.language or "")[:2]
    command = [sys.executable, "-m", "earwitness", "score", "reference.txt", "hypothesis.txt", "--language", language]
    command += ["--align", "sclite", "--export-sclite", "for-sclite", "--worst", "0"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120)
    theirs = total(sclite(tmp_path / "for-sclite" / "ref.trn", tmp_path / "for-sclite" / "hyp.trn"))
    counts = (theirs.hits, theirs.substitutions, theirs.deletions, theirs.insertions)
    row = next(line for line in done.stdout.splitlines() if line.lstrip().startswith("WER "))
    assert row.split()[-4:] == [str(count) for count in counts]
