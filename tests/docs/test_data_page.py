"""The examples on the page about data are read, and give what the page shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.docs.test_docs import ROOT, blocks
from typer.testing import CliRunner

from earwitness.cli.data import app
from earwitness.data.dataset import FORMATS, sniff
from earwitness.data.readers.columns import NAMES, fold

PAGE = ROOT / "docs" / "data.md"
AUDIO = {
    "nemo": ["call.wav", "talk.wav"],
    "table": ["call.wav"],
    "folder": ["first.wav", "second.wav"],
    "kaldi": ["call.wav"],
    "librispeech": ["84/121/84-121-0000.flac"],
    "lhotse": ["call.wav", "first.wav", "second.wav"],
}


@pytest.mark.parametrize("kind", FORMATS)
def test_the_example_of_a_format_gives_the_clips_on_the_page(tmp_path: Path, kind: str) -> None:
    shown = blocks(PAGE, "text")
    for name, content in shown.items():
        if name.startswith(f"{kind}/"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content, encoding="utf-8")
    for name in AUDIO[kind]:
        soundfile.write(tmp_path / kind / name, np.full((16_000, 2), 0.1), 8000)
    source = tmp_path / kind if kind != "table" else tmp_path / "table/calls.csv"
    assert sniff(source) == kind
    done = CliRunner().invoke(app, ["show", str(source)], catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    printed = [line.strip() for line in done.stdout.splitlines() if line.startswith("  ")]
    assert printed == shown[f"{kind}.clips"].splitlines()
    assert "note:" not in done.stdout


def test_the_names_on_the_page_are_those_of_the_list() -> None:
    rows = [line.split("|") for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    listed = {row[1].split(":")[0].strip(): row[2] for row in rows if row[1].split(":")[0].strip() in NAMES}
    assert set(listed) == set(NAMES)
    for role, names in listed.items():
        on_page = names.split("`")[1::2]
        assert {fold(name) for name in on_page} <= {fold(name) for name in NAMES[role]}, role
        assert on_page[0] == NAMES[role][0]
