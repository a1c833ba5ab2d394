from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile

from earwitness import data
from earwitness.audio import decode
from earwitness.errors import DataError

HOLDS = ("checks.py", "joins.py", "cli/data.py")

Writer = Callable[..., Path]


def manifest(root: Path, *rows: Mapping[str, object] | str) -> Path:
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    (root / "m.jsonl").write_text("\n".join(lines) + "\n")
    return root / "m.jsonl"


def test_check_finds_every_planted_fault_and_goes_on(tmp_path: Path, write_wav: Writer) -> None:
    write_wav("good.wav", 2.0)
    write_wav("other.wav", 1.0, rate_hz=8000)
    path = manifest(
        tmp_path,
        {"audio_filepath": "good.wav", "text": "fine", "duration": 2.0, "id": "good"},
        {"audio_filepath": "gone.wav", "text": "x", "id": "missing"},
        {"audio_filepath": "other.wav", "text": "x", "duration": 9.0, "id": "too long"},
        {"audio_filepath": "good.wav", "text": "x", "duration": 2.0, "id": "good"},
        {"audio_filepath": "good.wav", "text": "", "duration": 2.0, "id": "silent"},
        {"audio_filepath": "good.wav", "duration": 2.0, "id": "unlabelled"},
        "not json",
        {"audio_filepath": "other.wav", "text": "far too many words for one second of it", "id": "fast"},
    )
    found = {(finding.severity, finding.clip_id): finding.message for finding in data.check(path)}
    assert "There is no audio file" in found["error", "missing"]
    assert "the file is 1.00 s long" in found["error", "too long"]
    assert "is already used" in found["error", "good"]
    assert "is not JSON" in found["error", None]
    assert "same audio as clip 'good'" in found["warning", "silent"]
    assert "same audio" in found["warning", "unlabelled"]
    assert "is this the right reference" in found["warning", "fast"]
    messages = [finding.message for finding in data.check(path)]
    assert any("empty reference" in message for message in messages)
    assert any("unlabelled" in message for message in messages)


def test_deep_finds_what_only_decoding_shows(tmp_path: Path, write_wav: Writer) -> None:
    soundfile.write(tmp_path / "nan.wav", np.full(1000, np.nan, np.float32), 16_000, subtype="FLOAT")
    soundfile.write(tmp_path / "quiet.wav", np.zeros(16_000), 16_000)
    path = manifest(
        tmp_path,
        {"audio_filepath": "nan.wav", "text": "x", "id": "nan"},
        {"audio_filepath": "quiet.wav", "text": "somebody speaks", "id": "quiet"},
    )
    assert data.check(path) == []
    found = {finding.clip_id: finding.message for finding in data.check(path, deep=True)}
    assert "NaN" in found["nan"]
    assert "the audio is silent, and the reference has words" in found["quiet"]


def test_a_good_dataset_has_no_findings(three_clips: Path) -> None:
    assert data.check(three_clips, deep=True) == []


@pytest.fixture
def twenty(tmp_path: Path) -> Path:
    rng = random.Random(0)
    rows = []
    for n in range(20):
        noise = np.random.default_rng(n).uniform(-0.5, 0.5, rng.randrange(4000, 24_000))
        soundfile.write(tmp_path / f"{n}.wav", noise, 8000)
        rows.append({"audio_filepath": f"{n}.wav", "text": f"  words of\n{n} ", "lang": "en", "id": str(n)})
    return manifest(tmp_path, *rows, {"audio_filepath": "0.wav", "text": "", "id": "tone"})


def test_a_joined_recording_has_the_exact_reference_and_boundaries(twenty: Path, tmp_path: Path) -> None:
    source = data.load(twenty)
    folder = data.join(source, 15.0, gap_s=0.25, out=tmp_path / "joined")
    (clip,) = data.load(folder).clips
    assert 13.0 < clip.duration_s <= 15.0
    boundaries = [json.loads(line) for line in (folder / "boundaries.jsonl").read_text().splitlines()]
    assert clip.reference == " ".join(" ".join(b["reference"].split()) for b in boundaries)
    assert "tone" not in [b["id"] for b in boundaries]
    originals = {c.id: c for c in source.clips}
    for one, following in itertools.pairwise(boundaries):
        assert following["start_s"] - one["end_s"] == pytest.approx(0.25)
    for boundary in boundaries:
        span = boundary["end_s"] - boundary["start_s"]
        inside = decode(folder / "joined.wav", start_s=boundary["start_s"], duration_s=span).samples
        assert inside == pytest.approx(decode(originals[boundary["id"]].audio_path).samples, abs=1e-4)


def test_joining_is_seeded(twenty: Path, tmp_path: Path) -> None:
    source = data.load(twenty)

    def joined(name: str, seed: int) -> tuple[str, bytes]:
        folder = data.join(source, 12.0, seed=seed, out=tmp_path / name)
        return data.load(folder).sha256, (folder / "joined.wav").read_bytes()

    assert joined("a", 1)[1] == joined("b", 1)[1]
    assert joined("c", 2)[1] != joined("d", 3)[1]


def test_a_joined_recording_is_found_by_its_name(twenty: Path, cache: Path) -> None:
    for seconds in (10.0, 14.0):
        data.join(data.load(twenty), seconds)
    one, other = (data.load(f"m-{seconds}s").clips[0] for seconds in (10, 14))
    assert one.tags["kind"] == "joined"
    assert one.recording != other.recording


def test_too_little_audio_is_said(twenty: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"last \d+ s, less than 900 s. Ask for less"):
        data.join(data.load(twenty), 900.0, out=tmp_path / "x")
    assert not (tmp_path / "x").exists()


def printed(path: Path, *options: str) -> list[str]:
    from typer.testing import CliRunner

    from earwitness.cli.data import app

    return CliRunner().invoke(app, ["check", str(path), *options]).stdout.splitlines()


def test_findings_that_are_alike_are_one_line_with_a_count(tmp_path: Path, write_wav: Writer) -> None:
    write_wav("a.wav")
    rows = [{"audio_filepath": "a.wav", "offset": (n + 1) / 50, "duration": 0.02} for n in range(40)]
    gone = [{"audio_filepath": f"gone{n}.wav", "text": "x"} for n in range(5)]
    path = manifest(tmp_path, *rows, *gone)
    unlabelled, missing, summary = printed(path)
    assert unlabelled.startswith("warning: 40 times: unlabelled: there is no reference, so it cannot be scored (")
    assert unlabelled.endswith(f"{path}:1, {path}:2, {path}:3 and 37 more)")
    assert missing.startswith("error: 5 times: such as: There is no audio file")
    assert "gone0.wav" in missing
    assert summary == "5 errors, 40 warnings; --all prints each"
    assert len(printed(path, "--all")) == 46
    assert len(json.loads("\n".join(printed(path, "--json")))) == 45


def test_a_folder_without_transcripts_gets_one_sentence_and_what_to_run(tmp_path: Path, write_wav: Writer) -> None:
    for name in ("a.wav", "b.wav", "c.wav"):
        write_wav(name)
    sentence, *_, summary = printed(tmp_path)
    assert sentence.startswith("warning: There are no transcripts")
    assert "earwitness rank" in sentence
    assert "earwitness label" in sentence
    assert not any("unlabelled" in line for line in printed(tmp_path, "--all"))
    assert summary.startswith("0 errors")
    (tmp_path / "a.txt").write_text("hello", encoding="utf-8")
    assert sum("unlabelled" in line for line in printed(tmp_path, "--all")) == 2


def test_two_channels_and_two_spans_of_a_file_are_not_the_same_audio(tmp_path: Path, write_wav: Writer) -> None:
    write_wav("a.wav", channels=2)
    path = manifest(
        tmp_path,
        *({"audio_filepath": "a.wav", "text": "x", "channel": n} for n in (0, 1)),
        {"audio_filepath": "a.wav", "text": "x", "channel": 1, "offset": 0.5},
        {"audio_filepath": "a.wav", "text": "x", "channel": 1, "duration": 0.5, "id": "half"},
    )
    assert [finding.message for finding in data.check(path) if "same audio" in finding.message] == []
    again = manifest(tmp_path, *({"audio_filepath": "a.wav", "text": "x", "channel": 1, "id": n} for n in "pq"))
    assert [finding.message for finding in data.check(again)] == ["same audio as clip 'p'"]
